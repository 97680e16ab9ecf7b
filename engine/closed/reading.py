"""A graph read as sums of terms: each operator of linear algebra by its rule, all else as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from engine import ops
from engine.closed.chains import (
    ALL,
    COLUMN,
    ROW,
    Factor,
    by_element,
    diagonal,
    flipped,
    inner,
    is_flipped,
    is_ones,
    multiplied,
)
from engine.closed.terms import Sum, Term, atom, core, total
from engine.closed.writing import single, write
from engine.dims import Shape, same_shape
from engine.graph import Node, rebuild, toposort
from engine.ops.sources import constant_value

SMALL = 64  # the largest exponent that is multiplied out


def read(outputs: Sequence[Node], keep: Collection[Node] = ()) -> dict[Node, Sum]:
    """The sums of the outputs and of all below them; nodes in `keep` are not opened."""
    kept, found = frozenset(keep), dict[Node, Sum]()
    for node in toposort(outputs, stop=kept.__contains__):
        rule = None if node in kept else RULES.get(node.op.name)
        as_sum = rule(node, *(found[x] for x in node.inputs)) if rule else None
        if as_sum is None:
            as_sum = _as_it_is(node if node in kept else _rebuilt(node, found))
        found[node] = as_sum
    return found


def _rebuilt(node: Node, found: Mapping[Node, Sum]) -> Node:
    """The node over its inputs in their textbook form."""
    return rebuild(node, tuple(_fitting(x, write(found[x])) for x in node.inputs))


def _fitting(old: Node, new: Node) -> Node:
    """The new node if it has the shape and kind of the old one."""
    return new if new.kind == old.kind and same_shape(new.shape, old.shape) else old


def _as_it_is(node: Node) -> Sum:
    return Sum((atom(node),), node.shape)


def _constant(y: Node) -> Sum | None:
    value = constant_value(y)
    if value is None or y.kind == "bool" or not math.isfinite(value):
        return None
    return total([Term(Fraction(value))], ())


def _filled(y: Node, *like: Sum) -> Sum | None:
    """c · 1, with the ones as their own vector or matrix; an identity has no factor at all."""
    if y.kind != "float" or None in (y.shape or ()) or not math.isfinite(y.attrs["value"]):
        return None
    return _repeated(y, total([Term(Fraction(y.attrs["value"]))], ()))


def _repeated(y: Node, x: Sum) -> Sum | None:
    """A scalar at every place of y."""
    if not set(x.shape or ()) <= {1} or x.shape is None or y.shape is None or None in y.shape:
        return None
    scalars = [replace(t, chain=()) for t in x.terms if not t.chain or _is_constant(t)]
    if len(scalars) < len(x.terms):
        return None
    if y.shape == ():
        return total(scalars, ())
    return total([replace(t, chain=(Factor(ops.ones(y.shape)),)) for t in scalars], y.shape)


def _identity(y: Node, *like: Sum) -> Sum | None:
    return None if y.shape is None or None in y.shape else Sum((Term(),), y.shape)


def _negated(y: Node, x: Sum) -> Sum:
    return _scaled(x, Term(Fraction(-1)))


def _scaled(x: Sum, by: Term) -> Sum:
    """A sum times a scalar."""
    return total([by * term for term in x.terms], x.shape)


def _add(y: Node, a: Sum, b: Sum, sign: int = 1) -> Sum | None:
    sides = [side if same_shape(side.shape, y.shape) else _repeated(y, side) for side in (a, b)]
    if None in sides:
        return None
    left, right = (side for side in sides if side)
    return total([*left.terms, *_scaled(right, Term(Fraction(sign))).terms], y.shape)


def _mul(y: Node, a: Sum, b: Sum) -> Sum | None:
    """Scaling, an outer product, or element by element."""
    if y.kind != "float":
        return None
    for by, of in ((a, b), (b, a)):
        factor = _scalar(by)
        if factor is not None and same_shape(of.shape, y.shape):
            return _scaled(of, factor)
    for column, row in ((a, b), (b, a)):
        left, right = single(column), single(row)
        if y.rank == 2 and _is_column(left, column) and _is_row(right, row):
            return Sum((left * right,), y.shape)
        if _is_column(left, column) and same_shape(row.shape, y.shape):
            return Sum((_diagonal(left) * right,), y.shape)
        if _is_row(left, column) and same_shape(row.shape, y.shape):
            return Sum((right * _diagonal(left.flip),), y.shape)
    if same_shape(a.shape, y.shape) and same_shape(b.shape, y.shape):
        return _by_element(y, single(a), single(b))
    return None


def _scalar(x: Sum) -> Term | None:
    """The scalar that stands for a sum: a number, or the same at every place."""
    if x.shape == ():
        return single(x)
    if x.terms and all(map(_is_constant, x.terms)):
        return single(total([replace(t, chain=()) for t in x.terms], ()))
    return None


def _is_constant(term: Term) -> bool:
    return len(term.chain) == 1 and is_ones(term.chain[0].node)


def _is_column(term: Term, x: Sum) -> bool:
    return len(x.shape or ()) == 2 and bool(term.chain) and term.chain[-1].is_column


def _is_row(term: Term, x: Sum) -> bool:
    return len(x.shape or ()) == 2 and bool(term.chain) and term.chain[0].is_row


def _diagonal(column: Term) -> Term:
    """The diagonal matrix of a vector, the scalars in front."""
    inside = _factor(column, (None,))
    chain = () if is_ones(inside.node) else (diagonal(inside),)
    return replace(column, chain=chain)


def _by_element(y: Node, a: Term, b: Term) -> Sum:
    """a ⊙ b, the scalars in front."""
    factor = by_element((_factor(a, y.shape), 1), (_factor(b, y.shape), 1))
    return Sum((_around(a, b, factor),), y.shape)


def _factor(term: Term, shape: Shape) -> Factor:
    """The chain as one factor."""
    if len(term.chain) == 1 and not term.chain[0].flipped:
        return term.chain[0]
    node = core(term, shape)
    assert node is not None
    return Factor(node)


def _around(a: Term, b: Term, factor: Factor) -> Term:
    """The scalars of two terms, before one factor."""
    return Term(a.number * b.number, multiplied(a.scalars, b.scalars), (factor,))


def _div(y: Node, a: Sum, b: Sum) -> Sum | None:
    """By a scalar, or element by element."""
    under = single(b)
    if not under.number:
        return None
    if b.shape == () and same_shape(a.shape, y.shape):
        return _scaled(a, under.inverse)
    if not (same_shape(a.shape, y.shape) and same_shape(b.shape, y.shape)):
        return None
    over, outside = single(a), replace(under, chain=()).inverse
    quotient = _factor(over, y.shape).built / _factor(under, y.shape).built
    return Sum((_around(over, outside, Factor(quotient)),), y.shape)


def _pow(y: Node, a: Sum, b: Sum) -> Sum | None:
    """(c s A)ⁿ = cⁿ sⁿ Aⁿ, element by element, for a whole number n."""
    n, base = constant_value(y.inputs[1]), single(a)
    if n is None or n != int(n) or not 0 < abs(n) <= SMALL or not base.number:
        return None
    n = int(n)
    powers = tuple((node, k * n) for node, k in base.scalars)
    if a.shape == ():
        return Sum((Term(base.number**n, powers),), ())
    chain = (by_element((_factor(base, a.shape), n)),)
    return Sum((Term(base.number**n, powers, chain),), y.shape)


def _matmul(y: Node, a: Sum, b: Sum) -> Sum | None:
    """A product of matrices and vectors; of a vector on the left xᵀ A = (Aᵀ x)ᵀ."""
    ranks = tuple(len(x.shape or ()) for x in (a, b))
    if None in (a.shape, b.shape) or not all(1 <= rank <= 2 for rank in ranks):
        return None
    left, right = single(a), single(b)
    match ranks:
        case (1, 1):
            left = left.flip
        case (1, 2):
            left, right = right.flip, left
    if not _meet(left, right, ranks):
        return None
    return Sum((left * right,), y.shape)


def _meet(a: Term, b: Term, ranks: tuple[int, ...]) -> bool:
    """Whether a column is followed by a row: [n, 1] before any other [1, m] is left as it is."""
    if ranks == (1, 1) or not a.chain or not b.chain:
        return True
    return a.chain[-1].is_column == b.chain[0].is_row


def _transpose(y: Node, x: Sum) -> Sum | None:
    return x.flip if is_flipped(y) and y.rank == 2 else None


def _index(y: Node, x: Sum, *rest: Sum) -> Sum | None:
    """A column x[:, None], a row x[None, :], a scalar with axes; and back."""
    key, rank = y.attrs["key"], len(x.shape or ())
    if x.shape == () and all(each in (None, ...) for each in key):
        return _repeated(y, x)
    if rank == 1 and key in COLUMN:
        return Sum(x.terms, y.shape)
    if rank == 1 and key in ROW:
        return Sum(x.flip.terms, y.shape)
    if rank == 2 and key in ((..., 0), (ALL, 0)) and all(_is_column(t, x) for t in x.terms):
        return Sum(x.terms, y.shape)
    if rank == 2 and key in ((..., 0, ALL), (0, ALL)) and all(_is_row(t, x) for t in x.terms):
        return Sum(x.flip.terms, y.shape)
    return None


def _sum(y: Node, x: Sum) -> Sum | None:
    """Of all elements, one term after the other: Σ (a ⊙ b) = aᵀ b,  Σ (A ⊙ B) = tr(Aᵀ B)."""
    rank = None if x.shape is None else len(x.shape)
    if y.kind != "float" or rank not in (0, 1, 2) or y.shape not in ((), (1,)):
        return None
    found = total([_summed(term, x.shape) for term in x.terms], ()) if rank else x
    return _repeated(y, found)


def _summed(term: Term, shape: Shape) -> Term:
    outside, inside = replace(term, chain=()), core(term, shape)
    assert inside is not None
    match inside:
        case Node(ops.mul, (a, b)) if a.shape == b.shape and inside.rank == 1:
            found = atom(inner((Factor(a, flipped=True), Factor(b))))
        case Node(ops.mul, (a, b)) if a.shape == b.shape and inside.rank == 2:
            found = _traced(Term(chain=(Factor(a, flipped=True), Factor(b))), inside.shape)
        case _:
            found = atom(ops.sum(inside))
    return outside * found


def _trace(y: Node, x: Sum) -> Sum | None:
    if x.shape is None or len(x.shape) != 2:
        return None
    return total([_traced(term, x.shape) for term in x.terms], ())


def _traced(term: Term, shape: Shape) -> Term:
    """The trace of a product, in which the factors may go round: tr(a bᵀ) = bᵀ a."""
    outside, chain = replace(term, chain=()), term.chain
    row = next((i for i, factor in enumerate(chain) if factor.is_row), None)
    if row is not None:
        return outside * atom(inner((*chain[row:], *chain[:row])))
    if chain and sum(f.flipped for f in chain) > len(chain) / 2:
        chain = flipped(chain)
    inside = core(Term(chain=chain), shape)
    assert inside is not None
    return outside * atom(ops.trace(inside))


def _inv(y: Node, x: Sum) -> Sum | None:
    """(c A Bᵀ)⁻¹ = B⁻ᵀ A⁻¹ / c, if A and B are square."""
    term = single(x)
    if len(x.shape or ()) != 2 or not term.number or not all(map(_is_square, term.chain)):
        return None
    chain = tuple(_inverse(factor) for factor in reversed(term.chain))
    return Sum((replace(term.inverse, chain=chain),), y.shape)


def _is_square(factor: Factor) -> bool:
    shape = factor.node.shape
    return shape is not None and len(shape) == 2 and same_shape(shape[:1], shape[1:])


def _inverse(factor: Factor) -> Factor:
    node = factor.node
    return Factor(node.inputs[0] if node.op is ops.inv else ops.inv(node), factor.flipped)


def _determinant(y: Node, x: Sum) -> Sum | None:
    """det Aᵀ = det A."""
    term = single(x)
    if y.shape != () or len(term.chain) != 1 or term.number != 1 or term.scalars:
        return None
    return Sum((atom(y.op(term.chain[0].node)),), ())


def _diag(y: Node, x: Sum) -> Sum | None:
    """The diagonal matrix of a vector, the scalars in front."""
    if len(x.shape or ()) != 1 or y.rank != 2:
        return None
    return Sum((_diagonal(single(x)),), y.shape)


def _exp(y: Node, x: Sum) -> Sum | None:
    """e^(x - logsumexp x) = softmax x,  e^(log softmax x) too."""
    match write(x):
        case Node(ops.log_softmax, (z,)) as inside:
            return _as_it_is(ops.softmax(z, inside.attrs["axis"]))
        case Node(ops.sub, (z, Node() as norm)):
            while norm.op in (ops.index, ops.expand):
                norm = norm.inputs[0]
            if norm.op is ops.logsumexp and norm.inputs[0] is z and _is_last(norm.attrs["axis"], z):
                return _as_it_is(ops.softmax(z))
    return None


def _where(y: Node, condition: Sum, a: Sum, b: Sum) -> Sum | None:
    """‖x‖ itself for `‖x‖ where ‖x‖ ≠ 0 else 1`; in a branch one number for equal ones."""
    test, norm, other = y.inputs
    if _is_not_zero(test, norm) and constant_value(other) == 1:
        return a
    if not same_shape(condition.shape, y.shape):
        return None
    branches = [_scalar(x) for x in (a, b)]
    numbers = [
        x if t is None else write(Sum((t,), ()))
        for x, t in zip(y.inputs[1:], branches, strict=True)
    ]
    return _as_it_is(ops.where(write(condition), *numbers))


def _cast(y: Node, x: Sum) -> Sum | None:
    """1 for `‖x‖ ≠ 0`: where the norm is 0 it has no derivative."""
    (test,) = y.inputs
    if test.op is ops.not_equal and _is_not_zero(test, test.inputs[0]) and y.kind == "float":
        return _repeated(y, total([Term()], ()))
    return None


def _is_not_zero(test: Node, x: Node) -> bool:
    return (
        x.op is ops.norm
        and test.op is ops.not_equal
        and test.inputs[0] is x
        and constant_value(test.inputs[1]) == 0
    )


def _is_last(axis: object, x: Node) -> bool:
    return axis in (-1, (-1,)) or (axis is None and x.rank == 1)


RULES: Mapping[str, Callable[..., Sum | None]] = {
    "const": _constant,
    "zeros": _filled,
    "ones": _filled,
    "full": _filled,
    "eye": _identity,
    "expand": lambda y, x, *like: _repeated(y, x),
    "neg": _negated,
    "add": _add,
    "sub": lambda y, a, b: _add(y, a, b, -1),
    "mul": _mul,
    "div": _div,
    "pow": _pow,
    "matmul": _matmul,
    "transpose": _transpose,
    "index": _index,
    "sum": _sum,
    "trace": _trace,
    "inv": _inv,
    "det": _determinant,
    "logdet": _determinant,
    "diag": _diag,
    "exp": _exp,
    "where": _where,
    "cast": _cast,
}
