"""A trainer of a program: what fails in a step is told at its place in the text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor

from engine import Node
from engine.learn import Optimizer, Record, Trainer

from .failures import located
from .lowering.state import Lowering


class ProgramTrainer(Trainer):
    """The engine's trainer, whose errors know the text."""

    def __init__(
        self,
        low: Lowering,
        loss: Node,
        params: Mapping[str, Node],
        values: Mapping[str, Any],
        optimizer: Optimizer,
        lr: float | Callable[[int], float],
    ) -> None:
        self._low = low
        with located(low):
            super().__init__(loss, params, values, optimizer, lr)

    def fit(
        self, batches: Iterable[Mapping[Any, Any]], steps: int | None = None
    ) -> Iterator[Record]:
        """As `Trainer.fit`."""
        with located(self._low):
            yield from super().fit(batches, steps)

    def evaluate(self, node: Node, feeds: Mapping[Any, Any]) -> Tensor:
        """As `Trainer.evaluate`."""
        with located(self._low):
            return super().evaluate(node, feeds)
