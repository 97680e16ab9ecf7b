"""Limits that a tree must keep before anything recurses over it: nesting and the size of numbers.

`10^400` is refused where it stands, like `1e400`: folding it would give infinity.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from .errors import DslError, one_line, refuse
from .span import Span
from .syntax import Binary, Juxtapose, Number, Power, Syntax, Unary, children

DEEPEST = 200
LARGEST = 1e308

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}


def check_limits(root: Syntax) -> None:
    """Refuse a tree with a path of more than 200 nodes or a constant beyond 10^308."""
    order = [(root, 1)]
    for node, depth in order:  # grows while it is walked: parents come before their children
        if depth > DEEPEST:
            raise too_deep(node.span)
        order.extend((child, depth + 1) for child in children(node))
    values: dict[int, float] = {}
    for node, _ in reversed(order):
        value = _folded(node, values)
        if value is not None:
            check_size(value, node.span)
            values[id(node)] = value


def too_deep(span: Span) -> DslError:
    """The error for what is nested beyond the limit."""
    message = f"this is nested more than {DEEPEST} deep"
    return refuse(message, span, "give a name to a part of it", "limit")


def check_size(value: float, span: Span) -> None:
    """Refuse a number that no float holds."""
    if abs(value) > LARGEST:
        text = one_line(span.text)
        shown = text if len(text) <= 24 else f"{text[:10]}…{text[-10:]}"
        raise refuse(f"`{shown}` is too large", span, "numbers go up to 10^308", "limit")


def _folded(node: Syntax, values: dict[int, float]) -> float | None:
    """The value of a node from the values of its parts, where all of them are literals."""
    match node:
        case Number(value):
            return float(value)
        case Unary("-", operand) if id(operand) in values:
            return -values[id(operand)]
        case Juxtapose(left, right):
            return _apply("*", values.get(id(left)), values.get(id(right)))
        case Power(base, exponent):
            return _apply("^", values.get(id(base)), values.get(id(exponent)))
        case Binary(op, left, right) if op in _ARITHMETIC:
            return _apply(op, values.get(id(left)), values.get(id(right)))
        case _:
            return None


def _apply(op: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    try:
        value: float | complex = _ARITHMETIC[op](left, right)
    except OverflowError:
        return math.inf
    except ZeroDivisionError:
        return None
    return None if isinstance(value, complex) else value
