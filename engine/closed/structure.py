"""What a matrix is by its form: symmetric, diagonal, of low rank, positive semidefinite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine import ops
from engine.closed.chains import Factor, flipped
from engine.closed.reading import read
from engine.closed.terms import Sum, Term
from engine.dims import Dim, known, same, show_dim, total
from engine.graph import Node, Op, toposort
from engine.ops.sources import constant_value


@dataclass(frozen=True)
class Structure:
    """What is known of a value by its form. False and None mean that the form does not tell.

    `rank` bounds the rank of a matrix where that is less than its sides.
    """

    zero: bool = False
    constant: bool = False
    symmetric: bool = False
    diagonal: bool = False
    semidefinite: bool = False
    rank: Dim = None

    @property
    def words(self) -> tuple[str, ...]:
        """In words, what holds: `symmetric`, `rank ≤ m`."""
        if self.zero:
            return ("zero",)
        said = {
            "constant": self.constant,
            "diagonal": self.diagonal,
            "symmetric": self.symmetric and not self.diagonal,
            "positive semidefinite": self.semidefinite,
            f"rank ≤ {show_dim(self.rank)}": self.rank is not None,
        }
        return tuple(word for word, holds in said.items() if holds)


def structure(node: Node, x: Node | None = None) -> Structure:
    """What is known of a node by its form; `constant` if it does not vary with x.

    >>> from engine import var
    >>> A = var("A", ["m", "n"])
    >>> structure(A.T @ A).words
    ('symmetric', 'positive semidefinite', 'rank ≤ m')
    """
    constant = x is not None and x not in toposort([node])
    if node.op is ops.zeros:
        return Structure(zero=True, constant=constant)
    if len(node.shape or ()) != 2 or not same(*(node.shape or ())):
        return Structure(constant=constant)
    found = read([node])[node]
    return Structure(
        constant=constant,
        symmetric=set(found.terms) == set(found.flip.terms),
        diagonal=all(map(_is_diagonal, found.terms)),
        semidefinite=all(map(_is_semidefinite, found.terms)),
        rank=_rank(found),
    )


def _is_diagonal(term: Term) -> bool:
    return not term.chain or (len(term.chain) == 1 and term.chain[0].node.op is ops.diag)


def _is_semidefinite(term: Term) -> bool:
    """c s² Mᵀ D M with c > 0 and D ≥ 0."""
    if term.number < 0 or not all(n % 2 == 0 or is_positive(s) for s, n in term.scalars):
        return False
    chain = term.chain
    middle = len(chain) // 2
    if len(chain) % 2:
        factor = chain[middle]
        if factor.node.op is not ops.diag or not _has_no_negative(factor):
            return False
    return chain[:middle] == flipped(chain)[:middle]


def _has_no_negative(diagonal: Factor) -> bool:
    powers = diagonal.powers or ((diagonal.node.inputs[0], 1),)
    return all(n % 2 == 0 or is_positive(x) for x, n in powers)


def is_positive(x: Node) -> bool:
    """Whether a node is nowhere negative by what it is."""
    while x.op in (ops.cast, ops.sum, ops.mean, ops.sqrt):
        (x,) = x.inputs
    match x:
        case Node(ops.pow, (_, exponent)):
            return (constant_value(exponent) or 1) % 2 == 0
        case Node(ops.sub, (one, y)) if constant_value(one) == 1:
            return y.op in (ops.softmax, ops.sigmoid) or _is_square_of(y, ops.tanh)
    return x.op in POSITIVE


def _is_square_of(x: Node, op: Op) -> bool:
    return x.op is ops.pow and x.inputs[0].op is op and constant_value(x.inputs[1]) == 2


POSITIVE = (ops.exp, ops.softmax, ops.sigmoid, ops.softplus, ops.norm, ops.abs, ops.size)


def _rank(s: Sum) -> Dim:
    """The sum of the terms' bounds, if it is less than the sides."""
    (n, _) = s.shape or (None, None)
    bounds = [_bound(term, n) for term in s.terms]
    if None in bounds:
        return None
    bound = total(bounds)
    least, most = known(bound), known(n)
    return None if least is not None and most is not None and least >= most else bound


def _bound(term: Term, n: Dim) -> Dim:
    """The smallest size between two factors; 1 between a column and a row."""
    between = list(_inner_sizes(term))
    smaller = [dim for dim in between if not same(dim, n)]
    told = [dim for dim in smaller if known(dim) is not None]
    return min(told, key=lambda dim: known(dim) or 0) if told else next(iter(smaller), None)


def _inner_sizes(term: Term) -> Iterator[Dim]:
    for factor in term.chain[:-1]:
        shape = factor.node.shape or ()
        yield 1 if len(shape) == 1 else shape[-2 if factor.flipped else -1]
