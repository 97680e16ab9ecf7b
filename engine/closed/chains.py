"""Chains: products A Bᵀ x of matrices, columns and rows, brackets and transposes multiplied out.

A vector is a column, and a row when it is flipped. Where a row meets a column they make a scalar;
an identity and a matrix beside its inverse make nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce

from engine import ops
from engine.closed import basis
from engine.dims import Dim, Shape
from engine.graph import Node

ALL = (None, None, None)  # `:` in a key
COLUMN, ROW = ((..., None), (ALL, None)), ((..., None, ALL), (None, ALL))  # x[:, None], x[None, :]

Powers = tuple[tuple[Node, int], ...]


@dataclass(frozen=True)
class Factor:
    """A matrix or a column, or its transpose; `powers` if it is a product element by element."""

    node: Node
    flipped: bool = False
    powers: Powers = field(default=(), compare=False)

    @property
    def is_column(self) -> bool:
        """Whether this is a vector that stands upright."""
        return self.node.rank == 1 and not self.flipped

    @property
    def is_row(self) -> bool:
        """Whether this is a vector that lies."""
        return self.node.rank == 1 and self.flipped

    @property
    def flip(self) -> Factor:
        """The transpose."""
        return self if is_symmetric(self.node) else replace(self, flipped=not self.flipped)

    @property
    def built(self) -> Node:
        """The factor as a node; a row is its vector."""
        return self.node.T if self.flipped else self.node


Chain = tuple[Factor, ...]


def is_symmetric(x: Node) -> bool:
    """Whether a node is its own transpose by what it is: D, M + Mᵀ, Mᵀ M, and their inverses."""
    seen, todo = set[Node](), [x]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        parts = _symmetric_if(node)
        if parts is None:
            return False
        seen.add(node)
        todo += parts
    return True


def _symmetric_if(x: Node) -> tuple[Node, ...] | None:
    """What must be symmetric for x to be so; None if that is not enough."""
    match x:
        case Node(ops.diag | ops.eye):
            return ()
        case Node(ops.inv, (a,)):
            return (a,)
        case Node(ops.add, (a, b)) if x.rank == 2:
            return () if _are_transposes(a, b) else (a, b)
        case Node(ops.sub, (a, b)) if x.rank == 2:
            return a, b
        case Node(ops.mul, (s, a)) | Node(ops.div, (a, s)) if s.rank == 0 and a.rank == 2:
            return (a,)
        case Node(ops.neg, (a,)) if x.rank == 2:
            return (a,)
        case Node(ops.matmul, (a, b)) if x.rank == 2 and _are_transposes(a, b):
            return ()
    return None


def _are_transposes(a: Node, b: Node) -> bool:
    return (is_flipped(a) and a.inputs[0] is b) or (is_flipped(b) and b.inputs[0] is a)


def is_flipped(x: Node) -> bool:
    """Whether a node is the transpose of a matrix."""
    return x.op is ops.transpose and (x.attrs["axes"] == (-1, -2) or x.attrs["axes"] is None)


def multiplied(*powers: Iterable[tuple[Node, int]]) -> Powers:
    """The product of powers: exponents are added, those that vanish are gone."""
    found: dict[Node, int] = {}
    for node, n in (pair for each in powers for pair in each):
        found[node] = found.get(node, 0) + n
    for node, n in list(found.items()):
        if node.op is ops.sign and n > 0 and found.get(ops.abs(node.inputs[0]), 0) < 0:
            found = _without_sign(found, node, ops.abs(node.inputs[0]))
    return tuple((node, n) for node, n in found.items() if n)


def _without_sign(found: dict[Node, int], sign: Node, size: Node) -> dict[Node, int]:
    """sign x / |x| = 1 / x."""
    (x,) = sign.inputs
    return {**found, sign: found[sign] - 1, size: found[size] + 1, x: found.get(x, 0) - 1}


def by_element(*factors: tuple[Factor, int]) -> Factor:
    """The product of powers element by element, equal ones collected: a ⊙ b ⊙ a = a² ⊙ b."""
    powers = multiplied(
        *([(node, k * n) for node, k in x.powers or ((x.built, 1),)] for x, n in factors)
    )
    powers = tuple((node, n) for node, n in powers if not is_ones(node))
    if not powers:
        return Factor(ops.ones(factors[0][0].built.shape))
    over, under = (
        [power(node, abs(n)) for node, n in powers if (n > 0) == above] for above in (True, False)
    )
    node = reduce(_entrywise, over) if over else ops.const(1.0)
    return Factor(node / reduce(_entrywise, under) if under else node, powers=powers)


def _entrywise(x: Node, y: Node) -> Node:
    return x * y


def power(x: Node, n: int) -> Node:
    """xⁿ, element by element."""
    return x if n == 1 else x ** as_float(n)


def as_float(number: int | Fraction) -> float:
    """The nearest float; infinite for what is larger than any."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def diagonal(x: Factor) -> Factor:
    """diag(x)."""
    return Factor(ops.diag(x.node), powers=x.powers)


