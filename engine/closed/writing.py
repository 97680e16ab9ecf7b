"""Sums of terms as graph, common factors in front: 2 Aᵀ (A x - b), (A + Aᵀ) x, (p - y) / m."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce

from engine import ops
from engine.closed import basis
from engine.closed.chains import Factor, as_float, is_ones, multiplied, power, shape_of
from engine.closed.terms import Sum, Term, core, total
from engine.dims import Shape, known, same_shape
from engine.graph import Node

MOST = 64  # elements that are written one by one
LARGEST = 10**6  # beyond it a fraction is written as a decimal number


def write(s: Sum) -> Node:
    """The node of a sum."""
    if not s.terms:
        return ops.zeros(s.shape)
    elements = _elements(s)
    return _term(single(s), s.shape) if elements is None else elements


def instead(x: Node, s: Sum) -> Node:
    """The node of a sum in the place of x, if it is of its shape and kind; else x itself."""
    made = write(s)
    return made if made.kind == x.kind and same_shape(made.shape, x.shape) else x


def single(s: Sum) -> Term:
    """A sum as one term: what its terms have in common, times what is left as one factor."""
    if not s.terms:
        return Term(Fraction(0), chain=(Factor(ops.zeros(s.shape)),) if s.shape else ())
    if len(s.terms) == 1:
        return s.terms[0]
    if len(s.shape or ()) == 2 and all(t.chain and t.chain[0].is_row for t in s.terms):
        return single(s.flip).flip
    if len(s.shape or ()) == 2 and all(t.chain and t.chain[-1].is_column for t in s.terms):
        return single(replace(s, shape=(s.shape or ())[:1]))
    terms = _grouped(s)
    if len(terms) == 1:
        return terms[0]
    elements = _elements(s)
    if elements is not None:
        return Term(chain=(Factor(elements),))
    common = _common(terms)
    rest = [_divided(term, common) for term in terms]
    whole = _added(_in_order(rest), s.shape)
    if s.shape == ():
        return Term(common.number, multiplied(common.scalars, [(whole, 1)]))
    return replace(common, chain=(Factor(whole),))


def _elements(s: Sum) -> Node | None:
    """The vector or matrix of its elements, where they are told one by one: Σ cᵢ eᵢ."""
    sides = [known(dim) or 0 for dim in s.shape or ()]
    if len(sides) not in (1, 2) or not 0 < math.prod(sides) <= MOST:
        return None
    found: dict[tuple[int, ...], list[Term]] = {}
    for term in s.terms:
        places = tuple(i for factor in term.chain if (i := basis.place(factor.node)) is not None)
        if len(places) != len(sides) or len(term.chain) != len(sides):
            return None
        found.setdefault(places, []).append(replace(term, chain=()))

    def at(*places: int) -> Node:
        terms = found.get(places)
        return write(total(terms, ())) if terms else ops.const(0.0)

    if len(sides) == 1:
        return ops.stack([at(i) for i in range(sides[0])])
    return ops.stack([ops.stack([at(i, j) for j in range(sides[1])]) for i in range(sides[0])])


def _common(terms: Sequence[Term]) -> Term:
    """The powers that all terms have; and if they have no others, their number up to its sign."""
    first, *rest = terms
    powers = [dict(t.scalars) for t in rest]
    shared = tuple((node, n) for node, n in first.scalars if all(p.get(node) == n for p in powers))
    number = Fraction(1)
    if all(abs(t.number) == abs(first.number) and len(t.scalars) == len(shared) for t in terms):
        number = abs(first.number)
    return Term(-number if all(t.number < 0 for t in terms) else number, shared)


def _divided(term: Term, common: Term) -> Term:
    less = multiplied(term.scalars, ((node, -n) for node, n in common.scalars))
    return Term(term.number / common.number, less, term.chain)


def _grouped(s: Sum) -> list[Term]:
    """A x + Aᵀ x -> (A + Aᵀ) x,  A B + A C -> A (B + C), as long as there are two such terms.

    V X X + X V X + X X V, the same factors in every order, has brackets around all or around none.
    """
    terms = list(s.terms)
    least = len(terms) if len({frozenset(Counter(t.chain).items()) for t in terms}) == 1 else 2
    for from_right in (True, False):
        i = 0
        while i < len(terms):
            alike = [k >= i and _shared(terms[i], t, from_right) for k, t in enumerate(terms)]
            group = [t for t, is_alike in zip(terms, alike, strict=True) if is_alike]
            if len(group) >= max(2, least):
                terms = [t for t, is_alike in zip(terms, alike, strict=True) if not is_alike]
                terms.insert(i, _factored(group, from_right))
            i += 1
    return list(total(terms, s.shape).terms)


def _shared(a: Term, b: Term, from_right: bool) -> bool:
    """Whether two products end, or begin, with the same factor, and have more than that."""
    place = -1 if from_right else 0
    return len(a.chain) > 1 and len(b.chain) > 1 and a.chain[place] == b.chain[place]


def _factored(group: Sequence[Term], from_right: bool) -> Term:
    chains = [t.chain if not from_right else t.chain[::-1] for t in group]
    same = 1
    while all(len(c) > same + 1 and c[same] == chains[0][same] for c in chains):
        same += 1
    first = group[0].chain
    kept = first[len(first) - same :] if from_right else first[:same]
    rest = [
        replace(t, chain=t.chain[: len(t.chain) - same] if from_right else t.chain[same:])
        for t in group
    ]
    inside, outside = _inside(rest), Term(chain=kept)
    if not inside.number:
        return Term(Fraction(0), chain=first)
    return inside * outside if from_right else outside * inside


def _inside(rest: Sequence[Term]) -> Term:
    """The sum in the bracket; of rows it is the row of a sum of columns."""
    if rest[0].chain[0].is_row:
        return _inside([term.flip for term in rest]).flip
    return single(total(rest, shape_of(rest[0].chain)))


def _in_order(terms: Sequence[Term]) -> list[Term]:
    """As they came; what is subtracted later, and A before Aᵀ."""
    place: dict[frozenset[Node], int] = {}
    for i, term in enumerate(terms):
        place.setdefault(frozenset(f.node for f in term.chain), i)

    def key(term: Term) -> tuple[bool, int, int]:
        nodes = frozenset(f.node for f in term.chain)
        return term.number < 0, place[nodes], sum(f.flipped for f in term.chain)

    return sorted(terms, key=key)


def _added(terms: Sequence[Term], shape: Shape) -> Node:
    """The terms with their signs; beside others a vector of equal numbers is one number."""
    alone = all(map(_is_constant, terms))
    first, *rest = terms
    result = _term(first, shape, alone)
    for term in rest:
        part = _term(replace(term, number=abs(term.number)), shape, alone)
        result = result - part if term.number < 0 else result + part
    return result


def _is_constant(term: Term) -> bool:
    """Whether a term is a scalar times a vector or matrix of ones."""
    return len(term.chain) == 1 and is_ones(term.chain[0].node)


def _term(term: Term, shape: Shape, alone: bool = True) -> Node:
    """c · s · A B / t."""
    over, under = _fraction(term)
    middle = core(term, shape) if alone or not _is_constant(term) else None
    result = _product([x for x in (over, middle) if x is not None])
    result = ops.const(1.0) if result is None else result
    if under is not None:
        result = result / under
    return -result if term.number < 0 else result


def _fraction(term: Term) -> tuple[Node | None, Node | None]:
    """The scalars in front of the chain, and those under it, without the sign; None for 1."""
    number = abs(term.number)
    above, below = (number.numerator, number.denominator)
    if max(above, below) > LARGEST:
        above, below = as_float(number), 1
    over = [] if above == 1 else [ops.const(float(above))]
    under = [] if below == 1 else [ops.const(float(below))]
    over += [power(node, n) for node, n in term.scalars if n > 0]
    under += [power(node, -n) for node, n in term.scalars if n < 0]
    return _product(over), _product(under)


def _product(nodes: Sequence[Node]) -> Node | None:
    return reduce(lambda a, b: a * b, nodes) if nodes else None
