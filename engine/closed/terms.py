"""Sums of terms c · s t⁻¹ · A Bᵀ x: a number, powers of scalars, a chain of matrices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from engine import ops
from engine.closed.chains import Chain, Factor, Powers, as_float, built, flipped, joined, multiplied
from engine.dims import Shape
from engine.graph import Node
from engine.ops.sources import constant_value

ONE = Fraction(1)
LONGEST = 4096  # bits of a number; every quotient of two floats has fewer


@dataclass(frozen=True)
class Term:
    """A number times powers of scalars times a chain; of no chain at all the identity, or 1."""

    number: Fraction = ONE
    scalars: Powers = ()
    chain: Chain = ()

    @property
    def like(self) -> object:
        """What two terms share whose numbers may be added."""
        return frozenset(self.scalars), self.chain

    @property
    def flip(self) -> Term:
        """The transpose."""
        return replace(self, chain=flipped(self.chain))

    @property
    def inverse(self) -> Term:
        """One over a scalar."""
        return Term(1 / self.number, tuple((node, -n) for node, n in self.scalars))

    def __mul__(self, other: Term) -> Term:
        """The product, of two matrices or of a scalar and anything."""
        scalars, chain = joined(self.chain, other.chain)
        numbers = [constant_value(node) for node in scalars]
        named = [(s, 1) for s, number in zip(scalars, numbers, strict=True) if number is None]
        number = math.prod(Fraction(n) for n in numbers if n is not None)
        powers = multiplied(self.scalars, other.scalars, named)
        return Term(self.number * other.number * number, powers, chain)


@dataclass(frozen=True)
class Sum:
    """Terms of one shape."""

    terms: tuple[Term, ...]
    shape: Shape

    @property
    def flip(self) -> Sum:
        """The transpose."""
        return total([term.flip for term in self.terms], (self.shape or ())[::-1])


def total(terms: Iterable[Term], shape: Shape) -> Sum:
    """The sum of the terms, those alike collected: A x + A x = 2 A x,  A - A = 0."""
    found: dict[object, Term] = {}
    for term in terms:
        before = found.get(term.like)
        number = term.number + (before.number if before else 0)
        found[term.like] = replace(before or term, number=number)
    return Sum(tuple(term for term in found.values() if term.number), shape)


def length(number: Fraction) -> int:
    """The bits of a fraction."""
    return number.numerator.bit_length() + number.denominator.bit_length()


def settled(s: Sum) -> Sum | None:
    """The sum with its longest numbers as floats; None if it cannot be written.

    That is where a number is too large for a float, and for zeros of an unknown shape.
    """
    if not s.terms and (s.shape is None or None in s.shape):
        return None
    if all(length(term.number) <= LONGEST for term in s.terms):
        return s
    numbers = [as_float(term.number) for term in s.terms]
    if not all(n and math.isfinite(n) for n in numbers):
        return None
    terms = zip(s.terms, numbers, strict=True)
    return replace(s, terms=tuple(replace(term, number=Fraction(n)) for term, n in terms))


def atom(x: Node) -> Term:
    """A node as it is."""
    return Term(scalars=((x, 1),)) if x.rank == 0 else Term(chain=(Factor(x),))


def as_it_is(node: Node) -> Sum:
    """The sum of a node alone."""
    return Sum((atom(node),), node.shape)


def core(term: Term, shape: Shape) -> Node | None:
    """The node of the chain in this shape; None for a scalar without one."""
    if not term.chain:
        return ops.eye(shape[-1]) if shape else None
    node = built(term.chain)
    if node.rank == 1 and len(shape or ()) == 2:
        return node[None, :] if term.chain[0].is_row else node[:, None]
    return node
