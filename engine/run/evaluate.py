"""`Evaluator(outputs).run(feeds)`: plan once per graph, bind once per shapes, run many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType

import torch
from torch import Tensor

from engine.errors import EngineError
from engine.graph import Node
from engine.passes import optimise
from engine.run.bind import (
    Beside,
    Feeds,
    as_tensors,
    beside,
    bind_sizes,
    match,
    placement,
)
from engine.run.plan import Plan, Step, make_plan

NOTHING = Beside()


class Evaluator:
    """Computes `outputs` from feeds: {leaf or its name: tensor, array, list or number}.

    `updates` maps leaves to nodes whose values are written into the fed tensors, in place, after
    everything is computed. Precision and device come from the feeds. Nothing runs before every feed
    was checked.

    >>> from engine import ops, var
    >>> x = var("x", ["n"])
    >>> Evaluator([ops.sum(x), x * 2]).run({"x": [1.0, 2.0]})
    [tensor(3.), tensor([2., 4.])]
    """

    def __init__(
        self,
        outputs: Sequence[Node] | Node,
        *,
        updates: Mapping[Node, Node] | None = None,
        names: Mapping[Node, str] | None = None,
        fuse: bool = True,
    ) -> None:
        asked = [outputs] if isinstance(outputs, Node) else list(outputs)
        targets = list(updates or {})
        self._labels = dict(names or {})
        self._outputs = (
            optimise([*asked, *(updates or {}).values()])
            if fuse
            else [*asked, *(updates or {}).values()]
        )
        self._count = len(asked)
        self._targets = targets
        self._plan: Plan | None = None
        self._steps: dict[object, Step] = {}

    @property
    def plan(self) -> Plan:
        """The plan, made at the first use."""
        if self._plan is None:
            results, news = self._outputs[: self._count], self._outputs[self._count :]
            self._plan = make_plan(
                results, dict(zip(self._targets, news, strict=True)), self._labels
            )
        return self._plan

    def source(self) -> str:
        """The Python source that runs the graph: one torch call a line."""
        return self.plan.source

    def run(self, feeds: Feeds) -> list[Tensor]:
        """The values of the outputs.

        Raises MissingInput for a leaf without a feed, ShapeError for a wrong shape, KindError for a
        wrong element kind, each naming the leaf, before anything runs; EngineError for what fails
        inside an op, naming the op.
        """
        leaves = self.plan.leaves
        tensors = as_tensors(leaves, match(leaves, feeds))
        return self.call(self.step_for(tensors, beside(leaves, self.plan.lacks, feeds)), tensors)

    def step_for(self, tensors: Sequence[Tensor], others: Beside = NOTHING) -> Step:
        """The compiled step for tensors of these shapes, in the order of the plan's leaves.

        `others` is what the feeds of other leaves tell.
        """
        key = (others, *[(t.shape, t.dtype, t.device) for t in tensors])
        step = self._steps.get(key)
        return step or remember(self._steps, key, self._bind(tensors, others))

    def _bind(self, tensors: Sequence[Tensor], others: Beside) -> Step:
        plan = self.plan
        place = placement(plan.leaves, tensors, others.dtype)
        shapes = [t.shape for t in tensors]
        sizes = bind_sizes([*zip(plan.leaves, shapes, strict=True), *others.shapes], plan.sizes)
        plan.owed.check(sizes)
        with torch.inference_mode():
            try:
                return plan.bind(
                    *(sizes[size.name] for size in plan.sizes), place.dtype, place.device
                )
            except (RuntimeError, IndexError, ValueError) as error:
                raise self._located(error) from error

    def call(self, step: Step, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Run a compiled step."""
        with torch.inference_mode():
            try:
                return list(step(*tensors))
            except (RuntimeError, IndexError, ValueError) as error:
                raise self._located(error) from error

    def _located(self, error: Exception) -> EngineError:
        """What torch said, with the node whose line failed."""
        line = _line_in(error.__traceback__, self.plan.filename)
        node = None if line is None else self.plan.node_at(line)
        if node is None or isinstance(error, EngineError):
            return error if isinstance(error, EngineError) else EngineError(str(error))
        return EngineError(f"{node.op.name} failed: {error}", op=node.op, nodes=node.inputs)


KEPT = 16  # a binding holds whatever depends on sizes alone, a mask [T, T] for instance


def remember(steps: dict[object, Step], key: object, step: Step) -> Step:
    """Keep a binding for the next call with these shapes, and forget the oldest beyond KEPT."""
    if len(steps) >= KEPT:
        del steps[next(iter(steps))]
    steps[key] = step
    return step


def _line_in(traceback: TracebackType | None, filename: str) -> int | None:
    """The line of the generated source where an error passed through."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == filename:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
