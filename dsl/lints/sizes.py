"""Sizes that agree only because both have the same value now: `dim n = 4, m = 4`, and x + y.

What an operator made is looked at again with sizes that have no values: where its shape rule then
refuses the operands, it was the values alone that agreed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

import sympy

from engine import EngineError, Node, var
from engine.dims import Dim, Shape, Size, canonical, known, show_dim, sizes_in
from engine.dims import size as size_called
from engine.origins import origin

from ..errors import Diagnostic, DslError, one_line
from ..lowering.sizes import size
from ..span import Span
from ..syntax import Call
from ..syntax import Dim as DimLine
from .seen import Seen

Pair = tuple[sympy.Expr, sympy.Expr]


class Open:
    """Sizes without their values; one that a `dim` line defines is what it is made of: h = 4d."""

    def __init__(self, seen: Seen) -> None:
        self._without: dict[sympy.Basic, sympy.Basic] = {}
        scope = seen.low.module
        for statement in seen.low.tree.statements:
            for each in statement.sizes if isinstance(statement, DimLine) else ():
                symbol = scope.sizes.get(each.name.text)
                if each.value is None or not isinstance(symbol, Size):
                    continue
                try:
                    made_of = size(seen.low, scope, each.value)
                except DslError:  # a name in it means something else by now
                    continue
                if isinstance(made_of, sympy.Expr):
                    self._without[symbol] = sympy.sympify(self(made_of))

    def __call__(self, dim: Dim) -> Dim:
        """The size in the names that have no definition."""
        if not isinstance(dim, sympy.Expr):
            return dim
        names = {s: self._without.get(s, size_called(s.name)) for s in sizes_in(dim)}
        return canonical(dim.xreplace(names))


def by_value(seen: Seen) -> Iterator[Diagnostic]:
    """`x + y` for x [n] and y [m], both 4."""
    is_open = Open(seen)
    for node, span in _made(seen):
        pairs = list(_pairs(node)) if len(node.inputs) > 1 else []
        for a, b in _needed(node, pairs, is_open) if pairs else ():
            text, value = one_line(span.text), known(a)
            both = f"{show_dim(a)} and {show_dim(b)}"
            message = f"`{text}` fits only because {both} are both {value}"
            yield Diagnostic(message, span, _way_out(seen, a, b))


def _made(seen: Seen) -> Iterator[tuple[Node, Span]]:
    """What was written, derivatives left out, and what calls of other modules made."""
    for node, span in seen.low.origins.items():
        if seen.is_own(span) and origin(node) is None:
            yield node, span
    for piece in seen.pieces:
        for node in seen.within(piece) if isinstance(piece, Call) else ():
            yield node, piece.span


def _pairs(node: Node) -> Iterator[Pair]:
    """Different sizes of the operands that have the same value."""
    dims = dict.fromkeys(
        dim for x in node.inputs for dim in x.shape or () if isinstance(dim, sympy.Expr)
    )
    for a, b in combinations(dims, 2):
        if known(a) is not None and known(a) == known(b):
            yield a, b


def _needed(node: Node, pairs: list[Pair], is_open: Open) -> list[Pair]:
    """The pairs that must agree for the operands to fit; none if they fit without, or never."""
    if _fits(node, (), is_open) or not _fits(node, pairs, is_open):
        return []
    needed = pairs
    for pair in pairs:
        rest = [each for each in needed if each is not pair]
        if _fits(node, rest, is_open):
            needed = rest
    return needed


def _fits(node: Node, equal: Iterable[Pair], is_open: Open) -> bool:
    """Whether the operator takes operands of these sizes without values, some held to be equal."""
    shapes: list[Shape] = [x.shape for x in node.inputs]
    for a, b in equal:
        shapes = [shape and tuple(a if dim == b else dim for dim in shape) for shape in shapes]
    leaves = [
        var(f"operand {i}", shape and tuple(map(is_open, shape)), x.kind)
        for i, (x, shape) in enumerate(zip(node.inputs, shapes, strict=True))
    ]
    try:
        node.op.shape(node.attrs, *leaves)
    except EngineError:
        return False
    return True


def _way_out(seen: Seen, a: sympy.Expr, b: sympy.Expr) -> str:
    """To declare one by the other, the later by the earlier."""
    lines = [each for each in seen.low.tree.statements if isinstance(each, DimLine)]
    order = [each.name.text for line in lines for each in line.sizes]
    for new, old in ((b, a), (a, b)):
        names = [s.name for s in sizes_in(old)]
        before = order[: order.index(str(new))] if str(new) in order else []
        if names and all(name in before for name in names):
            return f"if they are one size, say so: `dim {new} = {show_dim(old)}`"
    return "if they are one size, give it one name"
