"""Products of matrices and what is linear in them: a rule for each operator, as in `elements`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from engine import ops
from engine.closed import basis
from engine.closed.chains import ALL, COLUMN, ROW, Factor, flipped, inner, is_flipped
from engine.closed.elements import diagonal_of, is_column, is_constant, is_row, repeated
from engine.closed.terms import Sum, Term, atom, core, total
from engine.closed.writing import single
from engine.dims import Shape, product, same_shape
from engine.graph import Node
from engine.ops.families import to_float
from engine.ops.sources import constant_value


def identity(y: Node, *like: Sum) -> Sum | None:
    """I, which is no factor at all."""
    return None if y.shape is None or None in y.shape else Sum((Term(),), y.shape)


def matmul(y: Node, a: Sum, b: Sum) -> Sum | None:
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
    product = left * right
    if y.rank == 1 and not product.chain:  # [1, n] by [n]
        return repeated(total([product], ()), y.shape)
    return total([product], y.shape)


def _meet(a: Term, b: Term, ranks: tuple[int, ...]) -> bool:
    """Whether a column is followed by a row: [n, 1] before any other [1, m] is left as it is."""
    if ranks == (1, 1) or not a.chain or not b.chain:
        return True
    return a.chain[-1].is_column == b.chain[0].is_row


def expand(y: Node, x: Sum, *like: Sum) -> Sum | None:
    """A number at every place; a truth value stays one."""
    return repeated(x, y.shape) if y.kind == "float" else None


def transpose(y: Node, x: Sum) -> Sum | None:
    """Aᵀ."""
    return x.flip if is_flipped(y) and y.rank == 2 else None


def index(y: Node, x: Sum, *rest: Sum) -> Sum | None:
    """A column x[:, None], a row x[None, :], a scalar with axes; and back."""
    key, rank = y.attrs["key"], len(x.shape or ())
    if x.shape == () and all(each in (None, ...) for each in key):
        return expand(y, x)
    if rank == 1 and basis.read_place(key, x.shape) is not None:
        return _element(x, basis.read_place(key, x.shape))
    if rank == 1 and key in COLUMN:
        return replace(x, shape=y.shape)
    if rank == 1 and key in ROW:
        return replace(x.flip, shape=y.shape)
    if rank == 2 and key in ((..., 0), (ALL, 0)) and all(is_column(t, x) for t in x.terms):
        return replace(x, shape=y.shape)
    if rank == 2 and key in ((..., 0, ALL), (0, ALL)) and all(is_row(t, x) for t in x.terms):
        return replace(x.flip, shape=y.shape)
    return None


def stack(y: Node, *parts: Sum) -> Sum | None:
    """[a, b, …] of scalars, Σ cᵢ eᵢ, or of rows of such: Σ eᵢ rᵀ."""
    if y.kind != "float" or y.shape is None or y.attrs["axis"] not in (0, -len(y.shape)):
        return None
    if y.rank != 1 and not (y.rank == 2 and all(_is_of_units(part) for part in parts)):
        return None
    units = [Term(chain=(Factor(basis.unit(i, y.shape[:1])),)) for i in range(len(parts))]
    rows = zip(units, parts, strict=True)
    return total([unit * t.flip for unit, part in rows for t in part.terms], y.shape)


def _is_of_units(x: Sum) -> bool:
    return all(len(t.chain) == 1 and basis.place(t.chain[0].node) is not None for t in x.terms)


def _element(x: Sum, i: int | None) -> Sum | None:
    """x[i] of equal numbers, or of a sum of unit vectors."""
    if all(map(is_constant, x.terms)):
        return total([replace(term, chain=()) for term in x.terms], ())
    if i is None or not _is_of_units(x):
        return None
    row = Term(chain=(Factor(basis.unit(i, x.shape), flipped=True),))
    return total([row * term for term in x.terms], ())


def unindex(y: Node, g: Sum, *like: Sum) -> Sum | None:
    """g at one place of a vector, and zeros elsewhere: g eᵢ."""
    place = basis.read_place(y.attrs["key"], y.shape)
    if g.shape != () or place is None:
        return None
    unit = Term(chain=(Factor(basis.unit(place, y.shape)),))
    return total([term * unit for term in g.terms], y.shape)


def summed(y: Node, x: Sum) -> Sum | None:
    """Of all elements, one term after the other: Σ (a ⊙ b) = aᵀ b,  Σ (A ⊙ B) = tr(Aᵀ B)."""
    rank = None if x.shape is None else len(x.shape)
    if y.kind != "float" or rank not in (0, 1, 2) or y.shape is None:
        return None
    if y.shape not in ((), (1,)):
        return _along_an_axis(y, x) if rank == 2 and y.op is ops.sum else None
    found = total([_of_one(term, x.shape) for term in x.terms], ()) if rank else x
    return repeated(found, y.shape)


def _along_an_axis(y: Node, x: Sum) -> Sum | None:
    """The sums of the rows or the columns of a matrix as a vector, the scalars in front."""
    term, axis = single(x), _axis(y)
    inside = core(term, x.shape)
    if axis is None or inside is None or not term.number:
        return None
    vector = Factor(ops.sum(inside, axis), flipped=y.rank == 2 and axis == -2)
    return total([replace(term, chain=(vector,))], y.shape)


def _axis(y: Node) -> int | None:
    """The one axis along which a matrix is summed, from the right."""
    axes: dict[object, int] = {0: -2, 1: -1, -2: -2, -1: -1, (-2,): -2, (-1,): -1}
    return axes.get(y.attrs["axis"])


def _of_one(term: Term, shape: Shape) -> Term:
    outside, inside = replace(term, chain=()), core(term, shape)
    assert inside is not None
    match inside:
        case Node(ops.mul, (a, b)) if a.shape == b.shape and inside.rank == 1:
            found = atom(inner((Factor(a, flipped=True), Factor(b))))
        case Node(ops.mul, (a, b)) if a.shape == b.shape and inside.rank == 2:
            found = _traced(_as_term(a).flip * _as_term(b), inside.shape)
        case Node(ops.ones):
            return outside * counted(inside.shape)
        case _:
            found = atom(ops.sum(inside))
    return outside * found


def _as_term(x: Node) -> Term:
    """A matrix, the transpose of one, or an outer product."""
    match x:
        case Node(ops.transpose, (a,)) if is_flipped(x):
            return Term(chain=(Factor(a, flipped=True),))
        case Node(ops.mul, (Node(ops.index, (u,)) as column, Node(ops.index, (v,)) as row)) if (
            u.rank == v.rank == 1 and column.attrs["key"] in COLUMN and row.attrs["key"] in ROW
        ):
            return Term(chain=(Factor(u), Factor(v, flipped=True)))
    return Term(chain=(Factor(x),))


def sum_to(y: Node, x: Sum, *like: Sum) -> Sum | None:
    """The sum over the axes in front: of all elements, or over the rows of a matrix."""
    if y.shape == ():
        return summed(y, x)
    over = len(x.shape or ()) - len(y.shape or ())
    if x.shape is None or y.shape is None or over < 1 or not same_shape(x.shape[over:], y.shape):
        return None
    term = single(x)
    inside = core(term, x.shape)
    if inside is None:
        return None
    rows = Factor(ops.sum(inside, tuple(range(over))))
    return total([replace(term, chain=(rows,))], y.shape)


def place(y: Node, g: Sum, index: Sum, *like: Sum) -> Sum | None:
    """Equal numbers at the places that an index tells: a one-hot matrix, times the number."""
    last, where = len(y.shape or ()) - 1, y.inputs[1]
    if y.shape is None or y.attrs["axis"] not in (-1, last) or not g.terms:
        return None
    if not all(not term.chain or is_constant(term) for term in g.terms):
        return None
    hot = Factor(ops.one_hot(where, y.shape[-1]))
    if not same_shape(hot.node.shape, y.shape):
        return None
    return total([replace(term, chain=(hot,)) for term in g.terms], y.shape)


def counted(shape: Shape) -> Term:
    """The number of elements of a shape."""
    size = to_float(ops.size(product(shape or ())))
    value = constant_value(size)
    return atom(size) if value is None else Term(Fraction(value))


def trace(y: Node, x: Sum) -> Sum | None:
    """tr A, one term after the other."""
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


def inv(y: Node, x: Sum) -> Sum | None:
    """(c A Bᵀ)⁻¹ = B⁻ᵀ A⁻¹ / c, if A and B are square."""
    term = single(x)
    if len(x.shape or ()) != 2 or not term.number or not all(map(_is_square, term.chain)):
        return None
    chain = tuple(_inverse(factor) for factor in reversed(term.chain))
    return total([replace(term.inverse, chain=chain)], y.shape)


def _is_square(factor: Factor) -> bool:
    shape = factor.node.shape
    return shape is not None and len(shape) == 2 and same_shape(shape[:1], shape[1:])


def _inverse(factor: Factor) -> Factor:
    node = factor.node
    return Factor(node.inputs[0] if node.op is ops.inv else ops.inv(node), factor.flipped)


def determinant(y: Node, x: Sum) -> Sum | None:
    """det Aᵀ = det A."""
    term = single(x)
    if y.shape != () or len(term.chain) != 1 or term.number != 1 or term.scalars:
        return None
    (factor,) = term.chain
    return total([atom(y.op(factor.node))], ()) if factor.node.rank == 2 else None


def diag(y: Node, x: Sum) -> Sum | None:
    """The diagonal matrix of a vector, the scalars in front."""
    if len(x.shape or ()) != 1 or y.rank != 2:
        return None
    return total([diagonal_of(single(x))], y.shape)
