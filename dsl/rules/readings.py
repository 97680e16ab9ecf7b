"""Forms that two people read differently: `1/2 x`, `a < b < c`, `∑ w x`.

Each is an error that offers both rewrites. Where it hangs on what a name is (`1 / a (b)`), the
doubtful reading becomes an Ambiguous node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lark import Tree

from ..errors import one_line, two_readings
from ..offers import in_place
from ..span import Span
from ..syntax import Ambiguous, Binary, CallOrProduct, Expr, Juxtapose, Name, Unary
from .built import Branch, Built, Child, is_a
from .prefixes import is_loose, starts_with_bracket


def check_comparison(b: Built, tree: Branch) -> None:
    """Refuse `a < b < c`."""
    left, sign, right = tree.children
    if isinstance(left, Tree) and is_a(left, "binary") and is_a(left.children[1], "COMPARE"):
        pair, middle, last = _text(b, left), _text(b, left.children[2]), _text(b, right)
        span = b.span(tree)
        rewrites = (f"{pair} and {middle} {sign} {last}", f"({pair}) {sign} {last}")
        raise two_readings(span, (in_place(span, rewrites[0]), in_place(span, rewrites[1])))


def check_sum(b: Built, tree: Branch) -> None:
    """Refuse `∑ w x` and `∑ w * x`: the sum may end after `w` or after `x`."""
    last = tree.children[0]
    while isinstance(last, Tree) and is_a(last, "juxtapose", "binary", "unary"):
        last = last.children[-1]
    if not isinstance(last, Tree) or not is_a(last, "prefix"):
        return
    sign, operand = last.children
    if is_a(sign, "SUM") and isinstance(operand, Tree) and not starts_with_bracket(operand):
        whole = b.span(last).to(b.span(tree))
        after = one_line(b.source.text[b.span(last).end : whole.end])
        inner = one_line(b.source.text[b.span(operand).start : whole.end])
        raise two_readings(whole, (f"∑ ({inner})", f"({_text(b, last)}) {after}"))


def quotient(b: Built, tree: Branch) -> Expr:
    """`left / right`; refused if `right` is a product without a sign: `1/2 x`."""
    left, _, right = tree.children
    assert isinstance(right, Tree)
    _check_derivative(b, tree)
    over = _Over(b.expr(left), b.span(tree))
    value, denominator = b.expr(right), right
    if isinstance(value, Unary) and isinstance(right.children[-1], Tree) and is_a(right, "unary"):
        over, value, denominator = (
            replace(over, minus=value.span),
            value.operand,
            right.children[-1],
        )
    if not is_loose(b, denominator):
        return over(value)
    rewrites = _quotient_rewrites(b, tree, _first_factor_end(b, denominator))
    if isinstance(value, Juxtapose):
        raise two_readings(over.span, rewrites)
    return _under(value, over, rewrites)


@dataclass(frozen=True)
class _Over:
    """A numerator waiting for its denominator, which may have a minus."""

    numerator: Expr
    span: Span
    minus: Span | None = None

    def __call__(self, value: Expr) -> Expr:
        signed = Unary("-", value, span=self.minus) if self.minus else value
        return Binary("/", self.numerator, signed, span=self.span)


def _under(value: Expr, over: _Over, rewrites: tuple[str, str]) -> Expr:
    """The quotient with the call in the denominator; the product there is ambiguous."""
    if not isinstance(value, CallOrProduct):
        return over(value)
    doubtful = Ambiguous(rewrites, span=over.span)
    called = _under(value.call, over, rewrites)
    return CallOrProduct(value.head, called, doubtful, span=over.span)


def _quotient_rewrites(b: Built, tree: Branch, first_end: int) -> tuple[str, str]:
    left, _, right = tree.children
    whole, denominator = b.span(right).end, b.span(right)
    first = one_line(b.source.text[denominator.start : first_end])
    behind = one_line(b.source.text[first_end:whole])
    numerator = _text(b, left)
    return f"{numerator} / ({_text(b, right)})", f"({numerator} / {first}) {behind}"


def _first_factor_end(b: Built, tree: Branch) -> int:
    """Where the first factor of a product without signs ends."""
    first: Child = tree
    while isinstance(first, Tree) and is_a(first, "juxtapose"):
        first = first.children[0]
    value = b.expr(first)
    if isinstance(value, CallOrProduct) and first is tree:
        value = value.product
    has_more = isinstance(first, Tree) and is_loose(b, first)
    return value.left.span.end if isinstance(value, Juxtapose) and has_more else value.span.end


def _check_derivative(b: Built, tree: Branch) -> None:
    """Refuse `d loss / d W` and offer the derivative."""
    (of_d, of), (wrt_d, wrt) = (_pair(b, side) for side in (tree.children[0], tree.children[2]))
    if of_d == wrt_d == "d":
        raise b.refuse(
            f"`{_text(b, tree)}` is a quotient of products here, not a derivative",
            tree,
            f"write `grad({of}, {wrt})` or `∂{of}/∂{wrt}`",
            "derivative",
        )


def _pair(b: Built, side: Child) -> tuple[str, str]:
    """The texts of the two names of `d W`."""
    value = b.expr(side)
    if isinstance(value, Juxtapose) and isinstance(value.left, Name):
        return value.left.text, one_line(value.right.span.text)
    return "", ""


def _text(b: Built, child: Child) -> str:
    return one_line(b.span(child).text)
