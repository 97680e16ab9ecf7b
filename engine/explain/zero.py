"""Why a gradient is zero: the places at which every path from the loss to a value is cut.

From the graph alone: there is no path, or `stop`, whole numbers, comparisons and flat functions
stand on it. With values fed also what is zero just there: a ReLU that is saturated, a mask, a
factor that is zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import Tensor

from engine import ops
from engine.calculus import gradients
from engine.explain.chain import Chain, Cut, chain, flows
from engine.explain.reasons import everywhere, here
from engine.explain.rules import one_line
from engine.graph import Node, toposort
from engine.ops.families import zeros_like
from engine.passes.rewrite import rewrite
from engine.passes.simplify import TIDY, filled_with
from engine.run.bind import Feeds
from engine.run.trace import trace
from engine.show.folding import fold
from engine.show.names import own_name, visible
from engine.show.summary import summary

Edge = tuple[Node, Node, Node]  # y, its operand x, what flows back to x
Why = Literal["disconnected", "cut", "flat", "cancelled"]
LONGEST = 60
MOST_CUTS = 12


@dataclass(frozen=True, repr=False)
class Zero:
    """A gradient that is zero, and why.

    why      "disconnected", "cut" (by what the operators are), "flat" (at the values that were
             fed) or "cancelled" (what arrives adds up to zero)
    cuts     where the paths end, the nearest to the loss first
    values   in few words the operands at cuts, where values were fed
    places   where in a text values were written
    """

    loss: Node
    wrt: Node
    why: Why
    cuts: tuple[Cut, ...] = ()
    values: Mapping[Node, str] = field(default_factory=dict[Node, str])
    names: Mapping[Node, str] = field(default_factory=dict[Node, str])
    places: Mapping[Node, str] = field(default_factory=dict[Node, str])

    def __repr__(self) -> str:
        loss, x = self._called(self.loss), self._called(self.wrt)
        if self.why == "disconnected":
            leaves = [n.label() for n in toposort([self.loss]) if n.op is ops.variable]
            of = f", but of {visible(', '.join(leaves), LONGEST)}" if leaves else ""
            return f"∂{loss}/∂{x} = 0: {loss} is not made of {x}{of}"
        head = f"∂{loss}/∂{x} = 0: every path from {loss} to {x} is cut"
        if self.why == "cancelled":
            head = f"∂{loss}/∂{x} = 0: what flows back adds up to zero"
        more = len(self.cuts) - MOST_CUTS
        rows = [row for cut in self.cuts[:MOST_CUTS] for row in self._rows(cut)]
        return "\n".join(
            [head, *(f"    {row}" for row in rows), *[f"    … {more} more"][: more > 0]]
        )

    def _rows(self, cut: Cut) -> Iterator[str]:
        """Where the cut was written, what it is, and what would let a derivative through."""
        user, value = self._called(cut.user, opened=True), self._called(cut.value)
        if cut.user in self.places:
            yield self.places[cut.user]
        between = f"at {value}" if user == value else f"from {user} to {value}"
        yield from fold(f"{between}: {cut.why}")
        if cut.value in self.values:
            yield f"    {value} is {self.values[cut.value]}"
        if cut.way:
            yield f"    {cut.way}"

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
    places: Mapping[Node, str] | None = None,
) -> Zero | None:
    """Why the gradient of a number by a value is zero, None where it is not known to be.

    Without `feeds` only the graph is looked at. `places` are where values were written.
    Raises what `Evaluator.run` raises for feeds that do not fit.

    >>> from engine import var
    >>> x = var("x", ["n"])
    >>> why_zero(ops.sum(ops.relu(ops.stop(x))), x)
    ∂sum(relu(stop(x)))/∂x = 0: every path from sum(relu(stop(x))) to x is cut
        from stop(x) to x: `stop` holds it constant
            without `stop` it flows
    >>> why_zero(ops.sum(ops.relu(x)), x, {x: [-1.0, -2.0]}).cuts[0].why
    'saturated: not positive in all 2 elements'
    """
    shown = names or {}, places or {}
    if wrt not in toposort([loss]):
        return Zero(loss, wrt, "disconnected", (), {}, *shown)
    found = chain(loss, wrt)
    if all(step.value is not wrt for step in found.steps):
        return Zero(loss, wrt, "cut", found.cuts, {}, *shown)
    flat = _flat(found, wrt, feeds)
    return replace(flat, names=shown[0], places=shown[1]) if flat else None


def _flat(found: Chain, wrt: Node, feeds: Feeds | None) -> Zero | None:
    """Where the derivative is lost on paths that the operators leave open."""
    nodes = [step.value for step in found.steps]
    slopes = dict(zip(nodes, gradients(found.output, nodes), strict=True))
    edges = [
        (y, x, dx) for y in nodes for x, dx in flows(slopes[y], y) if dx is not None and x in slopes
    ]
    outputs = [*slopes.values(), *(dx for *_, dx in edges)]
    traced = [*outputs, *nodes, *(x for y in nodes for x in y.inputs)]
    values = {} if feeds is None else {t.node: t.value for t in trace(traced, feeds)}
    zero = _without_values(outputs, found.output) if feeds is None else _at(values)
    if slopes[wrt] not in zero:
        return None
    cuts = dict[tuple[Node, Node], Cut]()
    for y, x, dx in edges:
        if dx in zero and slopes[y] not in zero:
            told = everywhere(y) if feeds is None else here(y, x, values[slopes[y]], values)
            cuts[y, x] = Cut(y, x, told.why, told.way)
    live = [cut for cut in found.cuts if slopes.get(cut.user) not in zero]
    sums = [x for x in nodes if slopes[x] in zero and _arriving(x, edges, zero)]
    summed = [_cancelled(x, _arriving(x, edges, zero)) for x in sums]
    told_of = {x: summary(values[x]) for _, x in cuts if x in values}
    why = "cancelled" if sums else "flat"
    return Zero(found.output, wrt, why, (*summed, *cuts.values(), *live), told_of)


def _arriving(x: Node, edges: Sequence[Edge], zero: set[Node]) -> list[Node]:
    """The readers of x that send back what is not zero."""
    return [y for y, operand, dx in edges if operand is x and dx not in zero]


def _cancelled(x: Node, readers: Sequence[Node]) -> Cut:
    n = len(readers)
    why = f"what flows back on {n} ways adds up to zero"
    return Cut(readers[0], x, why, "no path is cut: a true zero")


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
