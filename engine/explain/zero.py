"""Why a gradient is zero: the places at which every path from the loss to a value is cut.

From the graph alone: there is no path, or `stop`, whole numbers, comparisons and flat functions
stand on it. With values fed also what is zero just there: a ReLU that is saturated, a mask, a
factor that is zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from engine import ops
from engine.calculus import gradients
from engine.explain.chain import Chain, Cut, chain, flows
from engine.explain.rules import one_line, rule_of
from engine.graph import Node, toposort
from engine.ops.families import zeros_like
from engine.passes.rewrite import rewrite
from engine.passes.simplify import TIDY, filled_with
from engine.run.bind import Feeds
from engine.run.trace import trace
from engine.show.names import own_name, visible
from engine.show.summary import summary

Why = Literal["disconnected", "cut", "flat", "cancelled"]
LONGEST = 60
MOST_CUTS = 12
_HERE = {
    ops.relu: "saturated: no input is positive where the loss depends on the result",
    ops.where: "masked: the other branch is taken wherever the loss depends on the result",
    ops.mul: "the other factor is zero wherever the loss depends on the result",
}


@dataclass(frozen=True, repr=False)
class Zero:
    """A gradient that is zero, and why.

    why      "disconnected", "cut" (by what the operators are), "flat" (at the values that were
             fed) or "cancelled" (what arrives adds up to zero)
    cuts     where the paths end, the nearest to the loss first
    values   in few words the operands at cuts, where values were fed
    """

    loss: Node
    wrt: Node
    why: Why
    cuts: tuple[Cut, ...] = ()
    values: Mapping[Node, str] = field(default_factory=dict[Node, str])
    names: Mapping[Node, str] = field(default_factory=dict[Node, str])

    def __repr__(self) -> str:
        loss, x = self._called(self.loss), self._called(self.wrt)
        if self.why == "disconnected":
            return f"∂{loss}/∂{x} = 0: {loss} is not made of {x}"
        head = f"∂{loss}/∂{x} = 0: every path from {loss} to {x} is cut"
        if self.why == "cancelled":
            head = f"∂{loss}/∂{x} = 0: what flows back adds up to zero"
        more = len(self.cuts) - MOST_CUTS
        rows = [*map(self._row, self.cuts[:MOST_CUTS]), *([f"    … {more} more"] * (more > 0))]
        return "\n".join([head, *rows])

    def _row(self, cut: Cut) -> str:
        user, value = self._called(cut.user, opened=True), self._called(cut.value)
        known = f"; {value} is {self.values[cut.value]}" if cut.value in self.values else ""
        return f"    from {user} to {value}: {cut.why}{known}"

    def _called(self, node: Node, opened: bool = False) -> str:
        own = own_name(node, self.names)
        names = {x: name for x, name in self.names.items() if x is not node}
        text = own or visible(one_line(node, names), LONGEST)
        if own and opened and node.op is not ops.variable:
            return f"{own} = {visible(one_line(node, names), LONGEST)}"
        return text


def why_zero(
    loss: Node,
    wrt: Node,
    feeds: Feeds | None = None,
    names: Mapping[Node, str] | None = None,
) -> Zero | None:
    """Why the gradient of a number by a value is zero, None where it is not known to be.

    Without `feeds` only the graph is looked at. Raises what `Evaluator.run` raises for feeds that
    do not fit.

    >>> from engine import var
    >>> x = var("x", ["n"])
    >>> why_zero(ops.sum(ops.relu(ops.stop(x))), x)
    ∂sum(relu(stop(x)))/∂x = 0: every path from sum(relu(stop(x))) to x is cut
        from stop(x) to x: `stop` holds it constant
    >>> why_zero(ops.sum(ops.relu(x)), x, {x: [-1.0, -2.0]}).cuts[0].why
    'saturated: no input is positive where the loss depends on the result'
    """
    known = names or {}
    if wrt not in toposort([loss]):
        return Zero(loss, wrt, "disconnected", names=known)
    found = chain(loss, wrt)
    if all(step.value is not wrt for step in found.steps):
        return Zero(loss, wrt, "cut", found.cuts, names=known)
    return _flat(found, wrt, feeds, known)


def _flat(found: Chain, wrt: Node, feeds: Feeds | None, names: Mapping[Node, str]) -> Zero | None:
    """Where the derivative is lost on paths that the operators leave open."""
    nodes = [step.value for step in found.steps]
    slopes = dict(zip(nodes, gradients(found.output, nodes), strict=True))
    edges = [
        (y, x, dx) for y in nodes for x, dx in flows(slopes[y], y) if dx is not None and x in slopes
    ]
    outputs = [*slopes.values(), *(dx for *_, dx in edges)]
    values = {} if feeds is None else {t.node: t.value for t in trace(outputs, feeds)}
    zero = _without_values(outputs, found.output) if feeds is None else _at(values)
    if slopes[wrt] not in zero:
        return None
    ends = [(y, x) for y, x, dx in edges if dx in zero and slopes[y] not in zero]
    cuts = [Cut(y, x, _reason(y, feeds is not None)) for y, x in ends]
    live = [cut for cut in found.cuts if slopes.get(cut.user) not in zero]
    adds_up = any(dx not in zero and slopes[x] in zero for _, x, dx in edges)
    told = {x: summary(values[x]) for _, x in ends if x in values}
    why = "cancelled" if adds_up else "flat"
    return Zero(found.output, wrt, why, (*cuts, *live), told, names)


def _at(values: Mapping[Node, Tensor]) -> set[Node]:
    """The nodes that are zero at these values."""
    return {node for node, value in values.items() if not value.any()}


def _without_values(nodes: Sequence[Node], output: Node) -> set[Node]:
    """The derivatives that are zero whatever the values: zeros, and products with zero."""
    made, _ = rewrite(nodes, (_zero_as_zeros, *TIDY), keep=toposort([output]))
    return {old for old, new in zip(nodes, made, strict=True) if new.op is ops.zeros}


def _zero_as_zeros(n: Node) -> Node | None:
    """full([n], 0.0) -> zeros([n]), and 0.0 · x -> zeros."""
    factors = n.inputs if n.op is ops.mul else (n,)
    is_zero = n.kind == "float" and any(filled_with(x, 0) for x in factors)
    return zeros_like(n) if is_zero else None


def _reason(y: Node, fed: bool) -> str:
    at = "at these values" if fed else "everywhere"
    return _HERE.get(y.op, f"its slope is zero {at}, {rule_of(y).text()}")
