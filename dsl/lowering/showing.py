"""A bare expression line: its value is shown; of `∇f` the formula."""

from __future__ import annotations

from ..scope import Scope
from ..syntax import Show
from ..values import Derived
from . import blocks, derivatives
from .state import Lowering, Shown


def show(low: Lowering, scope: Scope, statement: Show) -> None:
    """Keep the value with the place it was written at."""
    shown = blocks.value(low, scope.child(), statement.body)
    if isinstance(shown, Derived):
        shown = derivatives.formula(low, shown)
    low.shown.append(Shown(statement.span, shown))
