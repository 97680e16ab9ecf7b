"""Operators that act element by element: + - * /, comparisons, and, or, not."""

from __future__ import annotations

from collections.abc import Callable

from engine import Node, ops
from engine.ops.sources import constant_value

from ..errors import refuse
from ..scope import Scope
from ..span import Span
from ..static import LARGEST_INT
from ..syntax import Binary, Conditional, Unary
from ..values import NOTHING, Row, Value
from .located import Term, located
from .products import multiply
from .state import Lowering

ELEMENTWISE: dict[str, Callable[..., Node]] = {
    "+": ops.add,
    "-": ops.sub,
    "*": ops.mul,
    "/": ops.div,
    "<": ops.less,
    "<=": ops.less_equal,
    ">": ops.greater,
    ">=": ops.greater_equal,
    "==": ops.equal,
    "!=": ops.not_equal,
    "and": ops.logical_and,
    "or": ops.logical_or,
}


def binary(low: Lowering, scope: Scope, expr: Binary) -> Value:
    """`left op right`; whether something is `None` is known now."""
    if expr.op in ("==", "!="):
        nothings = [low.value(side, scope) is NOTHING for side in (expr.left, expr.right)]
        if any(nothings):
            return ops.const(all(nothings) == (expr.op == "=="))
    left, right = low.term(expr.left, scope, "left"), low.term(expr.right, scope, "right")
    if expr.op in ("@", "·"):
        return multiply(low, scope, expr, left, right)
    return elementwise(low, scope, expr.span, ELEMENTWISE[expr.op], left, right)


def elementwise(
    low: Lowering, scope: Scope, span: Span, op: Callable[..., Node], left: Term, right: Term
) -> Value:
    """An operator on two broadcast operands; with a row it makes a row."""
    check_directions(span, left, right)
    with located(span, (left, right)):
        node = op(left.node, right.node)
        if _is_huge(low, node):
            node = op(ops.cast(left.node, kind="float"), ops.cast(right.node, kind="float"))
    low.keep(node, span, scope)
    return Row(node) if (left.is_row or right.is_row) and node.rank == 1 else node


def _is_huge(low: Lowering, node: Node) -> bool:
    """Whether this is a whole number that whole numbers of the machine do not hold."""
    number = low.statics[node]
    return isinstance(number, int) and abs(number) > LARGEST_INT


def check_directions(span: Span, left: Term, right: Term) -> None:
    """Refuse a row with a column, which no matrix rule lets stand side by side."""
    if left.is_row == right.is_row or left.node.rank != 1 or right.node.rank != 1:
        return
    row, column = (left, right) if left.is_row else (right, left)
    raise refuse(
        f"`{row.text}` is a row and `{column.text}` a column",
        span,
        f"take `{row.column}` as a column too, or `{column.atom}^T` as a row",
        "shape",
    )


def unary(low: Lowering, scope: Scope, expr: Unary) -> Value:
    """`-x` and `not x`; a number with a sign is a number."""
    operand = low.term(expr.operand, scope, "operand")
    with located(expr.span, (operand,)):
        node = _negative(operand.node) if expr.op == "-" else ops.logical_not(operand.node)
    low.keep(node, expr.span, scope)
    return Row(node) if operand.is_row else node


def _negative(x: Node) -> Node:
    number = constant_value(x)
    return ops.neg(x) if number is None or isinstance(number, bool) else ops.const(-number)


def conditional(low: Lowering, scope: Scope, expr: Conditional) -> Value:
    """`a if c else b`: decided now if `c` is known now, else element by element."""
    condition = low.term(expr.condition, scope, "condition")
    known = low.statics.number(condition.node)
    if isinstance(known, bool):
        return low.value(expr.then if known else expr.otherwise, scope)
    terms = (
        condition,
        low.term(expr.then, scope, "then"),
        low.term(expr.otherwise, scope, "else"),
    )
    with located(expr.span, terms):
        node = ops.where(*(term.node for term in terms))
    return low.keep(node, expr.span, scope)
