"""A head and what follows it: `f(x)`, `X[0]^T`, `a (b)^2`; and the prefixes `√`, `∑`, `∇`.

`a (b)` is a call if `a` is a function and a product otherwise, and what follows the bracket stays
with it: `a (b)^2` is a(b)² or a·b². Both readings are built; names decide later.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from lark import Token

from ..errors import DslError, two_readings
from ..limits import DEEPEST
from ..span import Span
from ..syntax import (
    Attribute,
    Call,
    CallOrProduct,
    Expr,
    Gradient,
    Index,
    Juxtapose,
    Name,
    Norm,
    Number,
    Power,
    Prime,
    Text,
    Transpose,
    Unary,
)
from .brackets import group, index_items, list_literal, not_a_value, sole
from .built import Branch, Built, Child, is_a, leaves
from .literals import norm_order, number, raised_digits, superscript


@dataclass(frozen=True)
class Part:
    """The beginning of a chain, and whether a bracket behind it may hold arguments."""

    expr: Expr
    may_call: bool = False

    @property
    def span(self) -> Span:
        """Where it was written."""
        return self.expr.span


def chain(b: Built, tree: Branch) -> Expr:
    """A head with its trailers."""
    head, *trailers = tree.children
    if not isinstance(head, Token) and is_a(head, "partial"):
        return _derivative(b, tree, head, trailers)
    check_trailers(b, tree)
    return grow(b, head_part(b, head), trailers)


def grow(b: Built, part: Part, trailers: Sequence[Child]) -> Expr:
    """The chain that starts with `part`."""
    for at, trailer in enumerate(trailers):
        rest = trailers[at + 1 :]
        if not isinstance(trailer, Token) and is_a(trailer, "group"):
            return _call_or_product(b, part, trailer, rest)
        exponent = _name_exponent(trailer)
        if exponent and rest and not isinstance(rest[0], Token) and is_a(rest[0], "group"):
            return _raised(b, part, trailer, exponent, rest)
        part = _extend(b, part, trailer)
    return part.expr


def head_part(b: Built, head: Child) -> Part:
    """The first member of a chain."""
    if not isinstance(head, Token):
        return Part(_enclosed(b, head))
    match head.type:
        case "NAME":
            return Part(b.name(head), may_call=True)
        case "INFINITY":
            return Part(Name("∞", span=b.span(head)))
        case "NUMBER":
            return Part(number(b, head))
        case _:
            return Part(Text(head[1:-1], span=b.span(head)))


def check_trailers(b: Built, tree: Branch) -> None:
    """Refuse `x^y^z` and `x^n[0]`, which are read two ways, and chains without end."""
    if len(tree.children) > DEEPEST // 2:
        raise b.refuse("this goes on too long", tree, "give a name to a part of it", "limit")
    for at, (first, second) in enumerate(zip(tree.children[1:], tree.children[2:], strict=False)):
        raises = is_a(first, "power", "SUPERSCRIPT")
        again = is_a(second, "power", "SUPERSCRIPT")
        indexed = _name_exponent(first) is not None and is_a(second, "brackets", "attribute")
        if raises and (again or indexed):
            raise _power_twice(b, tree.children[: at + 3])


def _power_twice(b: Built, parts: Sequence[Child]) -> DslError:
    start, first, second = (b.span(part) for part in (parts[0], *parts[-2:]))
    base = b.source.text[start.start : first.start]
    exponent = first.text.removeprefix("^").strip()
    if is_a(parts[-2], "SUPERSCRIPT"):
        exponent = raised_digits(exponent)
    further = second.text
    if is_a(parts[-1], "SUPERSCRIPT"):
        further = f"^{raised_digits(further)}"
    whole = start.to(second)
    return two_readings(
        whole, (f"({base}{first.text}){second.text}", f"{base}^({exponent}{further})")
    )


def _enclosed(b: Built, head: Branch) -> Expr:
    span = b.span(head)
    match head.data:
        case "group":
            return sole(b, head)
        case "brackets":
            return list_literal(b, head)
        case "abs":
            bar = b.source.span(span.start, span.start + 1)
            return Call(Name("abs", span=bar), (b.expr(head.children[0]),), span=span)
        case _:
            orders = leaves(head)
            order = norm_order(orders[0]) if orders else ""
            return Norm(b.expr(head.children[0]), order, span=span)


def _extend(b: Built, part: Part, trailer: Child) -> Part:
    """The part with one trailer more that is not a bracket of arguments."""
    span = part.span.to(b.span(trailer))
    if not isinstance(trailer, Token):
        return _extend_by_rule(b, part, trailer, span)
    match trailer.type, part.expr:
        case "TRANSPOSE", operand:
            return Part(Transpose(operand, span=span))
        case "PRIME", Prime(operand, order):
            return Part(Prime(operand, order + 1, span=span), part.may_call)
        case "PRIME", operand:
            return Part(Prime(operand, 1, span=span), part.may_call)
        case _, base:
            return Part(Power(base, superscript(b, trailer), span=span))


def _extend_by_rule(b: Built, part: Part, trailer: Branch, span: Span) -> Part:
    match trailer.data:
        case "brackets":
            index = Index(part.expr, index_items(b, trailer), span=span)
            return Part(index, part.may_call)
        case "attribute":
            name = unicodedata.normalize("NFKC", str(leaves(trailer)[0]))
            return Part(Attribute(part.expr, name, span=span), part.may_call)
        case _:
            return Part(Power(part.expr, _exponent(b, trailer), span=span))


def _exponent(b: Built, tree: Branch) -> Expr:
    *sign, what = tree.children
    if not isinstance(what, Token):
        value = sole(b, what)
    else:
        value = number(b, what) if what.type == "NUMBER" else b.name(what)
    if not sign:
        return value
    span = b.span(sign[0]).to(b.span(what))
    return (
        Number(-value.value, span=span)
        if isinstance(value, Number)
        else Unary("-", value, span=span)
    )


def _name_exponent(trailer: Child) -> Token | None:
    """The `n` of `^n`."""
    if isinstance(trailer, Token) or not is_a(trailer, "power"):
        return None
    first = trailer.children[0]
    return first if isinstance(first, Token) and first.type == "NAME" else None


def _call_or_product(b: Built, part: Part, trailer: Branch, rest: Sequence[Child]) -> Expr:
    inside, span = group(b, trailer), part.span.to(b.span(trailer))
    if not part.may_call and inside.alone is None:
        raise not_a_value(b, trailer)
    call = Call(part.expr, inside.args, inside.keywords, span=span)
    called = Part(call, may_call=True)
    return _readings(b, part.expr if part.may_call else None, called, part, (trailer, *rest))


def _raised(b: Built, part: Part, power: Child, exponent: Token, rest: Sequence[Child]) -> Expr:
    """`x^n (y)`: the bracket is an argument if `n` is a function, else a factor."""
    name, trailer = b.name(exponent), rest[0]
    assert not isinstance(trailer, Token)
    inside, span = group(b, trailer), part.span.to(b.span(trailer))
    call = Call(name, inside.args, inside.keywords, span=name.span.to(span))
    called = Part(Power(part.expr, call, span=span))
    return _readings(b, name, called, _extend(b, part, power), rest)


def _readings(
    b: Built, head: Expr | None, called: Part, plain: Part, trailers: Sequence[Child]
) -> Expr:
    """`called` and what follows it, or the product of `plain` and the bracket, or both."""
    trailer, *rest = trailers
    assert not isinstance(trailer, Token)
    if group(b, trailer).alone is None:
        return grow(b, called, rest)
    whole = plain.span.to(b.span(trailers[-1]))
    right = grow(b, Part(sole(b, trailer)), rest)
    product = Juxtapose(plain.expr, right, span=whole)
    if head is None:
        return product
    return CallOrProduct(head, grow(b, called, rest), product, span=whole)


def _derivative(b: Built, tree: Branch, head: Branch, trailers: Sequence[Child]) -> Expr:
    """`∂y/∂x`, with attributes of `x`, as the head of a chain."""
    of, wrt_token = head.children
    assert isinstance(wrt_token, Token)
    wrt = Part(b.name(wrt_token))
    rest = list(trailers)
    while rest and is_a(rest[0], "attribute"):
        wrt = _extend(b, wrt, rest.pop(0))
    span = b.span(head).to(wrt.span)
    if rest and not is_a(rest[0], "group"):
        text, behind = span.text, b.span(rest[0]).text
        message = f"`{behind}` could belong to `{wrt.span.text}` or to all of `{text}`"
        raise b.refuse(message, tree, f"bracket the derivative: `({text}){behind}`")
    check_trailers(b, tree)
    return grow(b, Part(Gradient(b.expr(of), wrt.expr, span=span)), rest)
