"""From the parser's tree to expressions: one rule of the grammar, one function."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from lark import Token

from ..syntax import (
    Binary,
    BinaryOp,
    Comprehension,
    Conditional,
    Expr,
    Juxtapose,
    Unary,
    UnaryOp,
)
from .built import Branch, Built
from .chains import chain
from .prefixes import prefix
from .readings import check_comparison, check_sum, quotient

_SAME = {"⊙": "*", "≤": "<=", "≥": ">=", "≠": "!="}


def binary(b: Built, tree: Branch) -> Expr:
    """`a + b` and the like."""
    left, sign, right = tree.children
    assert isinstance(sign, Token)
    op = cast(BinaryOp, _SAME.get(sign, str(sign)))
    match sign.type:
        case "SLASH":
            return quotient(b, tree)
        case "COMPARE":
            check_comparison(b, tree)
        case "TIMES":
            check_sum(b, tree)
        case _:
            pass
    return Binary(op, b.expr(left), b.expr(right), span=b.span(tree))


def unary(b: Built, tree: Branch) -> Expr:
    """`-x`, `not x`."""
    sign, operand = tree.children
    return Unary(cast(UnaryOp, str(sign)), b.expr(operand), span=b.span(tree))


def juxtapose(b: Built, tree: Branch) -> Expr:
    """`A x`."""
    check_sum(b, tree)
    left, right = tree.children
    return Juxtapose(b.expr(left), b.expr(right), span=b.span(tree))


def conditional(b: Built, tree: Branch) -> Expr:
    """`a if c else b`."""
    then, condition, otherwise = (b.expr(child) for child in tree.children)
    return Conditional(then, condition, otherwise, span=b.span(tree))


def comprehension(b: Built, tree: Branch) -> Expr:
    """`x[i] for i in range(n)`."""
    element, target, iterable = tree.children
    assert isinstance(target, Token)
    return Comprehension(b.expr(element), b.name(target), b.expr(iterable), span=b.span(tree))


EXPRESSIONS: dict[str, Callable[[Built, Branch], Expr]] = {
    "binary": binary,
    "unary": unary,
    "juxtapose": juxtapose,
    "conditional": conditional,
    "comprehension": comprehension,
    "chain": chain,
    "prefix": prefix,
}
