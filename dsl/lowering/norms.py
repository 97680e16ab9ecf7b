"""Norms: `‖x‖`, `‖x‖₁`, `‖A‖_F`, `‖x‖_∞`."""

from __future__ import annotations

from engine import Node, ops

from ..errors import refuse
from ..scope import Scope
from ..syntax import Norm
from ..values import Value
from .located import located
from .state import Lowering


def norm(low: Lowering, scope: Scope, expr: Norm) -> Value:
    """The norm of a vector of any order; of a matrix the root of the sum of its squares."""
    operand = low.term(expr.operand, scope, "operand")
    if (operand.node.rank or 0) > 1 and expr.order not in ("", "F"):
        message = f"the norm of order {expr.order} is of a vector, not of {operand.node.describe()}"
        hint = f"`‖{operand.text}‖_F` is the root of the sum of its squares"
        raise refuse(message, expr.span, hint, "shape")
    with located(expr.span, (operand,)):
        return low.keep(_norm(operand.node, expr.order), expr.span, scope)


def _norm(x: Node, order: str) -> Node:
    match order:
        case "" | "F" | "2":
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
