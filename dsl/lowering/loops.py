"""`repeat`, `for` and comprehensions: unrolled, each pass with its own parameters."""

from __future__ import annotations

from collections.abc import Sequence

from engine.dims import known

from ..errors import Pass, refuse
from ..scope import Scope
from ..span import Span
from ..syntax import Comprehension, Expr, For, Repeat
from ..values import Items, Value
from .located import text_of
from .state import MOST_STEPS, Lowering


def repeat(low: Lowering, scope: Scope, statement: Repeat) -> None:
    """`repeat n:`."""
    count = whole_number(low, scope, statement.count, "how often to repeat")
    _passes(low, scope, statement, None, range(count))


def loop(low: Lowering, scope: Scope, statement: For) -> None:
    """`for i in range(n):`."""
    values = passes(low, scope, statement.iterable)
    _passes(low, scope, statement, statement.target.text, values)


def _passes(
    low: Lowering,
    scope: Scope,
    whole: Repeat | For,
    name: str | None,
    values: Sequence[Value] | range,
) -> None:
    frame = scope.frame
    try:
        for i, each in enumerate(values):
            scope.frame = frame.turn(i)
            if name is not None and not isinstance(each, int):
                scope.names[name] = each
            with low.reached(Pass(i, _head(whole))):
                for statement in whole.body:
                    low.execute(statement, scope)
    finally:
        frame.steps.update(scope.frame.steps)
        scope.frame = frame


def _head(loop: Repeat | For) -> Span:
    """The line of a loop without its body."""
    over = loop.count if isinstance(loop, Repeat) else loop.iterable
    return loop.span.source.span(loop.span.start, over.span.end)


def comprehension(low: Lowering, scope: Scope, expr: Comprehension) -> Value:
    """`[head(X, h) for h in range(H)]`."""
    values: list[Value] = []
    frame = turn = scope.frame
    for i, each in enumerate(passes(low, scope, expr.iterable)):
        inner = scope.child()
        inner.frame = turn = frame.turn(i)
        inner.names[expr.target.text] = each
        with low.reached(Pass(i, expr.span)):
            values.append(low.value(expr.element, inner))
    frame.steps.update(turn.steps)
    return Items(tuple(values), from_loop=True)


def passes(low: Lowering, scope: Scope, expr: Expr) -> tuple[Value, ...]:
    """What a loop goes through: a list, or a tensor of known length along its first axis."""
    value = low.value(expr, scope)
    if isinstance(value, Items):
        return value.values
    node = low.tensor(value, expr)
    count = known(node.shape[0]) if node.shape else None
    if count is None:
        message = f"how many passes `{text_of(expr)}` makes is not known before the program runs"
        raise refuse(message, expr.span, "go over `range(n)` where n has a value", "loop")
    low.spend(count, expr.span)
    return tuple([low.keep(node[i], expr.span, scope) for i in range(count)])


def whole_number(low: Lowering, scope: Scope, expr: Expr, what: str) -> int:
    """A number of passes that is known now. Raises DslError otherwise."""
    number = integer(low, scope, expr, what)
    if number < 0:
        raise refuse(f"{what} cannot be {number}", expr.span, "", "loop")
    if number > MOST_STEPS:
        raise refuse(f"more than {MOST_STEPS:,} passes", expr.span, "", "limit")
    return number


def integer(low: Lowering, scope: Scope, expr: Expr, what: str) -> int:
    """A whole number that is known now. Raises DslError otherwise."""
    number = low.statics.number(low.node(expr, scope))
    text = text_of(expr)
    if number is None:
        hint = f"give `{text}` a value, as in `dim {text} = 4`" if text.isidentifier() else ""
        message = f"{what} is not known before the program runs: `{text}` has no value"
        raise refuse(message, expr.span, hint, "loop")
    if not isinstance(number, int) or isinstance(number, bool):
        raise refuse(f"{what} is a whole number, not {number}", expr.span, "", "loop")
    return number
