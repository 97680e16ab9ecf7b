"""Logarithms of what underflows or overflows, where the engine has both in one stable operator.

log softmax x is -∞ as soon as eˣ underflows; log Σ eˣ and log(1 + eˣ) are ∞ as soon as it
overflows.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine import Node, ops
from engine.ops.sources import is_const

from ..errors import Diagnostic, one_line
from ..lowering.located import text_of
from ..syntax import Call, Name
from .seen import Seen

TOO_SMALL = "is -∞ as soon as a probability is too small for a float"
TOO_LARGE = "is ∞ as soon as an exponential is too large for a float"


def unstable(seen: Seen, expr: Call) -> Iterator[Diagnostic]:
    """`log(softmax(x))`, `log(sum(exp(x)))`, `log(1 + exp(x))`, by name too."""
    logs = [node for node in seen.nodes(expr) if node.op is ops.log]
    if not logs or not isinstance(expr.function, Name) or expr.function.text != "log":
        return
    inner = logs[0].inputs[0]
    match inner:
        case Node(ops.softmax):
            yield _told(seen, expr, TOO_SMALL, "log_softmax", [inner])
        case Node(ops.sum, (Node(ops.exp) as e,)):
            yield _told(seen, expr, TOO_LARGE, "logsumexp", [inner, e])
        case Node(ops.add, (one, Node(ops.exp) as e)) if is_const(one, 1):
            yield _told(seen, expr, TOO_LARGE, "softplus", [e])
        case Node(ops.add, (Node(ops.exp) as e, one)) if is_const(one, 1):
            yield _told(seen, expr, TOO_LARGE, "softplus", [e])
        case _:
            pass


def _told(seen: Seen, expr: Call, why: str, better: str, made: list[Node]) -> Diagnostic:
    """The lint; `made` are the calls whose arguments go to the better function."""
    calls = [_call_of(seen, expr, node) for node in made]
    arguments: list[str] = []
    for call in calls:
        if call is None:
            arguments = ["…"]
            break
        own = [one_line(each.span.text) for each in (*call.args, *call.keywords)]
        arguments = [*own, *arguments[1:]]
    hint = f"write `{better}({', '.join(arguments)})`"
    return Diagnostic(f"`{text_of(expr)}` {why}", expr.span, hint)


def _call_of(seen: Seen, expr: Call, node: Node) -> Call | None:
    """The call beside the logarithm that made a node."""
    home = seen.function(expr)
    for piece in seen.pieces:
        if isinstance(piece, Call) and node in seen.nodes(piece) and seen.function(piece) is home:
            return piece
    return None
