"""`where(x > 0, log(x), 0)`: the gradient of what is not chosen is 0 · ∞, which is NaN.

The choice multiplies the gradient of the other branch by 0, and where that branch is the log of 0,
the root of a negative number or a quotient by 0, its slope is no number. The rewrite gives the
branch a 1 where it is not chosen: `where(x > 0, log(where(x > 0, x, 1)), 0)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from engine import Node, ops
from engine.ops.sources import constant_value

from ..errors import Diagnostic, one_line
from ..lowering.located import text_of
from ..span import Span
from ..syntax import Binary, Call, Conditional, Expr, Name, Power, Syntax
from . import witness
from .nearby import is_given, near
from .seen import Seen


@dataclass(frozen=True)
class Choice:
    """A condition, the branch that is looked at, and whether that is the one for true."""

    condition: Expr
    branch: Expr
    is_then: bool

    def or_one(self, text: str) -> str:
        """What is 1 wherever the branch is not chosen."""
        sides = f"{text}, 1" if self.is_then else f"1, {text}"
        return f"where({text_of(self.condition)}, {sides})"


@dataclass(frozen=True)
class Risk:
    """An operator with its operand, for which it may have no slope, and when that is."""

    node: Node
    operand: Node
    when: str
    has_no_slope: Callable[[Tensor], Tensor]


def not_taken(seen: Seen, expr: Call | Conditional) -> Iterator[Diagnostic]:
    """`where(x > 0, log(x), 0)`, `√x if x > 0 else 0`, `where(b == 0, 0, a / b)`."""
    chosen = [node for node in seen.nodes(expr) if node.op is ops.where]
    for choice in _choices(expr) if chosen else ():
        risk = next((each for node in chosen for each in _risks(seen, choice, node)), None)
        if risk is not None:
            yield _told(seen, expr, choice, risk)


def _choices(expr: Call | Conditional) -> list[Choice]:
    """The two branches of a choice; none of a call of another function."""
    if isinstance(expr, Conditional):
        sides = (expr.condition, expr.then, expr.otherwise)
    else:
        named = {each.name.text: each.value for each in expr.keywords}
        rest = [named[name] for name in ("condition", "a", "b")[len(expr.args) :] if name in named]
        sides = (*expr.args, *rest)
        if text_of(expr.function) != "where" or len(sides) != 3:
            return []
    condition, then, otherwise = sides
    return [Choice(condition, then, True), Choice(condition, otherwise, False)]


def _risks(seen: Seen, choice: Choice, chosen: Node) -> Iterator[Risk]:
    """The operators in a branch whose operand the condition is about, and does not save them."""
    condition, then, otherwise = chosen.inputs
    guards = set(near(condition))
    for node in near(then if choice.is_then else otherwise, _is_end):
        risk = _risk(node)
        if risk is None or risk.operand not in seen.varying:
            continue
        is_about = any(x in guards and x in seen.varying for x in near(risk.operand))
        if is_about and witness.exists(condition, risk.operand, choice.is_then, risk.has_no_slope):
            yield risk


def _is_end(node: Node) -> bool:
    """Where a branch is not looked at further: another choice is one of its own."""
    return is_given(node) or node.op in (ops.where, ops.stop)


def _risk(node: Node) -> Risk | None:
    """When log, √, / and powers have no slope."""
    if node.op is ops.log:
        return Risk(node, node.inputs[0], "0", lambda x: x == 0)
    if node.op is ops.sqrt:
        return Risk(node, node.inputs[0], "0 or less", lambda x: x <= 0)
    if node.op is ops.div:
        return Risk(node, node.inputs[1], "0", lambda x: x == 0)
    n = constant_value(node.inputs[1]) if node.op is ops.pow else None
    if n is None or (n >= 0 and float(n).is_integer()):
        return None
    if float(n).is_integer():
        return Risk(node, node.inputs[0], "0", lambda x: x == 0)
    if n > 1:
        return Risk(node, node.inputs[0], "negative", lambda x: x < 0)
    return Risk(node, node.inputs[0], "0 or less", lambda x: x <= 0)


def _told(seen: Seen, expr: Call | Conditional, choice: Choice, risk: Risk) -> Diagnostic:
    """The lint with the rewrite, if what has no slope was written in the branch or beside it."""
    found = _written(seen, expr, choice, risk.node)
    if found is None:
        message = f"the gradient is NaN for some data for which `{text_of(choice.branch)}`"
        hint = f"give it something harmless there: `{choice.or_one('…')}`"
        return Diagnostic(f"{message} is not chosen", expr.span, hint)
    operand, x = found.operand.span, text_of(found.operand)
    what = one_line(found.expr.span.text)
    message = f"the gradient is NaN where `{x}` is {risk.when}, though `{what}` is not chosen there"
    text, start = expr.span.text, expr.span.start
    if not _is_inside(operand, choice.branch.span):
        return Diagnostic(message, expr.span, f"in `{what}` take `{choice.or_one(x)}` for `{x}`")
    before, after = text[: operand.start - start], text[operand.end - start :]
    return Diagnostic(message, expr.span, f"write `{one_line(before + choice.or_one(x) + after)}`")


@dataclass(frozen=True)
class Written:
    """Where an operator was written, and its operand there."""

    expr: Syntax
    operand: Expr


def _written(seen: Seen, expr: Call | Conditional, choice: Choice, node: Node) -> Written | None:
    """Where the node was written in the same function, in the branch if it was written there."""
    home, found = seen.function(expr), None
    for piece in seen.pieces:
        operand = _operand(piece)
        if operand is not None and node in seen.nodes(piece) and seen.function(piece) is home:
            found = Written(piece, operand)
            if _is_inside(piece.span, choice.branch.span):
                return found
    return found


def _operand(piece: Syntax) -> Expr | None:
    match piece:
        case Call(Name("log" | "sqrt"), (operand,)):
            return operand
        case Binary("/", _, operand):
            return operand
        case Power(operand):
            return operand
        case _:
            return None


def _is_inside(inner: Span, outer: Span) -> bool:
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end
