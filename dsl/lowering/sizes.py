"""Sizes as they are written in shapes: `4d`, `d/H`, `T + 1` to polynomials in the sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import sympy

from engine import Node, ShapeError
from engine.dims import Dim, canonical, exact, known

from ..errors import DslError, refuse
from ..scope import Scope
from ..span import Span
from ..static import HIGHEST_POWER, power, short
from ..suggest import did_you_mean_one_of
from ..syntax import (
    Binary,
    CallOrProduct,
    Expr,
    Juxtapose,
    Name,
    Number,
    Power,
    Syntax,
    Unary,
    children,
)
from .located import text_of
from .state import Lowering

LARGEST_SIZE = 2**63

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
            return held(value, expr.span)
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


def names_in(expr: Expr) -> Iterator[str]:
    """The names that a size is made of, not those that only play a part in working it out."""
    match expr:
        case Name(word):
            yield word
        case Unary(_, operand) | Power(operand, Number()):
            yield from names_in(operand)
        case Binary(_, left, right) | Juxtapose(left, right):
            yield from names_in(left)
            yield from names_in(right)
        case CallOrProduct(_, _, product):
            yield from names_in(product)
        case _:
            pass


def mentioned(tree: Syntax) -> set[str]:
    """Every name that stands in a tree."""
    own = {tree.text} if isinstance(tree, Name) else set[str]()
    return own.union(*[mentioned(child) for child in children(tree)])


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
    try:
        return exact(over, under)
    except ShapeError as error:
        message = f"the size `{text_of(expr)}` is not a whole number: {error.message}"
        raise refuse(message, expr.span, "", "size") from None


def _combine(expr: Expr, rule: Callable[..., object], left: Dim, right: Dim) -> Dim:
    if left is None or right is None:
        return None
    value = rule(left, right)
    result = None if value is None else short(canonical(cast(Whole, value)))
    if result is None:
        raise refuse("this size has too many terms", expr.span, "give names to sizes", "limit")
    return held(result, expr.span)


def held(dim: Whole, span: Span) -> Whole:
    """The size. Raises DslError for one that no whole number of the machine holds."""
    if abs(known(dim) or 0) > LARGEST_SIZE:
        raise refuse("this size is too large", span, "sizes go up to 2^63", "limit")
    return dim
