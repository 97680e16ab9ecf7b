"""Formulas as on the board: 2 Aᵀ (A x - b), x xᵀ, diag(p) - p pᵀ; products without a sign.

A vector is a column. What is written parses back: to a node of the same value, not to the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from engine.closed.chains import is_symmetric
from engine.graph import Node
from engine.show.forms import write
from engine.show.lines import Level, Notation, Part
from engine.show.text import formula

SHORT = 12  # as wide as `softmax(x)`: so much is rather said twice than called by a letter
ALL = (None, None, None)
COLUMN, ROW = ((..., None), (ALL, None)), ((..., None, ALL), (None, ALL))


@dataclass(frozen=True)
class Written(Part):
    """A part that also knows more of itself.

    turned  its transpose, as a factor; `row` as a line of its own
    of      what it is the square, the column or the row of
    scales  a scalar before a vector or matrix: `2 (aᵀ x)`, in which nothing more is multiplied
    """

    turned: str = ""
    row: str = ""
    of: Written | None = None
    scales: str = ""


def on_board(node: Node, parts: Sequence[Part]) -> Part:
    """A node in terms of its written operands."""
    operands = [cast(Written, part) for part in parts]
    rule = _RULES.get(node.op.name)
    made = rule(node, *operands) if rule else None
    part = made or _plain(write(node, parts))
    if not part.turned:
        same = node.rank == 2 and is_symmetric(node)
        turned = part.beside(Level.POWER) if same else f"{part.beside(Level.ATOM)}^T"
        part = replace(part, turned=turned)
    return replace(part, row=_in_a_row(node, *operands) or part.turned)


def _in_a_row(node: Node, *parts: Written) -> str:
    """The transpose of a sum, term by term, the scalars where they were; else nothing."""
    if any(x.rank not in (0, node.rank) for x in node.inputs):
        return ""
    match node.op.name, parts:
        case "add" | "sub", (a, b) if node.inputs[0].rank == node.inputs[1].rank:
            right = f"({b.row})" if b.level <= Level.SUM else b.row
            return f"{a.row} {'+' if node.op.name == 'add' else '-'} {right}"
        case "neg", (a,):
            return f"-({a.row})" if a.level <= Level.SUM else f"-{a.row}"
        case "mul", (s, a) if node.inputs[0].rank == 0:
            return f"{s.scales or _left(s)} {a.turned}"
        case "div", (a, s) if node.inputs[1].rank == 0:
            over = f"({a.row})" if a.level <= Level.SUM else a.row
            return f"{over} / {s.inside(Level.JUXTAPOSED)}"
    return ""


def _plain(part: Part) -> Written:
    return Written(part.text, part.level, part.bare)


def _juxtaposed(left: str, right: str) -> Written:
    return Written(f"{left} {right}", Level.JUXTAPOSED)


def _left(part: Part) -> str:
    return part.beside(Level.JUXTAPOSED)


def _right(node: Node, part: Part) -> str:
    """A product of matrices needs no brackets; what begins with a number or a bar does."""
    associative = node.op.name == "matmul" and part.level == Level.JUXTAPOSED
    text = part.text if associative else part.inside(Level.JUXTAPOSED)
    return text if text[0].isalpha() or text[0] in "(√" else f"({text})"


def _matmul(node: Node, a: Written, b: Written) -> Written | None:
    """A B, A x, aᵀ b; xᵀ A as the column Aᵀ x."""
    x, y = node.inputs
    match x.rank, y.rank:
        case (2, 1 | 2):
            made = _juxtaposed(_left(a), _right(y, b))
            return Written(made.text, made.level, turned=f"{b.turned} {a.turned}")
        case (1, 1):
            made = _juxtaposed(a.turned, _right(y, b))
            return replace(made, scales=f"({made.text})")
        case (1, 2):
            made = _juxtaposed(b.turned, _right(x, a))
            return Written(made.text, made.level, turned=f"{a.turned} {_left(b)}")
    return None


def _transpose(node: Node, x: Written) -> Written | None:
    if node.rank != 2 or node.attrs["axes"] not in ((-1, -2), None):
        return None
    return Written(f"{x.beside(Level.ATOM)}^T", Level.POWER, turned=x.beside(Level.JUXTAPOSED))


def _mul(node: Node, a: Written, b: Written) -> Written | None:
    """c x with the scalar first, x yᵀ, diag(d) A, else element by element."""
    x, y = node.inputs
    if x.rank == 0:
        scale, right = a.scales or _left(a), _right_of_scalar(y, b)
        if node.rank == 0 and b.scales:
            return replace(_juxtaposed(scale, right), scales=f"{scale} {b.scales}")
        return _juxtaposed(scale, right)
    if node.rank == 2 and a.of and b.of and _is(x, COLUMN) and _is(y, ROW):
        return _juxtaposed(_left(a.of), b.of.turned)
    if node.rank == 2 and a.of and _is(x, COLUMN) and _is_scaled(y, x, node):
        return _juxtaposed(f"diag({a.of.text})", _right(y, b))
    if node.rank == 2 and b.of and _is(y, ROW) and _is_scaled(x, y, node):
        return _juxtaposed(_left(a), f"diag({b.of.text})")
    return None


def _is_scaled(x: Node, by: Node, node: Node) -> bool:
    """Whether a column or a row has an element for each row or column of a matrix x."""
    side = 0 if _is(by, COLUMN) else 1
    return x.shape == node.shape and (by.shape or ())[side] == (node.shape or ())[side]


def _right_of_scalar(node: Node, part: Part) -> str:
    """c A x is (c A) x, which is as good."""
    is_product = node.op.name in ("matmul", "mul") and part.level == Level.JUXTAPOSED
    text = part.text if is_product else part.inside(Level.JUXTAPOSED)
    return text if text[0].isalpha() or text[0] in "(√‖" else f"({text})"


def _div(node: Node, a: Written, b: Written) -> Written:
    """What is divided by has brackets if it is a product."""
    over = a.beside(Level.PRODUCT)
    return Written(f"{over} / {b.inside(Level.JUXTAPOSED)}", Level.PRODUCT)


def _is(x: Node, keys: Sequence[object]) -> bool:
    return x.op.name == "index" and x.inputs[0].rank == 1 and x.attrs["key"] in keys


def _index(node: Node, x: Written) -> Written | None:
    """A column or a row, which a product writes without its brackets."""
    if not _is(node, (*COLUMN, *ROW)):
        return None
    plain = write(node, [x])
    return Written(plain.text, plain.level, of=x)


def _neg(node: Node, x: Written) -> Written | None:
    """-a / b for -(a / b)."""
    return Written(f"-{x.text}", Level.SUM) if x.level == Level.PRODUCT else None


def _pow(node: Node, base: Written, exponent: Written) -> Written:
    """The square remembers what it is of; (‖x‖²)² = ‖x‖⁴."""
    if node.inputs[0].op.name == "sum" and base.of and exponent.text.isdigit():
        return Written(f"{base.of.text}^{2 * int(exponent.text)}", Level.POWER)
    part = write(node, [base, exponent])
    return Written(part.text, part.level, of=base if exponent.text == "2" else None)


def _sum(node: Node, x: Written) -> Written | None:
    """Σ x² = ‖x‖²."""
    operand = node.inputs[0]
    if node.shape != () or operand.op.name != "pow" or x.of is None or operand.rank not in (1, 2):
        return None
    length = Written(_bars(operand.rank, x.of))
    return Written(f"{length.text}^2", Level.POWER, of=length)


def _norm(node: Node, x: Written) -> Written | None:
    rank = node.inputs[0].rank
    return Written(_bars(rank, x)) if node.shape == () and rank in (1, 2) else None


def _bars(rank: int | None, x: Written) -> str:
    return f"‖{x.text}‖" + ("_F" if rank == 2 else "")


def _inv(node: Node, x: Written) -> Written | None:
    return Written(f"{x.beside(Level.ATOM)}^-1", Level.POWER) if node.rank == 2 else None


def _stack(node: Node, *parts: Written) -> Written | None:
    """`[a, b]` of numbers, `[a, b; c, d]` of such rows, `[u, v]` of vectors with names."""
    is_first = node.attrs["axis"] in (0, -(node.rank or 0))
    if not is_first or any(x.rank not in (0, 1) for x in node.inputs):
        return None
    inside = ", ".join(part.text for part in parts)
    if node.rank == 1:
        return Written(f"[{inside}]", of=Written(inside))
    rows = [
        part.of.text
        for x, part in zip(node.inputs, parts, strict=True)
        if part.of and x.op is node.op
    ]
    return Written(f"[{'; '.join(rows) if len(rows) == len(parts) else inside}]")


_RULES = {
    "stack": _stack,
    "matmul": _matmul,
    "transpose": _transpose,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "index": _index,
    "pow": _pow,
    "sum": _sum,
    "norm": _norm,
    "inv": _inv,
}


def _named(name: str) -> Part:
    return Written(name, turned=f"{name}^T", row=f"{name}^T")


BOARD = Notation(str, on_board, width=72, short=SHORT, named=_named)


def in_a_row(node: Node, names: Mapping[Node, str] | None = None) -> str:
    """The formula of a vector as a row: xᵀ (A + Aᵀ)."""
    row = node[None, :]

    def turned(n: Node, parts: Sequence[Part]) -> Part:
        return Part(cast(Written, parts[0]).row) if n is row else on_board(n, parts)

    return formula(row, names, replace(BOARD, write=turned))
