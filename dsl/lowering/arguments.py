"""Arguments meet parameters: in order, by name, with defaults; each argument is lowered once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import DslError, refuse
from ..scope import Scope
from ..span import Span
from ..suggest import did_you_mean_one_of
from ..syntax import Call, Expr, Name
from ..values import Slot, Value
from .located import Term, text_of
from .state import Lowering


@dataclass(eq=False)
class Argument:
    """An expression in the scope of the caller, lowered when it is first asked for."""

    expr: Expr
    scope: Scope
    known: Value | None = None
    name: Name | None = None  # before its `=`

    def value(self, low: Lowering) -> Value:
        """What it stands for."""
        if self.known is None:
            self.known = low.value(self.expr, self.scope)
        return self.known

    def term(self, low: Lowering, role: str) -> Term:
        """The argument as a tensor that an error message can speak of."""
        return low.as_term(self.value(low), self.expr, role)


@dataclass(frozen=True)
class Arguments:
    """What stands in the brackets of a call at `span`."""

    positional: tuple[Argument, ...]
    named: Mapping[str, Argument]
    span: Span

    def without(self, name: str) -> Arguments:
        """The same arguments but the one called `name`."""
        rest = {key: value for key, value in self.named.items() if key != name}
        return Arguments(self.positional, rest, self.span)


@dataclass(frozen=True)
class Bound:
    """The argument of each parameter that has one, and all those of a parameter like `*xs`."""

    one: dict[str, Argument] = field(default_factory=dict[str, Argument])
    rest: tuple[Argument, ...] = ()


def arguments_of(scope: Scope, call: Call) -> Arguments:
    """The arguments of a call as it was written."""
    positional = tuple([Argument(each, scope) for each in call.args])
    named = {each.name.text: Argument(each.value, scope, name=each.name) for each in call.keywords}
    return Arguments(positional, named, call.span)


def match(arguments: Arguments, slots: Sequence[Slot], name: str, signature: str) -> Bound:
    """The argument of each parameter. Raises DslError where they do not fit."""
    takes = f"`{signature}` is how it is called"
    bound, positional = Bound(), list(arguments.positional)
    for slot in slots:
        if slot.rest:
            bound, positional = Bound(bound.one, tuple(positional)), []
        elif positional and not slot.named:
            bound.one[slot.name] = positional.pop(0)
    if positional:
        most = f"{len(slots)} argument{'s' * (len(slots) != 1)}"
        raise refuse(f"`{name}` takes {most} at most", positional[0].expr.span, takes, "call")
    for key, argument in arguments.named.items():
        _check_keyword(key, argument, slots, bound, name, takes)
        bound.one[key] = argument
    for slot in slots:
        if slot.required and slot.name not in bound.one and not slot.rest:
            raise refuse(f"`{name}` needs `{slot.name}`", arguments.span, takes, "call")
    return bound


def _check_keyword(
    key: str, argument: Argument, slots: Sequence[Slot], bound: Bound, name: str, takes: str
) -> None:
    names = [slot.name for slot in slots if not slot.rest and not slot.named]
    span = argument.name.span if argument.name else argument.expr.span
    if key in bound.one:
        raise refuse(f"`{key}` of `{name}` is given twice", span, takes, "call")
    if key not in names and not any(slot.named for slot in slots):
        hint = did_you_mean_one_of(key, names) or takes
        raise refuse(f"`{name}` has no parameter `{key}`", span, hint, "call")


def not_a_function(call: Call) -> DslError:
    """The error for `x(…)` where x is no function."""
    text = text_of(call.function)
    hint = f"a product is written `{text} * (…)`, an index `{text}[…]`"
    return refuse(f"`{text}` is not a function", call.span, hint, "call")
