r"""Expressions as LaTeX: one kind of expression, one rule.

Brackets are set anew where the notation needs them: those of `(a + b) / 2` go into the fraction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.show import Level, Part, beside, power_of_ten, short_number, symbol

from ..syntax import (
    Ambiguous,
    Attribute,
    Binary,
    Call,
    CallOrProduct,
    Comprehension,
    Conditional,
    Dots,
    Expr,
    Gradient,
    Hole,
    Index,
    Juxtapose,
    List,
    Name,
    Norm,
    Number,
    Power,
    Prime,
    Slice,
    Text,
    Transpose,
    Unary,
)
from .calls import call
from .names import Names
from .pieces import bracketed, cases, matrix, over_range, quoted

_SIGNS: Mapping[str, tuple[str, Level]] = {
    "or": (r"\lor", Level.EITHER),
    "and": (r"\land", Level.BOTH),
    "<": ("<", Level.COMPARISON),
    "<=": (r"\le", Level.COMPARISON),
    ">": (">", Level.COMPARISON),
    ">=": (r"\ge", Level.COMPARISON),
    "==": ("=", Level.COMPARISON),
    "!=": (r"\ne", Level.COMPARISON),
    "+": ("+", Level.SUM),
    "-": ("-", Level.SUM),
    "*": (r"\odot", Level.PRODUCT),
    "·": (r"\cdot", Level.PRODUCT),
}
_INFINITY = ("∞", "inf")
_FRACTIONS = {
    "½": r"\frac{1}{2}",
    "⅓": r"\frac{1}{3}",
    "⅔": r"\frac{2}{3}",
    "¼": r"\frac{1}{4}",
    "¾": r"\frac{3}{4}",
}


@dataclass(frozen=True)
class Formulas:
    """Writes expressions; `names` tell calls from products."""

    names: Names

    def part(self, node: Expr) -> Part:
        """An expression, and how tightly it holds together."""
        return EXPRESSIONS[type(node)](self, node)

    def free(self, node: Expr) -> str:
        """An expression where anything may stand."""
        return self.part(node).text

    def at(self, node: Expr, level: Level) -> str:
        """An expression as an operand: in brackets if it is looser than `level`."""
        part = self.part(node)
        return part.text if part.level >= level else bracketed(part.text)

    def behind(self, node: Expr, level: Level) -> str:
        """An expression behind an operator: in brackets unless it is tighter and has no sign."""
        return tighter(self.part(node), level)


def tighter(part: Part, level: Level) -> str:
    """A part in brackets, unless it is tighter than `level` and has no sign."""
    return bracketed(part.text) if part.level <= level or part.text[0] == "-" else part.text


def name(w: Formulas, node: Name) -> Part:
    """A name; ∞ and π under their words too. The words of a function stay together."""
    words = node.text.split("_")
    if node.text in w.names.functions and len(words) > 1 and min(map(len, words)) > 1:
        joined = r"\_".join(words)
        return Part(rf"\mathrm{{{joined}}}")
    text = "π" if node.text == "pi" else node.text
    return Part(r"\infty" if node.text in _INFINITY else symbol(text))


def number(w: Formulas, node: Number) -> Part:
    """A number: fractions and powers of ten as such."""
    typed = node.span.text.strip("() ")
    if typed in _FRACTIONS:
        return Part(_FRACTIONS[typed], Level.POWER)
    plain = str(node.value) if isinstance(node.value, int) else short_number(node.value)
    return power_of_ten(Part(plain, Level.SIGN if plain[0] == "-" else Level.ATOM))


def text(w: Formulas, node: Text) -> Part:
    """A text, letter for letter."""
    return Part(quoted(node.value))


def unary(w: Formulas, node: Unary) -> Part:
    """`-x`, `not x`."""
    if node.op == "not":
        return Part(rf"\lnot {w.at(node.operand, Level.COMPARISON)}", Level.NEGATION)
    return Part(f"-{w.behind(node.operand, Level.SIGN)}", Level.SIGN)


def binary(w: Formulas, node: Binary) -> Part:
    """Operators between two operands: `/` is a fraction, `@` stands unseen."""
    if node.op == "/":
        return Part(rf"\frac{{{w.free(node.left)}}}{{{w.free(node.right)}}}", Level.POWER)
    if node.op == "@":
        return side_by_side(w, node)
    sign, level = _SIGNS[node.op]
    if node.op == "*" and any(isinstance(x, Number) for x in (node.left, node.right)):
        sign = r"\cdot"
    compares = level is Level.COMPARISON
    left = w.behind(node.left, level) if compares else w.at(node.left, level)
    return Part(f"{left} {sign} {w.behind(node.right, level)}", level)


def side_by_side(w: Formulas, node: Juxtapose | Binary) -> Part:
    """`A x`; a sum may stand at the end, and then holds the product open."""
    left, last = w.at(node.left, Level.JUXTAPOSED), w.part(node.right)
    if last.level is Level.PREFIX:
        return Part(beside(left, last.text), Level.PREFIX)
    return Part(beside(left, tighter(last, Level.JUXTAPOSED)), Level.JUXTAPOSED)


def call_or_product(w: Formulas, node: CallOrProduct) -> Part:
    """`a(b)` by what `a` is."""
    product = not isinstance(node.product, Ambiguous) and not w.names.is_call(node)
    return w.part(node.product if product else node.call)


def ambiguous(w: Formulas, node: Ambiguous) -> Part:
    """What can be read two ways, as it was typed."""
    return Part(quoted(node.span.text))


def index(w: Formulas, node: Index) -> Part:
    """`x[i]` as a subscript where the name has none, else in brackets."""
    base = w.at(node.operand, Level.ATOM)
    items = ", ".join(item(w, each) for each in node.items)
    plain = isinstance(node.operand, Name) and "_" not in base
    return Part(f"{base}_{{{items}}}" if plain else rf"{base}\left[{items}\right]")


def item(w: Formulas, node: Expr | Slice | Dots | Hole) -> str:
    """What may stand in square brackets."""
    match node:
        case Dots():
            return r"\ldots"
        case Hole():
            return r"\_"
        case Slice(start, stop, step):
            ends = [start, stop] if step is None else [start, stop, step]
            return "{:}".join("" if end is None else w.free(end) for end in ends)
        case _:
            return w.free(node)


def attribute(w: Formulas, node: Attribute) -> Part:
    """`x.shape`, `h.3`."""
    return Part(f"{w.at(node.operand, Level.ATOM)}.{symbol(node.name)}")


def transpose(w: Formulas, node: Transpose) -> Part:
    """xᵀ."""
    return Part(rf"{w.at(node.operand, Level.ATOM)}^{{\top}}", Level.POWER)


def prime(w: Formulas, node: Prime) -> Part:
    """`f''`."""
    return Part(w.at(node.operand, Level.ATOM) + "'" * node.order, Level.POWER)


def power(w: Formulas, node: Power) -> Part:
    """xⁿ."""
    return Part(f"{w.at(node.base, Level.ATOM)}^{{{w.free(node.exponent)}}}", Level.POWER)


def gradient(w: Formulas, node: Gradient) -> Part:
    """`∇f`, `∇_W loss`, `∂loss/∂W`."""
    of = w.at(node.of, Level.POWER)
    if node.wrt is None:
        return Part(rf"\nabla {of}", Level.POWER)
    wrt = w.free(node.wrt)
    if node.span.text.lstrip("( ").startswith("∂"):
        return Part(rf"\frac{{\partial {of}}}{{\partial {wrt}}}", Level.POWER)
    return Part(beside(rf"\nabla_{{{wrt}}}", of), Level.POWER)


def norm(w: Formulas, node: Norm) -> Part:
    """‖x‖ with its order."""
    order = {"": "", "inf": r"_{\infty}"}.get(node.order, f"_{{{node.order}}}")
    return Part(rf"\left\|{w.free(node.operand)}\right\|{order}")


def list_of(w: Formulas, node: List) -> Part:
    """A matrix, if all items are rows of one length that hold no lists; else a row in brackets."""
    rows = [each.items for each in node.items if isinstance(each, List)]
    flat = not any(isinstance(x, List | Comprehension) for row in rows for x in row)
    if flat and rows and len(rows) == len(node.items) and len({len(row) for row in rows}) == 1:
        return Part(matrix([[w.free(x) for x in row] for row in rows]))
    return Part(rf"\left[{', '.join(w.free(x) for x in node.items)}\right]")


def comprehension(w: Formulas, node: Comprehension) -> Part:
    """`[f(i) for i in range(n)]`: its elements with their range."""
    low, high = over_range(w, node.target, node.iterable)
    above = f"^{{{high}}}" if high else ""
    return Part(rf"\left[{w.free(node.element)}\right]_{{{low}}}{above}")


def conditional(w: Formulas, node: Conditional) -> Part:
    """`a if c else b if d else e` as cases."""
    rows: list[tuple[str, str]] = []
    rest: Expr = node
    while isinstance(rest, Conditional):
        rows.append((w.free(rest.then), w.free(rest.condition)))
        rest = rest.otherwise
    return Part(cases(rows, w.free(rest)), Level.FREE)


EXPRESSIONS: Mapping[type[Expr], Callable[[Formulas, Any], Part]] = {
    Name: name,
    Number: number,
    Text: text,
    Unary: unary,
    Binary: binary,
    Juxtapose: side_by_side,
    Call: call,
    CallOrProduct: call_or_product,
    Ambiguous: ambiguous,
    Index: index,
    Attribute: attribute,
    Transpose: transpose,
    Prime: prime,
    Power: power,
    Gradient: gradient,
    Norm: norm,
    List: list_of,
    Comprehension: comprehension,
    Conditional: conditional,
}
