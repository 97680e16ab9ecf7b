"""Shapes that broadcast by accident: a square matrix, or a column [n, 1], with a vector [n]."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from engine import Node, ops
from engine.dims import Dim, canonical

from ..errors import Diagnostic, one_line
from ..lowering.located import Term, is_bracketed
from ..syntax import Binary, Call, Dots, Expr, Name
from .nearby import near
from .seen import Seen

ARITHMETIC = ("*", "/", "+", "-")

Pattern = Callable[[tuple[Dim, ...], Dim], bool]
Pair = tuple[Term, Term]


def matrix_and_vector(seen: Seen, expr: Binary) -> Iterator[Diagnostic]:
    """`A * x` for A [n, n] and x [n]."""
    pair = _operands(seen, expr, _is_square)
    if pair is None or not _is_matrix(seen, pair[0].expr):
        return
    if _belongs_to_columns(seen, expr, pair[1].node):
        return
    matrix, vector = pair
    text = one_line(expr.span.text)
    message = f"`{text}` takes every row of `{matrix.text}` with `{vector.text}`, entry by entry"
    yield _told(expr, message, _way_out(expr, matrix, vector), pair)


def column_and_vector(seen: Seen, expr: Binary | Call) -> Iterator[Diagnostic]:
    """`y - x` for y [n, 1] and x [n], also inside a loss of the prelude: `mse(y, x)`.

    Not where the axis of 1 was made on purpose.
    """
    pair = _operands(seen, expr, _is_column) if isinstance(expr, Binary) else _given(seen, expr)
    if pair is None or any(_makes_axis(node) for node in near(pair[0].node)):
        return
    column, _ = pair
    message = f"`{one_line(expr.span.text)}` takes every entry of one side with every other's"
    hint = f"one by one: `{_with(expr, column, f'{column.atom}[:, 0]')}`"
    yield _told(expr, message, hint, pair)


def _is_square(shape: tuple[Dim, ...], n: Dim) -> bool:
    return equal(*shape) and equal(shape[1], n)


def _is_column(shape: tuple[Dim, ...], n: Dim) -> bool:
    return equal(shape[0], n) and shape[1] == 1


def equal(a: Dim, b: Dim) -> bool:
    """Whether two sizes are one size, not two with the same value."""
    return a is not None and b is not None and canonical(a) == canonical(b)


def _operands(seen: Seen, expr: Binary, pattern: Pattern) -> Pair | None:
    """The matrix and the vector, if the sides are such in every call of the function around."""
    nodes = seen.nodes(expr) if expr.op in ARITHMETIC else []
    if not nodes or not all(_fits(node.inputs, pattern) for node in nodes):
        return None
    return _pair(seen, nodes[0].inputs, (expr.left, expr.right))


def _given(seen: Seen, call: Call) -> Pair | None:
    """The column and the vector that a function of another module puts together."""
    nodes = [node for each in call.args for node in seen.nodes(each)[:1]]
    if len(nodes) != 2 or len(call.args) != 2 or not _fits(nodes, _is_column):
        return None
    is_met = any(_fits(node.inputs, _is_column) for node in seen.within(call))
    return _pair(seen, nodes, call.args) if is_met else None


def _fits(inputs: Sequence[Node], pattern: Pattern) -> bool:
    match sorted((x.shape or () for x in inputs), key=len):
        case [(n,), (rows, columns)]:
            return n != 1 and pattern((rows, columns), n)
        case _:
            return False


def _pair(seen: Seen, nodes: Sequence[Node], exprs: Sequence[Expr]) -> Pair | None:
    """Both sides, that with two axes first; a row is written as one on purpose."""
    left, right = (
        Term(role, node, side, seen.is_row(side))
        for role, node, side in zip(("left", "right"), nodes, exprs, strict=True)
    )
    pair = (left, right) if left.node.rank == 2 else (right, left)
    return None if pair[1].is_row else pair


def _is_matrix(seen: Seen, side: Expr) -> bool:
    """Whether it is square by itself: in a function only what it takes, if not as `[..., n]`."""
    function = seen.function(side)
    if function is None:
        return True
    taken = {each.name.text: each.annotation for each in function.parameters}
    if not isinstance(side, Name) or side.text not in taken:
        return False
    annotation = taken[side.text]
    return annotation is None or not any(isinstance(s, Dots) for s in annotation.sizes or ())


def _belongs_to_columns(seen: Seen, expr: Binary, vector: Node) -> bool:
    """Whether there is one number for each column: means over the rows, a row, a bias."""
    below = near(vector)
    if any(node.op is ops.index or _goes_over(node, (0, -2)) for node in below):
        return True
    return expr.op in ("+", "-") and any(vector is p.leaf for p in seen.low.params.values())


def _goes_over(node: Node, axes: tuple[int, int]) -> bool:
    """Whether this reduces one of these axes of a matrix."""
    along = node.attrs.get("axis")
    return any(along == (axis,) for axis in axes) and node.inputs[0].rank == 2


def _makes_axis(node: Node) -> bool:
    return node.op in (ops.index, ops.reshape, ops.expand) or node.attrs.get("keepdims") is True


def _way_out(expr: Binary, matrix: Term, vector: Term) -> str:
    rows = _with(expr, vector, f"{vector.atom}[:, None]")
    columns = _with(expr, vector, f"{vector.atom}[None, :]")
    if any(_goes_over(node, (1, -1)) for node in near(vector.node)):
        return f"each row with its own number: `{rows}`"
    if expr.op == "*":
        product = f"{matrix.atom}{' ' if isinstance(vector.expr, Name) else ' @ '}{vector.atom}"
        product = f"({product})" if is_bracketed(expr) else product
        return f"the matrix product is `{product}`; as it is: `{columns}`"
    return f"every column with it: `{rows}`; as it is: `{columns}`"


def _with(expr: Binary | Call, side: Term, text: str) -> str:
    """The expression with one side written in another way."""
    start, end = side.expr.span.start, side.expr.span.end
    whole = expr.span.source.text
    return one_line(whole[expr.span.start : start] + text + whole[end : expr.span.end])


def _told(expr: Binary | Call, message: str, hint: str, pair: Pair) -> Diagnostic:
    sides = sorted((term.operand for term in pair), key=lambda each: each.role)
    return Diagnostic(message, expr.span, hint, operands=tuple(sides))
