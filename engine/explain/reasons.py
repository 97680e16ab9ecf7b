"""Why no derivative flows from a value to its operand, and what would let it through.

`always` tells what operators are, `here` what the values are: which element is saturated, masked,
not taken, left out or times zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from engine import ops
from engine.explain.rules import rule_of
from engine.graph import Node, Op
from engine.passes.simplify import filled_with

MASKED = -1e4  # a score so low is a mask, not a score


@dataclass(frozen=True)
class Reason:
    """Why nothing flows, and the `way` in which something would."""

    why: str
    way: str = ""


@dataclass(frozen=True)
class Edge:
    """From y to its operand x: ȳ, the values by node, and in words where ȳ is not zero."""

    y: Node
    x: Node
    g: Tensor
    values: Mapping[Node, Tensor]

    @property
    def floats(self) -> str:
        """The kind of floats that flow: `float32`."""
        return str(self.g.dtype).removeprefix("torch.")

    @property
    def where(self) -> str:
        """`in all 3 elements`, of which only those count that the loss depends on."""
        n, of = int(self.g.count_nonzero()), self.g.numel()
        if of == 1:
            return "in the only element"
        return f"in all {of} elements" if n == of else f"in the {n} of {of} elements that count"

    @property
    def others(self) -> list[Node]:
        """The operands beside x, x itself where it stands in several places."""
        places = list(self.y.inputs)
        places.remove(self.x)
        return places


def always(y: Node, x: Node) -> Reason:
    """Why no derivative flows from y to x whatever the values are."""
    if y.op is ops.stop:
        return Reason("`stop` holds it constant", "without `stop` it flows")
    if x.kind != "float":
        meant = x.inputs[0] if x.op is ops.cast else x
        truth = meant.kind == "bool"
        what = "truth values" if truth else "whole numbers"
        smooth = "a smooth step such as `sigmoid`" if truth else "weights such as `softmax`"
        return Reason(
            f"{what} do not vary continuously", f"in their place {smooth} would let it flow"
        )
    flat = f"`{y.op.name}` is flat: its slope is zero wherever it has one"
    way = "a smooth function in its place lets it flow: `tanh` for `sign`, `softmax` for `argmax`"
    return Reason(flat, way if y.op in (ops.sign, ops.argmax) else "")


def everywhere(y: Node) -> Reason:
    """Why a slope is zero that has a rule, as far as the graph alone tells."""
    if y.op is ops.mul and any(filled_with(x, 0) for x in y.inputs):
        return Reason("the other factor is zero", "it flows once that factor is not zero")
    return Reason(f"its slope is zero everywhere, {rule_of(y).text()}")


def here(y: Node, x: Node, g: Tensor, values: Mapping[Node, Tensor]) -> Reason:
    """Why nothing of a cotangent g that is not zero arrives at x, at these values."""
    edge = Edge(y, x, g, values)
    if not values[x].numel() or not g.numel():
        return Reason("there is no element to depend on", "it flows once it is not empty")
    return _TOLD.get(y.op, _slope)(edge)


def _slope(edge: Edge) -> Reason:
    return Reason(f"its slope is zero {edge.where}, {rule_of(edge.y).text(edge.x)}")


def _relu(edge: Edge) -> Reason:
    return Reason(
        f"saturated: not positive {edge.where}",
        "it flows where an input is positive: a larger bias, or `gelu` in its place",
    )


def _where(edge: Edge) -> Reason:
    return Reason(
        f"masked: the other branch is taken {edge.where}",
        "it flows where the condition takes this branch",
    )


def _larger(edge: Edge) -> Reason:
    more = "larger" if edge.y.op is ops.maximum else "smaller"
    [other] = edge.others
    if other.op is ops.const:
        bound = f"the bound {other.label() if other.rank else values_of(edge.values[other])}"
        return Reason(f"clipped: {bound} is taken {edge.where}", "it flows within the bound")
    return Reason(
        f"not taken: the other operand is {more} {edge.where}", f"it flows where this is {more}"
    )


def values_of(value: Tensor) -> str:
    """A number as it is written: `1`, `0.5`."""
    return f"{value.item():g}"


def _factor(edge: Edge) -> Reason:
    """A product: its other factors are zero, a mask of zeros, or too small for the floats."""
    zero = [x for x in edge.others if not edge.values[x].any()]
    masks = [x for x in edge.others if x.op is ops.cast]
    if masks:
        return Reason(f"masked: times 0 {edge.where}", "it flows where the mask is 1")
    if zero and zero[0].op is ops.variable:
        n, name = edge.values[zero[0]].numel(), zero[0].label()
        dead = f"the other factor `{name}` is zero in all {n} element{'s' * (n > 1)}"
        return Reason(dead, f"it flows once `{name}` is not zero, as from another first value")
    if edge.y.op is ops.mul and ((edge.g != 0) & (edge.values[edge.others[0]] != 0)).any():
        return _too_small(edge) if edge.x.shape == edge.y.shape else _sum(edge)
    if zero or edge.y.op is ops.mul:
        return Reason(
            f"the other factor is zero {edge.where}", "it flows where that factor is not zero"
        )
    return _sum(edge)


def _too_small(edge: Edge) -> Reason:
    return Reason(
        f"the product of slopes is too small for {edge.floats}",
        "it flows with factors nearer to 1, or in more precise floats",
    )


def _sum(edge: Edge) -> Reason:
    return Reason(f"what flows back {edge.where} adds up to zero", "no path is cut: a true zero")


def _saturated(edge: Edge) -> Reason:
    return Reason(
        f"saturated: its slope is exactly 0 in {edge.floats} {edge.where}",
        "it flows for inputs nearer to 0: smaller weights, or a normalisation before it",
    )


def _weights(edge: Edge) -> Reason:
    """A softmax whose weights are all 0 or 1, or whose weights are all asked for alike."""
    y, x = edge.values[edge.y], edge.values[edge.x]
    if not ((y == 0) | (y == 1))[edge.g != 0].all():
        return Reason(
            "what flows back to the weights is the same for all, and they add up to 1",
            "no path is cut: a true zero",
        )
    away = x[y == 0]
    if away.numel() and (away < MASKED).all() and (x > MASKED).any():
        return Reason(
            f"masked: the mask leaves a single weight, 1, {edge.where}",
            "it flows where the mask leaves two weights or more",
        )
    return Reason(
        f"saturated: a weight is 1 and the others exactly 0, {edge.where}",
        "it flows for scores nearer to each other: divide them by √d, or by a temperature",
    )


def _left_out(edge: Edge) -> Reason:
    n = edge.values[edge.x].numel()
    part = "its only element" if n == 1 else f"any of its {n} elements"
    return Reason(f"left out: the loss does not depend on {part} here", "it flows once it is read")


def _at_zero(edge: Edge) -> Reason:
    if edge.values[edge.x].any():
        return _slope(edge)
    return Reason(f"0 {edge.where}, where it has no slope", "it flows away from 0")


_TOLD: dict[Op, Callable[[Edge], Reason]] = {
    ops.relu: _relu,
    ops.where: _where,
    **dict.fromkeys((ops.maximum, ops.minimum), _larger),
    **dict.fromkeys((ops.mul, ops.matmul, ops.einsum), _factor),
    **dict.fromkeys((ops.add, ops.sub, ops.neg, ops.expand, ops.sum_to), _sum),
    **dict.fromkeys((ops.exp, ops.tanh, ops.sigmoid, ops.erf), _saturated),
    **dict.fromkeys((ops.gelu, ops.silu, ops.softplus), _saturated),
    ops.softmax: _weights,
    **dict.fromkeys((ops.concat, ops.stack, ops.part, ops.pick, ops.gather), _left_out),
    **dict.fromkeys((ops.triu, ops.tril, ops.index, ops.diag), _left_out),
    **dict.fromkeys((ops.pow, ops.abs, ops.norm), _at_zero),
}
