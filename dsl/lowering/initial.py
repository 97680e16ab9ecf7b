"""The first value of a parameter: drawn (`~ normal(0, 0.02)`), filled (`= 0`), or by default.

It is a node like any other, made of one leaf: the key that random draws take. A function that is
drawn from gets the sizes of the parameter by name: `he(fan_in) = normal(0, √(2 / fan_in))`.
"""

from __future__ import annotations

from dataclasses import replace

from engine import Node, ops
from engine.dims import Dim, same_shape
from engine.graph import toposort

from ..errors import refuse
from ..scope import Scope
from ..syntax import Expr, Name, Param
from ..values import CALLABLE, Function
from .arguments import Argument, Arguments
from .located import located
from .state import Draw, Lowering


def value(low: Lowering, scope: Scope, statement: Param, leaf: Node, key: Node) -> Node:
    """What a new parameter begins with, in its own shape."""
    outside, low.draw = low.draw, Draw(leaf, key)
    try:
        expr = statement.draw or statement.fill
        first = _default(low, scope, statement) if expr is None else _given(low, scope, expr)
        return _checked(first, leaf, key, expr or statement.names[0].name)
    finally:
        low.draw = outside


def _given(low: Lowering, scope: Scope, expr: Expr) -> Node:
    found = low.value(expr, scope)
    if isinstance(found, CALLABLE):
        found = low.apply(found, scope, Arguments((), {}, expr.span))
    return low.tensor(found, expr)


def _default(low: Lowering, scope: Scope, statement: Param) -> Node:
    """Matrices are drawn as by `xavier`; vectors and numbers begin at 0."""
    assert low.draw is not None
    if (low.draw.leaf.rank or 0) < 2:
        return ops.const(0.0)
    return _given(low, scope.library, Name("xavier", span=statement.span))


def with_draw(low: Lowering, function: Function, arguments: Arguments) -> Arguments:
    """What a draw calls with what is asked for by name: the sizes of the parameter, its key."""
    if low.draw is None:
        return arguments
    asked = [each.name for each in function.definition.parameters][len(arguments.positional) :]
    given = {
        "fan_in": ops.size(_fan(low, -2)),
        "fan_out": ops.size(_fan(low, -1)),
        "key": low.draw.key,
    }
    more = {
        name.text: Argument(name, function.scope, given[name.text])
        for name in asked
        if name.text in given and name.text not in arguments.named
    }
    return replace(arguments, named={**arguments.named, **more})


def _fan(low: Lowering, axis: int) -> Dim:
    """How many inputs (-2) or outputs (-1) a unit of the parameter has."""
    assert low.draw is not None
    shape = low.draw.leaf.shape or (1,)
    return shape[max(axis, -len(shape))]


def _checked(first: Node, leaf: Node, key: Node, expr: Expr) -> Node:
    """The value as floats in the shape of the parameter, made of nothing that is fed."""
    fed = next((n for n in toposort([first]) if n.op is ops.variable and n is not key), None)
    if fed is not None:
        message = (
            f"a parameter begins with numbers, but `{fed.label()}` is known only when it is fed"
        )
        raise refuse(message, expr.span, "", "param")
    with located(expr.span):
        return fitted(first, leaf)


def fitted(first: Node, leaf: Node) -> Node:
    """A first value as floats in the shape of the parameter. Raises ShapeError if it has none."""
    node = first if first.kind == "float" else ops.cast(first, kind="float")
    return node if same_shape(node.shape, leaf.shape) else ops.expand(node, leaf.shape)
