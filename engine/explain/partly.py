"""Rows of a gradient that are zero while others are not: an embedding's that no token reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine import ops
from engine.calculus import gradients
from engine.explain.rules import one_line
from engine.graph import Node, toposort
from engine.run.bind import Feeds
from engine.run.evaluate import Evaluator
from engine.show.names import own_name, some, visible

READING = (ops.gather, ops.index, ops.pick, ops.part)
LONGEST = 60


@dataclass(frozen=True, repr=False)
class Partly:
    """The rows, the first index, in which a gradient is zero; `read` if every reader picks rows."""

    loss: Node
    wrt: Node
    rows: tuple[int, ...]
    of: int
    read: bool
    names: Mapping[Node, str] = field(default_factory=dict[Node, str])

    def __repr__(self) -> str:
        loss, x = self._called(self.loss), self._called(self.wrt)
        n, which = len(self.rows), ", ".join(some([str(row) for row in self.rows]))
        why = "never read" if self.read else f"{loss} does not depend on them here"
        return f"∂{loss}/∂{x} is zero in {n} of {self.of} rows, {which}: {why}"

    def _called(self, node: Node) -> str:
        return own_name(node, self.names) or visible(one_line(node, self.names), LONGEST)


def partly_zero(
    loss: Node, wrt: Node, feeds: Feeds, names: Mapping[Node, str] | None = None
) -> Partly | None:
    """The rows in which the gradient of a number is zero at these values; None if none or all are.

    Raises what `Evaluator.run` raises for feeds that do not fit.

    >>> from engine import var
    >>> W, i = var("W", ["V", "d"]), var("i", ["n"], "int")
    >>> y = ops.sum(W[i])
    >>> partly_zero(y, W, {W: [[1.0], [2.0], [3.0]], i: [0, 2]}, {y: "y"})
    ∂y/∂W is zero in 1 of 3 rows, 1: never read
    """
    [slope] = Evaluator(gradients(loss, wrt)).run(feeds)
    if slope.ndim == 0 or slope.numel() == 0:
        return None
    zero = (slope == 0).flatten(1).all(1) if slope.ndim > 1 else slope == 0
    rows = tuple(zero.nonzero().flatten().tolist())
    if not rows or len(rows) == len(slope):
        return None
    readers = [node for node in toposort([loss]) if wrt in node.inputs]
    read = all(node.op in READING for node in readers)
    return Partly(loss, wrt, rows, len(slope), read, names or {})
