"""How sums of terms are added, scaled and multiplied element by element: a rule for each operator.

A rule takes the node and the sums of its inputs; None leaves the node as it is.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from engine import ops
from engine.closed.chains import ALL, Factor, by_element, diagonal, is_ones, multiplied
from engine.closed.terms import LONGEST, Sum, Term, as_it_is, core, length, total
from engine.closed.writing import instead, single, write
from engine.dims import Shape, same, same_shape
from engine.graph import Node
from engine.ops.sources import constant_value

SMALL = 64  # the largest exponent that is multiplied out


def constant(y: Node) -> Sum | None:
    """A number."""
    value = constant_value(y)
    if value is None or y.kind == "bool" or not math.isfinite(value):
        return None
    return total([Term(Fraction(value))], ())


def filled(y: Node, *like: Sum) -> Sum | None:
    """c · 1, with the ones as their own vector or matrix; an identity has no factor at all."""
    if y.kind != "float" or None in (y.shape or ()) or not math.isfinite(y.attrs["value"]):
        return None
    return repeated(total([Term(Fraction(y.attrs["value"]))], ()), y.shape)


def repeated(x: Sum, shape: Shape) -> Sum | None:
    """A scalar at every place of a shape."""
    if not set(x.shape or ()) <= {1} or x.shape is None or shape is None or None in shape:
        return None
    scalars = [replace(t, chain=()) for t in x.terms if not t.chain or is_constant(t)]
    if len(scalars) < len(x.terms):
        return None
    ones = (Factor(ops.ones(shape)),) if shape else ()
    return total([replace(t, chain=ones) for t in scalars], shape)


def negated(y: Node, x: Sum) -> Sum:
    """-x."""
    return total(_signed(x, -1), x.shape)


def _signed(x: Sum, sign: int) -> list[Term]:
    return [replace(term, number=sign * term.number) for term in x.terms]


def _scaled(x: Sum, by: Term) -> Sum:
    """A scalar times a sum, which stays in its bracket."""
    return total([by * single(x)], x.shape)


def add(y: Node, a: Sum, b: Sum, sign: int = 1) -> Sum | None:
    """a + b, or a - b; a scalar at every place."""
    sides = [
        side if same_shape(side.shape, y.shape) else repeated(side, y.shape) for side in (a, b)
    ]
    if None in sides:
        return None
    left, right = (side for side in sides if side)
    return total([*left.terms, *_signed(right, sign)], y.shape)


def mul(y: Node, a: Sum, b: Sum) -> Sum | None:
    """Scaling, an outer product, or element by element."""
    if y.kind != "float":
        return None
    if not a.terms or not b.terms:
        return Sum((), y.shape)
    for by, of in ((a, b), (b, a)):
        factor = _scalar(by)
        if factor is not None and same_shape(of.shape, y.shape):
            return _scaled(of, factor)
    a, b = (_as_row(side) if y.rank == 2 else side for side in (a, b))
    for column, row in ((a, b), (b, a)):
        left, right = single(column), single(row)
        if y.rank == 2 and is_column(left, column) and is_row(right, row):
            return total([left * right], y.shape)
        if not same_shape(row.shape, y.shape):
            continue
        if is_column(left, column) and _is_as_long(column, y, 0):
            return total([diagonal_of(left) * right], y.shape)
        if is_row(left, column) and _is_as_long(column, y, 1):
            return total([right * diagonal_of(left.flip)], y.shape)
    if same_shape(a.shape, y.shape) and same_shape(b.shape, y.shape):
        return _by_element(y, single(a), single(b))
    return None


def _is_as_long(x: Sum, y: Node, side: int) -> bool:
    """Whether a column or a row has an element for each row or column of y."""
    return same((x.shape or ())[side], (y.shape or ())[side])


def _as_row(x: Sum) -> Sum:
    """A vector as the row that it is beside a matrix."""
    return replace(x.flip, shape=(1, *x.shape)) if x.shape and len(x.shape) == 1 else x


def _scalar(x: Sum) -> Term | None:
    """The scalar that stands for a sum: a number, or the same at every place."""
    if x.shape == ():
        return single(x)
    if x.terms and all(map(is_constant, x.terms)):
        return single(total([replace(t, chain=()) for t in x.terms], ()))
    return None


def is_constant(term: Term) -> bool:
    """Whether a term is a scalar at every place of a vector or matrix."""
    return len(term.chain) == 1 and is_ones(term.chain[0].node)


def is_column(term: Term, x: Sum) -> bool:
    """Whether a term of x is [n, 1], made of a vector."""
    return len(x.shape or ()) == 2 and bool(term.chain) and term.chain[-1].is_column


def is_row(term: Term, x: Sum) -> bool:
    """Whether a term of x is [1, n], made of a vector."""
    return len(x.shape or ()) == 2 and bool(term.chain) and term.chain[0].is_row


def diagonal_of(column: Term) -> Term:
    """The diagonal matrix of a vector, the scalars in front."""
    inside = _factor(column, (None,))
    chain = () if is_ones(inside.node) else (diagonal(inside),)
    return replace(column, chain=chain)


def _by_element(y: Node, a: Term, b: Term) -> Sum:
    """a ⊙ b, the scalars in front."""
    factor = by_element((_factor(a, y.shape), 1), (_factor(b, y.shape), 1))
    return total([_around(a, b, factor)], y.shape)


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


def div(y: Node, a: Sum, b: Sum) -> Sum | None:
    """By a scalar, or element by element."""
    under = single(b)
    if not under.number:
        return None
    if b.shape == () and same_shape(a.shape, y.shape):
        return _scaled(a, under.inverse)
    above = a if same_shape(a.shape, y.shape) else repeated(a, y.shape)
    if above is None or not same_shape(b.shape, y.shape):
        return None
    over, outside = single(above), replace(under, chain=()).inverse
    quotient = by_element((_factor(over, y.shape), 1), (_factor(under, y.shape), -1))
    return total([_around(over, outside, quotient)], y.shape)


def power(y: Node, a: Sum, b: Sum) -> Sum | None:
    """(c s A)ⁿ = cⁿ sⁿ Aⁿ, element by element, for a whole number n."""
    n, base = constant_value(y.inputs[1]), single(a)
    if n is None or n != int(n) or not 0 < abs(n) <= SMALL or not base.number:
        return None
    n = int(n)
    if abs(n) * length(base.number) > LONGEST:
        return None
    powers = tuple((node, k * n) for node, k in base.scalars)
    if a.shape == ():
        return total([Term(base.number**n, powers)], ())
    chain = (by_element((_factor(base, a.shape), n)),)
    return total([Term(base.number**n, powers, chain)], y.shape)


def exp(y: Node, x: Sum) -> Sum | None:
    """e^(x - logsumexp x) = softmax x,  e^(log softmax x) too."""
    match write(x):
        case Node(ops.log_softmax, (z,)) as inside:
            return as_it_is(ops.softmax(z, inside.attrs["axis"]))
        case Node(ops.sub, (z, norm)) if _is_beside(z, norm):
            return as_it_is(ops.softmax(z))
    return None


def _is_beside(z: Node, norm: Node) -> bool:
    """Whether a node is logsumexp z along the last axis, with that axis kept or put back."""
    while norm.op is ops.expand:
        norm = norm.inputs[0]
    if z.rank != 1 and (norm.rank != z.rank or (norm.shape or ())[-1:] != (1,)):
        return False
    while norm.op is ops.index and {*norm.attrs["key"]} <= {None, ..., ALL}:
        norm = norm.inputs[0]
    return norm.op is ops.logsumexp and norm.inputs[0] is z and _is_last(norm.attrs["axis"], z)


def where(y: Node, condition: Sum, a: Sum, b: Sum) -> Sum | None:
    """x / ‖x‖ for `x / ‖x‖ where ‖x‖ ≠ 0 else 0`, at 0 not a number; one number for equal ones."""
    if _is_unit_vector(*y.inputs[:2]) and not b.terms and same_shape(a.shape, y.shape):
        return a
    if not same_shape(condition.shape, y.shape):
        return None
    test, *values = y.inputs
    numbers = [_scalar(x) for x in (a, b)]
    branches = [
        instead(value, x) if number is None else write(Sum((number,), ()))
        for value, x, number in zip(values, (a, b), numbers, strict=True)
    ]
    return as_it_is(ops.where(instead(test, condition), *branches))


def _is_unit_vector(test: Node, value: Node) -> bool:
    """Whether the value is x / ‖x‖ and the test ‖x‖ ≠ 0: there is no derivative elsewhere."""
    match test, value:
        case Node(ops.not_equal, (norm, zero)), Node(ops.div, (_, Node() as under)):
            while under.op in (ops.expand, ops.reshape, ops.index):
                under = under.inputs[0]
            return norm.op is ops.norm and under is norm and constant_value(zero) == 0
    return False


def _is_last(axis: object, x: Node) -> bool:
    return axis in (-1, (-1,)) or (axis is None and x.rank == 1)
