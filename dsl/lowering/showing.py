"""A bare expression line: its value is shown, of a list the stack, of `∇f` the formula."""

from __future__ import annotations

from ..errors import DslError
from ..scope import Scope
from ..syntax import Show
from ..values import Derived, Items, Value
from . import blocks, derivatives
from .state import Lowering, Shown


def show(low: Lowering, scope: Scope, statement: Show) -> None:
    """Keep the value with the place it was written at."""
    low.shown.append(Shown(statement.span, _shown(low, scope, statement)))


def _shown(low: Lowering, scope: Scope, statement: Show) -> Value:
    found = blocks.value(low, scope.child(), statement.body)
    if isinstance(found, Derived):
        return derivatives.formula(low, found)
    values = statement.body.values
    if isinstance(found, Items) and len(values) == 1:
        try:
            return low.keep(low.tensor(found, values[0]), statement.span, scope)
        except DslError:
            return found  # its items have different shapes
    return found
