"""Functions at a point: the value, and the node to differentiate it by.

The derivative of f at x counts the ways through the argument only. If the body of f reaches x by
another way (as in `f(t) = t x` at t = x), it is lowered with a fresh leaf in the argument's place,
differentiated by that leaf, and the argument put back into the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine import Node, ops, var
from engine.graph import rebuild, toposort

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
    order = toposort([y])
    if point in order:
        return Point(y, leaf, lambda node: replaced(low, node, leaf, point))
    return Point(replaced(low, y, leaf, point), point)


def replaced(low: Lowering, node: Node, leaf: Node, point: Node) -> Node:
    """The node with the argument in the leaf's place; its parts keep their places in the text."""
    new = {leaf: point}
    for old in toposort([node], stop=new.__contains__):
        made = new[old] = (
            rebuild(old, tuple(new[x] for x in old.inputs)) if old is not leaf else point
        )
        if made is not old and old in low.origins:
            low.origins.setdefault(made, low.origins[old])
            low.places.setdefault(made, low.places[old])
    return new[node]


def as_float(node: Node) -> Node:
    """The node, or its float where it is a whole number."""
    if node.kind == "float":
        return node
    if node.op is ops.const and node.shape == ():
        return ops.const(float(node.attrs["value"]))
    return ops.cast(node, kind="float")
