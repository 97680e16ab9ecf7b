"""The training loop: run the step's graph batch after batch, in place, and yield a record of each.

Training state is the parameters, the optimiser's states and the number of steps done; they
change together or not at all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from engine.errors import EngineError, KindError, MissingInput
from engine.graph import Node
from engine.learn import checkpoint
from engine.learn.interrupt import DEFERRAL
from engine.learn.step import LEARNING_RATE, STEP_NUMBER, Optimizer, train_step
from engine.ops import const
from engine.run import Evaluator
from engine.run.bind import Feeds, as_tensors, beside, match, placement
from engine.run.evaluate import remember
from engine.run.plan import Step


@dataclass(frozen=True)
class Record:
    """One step of training: `seconds` it took, `elapsed` seconds since `fit` began.

    `done` counts the steps of this `fit`, `steps` is how many were asked for.
    """

    step: int
    lr: float
    seconds: float
    elapsed: float
    done: int
    steps: int | None
    value: Tensor = field(repr=False)

    @property
    def loss(self) -> float:
        """The loss before the update; read from the device only when asked for."""
        return float(self.value)

    @property
    def speed(self) -> float:
        """Steps per second since `fit` began, batches included."""
        return self.done / self.elapsed if self.elapsed else float("inf")

    @property
    def remaining(self) -> float | None:
        """Seconds to go at this speed, None when no number of steps was asked for."""
        return None if self.steps is None else (self.steps - self.done) / self.speed


class Trainer:
    """Minimises `loss` over `params` (path -> leaf) from copies of `values` (path -> tensor).

    `lr` is a number, or a schedule: a function of the number of the step, which counts from 1.
    `state` (path -> tensor) are the parameters themselves, `slots` the optimiser's states, `step`
    the number of steps done.
    Raises what `train_step` raises, MissingInput for a parameter without a value, and KindError for
    values of several precisions or devices.

    >>> from engine import ops, var
    >>> w, x, y = var("w", []), var("x", ["n"]), var("y", ["n"])
    >>> sgd = Optimizer(lambda θ, g, states, t, lr: (θ - lr * g,))
    >>> trainer = Trainer(ops.mean((w * x - y) ** 2), {"w": w}, {"w": 0.0}, sgd, lr=0.1)
    >>> batch = {"x": [1.0, 2.0], "y": [3.0, 6.0]}
    >>> [round(record.loss, 2) for record in trainer.fit([batch] * 3)]
    [22.5, 5.62, 1.41]
    """

    def __init__(
        self,
        loss: Node,
        params: Mapping[str, Node],
        values: Mapping[str, Any],
        optimizer: Optimizer,
        lr: float | Callable[[int], float],
    ) -> None:
        if not callable(lr) and not math.isfinite(lr):
            raise KindError(f"a learning rate is a finite number, not {lr}")
        self.graph = train_step(
            loss, params, optimizer, LEARNING_RATE if callable(lr) else const(float(lr))
        )
        self.evaluator = Evaluator([self.graph.loss], updates=self.graph.updates)
        self.step = 0
        self._lr = lr
        state = _own_copies(params, values)
        with torch.inference_mode(False):
            slots = {
                f"{slot}({path})": torch.zeros_like(state[path])
                for path in params
                for slot in optimizer.slots
            }
        self.state: Mapping[str, Tensor] = MappingProxyType(state)
        self.slots: Mapping[str, Tensor] = MappingProxyType(slots)
        self._params = {leaf: state[path] for path, leaf in params.items()}
        self._bind_leaves()

    def _bind_leaves(self) -> None:
        """Give each leaf of the step its tensor once; the places of the batch stay open."""
        place = placement(list(self._params), list(self._params.values()))
        with torch.inference_mode(False):
            self._number = torch.zeros((), dtype=torch.int64, device=place.device)
            self._rate = torch.zeros((), dtype=place.dtype, device=place.device)
        states = {leaf: self.slots[name] for name, leaf in self.graph.states.items()}
        clock = {STEP_NUMBER: self._number, LEARNING_RATE: self._rate}
        bound = {**self._params, **states, **clock}
        leaves = self.evaluator.plan.leaves
        self._tensors: list[Tensor] = [bound.get(leaf, self._number) for leaf in leaves]
        self._open = [(i, leaf) for i, leaf in enumerate(leaves) if leaf not in bound]
        self._batch_leaves = [leaf for _, leaf in self._open]
        self._steps: dict[object, Step] = {}
        self._evaluators: dict[Node, Evaluator] = {}

    def fit(self, batches: Iterable[Feeds], steps: int | None = None) -> Iterator[Record]:
        """Make a step with each batch {leaf or its name: tensor}, at most `steps`; yield records.

        Ctrl-C waits until batch and step are whole, then raises KeyboardInterrupt: exactly `step`
        batches have been used, and another `fit` with the rest of the same iterator goes on bit
        for bit. A second Ctrl-C does not wait for a batch.
        Raises what `Evaluator.run` raises, before anything changes.
        """
        if isinstance(batches, Mapping):
            raise KindError("fit takes many batches, not one", hint="write `[batch]`")
        rest, begun, done = iter(batches), time.perf_counter(), 0
        try:
            while steps is None or done < steps:
                with DEFERRAL:
                    feeds = next(rest, None)
                    if feeds is None:
                        return
                    DEFERRAL.seal()
                    lr, seconds, value = self._advance(feeds)
                done += 1
                elapsed = time.perf_counter() - begun
                yield Record(self.step, lr, seconds, elapsed, done, steps, value)
        finally:
            DEFERRAL.release()

    def _advance(self, feeds: Feeds) -> tuple[float, float, Tensor]:
        """One step; everything that can fail comes before the state changes."""
        start = time.perf_counter()
        step = self._bind_batch(feeds)
        lr = self._lr
        if callable(lr):
            lr = lr(self.step + 1)
            self._rate.fill_(lr)
        self._number.fill_(self.step + 1)
        (value,) = self.evaluator.call(step, self._tensors)
        self.step += 1
        return lr, time.perf_counter() - start, value

    def _bind_batch(self, feeds: Feeds) -> Step:
        """Put the batch into its places; only its shapes can ask for another binding."""
        if not isinstance(feeds, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] (a user's)
            raise KindError(f"a batch is {{leaf: tensor}}, not a {type(feeds).__name__}")
        values = match(self._batch_leaves, feeds)
        # The rate goes along so that lists and numbers take the parameters' precision and device.
        _, *batch = as_tensors([LEARNING_RATE, *self._batch_leaves], [self._rate, *values])
        for (i, _), tensor in zip(self._open, batch, strict=True):
            self._tensors[i] = tensor
        plan = self.evaluator.plan
        others = beside(plan.leaves, plan.lacks, feeds)
        key = (others, *[(t.shape, t.dtype, t.device) for t in batch])
        step = self._steps.get(key)
        return step or remember(self._steps, key, self.evaluator.step_for(self._tensors, others))

    def evaluate(self, node: Node, feeds: Feeds) -> Tensor:
        """The value of a node at the present parameters: a validation loss, a prediction."""
        evaluator = self._evaluators.get(node)
        if evaluator is None:
            evaluator = self._evaluators[node] = Evaluator([node])
        (value,) = evaluator.run({**feeds, **self._params})
        return value

    def save(self, path: str | Path) -> None:
        """Write parameters, states and the number of steps to a safetensors file, atomically."""
        checkpoint.save(path, {**self.state, **self.slots}, {"step": str(self.step)})

    def load(self, path: str | Path) -> None:
        """Go on from a saved file: the next steps are bit for bit those of an unbroken run.

        Raises EngineError, before anything changes, when the file is not whole, or not of this
        model and optimiser.
        """
        tensors, metadata = checkpoint.load(path)
        mine = {**self.state, **self.slots}
        checkpoint.check(path, tensors, mine)
        if not metadata.get("step", "").isdecimal():
            raise EngineError(
                f"`{path}` holds weights but no number of steps: it is not a trainer's file"
            )
        with DEFERRAL:
            DEFERRAL.seal()
            for name, tensor in mine.items():
                tensor.copy_(tensors[name])
            self.step = int(metadata["step"])


def _own_copies(params: Mapping[str, Node], values: Mapping[str, Any]) -> dict[str, Tensor]:
    """A contiguous copy of each parameter's value, which torch may write into anywhere."""
    missing = [path for path in params if path not in values]
    if missing:
        raise MissingInput(
            f"no value was given for {', '.join(f'`{path}`' for path in missing)}",
            hint="every parameter starts from a value",
        )
    given = as_tensors(list(params.values()), [values[path] for path in params])
    with torch.inference_mode(False):
        return {
            path: tensor.clone(memory_format=torch.contiguous_format)
            for path, tensor in zip(params, given, strict=True)
        }
