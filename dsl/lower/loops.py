"""`repeat`, `for` and comprehensions: unrolled, each pass with its own parameters."""

from __future__ import annotations

from collections.abc import Sequence

from engine import ops
from engine.dims import known

from ..errors import refuse
from ..scope import Scope
from ..syntax import Comprehension, Expr, For, Repeat, Statement
from ..values import Items, Value
from .located import text_of
from .lowering import MOST_STEPS, Lowering


def repeat(l: Lowering, scope: Scope, statement: Repeat) -> None:
    """`repeat n:`."""
    count = whole_number(l, scope, statement.count, "how often to repeat")
    _passes(l, scope, statement.body, None, range(count))


def loop(l: Lowering, scope: Scope, statement: For) -> None:
    """`for i in range(n):`."""
    values = passes(l, scope, statement.iterable)
    _passes(l, scope, statement.body, statement.target.text, values)


def _passes(
    l: Lowering,
    scope: Scope,
    body: Sequence[Statement],
    name: str | None,
    values: Sequence[Value] | range,
) -> None:
    frame = scope.frame
    try:
        for i, each in enumerate(values):
            scope.frame = frame.turn(i)
            if name is not None and not isinstance(each, int):
                scope.names[name] = each
            for statement in body:
                l.execute(statement, scope)
    finally:
        frame.steps.update(scope.frame.steps)
        scope.frame = frame


def comprehension(l: Lowering, scope: Scope, expr: Comprehension) -> Value:
    """`[head(X, h) for h in range(H)]`."""
    values: list[Value] = []
    frame = scope.frame
    for i, each in enumerate(passes(l, scope, expr.iterable)):
        inner = scope.child()
        inner.frame = frame.turn(i)
        inner.names[expr.target.text] = each
        values.append(l.value(expr.element, inner))
        if i == 0:
            counted = inner.frame.steps
    if values:
        frame.steps.update(counted)
    return Items(tuple(values), from_loop=True)


def passes(l: Lowering, scope: Scope, expr: Expr) -> tuple[Value, ...]:
    """What a loop goes through: a list, or a tensor of known length along its first axis."""
    value = l.value(expr, scope)
    if isinstance(value, Items):
        return value.values
    node = l.tensor(value, expr)
    count = known(node.shape[0]) if node.shape else None
    if count is None:
        message = f"how many passes `{text_of(expr)}` makes is not known before the program runs"
        raise refuse(message, expr.span, "go over `range(n)` where n has a value", "loop")
    if node.op is ops.arange:
        ...
    return tuple([l.keep(node[i], expr.span, scope) for i in range(count)])


def whole_number(l: Lowering, scope: Scope, expr: Expr, what: str) -> int:
    """A number of passes that is known now. Raises DslError otherwise."""
    number = l.statics.number(l.node(expr, scope))
    text = text_of(expr)
    if number is None:
        hint = f"give `{text}` a value, as in `dim {text} = 4`" if text.isidentifier() else ""
        message = f"{what} is not known before the program runs: `{text}` has no value"
        raise refuse(message, expr.span, hint, "loop")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise refuse(f"{what} is a whole number, not {number}", expr.span, "", "loop")
    if number > MOST_STEPS:
        raise refuse(f"more than {MOST_STEPS:,} passes", expr.span, "", "limit")
    return number
