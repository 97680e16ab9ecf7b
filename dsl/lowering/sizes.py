"""Sizes as they are written in shapes: `4d`, `d/H`, `T + 1` to polynomials in the sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import sympy

from engine import Node
from engine.dims import Dim, canonical, exact, known, show_dim

from ..errors import DslError, refuse
from ..scope import Scope
from ..static import HIGHEST_POWER, power, short
from ..suggest import did_you_mean_one_of
from ..syntax import Binary, CallOrProduct, Expr, Juxtapose, Name, Number, Power, Unary
from .located import text_of
from .state import Lowering

Whole = int | sympy.Expr

_RULES: dict[str, Callable[..., object]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "·": lambda a, b: a * b,
}


def size(low: Lowering, scope: Scope, expr: Expr, owner: str = "") -> Dim:
    """The size that an expression stands for; `owner` says of what in messages.

    Raises DslError for unknown names, a division that leaves a remainder, and what is no size.
    """
    match expr:
        case Number(value) if isinstance(value, int):
            return value
        case Name():
            return _named(low, scope, expr, owner)
        case Unary("-", operand):
            return _combine(expr, _RULES["*"], -1, size(low, scope, operand, owner))
        case Binary("/", left, right):
            over, under = size(low, scope, left, owner), size(low, scope, right, owner)
            return quotient(expr, over, under)
        case Binary(op, left, right) if op in _RULES:
            sides = size(low, scope, left, owner), size(low, scope, right, owner)
            return _combine(expr, _RULES[op], *sides)
        case Juxtapose(left, right):
            sides = size(low, scope, left, owner), size(low, scope, right, owner)
            return _combine(expr, _RULES["*"], *sides)
        case Power(base, Number(int(n))) if 0 <= n <= HIGHEST_POWER:
            return _combine(expr, power, size(low, scope, base, owner), n)
        case CallOrProduct(Name(word), _, product) if scope.find_size(word):
            return size(low, scope, product, owner)
        case _:
            return _computed(low, scope, expr)


def _named(low: Lowering, scope: Scope, expr: Name, owner: str) -> Dim:
    """The innermost size of this name; a value is one if it is a number or made of sizes."""
    for each in scope.chain():
        value = each.names.get(expr.text)
        found = low.statics.size(value) if isinstance(value, Node) else None
        if found is not None:
            return found
        if expr.text in each.sizes:
            return each.sizes[expr.text]
    if scope.find(expr.text) is not None:
        return _computed(low, scope, expr)
    raise unknown_size(scope, expr, owner)


def unknown_size(scope: Scope, expr: Name, owner: str) -> DslError:
    """The error for a size that nothing declares."""
    known = list(dict.fromkeys(scope.known_sizes()))
    listed = f"known sizes: {', '.join(known)}" if known else "declare it: `dim " + expr.text + "`"
    hint = "; ".join(part for part in (listed, did_you_mean_one_of(expr.text, known)) if part)
    message = f"the size `{expr.span.text}`{owner and f' of {owner}'} is not known here"
    return refuse(message, expr.span, hint, "size")


def _computed(low: Lowering, scope: Scope, expr: Expr) -> Dim:
    """A size that is worked out like any value: `x.shape[0]`, a constant, a loop's number."""
    node = low.node(expr, scope)
    found = low.statics.size(node)
    if found is None:
        text = text_of(expr)
        message = f"`{text}` is not a size: a size is a whole number or made of the names of sizes"
        raise refuse(message, expr.span, "", "size")
    return found


def quotient(expr: Expr, over: Dim, under: Dim) -> Dim:
    """over / under, which must come out even once both are known."""
    if over is None or under is None:
        return None
    if under == 0:
        raise refuse(f"`{text_of(expr)}` divides by zero", expr.span, "", "size")
    a, b = known(over), known(under)
    if a is not None and b is not None and a % b:
        told = f"{show_dim(over)} is {a} and {show_dim(under)} is {b}"
        if isinstance(over, int) and isinstance(under, int):
            told = f"{b} does not divide {a}"
        message = f"the size `{text_of(expr)}` is not a whole number: {told}"
        raise refuse(message, expr.span, "", "size")
    return exact(over, under)


def _combine(expr: Expr, rule: Callable[..., object], left: Dim, right: Dim) -> Dim:
    if left is None or right is None:
        return None
    value = rule(left, right)
    result = None if value is None else short(canonical(cast(Whole, value)))
    if result is None:
        raise refuse("this size has too many terms", expr.span, "give names to sizes", "limit")
    return result
