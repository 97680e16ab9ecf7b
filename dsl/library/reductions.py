"""Reductions: over the elements of a tensor, or over the passes of a comprehension.

`sum(x)` adds elements, `sum(x[i]^2 for i in range(n))` adds the passes, which may be tensors.
"""

from __future__ import annotations

from collections.abc import Callable

from engine import EngineError, Node, ops
from engine.ops.sources import constant_value

from ..lowering.readers import Reduced
from ..values import Builtin
from .builtin import builtin

Axis = object


def reduction(
    name: str, op: Callable[..., Node], more: str = "axis=None, keepdims=false"
) -> Builtin:
    """A function that goes over axes, and over the passes of a comprehension as its first axis."""

    def build(x: Reduced, axis: Axis, *rest: object) -> Node:
        return op(x.node, 0 if x.from_loop and axis is None else axis, *rest)

    return builtin(f"{name}(x, {more})", build, x="reduced")


def extreme(name: str, op: Callable[..., Node], pair: Callable[..., Node]) -> Builtin:
    """`max(x)`, `max(x, axis=-1)`, and of two operands the greater: `max(0, x)`."""

    def build(x: Reduced, y: Node | None, axis: Axis, keepdims: bool) -> Node:
        if y is None:
            return op(x.node, 0 if x.from_loop and axis is None else axis, keepdims)
        number = constant_value(y)
        if x.node.rank and isinstance(number, int):
            raise EngineError(
                f"`{name}` of a tensor and {number} can be read two ways",
                hint=f"write `{name}imum({{0}}, {number})` or `{name}({{0}}, axis={number})`",
            )
        return pair(x.node, y)

    return builtin(f"{name}(x, y=None, axis=None, keepdims=false)", build, x="reduced")


def variance(x: Node, axis: Axis, keepdims: bool, correction: int) -> Node:
    """The mean squared distance from the mean."""
    return ops.var(x, axis, keepdims, correction=correction)


def deviation(x: Node, axis: Axis, keepdims: bool, correction: int) -> Node:
    """The root of the variance."""
    return ops.sqrt(variance(x, axis, keepdims, correction))


def argmin(x: Node, axis: Axis, keepdims: bool) -> Node:
    """Where the smallest element is."""
    return ops.argmax(-x, axis, keepdims)


REDUCTIONS = (
    reduction("sum", ops.sum),
    reduction("mean", ops.mean),
    reduction("prod", ops.prod),
    reduction("logsumexp", ops.logsumexp),
    reduction("var", variance, "axis=None, keepdims=false, correction=0"),
    reduction("std", deviation, "axis=None, keepdims=false, correction=0"),
    reduction("norm", ops.norm),
    reduction("argmax", ops.argmax),
    reduction("argmin", argmin),
    extreme("max", ops.max, ops.maximum),
    extreme("min", ops.min, ops.minimum),
)
