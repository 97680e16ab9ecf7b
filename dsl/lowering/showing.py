"""A bare expression line: its value is shown, of a list the stack, of `∇f` the formula."""

from __future__ import annotations

from engine import Node

from ..errors import DslError
from ..scope import Scope
from ..syntax import Call, Expr, Gradient, List, Name, Show
from ..values import Derived, Formula, Items, Value
from . import blocks, derivatives
from .state import Lowering, Shown

DERIVATIVES = ("grad", "jacobian", "hessian", "jvp", "vjp", "hvp")


def show(low: Lowering, scope: Scope, statement: Show) -> None:
    """Keep the values, each with the place it was written at."""
    found, exprs = blocks.value(low, scope.child(), statement.body), statement.body.values
    if len(exprs) == 1:
        low.shown.append(Shown(statement.span, _one(low, scope, found, exprs[0])))
        return
    assert isinstance(found, Items)
    for value, expr in zip(found.values, exprs, strict=True):
        low.shown.append(Shown(expr.span, _one(low, scope, value, expr)))


def _is_derivative(expr: Expr) -> bool:
    """Whether an expression asks for a derivative: `∇_W loss`, `∂y/∂x`, `hessian(loss, x)`."""
    called = expr.function if isinstance(expr, Call) else None
    return isinstance(expr, Gradient) or (isinstance(called, Name) and called.text in DERIVATIVES)


def _one(low: Lowering, scope: Scope, value: Value, expr: Expr) -> Value:
    if isinstance(value, Derived):
        return derivatives.formula(low, value)
    if isinstance(value, Node) and _is_derivative(expr):
        return Formula(value)
    if not isinstance(value, Items):
        return value
    try:
        return low.keep(low.tensor(value, expr), expr.span, scope)
    except DslError:
        if isinstance(expr, List) and any(isinstance(item, List) for item in expr.items):
            raise  # a matrix with rows of different lengths
        return value  # values of different shapes
