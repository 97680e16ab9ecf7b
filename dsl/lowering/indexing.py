"""Indexing as in Python: `X[0, 1:, None]`, `E[tokens]`, `heads[2]`."""

from __future__ import annotations

import sympy

from engine import Node
from engine.dims import known

from ..errors import DslError, refuse
from ..scope import Scope
from ..syntax import Dots, Expr, Index, Slice
from ..values import NOTHING, Items, Row, Value
from .located import located, text_of
from .state import Lowering

Entry = int | sympy.Expr | slice | None | object


def index(low: Lowering, scope: Scope, expr: Index) -> Value:
    """An item of a list, or a part of a tensor."""
    value = low.value(expr.operand, scope)
    if isinstance(value, Items) and len(expr.items) == 1:
        found = _item(low, scope, value, expr.items[0])
        if found is not None:
            return found
    operand = low.as_term(value, expr.operand, "operand")
    entries = [_entry(low, scope, each) for each in expr.items]
    with located(expr.span, (operand,)):
        node = low.keep(operand.node[tuple(entries)], expr.span, scope)
    return Row(node) if operand.is_row and node.rank == 1 else node


def _item(low: Lowering, scope: Scope, items: Items, entry: Expr | Slice | Dots) -> Value | None:
    """`heads[0]`, `heads[1:]`; None if the list is to be indexed as a tensor."""
    if isinstance(entry, Dots):
        return None
    if isinstance(entry, Slice):
        bounds = [_bound(low, scope, each) for each in (entry.start, entry.stop, entry.step)]
        start, stop, step = map(known, bounds)
        is_known = [n is None for n in (start, stop, step)] == [b is None for b in bounds]
        return Items(items.values[start:stop:step], items.from_loop) if is_known else None
    value = low.value(entry, scope)
    number = low.statics.number(value) if isinstance(value, Node) else None
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    if not -len(items.values) <= number < len(items.values):
        message = f"index {number} is outside a list of {len(items.values)}"
        raise refuse(message, entry.span, "the first item is 0, the last is -1", "index")
    return items.values[number]


def _entry(low: Lowering, scope: Scope, each: Expr | Slice | Dots) -> Entry:
    match each:
        case Dots():
            return Ellipsis
        case Slice(start, stop, step):
            bounds = [_bound(low, scope, part) for part in (start, stop, step)]
            if isinstance(bounds[2], int) and bounds[2] < 1:
                hint = "`flip(x, axis=…)` reverses an axis"
                raise refuse("the step of a slice is at least 1", each.span, hint, "index")
            return slice(*bounds)
        case _:
            value = low.value(each, scope)
            return None if value is NOTHING else _position(low, low.tensor(value, each), each)


def _position(low: Lowering, node: Node, expr: Expr) -> Entry:
    found = low.statics.size(node)
    if found is not None:
        return found
    if node.kind == "int":
        return node
    if node.kind == "bool":
        hint = "choose by truth with `where(condition, a, b)`"
    else:
        hint = "count from 0; `-1` is the last"
    message = f"`{text_of(expr)}` is {node.describe()}, and an index is a whole number"
    raise refuse(message, expr.span, hint, "index")


def _bound(low: Lowering, scope: Scope, expr: Expr | None) -> int | sympy.Expr | None:
    """The end of a slice: a number or a size."""
    if expr is None:
        return None
    value = low.value(expr, scope)
    if value is NOTHING:
        return None
    found = low.statics.size(low.tensor(value, expr))
    if found is None:
        raise _moving_bound(expr)
    return found


def _moving_bound(expr: Expr) -> DslError:
    message = f"`{text_of(expr)}` is not known before the program runs, so the length is not either"
    return refuse(message, expr.span, "slices end at numbers and sizes", "index")
