"""Prefixes: `√x`, `∑ x`, `∇f(x)`, `∇_W loss` bind tighter than a product, looser than a chain."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from lark import Token

from ..errors import one_line, two_readings
from ..span import Span
from ..syntax import Ambiguous, Attribute, Call, CallOrProduct, Expr, Gradient, Juxtapose, Name
from .brackets import group, sole
from .built import Branch, Built, is_a, is_bracketed
from .chains import Part, grow, head_part

Wrap = Callable[[Expr, Span], Expr]


def prefix(b: Built, tree: Branch) -> Expr:
    """A prefix and its operand."""
    sign, operand = tree.children
    assert isinstance(sign, Token)
    assert not isinstance(operand, Token)
    match sign.type:
        case "SUM":
            return _sum(b, tree, sign, operand)
        case "NABLA":
            return _gradient(b, tree, operand)
        case "NABLA_OF":
            wrt = _path(b, sign)
            return before(b, tree, operand, lambda of, span: Gradient(of, wrt, span=span))
        case _:
            root = Name("sqrt", span=b.span(sign))
            return before(b, tree, operand, lambda of, span: Call(root, (of,), span=span))


def _path(b: Built, sign: Token) -> Expr:
    """What `∇_block.W` is the gradient by: a name, or a parameter by its path."""
    start = (sign.start_pos or 0) + 2
    first, *steps = sign[2:].split(".")
    name: Expr = b.name(Token("NAME", first, start, end_pos=start + len(first)))
    for step in steps:
        end = name.span.end + 1 + len(step)
        span = b.source.span(name.span.start, end)
        name = Attribute(name, unicodedata.normalize("NFKC", step), span=span)
    return name


def is_loose(b: Built, tree: Branch) -> bool:
    """Whether an expression is (or may turn out to be) a product without sign and brackets."""
    return not is_bracketed(tree) and isinstance(b.expr(tree), Juxtapose | CallOrProduct)


def starts_with_bracket(tree: Branch) -> bool:
    """Whether a chain starts with `(`."""
    return is_a(tree, "chain") and is_a(tree.children[0], "group")


def before(b: Built, tree: Branch, operand: Branch, wrap: Wrap) -> Expr:
    """The operand with a prefix, which takes the first factor only: `√a (b)` is √a · b."""
    start, value = b.span(tree), b.expr(operand)
    return _first_factor(start, value, wrap) if is_loose(b, operand) else wrap(value, start)


def _first_factor(start: Span, value: Expr, wrap: Wrap) -> Expr:
    whole = start.to(value.span)
    match value:
        case Juxtapose(left, right):
            return Juxtapose(wrap(left, start.to(left.span)), right, span=whole)
        case CallOrProduct(head, call, Ambiguous() as product):
            return CallOrProduct(head, _first_factor(start, call, wrap), product, span=whole)
        case CallOrProduct(head, call, product):
            called = _first_factor(start, call, wrap)
            return CallOrProduct(head, called, _first_factor(start, product, wrap), span=whole)
        case _:
            return wrap(value, whole)


def _gradient(b: Built, tree: Branch, operand: Branch) -> Expr:
    """`∇f(x)` is (∇f)(x): the sign belongs to the function."""
    head, *trailers = operand.children
    span = b.span(tree)
    if not is_a(operand, "chain") or not is_a(head, "NAME"):
        return before(b, tree, operand, lambda of, where: Gradient(of, None, span=where))
    function = head_part(b, head)
    gradient = Gradient(function.expr, None, span=span.to(function.span))
    return grow(b, Part(gradient, may_call=True), trailers)


def _sum(b: Built, tree: Branch, sign: Token, operand: Branch) -> Expr:
    name = Name("sum", span=b.span(sign))
    if starts_with_bracket(operand):
        return _sum_of_bracket(b, tree, name, operand)
    value, span = b.expr(operand), b.span(tree)
    if not is_loose(b, operand):
        return Call(name, (value,), span=span)
    if isinstance(value, Juxtapose):
        raise two_readings(span, _sum_rewrites(b, value))
    assert isinstance(value, CallOrProduct)
    product = value.product
    if isinstance(product, Juxtapose):
        product = Ambiguous(_sum_rewrites(b, product), span=span)
    called = _first_factor(span, value.call, lambda of, where: Call(name, (of,), span=where))
    return CallOrProduct(value.head, called, product, span=span)


def _sum_rewrites(b: Built, product: Juxtapose) -> tuple[str, str]:
    first, whole = product.left.span, product.span
    behind = one_line(b.source.text[first.end : whole.end])
    return f"∑ ({one_line(whole.text)})", f"(∑ {one_line(first.text)}) {behind}"


def _sum_of_bracket(b: Built, tree: Branch, name: Name, operand: Branch) -> Expr:
    """`∑(x - y)^2` sums squares; `∑(x, axis=0)` and `∑(x for …)` are calls with what follows."""
    bracket, *trailers = operand.children
    assert not isinstance(bracket, Token)
    inside, span = group(b, bracket), b.span(tree)
    if inside.alone is None:
        here = span.to(b.span(bracket))
        call = Call(name, inside.args, inside.keywords, span=here)
        return grow(b, Part(call), trailers)
    value = grow(b, Part(sole(b, bracket)), trailers)
    if not trailers:
        return Call(name, (value,), span=span)
    return _first_factor(span, value, lambda of, where: Call(name, (of,), span=where))
