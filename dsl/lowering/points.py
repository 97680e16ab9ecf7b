"""Functions at a point: the value, and the leaf to differentiate it by.

The derivative of f at x counts the ways through the argument only. So f is lowered with a fresh
leaf in the argument's place and differentiated by that leaf, as often as is asked; then the
argument is put back. Without the leaf, what the body of f or the derivatives themselves make that
equals x (the 2 of 3 x² at x = 2) would vary with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine import Node, ops, var
from engine.origins import carry_all
from engine.passes.rewrite import rewrite

from ..scope import Scope
from ..span import Span
from ..values import Callee, Row, Value
from .arguments import Argument, Arguments
from .state import Lowering


@dataclass(frozen=True)
class Point:
    """`y` as a function of the node `x`; `back` turns a derivative by x into one at the point."""

    y: Node
    x: Node
    back: Callable[[Node], Node] = lambda node: node


def at_point(
    low: Lowering,
    scope: Scope,
    function: Callee,
    argument: Argument,
    named: Mapping[str, Argument],
    span: Span,
) -> Point:
    """The value of a function of one argument there."""
    given = argument.value(low)
    point = as_float(low.tensor(given, argument.expr))
    leaf = var(f"point {low.fresh()}", point.shape)
    put: Value = Row(leaf) if isinstance(given, Row) else leaf
    inner = Arguments((Argument(argument.expr, argument.scope, put),), named, span)
    y = low.tensor(low.apply(function, scope, inner), argument.expr)
    return Point(y, leaf, lambda node: _put_back(low, node, y, {leaf: point}))


def _put_back(low: Lowering, node: Node, y: Node, at: dict[Node, Node]) -> Node:
    """The node at the point; its parts keep their places in the text and their origins."""
    (made, _), new = rewrite([node, y], [at.get])
    carry_all(new)
    for old, moved in new.items():
        if moved is not old and old in low.origins:
            low.origins.setdefault(moved, low.origins[old])
            low.places.setdefault(moved, low.places[old])
            low.chains.setdefault(moved, low.chains[old])
    return made


def as_float(node: Node) -> Node:
    """The node, or its float where it is a whole number."""
    if node.kind == "float":
        return node
    if node.op is ops.const and node.shape == ():
        return ops.const(float(node.attrs["value"]))
    return ops.cast(node, kind="float")
