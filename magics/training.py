"""A training as it goes on: losses by step, how it ended, and values that were watched."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from dsl.training import ProgramTrainer
from engine import Node
from engine.learn import Record
from engine.show import short_number
from magics.curve import curve, sparkline
from magics.image import as_image

Batch = Mapping[Any, Any]
BACK = 50  # steps between two states to which one can go back
CELLS = 20


@dataclass
class Training:
    """The losses of a training by step, each before its update.

    `trainer` has the state; `seconds` this run took, of `asked` steps, from step `start` on;
    `ending` says why it ended, empty while it runs.
    """

    loss: str
    trainer: ProgramTrainer
    asked: int | None
    start: int = 0
    losses: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    seconds: float = 0.0
    remaining: float | None = None
    ending: str = ""

    @property
    def steps(self) -> int:
        """How many steps were made."""
        return len(self.losses)

    def add(self, record: Record) -> None:
        """One step more."""
        self.losses.append((record.step, record.loss))
        self.seconds, self.remaining = record.elapsed, record.remaining

    def __repr__(self) -> str:
        if not self.losses:
            return f"{self.loss}: no step yet"
        (_, first), (_, last) = self.losses[0], self.losses[-1]
        falls = f"{self.loss} {_short(first)} → {_short(last)}"
        return f"{falls}  {sparkline([y for _, y in self.losses])}\n{self.pace}"

    @property
    def pace(self) -> str:
        """Steps, speed, and what is to come or how it ended."""
        of = f" of {self.asked}" if self.asked is not None and self.steps < self.asked else ""
        made = f"{self.steps}{of} steps in {self.seconds:.1f} s"
        speed = f"{self.steps / self.seconds:.0f} a second" if self.seconds else ""
        to_go = f"{self.remaining:.0f} s to go" if self.remaining and not self.ending else ""
        whole = f"step {self.start + self.steps} in all" if self.start else ""
        return ", ".join(part for part in (made, speed, whole, to_go, self.ending) if part)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        text = repr(self)
        if not self.losses:
            return {"text/plain": text}
        image = as_image(curve(self.losses, self.loss), text)
        line = html.escape(f"{self._bar}{self.pace}")
        return {"text/plain": text, "text/html": f'{image}<pre style="margin:0">{line}</pre>'}

    @property
    def _bar(self) -> str:
        if self.ending or not self.asked or self.steps >= self.asked:
            return ""
        done = CELLS * self.steps // self.asked
        return f"{'█' * done}{'░' * (CELLS - done)} "


def _short(loss: float) -> str:
    return short_number(float(f"{loss:.4g}"))


@dataclass(frozen=True)
class Trained:
    """The losses of a training that is over, by step, however often it went on; and how it went."""

    loss: str
    how: str
    losses: tuple[tuple[int, float], ...]


Key = tuple[Node, str, float]  # the loss, the optimiser, the learning rate


@dataclass(frozen=True)
class Practice:
    """A trainer that can go on, and the values by path that it left in the session."""

    key: Key
    trainer: ProgramTrainer
    values: Mapping[str, Tensor]

    def left_off_at(self, values: Mapping[str, Any]) -> bool:
        """Whether these are the very tensors that the trainer left."""
        return values.keys() == self.values.keys() and all(
            tensor is values[path] for path, tensor in self.values.items()
        )


class Rewind:
    """The way back to the last whole state: a copy of it now and then, and the batches since."""

    def __init__(self, trainer: ProgramTrainer) -> None:
        self._trainer = trainer
        self._keep()

    def recorded(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches as they are used."""
        for batch in batches:
            if len(self._batches) >= BACK:
                self._keep()
            self._batches.append(batch)
            yield batch

    @property
    def last(self) -> Batch:
        """The batch that was used last."""
        return self._batches[-1]

    def back(self) -> None:
        """Undo the last step: begin at the copy and repeat the steps since, bit for bit."""
        for name, tensor in self._tensors.items():
            tensor.copy_(self._copies[name])
        self._trainer.step = self._step
        for _ in self._trainer.fit(self._batches[:-1]):
            pass

    @property
    def _tensors(self) -> dict[str, Tensor]:
        return {**self._trainer.state, **self._trainer.slots}

    def _keep(self) -> None:
        self._copies = {name: tensor.clone() for name, tensor in self._tensors.items()}
        self._step, self._batches = self._trainer.step, list[Batch]()
