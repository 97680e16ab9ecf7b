"""The matrix of a linear map: M where a graph in v is M v, read off its operators.

A vector that is linear in v has its matrix [k, n], a scalar cᵀ v its column c. So a Jacobian is one
formula, of whatever size, and not a pass for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from engine import ops
from engine.closed import basis
from engine.closed.chains import Factor, is_ones
from engine.closed.products import counted
from engine.closed.reading import read
from engine.closed.terms import Sum, Term, core, total
from engine.closed.writing import single, write
from engine.dims import Shape, same_shape
from engine.graph import Node, depends, toposort

Rows = Sum | None  # the matrix of an operand; None for one that does not vary


def matrix(y: Node, v: Node) -> Node | None:
    """M with y = M v, for a scalar or vector y that is linear in the vector v; None if not seen.

    >>> from engine import var
    >>> A, v = var("A", ["m", "n"]), var("v", ["n"])
    >>> matrix(2 * (A @ v) + A @ v, v)
    <mul [m, n]>
    """
    if v.rank != 1 or y.rank not in (0, 1) or {None, 1} & {*(v.shape or ()), *(y.shape or ())}:
        return None  # [1] is what a scalar is kept as
    active, order = depends([y], [v]), toposort([y])
    if v not in order:
        return ops.zeros((*(y.shape or ()), *(v.shape or ())))
    n = (v.shape or (None,))[0]
    free = read([node for node in order if node not in active])
    found: dict[Node, Sum] = {v: Sum((Term(),), (n, n))}
    for node in order:
        if node in active and node is not v:
            rule = RULES.get(node.op.name)
            rows = [found.get(x) for x in node.inputs]
            made = rule(node, rows, [free.get(x) for x in node.inputs]) if rule else None
            if made is None:
                return None
            found[node] = Sum(made.terms, (n,) if _is_scalar(node) else (*(node.shape or ()), n))
    return write(found[y])


def _is_scalar(x: Node) -> bool:
    """A scalar, or one that was given an axis to broadcast along."""
    return x.shape in ((), (1,))


def _spread(x: Node, rows: Sum, y: Node) -> Sum:
    """The rows of x, at each place of y where x is a scalar: 1 cᵀ."""
    if not _is_scalar(x) or _is_scalar(y):
        return rows
    ones = Term(chain=(Factor(ops.ones(y.shape)),))
    return total([ones * term.flip for term in rows.terms], None)


def _linear(*signs: int) -> Callable[..., Rows]:
    """The operands with their signs."""

    def rule(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
        if y.rank not in (0, 1) or None in rows:
            return None
        parts = zip(signs, y.inputs, rows, strict=True)
        return total(
            [
                replace(term, number=sign * term.number)
                for sign, x, each in parts
                if each is not None
                for term in _spread(x, each, y).terms
            ],
            None,
        )

    return rule


def _mul(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
    """c u: a number or a diagonal times the rows of u, or a column times the row of a scalar."""
    place = 0 if rows[0] is not None else 1
    u, of, by = y.inputs[place], rows[place], free[1 - place]
    return None if of is None or by is None else _times(y, u, of, single(by), by.shape)


def _div(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
    """u / c."""
    of, by = rows[0], free[1]
    if of is None or by is None or rows[1] is not None:
        return None
    under = single(by)
    outside = replace(under, chain=()).inverse if under.number else under
    if under.chain and not is_ones(under.chain[0].node):
        inside = core(under, by.shape)
        assert inside is not None
        outside = replace(outside, chain=(Factor(1 / inside),))
    return _times(y, y.inputs[0], of, outside, by.shape) if under.number else None


def _times(y: Node, u: Node, rows: Sum, by: Term, shape: Shape) -> Rows:
    if len(shape or ()) > 1 or y.rank not in (0, 1):
        return None
    if len(by.chain) == 1 and is_ones(by.chain[0].node):
        by = replace(by, chain=())
    if by.chain and not same_shape(shape, y.shape):
        return None
    if not by.chain:
        return total([by * term for term in _spread(u, rows, y).terms], None)
    if _is_scalar(u):
        return total([by * term.flip for term in rows.terms], None)
    inside = core(by, shape)
    assert inside is not None
    diagonal = replace(by, chain=(Factor(ops.diag(inside)),))
    return total([diagonal * term for term in rows.terms], None)


def _matmul(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
    """A u, uᵀ A and aᵀ u."""
    place = 0 if rows[0] is not None else 1
    of, by = rows[place], free[1 - place]
    if of is None or by is None or by.shape is None or y.inputs[place].rank != 1:
        return None
    term = single(by)
    if len(by.shape) == 1:
        return total([(term.flip * each).flip for each in of.terms], None)
    if len(by.shape) == 2:
        left = term if place == 1 else term.flip
        return total([left * each for each in of.terms], None)
    return None


def _sum(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
    """Mᵀ 1."""
    (x,), (of,) = y.inputs, rows
    if of is None or not _is_scalar(y) or x.rank != 1:
        return None
    ones = Term(chain=(Factor(ops.ones(x.shape)),))
    return total([term.flip * ones for term in of.terms], None)


def _mean(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
    summed = _sum(y, rows, free)
    if summed is None:
        return None
    n = counted(y.inputs[0].shape)
    return total([n.inverse * term for term in summed.terms], None) if n.number else None


def _repeated(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
    """A scalar at each place of y."""
    (x, *_), of = y.inputs, rows[0]
    if of is None or y.rank not in (0, 1) or not _is_scalar(x):
        return None
    return _spread(x, of, y)


def _where(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
    """Where a condition holds u, elsewhere 0: a diagonal of ones and zeros."""
    condition = y.inputs[0]
    for place, (on, off) in ((1, (1.0, 0.0)), (2, (0.0, 1.0))):
        of, other = rows[place], free[3 - place]
        if of is not None and other is not None and not other.terms and y.rank == 1:
            if not same_shape(condition.shape, y.shape):
                return None
            chosen = ops.where(condition, on, off)
            return _times(y, y.inputs[place], of, Term(chain=(Factor(chosen),)), y.shape)
    return None


def _index(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
    """A scalar with axes, or Mᵀ eᵢ for the element at i."""
    (x,), (of,), key = y.inputs, rows, y.attrs["key"]
    if _is_scalar(x):
        return _repeated(y, rows, free)
    place = basis.read_place(key, x.shape)
    if of is None or place is None:
        return None
    unit = Term(chain=(Factor(basis.unit(place, x.shape)),))
    return total([term.flip * unit for term in of.terms], None)


def _unindex(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
    """eᵢ cᵀ."""
    of, place = rows[0], basis.read_place(y.attrs["key"], y.shape)
    if of is None or not _is_scalar(y.inputs[0]) or place is None:
        return None
    return _placed([(place, of)], y.shape)


def _stack(y: Node, rows: Sequence[Rows], free: Sequence[Sum | None]) -> Rows:
    """e₀ aᵀ + e₁ bᵀ + …, of scalars."""
    return _placed(((i, of) for i, of in enumerate(rows) if of), y.shape) if y.rank == 1 else None


def _placed(columns: Iterable[tuple[int, Sum]], shape: Shape) -> Sum:
    """Each column as the row at its place."""
    units = ((Term(chain=(Factor(basis.unit(i, shape)),)), of) for i, of in columns)
    return total([unit * term.flip for unit, of in units for term in of.terms], None)


RULES: Mapping[str, Callable[..., Rows]] = {
    "add": _linear(1, 1),
    "sub": _linear(1, -1),
    "neg": _linear(-1),
    "mul": _mul,
    "div": _div,
    "matmul": _matmul,
    "sum": _sum,
    "sum_to": lambda y, rows, free: _sum(y, rows[:1], free[:1]) if y.inputs[1:] == () else None,
    "mean": _mean,
    "expand": _repeated,
    "index": _index,
    "unindex": _unindex,
    "stack": _stack,
    "where": _where,
}