def flipped(chain: Chain) -> Chain:
    """(A B)ᵀ = Bᵀ Aᵀ."""
    return tuple(factor.flip for factor in reversed(chain))


def joined(*chains: Chain) -> tuple[list[Node], Chain]:
    """The product of chains: the scalars in it, and what is left."""
    scalars: list[Node] = []
    found: list[Factor] = []
    for factor in (factor for chain in chains for factor in chain):
        found.append(factor)
        if factor.is_column:
            row = next((i for i in reversed(range(len(found))) if found[i].is_row), None)
            if row is not None:
                scalars.append(inner(tuple(found[row:])))
                del found[row:]
                continue
        _settle(found)
    return scalars, tuple(found)


def _settle(found: list[Factor]) -> None:
    """A⁻¹ A = I,  diag(d) 1 = d,  1ᵀ diag(d) = dᵀ,  diag(c) diag(d) = diag(c ⊙ d)."""
    if len(found) < 2:
        return
    a, b = found[-2:]
    if _are_inverse(a, b):
        del found[-2:]
    elif a.node.op is ops.diag and b.node.op is ops.diag:
        found[-2:] = [diagonal(by_element((_entries(b), 1), (_entries(a), 1)))]
    elif a.node.op is ops.diag and _is_ones(b.node):
        found[-2:] = [_entries(a, b.flipped)]
    elif b.node.op is ops.diag and _is_ones(a.node) and a.is_row:
        found[-2:] = [_entries(b, flipped=True)]


def _entries(d: Factor, flipped: bool = False) -> Factor:
    """The vector of a diagonal matrix."""
    return Factor(d.node.inputs[0], flipped, d.powers)


def _are_inverse(a: Factor, b: Factor) -> bool:
    if a.flipped != b.flipped:
        return False
    return (a.node.op is ops.inv and a.node.inputs[0] is b.node) or (
        b.node.op is ops.inv and b.node.inputs[0] is a.node
    )


def is_ones(x: Node) -> bool:
    """Whether every element is 1, by what the node is."""
    return x.op is ops.ones


def _is_ones(x: Node) -> bool:
    return is_ones(x) and x.rank == 1


def inner(chain: Chain) -> Node:
    """The scalar aᵀ M b, with as few transposes as there can be; 1ᵀ b is Σ b, eᵢᵀ b is b[i]."""
    if sum(f.flipped for f in chain[1:-1]) > len(chain[1:-1]) / 2:
        chain = flipped(chain)
    first, *rest = chain
    element = basis.inner(first.node, rest[0].node) if len(rest) == 1 else None
    if element is not None:
        return element
    if is_ones(rest[-1].node):
        return ops.sum(built(tuple(f.flip for f in reversed(chain[:-1]))))
    if is_ones(first.node):
        return ops.sum(built(tuple(rest)))
    right = built(tuple(rest))
    return ops.sum(right**2) if right is first.node else first.node @ right


def built(chain: Chain) -> Node:
    """The node of a chain that is not empty; a lone row is its vector."""
    row = next((i for i, f in enumerate(chain) if f.is_row), None)
    if row is not None and row > 0:
        column = built(chain[:row])
        return column[:, None] * built(flipped(chain[row:]))[None, :]
    if row == 0 and len(chain) > 1:
        return built(flipped(chain))
    if (
        len(chain) > 1
        and all(f.flipped for f in chain)
        and any(f.node.op is ops.inv for f in chain)
    ):
        return built(flipped(chain)).T
    nodes = [factor.built for factor in chain]
    if chain and chain[-1].is_column:
        return reduce(lambda right, left: _times(left, right), reversed(nodes))
    return reduce(_times, nodes)


def _times(a: Node, b: Node) -> Node:
    """A B; with a diagonal matrix row by row, or column by column."""
    if a.op is ops.diag and b.op is not ops.diag:
        d = a.inputs[0]
        return d * b if b.rank == 1 else d[:, None] * b
    return a * b.inputs[0][None, :] if b.op is ops.diag and a.rank == 2 else a @ b


def shape_of(chain: Sequence[Factor]) -> Shape:
    """The shape of the product of a chain that is not empty."""
    first, last = chain[0], chain[-1]
    rows = () if first.is_row else (_sides(first)[0],)
    columns = () if last.is_column else (_sides(last)[-1],)
    return (*rows, *columns)


def _sides(factor: Factor) -> tuple[Dim, ...]:
    shape = factor.node.shape or ()
    return shape[::-1] if factor.flipped else shape
