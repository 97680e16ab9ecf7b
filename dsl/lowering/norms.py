"""Norms: `‖x‖`, `‖x‖₁`, `‖A‖_F`, `‖x‖_∞`."""

from __future__ import annotations

from engine import Node, ops

from ..errors import refuse
from ..scope import Scope
from ..syntax import Norm, Number, Power
from ..values import Value
from .located import Term, located
from .points import as_float
from .state import Lowering

LENGTHS = ("", "F", "2")  # the root of the sum of squares


def norm(low: Lowering, scope: Scope, expr: Norm) -> Value:
    """The norm of a vector of any order; of a matrix the root of the sum of its squares."""
    operand = low.term(expr.operand, scope, "operand")
    _check_rank(expr, operand)
    with located(expr.span, (operand,)):
        return low.keep(_norm(operand.node, expr.order), expr.span, scope)


def _check_rank(expr: Norm, operand: Term) -> None:
    """Refuse ‖A‖₂ and ‖A‖₁ of a matrix: they are not norms of its elements in a row."""
    if (operand.node.rank or 0) > 1 and expr.order not in ("", "F"):
        message = f"the norm of order {expr.order} is of a vector, not of {operand.node.describe()}"
        hint = f"`‖{operand.text}‖_F` is the root of the sum of its squares"
        raise refuse(message, expr.span, hint, "shape")


def is_squared_length(expr: Power) -> bool:
    """Whether this is `‖x‖²`, which needs no root: Σ x² has a slope at 0 too."""
    is_length = isinstance(expr.base, Norm) and expr.base.order in LENGTHS
    return is_length and isinstance(expr.exponent, Number) and expr.exponent.value == 2


def squared_length(low: Lowering, scope: Scope, expr: Power) -> Value:
    """`‖x‖²`: the sum of the squares."""
    assert isinstance(expr.base, Norm)
    operand = low.term(expr.base.operand, scope, "operand")
    _check_rank(expr.base, operand)
    with located(expr.span, (operand,)):
        return low.keep(ops.sum(ops.pow(as_float(operand.node), 2)), expr.span, scope)


def _norm(x: Node, order: str) -> Node:
    match order:
        case order if order in LENGTHS:
            return ops.norm(x)
        case "1":
            return ops.sum(ops.abs(x))
        case "inf":
            return ops.max(ops.abs(x))
        case "0":
            return ops.sum(ops.cast(ops.not_equal(x, 0), kind="float"))
        case _:
            p = float(order)
            return ops.pow(ops.sum(ops.pow(ops.abs(x), p)), 1 / p)
