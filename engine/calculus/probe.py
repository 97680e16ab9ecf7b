"""A graph as a function of single elements of its leaves, in double precision, by two methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, partial

import torch
from torch import Tensor

from engine.calculus.complex_step import ComplexStep
from engine.calculus.differences import NOISE, Slope, difference
from engine.errors import GradientError
from engine.graph import Node
from engine.ops import variable as var
from engine.run import Evaluator
from engine.run.bind import Feeds, as_tensors, beside, match
from engine.run.trace import Bound, bound, trace


class Probe:
    """The output's sum at these feeds, and beside them; it has its own copies of the leaves.

    Raises GradientError for an output that is not finite here, and what `Evaluator.run` raises.
    """

    def __init__(self, output: Node, wrt: Sequence[Node], feeds: Feeds) -> None:
        self._output = output
        self._evaluator = Evaluator([output])
        plan = self._evaluator.plan
        leaves = [*dict.fromkeys([*plan.leaves, *wrt])]
        copies = zip(leaves, doubles(leaves, feeds), strict=True)
        self.leaves: dict[Node, Tensor] = dict(copies)
        self.feeds: Feeds = {**feeds, **self.leaves}
        self._tensors = [self.leaves[leaf] for leaf in plan.leaves]
        others = beside(plan.leaves, plan.lacks, self.feeds)
        self._step = self._evaluator.step_for(self._tensors, others)
        self._here = self._value()
        self.size = float(self._here.abs().sum())
        if not math.isfinite(self.size):
            raise GradientError("the output is not finite for these feeds", nodes=(output,))

    def complex_step(self, leaf: Node) -> ComplexStep:
        """The complex step by the elements of a leaf."""
        return ComplexStep(self._output, leaf, self._bound, lambda: self._values)

    @cached_property
    def _bound(self) -> Bound:
        return bound([self._output], self.feeds)

    @cached_property
    def _values(self) -> dict[Node, Tensor]:
        """The value of every node, the leaves that the output does not need among them."""
        traced = trace([self._output], self.feeds)
        return {**self.leaves, **{each.node: each.value for each in traced}}

    def difference(self, leaf: Node, i: int) -> Slope:
        """The extrapolated central difference by element i of a leaf."""
        x = self.leaves[leaf]
        return difference(partial(self._slopes, x, i), float(x.view(-1)[i]), NOISE * self.size)

    def _value(self) -> Tensor:
        (y,) = self._evaluator.call(self._step, self._tensors)
        return y.clone()  # an output may be a view of the leaf that is varied

    def _slopes(self, x: Tensor, i: int, h: float) -> tuple[float, float]:
        """The differences to the left and to the right of element i, summed over the output."""
        flat = x.view(-1)
        middle = float(flat[i])
        left, right = middle - h, middle + h
        flat[i] = left
        below = self._value()
        flat[i] = right
        above = self._value()
        flat[i] = middle
        return (
            float((self._here - below).sum()) / (middle - left),
            float((above - self._here).sum()) / (right - middle),
        )


def doubles(leaves: Sequence[Node], feeds: Feeds) -> list[Tensor]:
    """Copies that may be written into, floats in double precision (numbers and lists at once).

    Raises MissingInput for a leaf without a value.
    """
    with torch.inference_mode(False):
        one = torch.ones((), dtype=torch.float64)
        _, *tensors = as_tensors([var("double", []), *leaves], [one, *match(leaves, feeds)])
        return [
            t.to(torch.float64 if t.is_floating_point() else t.dtype, copy=True).contiguous()
            for t in tensors
        ]
