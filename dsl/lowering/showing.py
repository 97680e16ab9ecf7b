"""A bare expression line: its value is shown, of a list the stack, of `∇f` the formula."""

from __future__ import annotations

from engine import Node

from ..errors import DslError
from ..scope import Scope
from ..span import Span
from ..syntax import Call, Expr, Gradient, List, Name, Show
from ..values import Derived, Formula, Items, Value
from . import blocks, derivatives
from .state import Lowering, Shown

DERIVATIVES = ("grad", "jacobian", "hessian", "jvp", "vjp", "hvp")


def show(low: Lowering, scope: Scope, statement: Show) -> None:
    """Keep the values, each with the place it was written at."""
    found, exprs = blocks.value(low, scope.child(), statement.body), statement.body.values
    if len(exprs) == 1:
        low.shown.append(_one(low, scope, statement.span, found, exprs[0]))
        return
    assert isinstance(found, Items)
    for value, expr in zip(found.values, exprs, strict=True):
        low.shown.append(_one(low, scope, expr.span, value, expr))


def _one(low: Lowering, scope: Scope, span: Span, value: Value, expr: Expr) -> Shown:
    formula = None
    if isinstance(value, Derived):
        formula = derivatives.formula(low, value)
    elif isinstance(value, Node) and _is_derivative(expr):
        formula = Formula(value)
    return Shown(span, formula.node if formula else _stacked(low, scope, value, expr), formula)


def _is_derivative(expr: Expr) -> bool:
    """Whether an expression asks for a derivative: `∇_W loss`, `∂y/∂x`, `hessian(loss, x)`."""
    called = expr.function if isinstance(expr, Call) else None
    return isinstance(expr, Gradient) or (isinstance(called, Name) and called.text in DERIVATIVES)


def _stacked(low: Lowering, scope: Scope, value: Value, expr: Expr) -> Value:
    """A list as one value, where its values are of one shape."""
    if not isinstance(value, Items):
        return value
    try:
        return low.keep(low.tensor(value, expr), expr.span, scope)
    except DslError:
        if isinstance(expr, List) and any(isinstance(item, List) for item in expr.items):
            raise  # a matrix with rows of different lengths
        return value  # values of different shapes
