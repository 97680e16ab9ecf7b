"""Values for the names of an identity: what is said of them, drawn; and the edges of their domain.

A matrix has more rows than columns where it may (n > m), so that a product the wrong way round does
not fit, and so that `of full rank` is of full column rank.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from tests.identities import Identity

F64 = torch.float64
Values = dict[str, Tensor]
Sizes = Mapping[str, int]

SIZES: tuple[Sizes, ...] = ({"n": 4, "m": 3, "k": 2}, {"n": 3, "m": 2, "k": 4})
FEW: Sizes = {"n": 3, "m": 2, "k": 2}  # for formulas that are longer the larger the sizes
ONE: Sizes = dict.fromkeys("nmk", 1)
NONE: Sizes = dict.fromkeys("nmk", 0)
NO_ROWS: Sizes = {"n": 0, "m": 3, "k": 2}


def _identity_like(x: Tensor) -> Tensor:
    return torch.eye(*x.shape[-2:], dtype=F64)


def _definite(x: Tensor) -> Tensor:
    return x @ x.T / max(1, len(x)) + _identity_like(x)


def _lifted(x: Tensor) -> Tensor:
    """A matrix far from singular."""
    return x / 4 + 2 * _identity_like(x)


DATA: Mapping[str, Callable[[Tensor], Tensor]] = {
    "real": lambda x: x,
    "positive": lambda x: x.abs() + 0.3,
    "not zero": lambda x: x + 0.3 * x.sign(),
    "between zero and one": torch.sigmoid,
    "zeros and ones": lambda x: (x > 0).double(),
    "signs": torch.sign,
    "probabilities": lambda x: x.softmax(-1) if x.ndim else x.sigmoid(),
    "symmetric": lambda x: (x + x.T) / 2,
    "positive definite": _definite,
    "invertible": lambda x: -_lifted(x),  # of either sign of the determinant, by the size
    "of full rank": _lifted,
}

SHAPES = re.compile(r"((?:\w+, )*\w+) ∈ ℝ(?:\^(\w+)|\^\((\w+)×(\w+)\))?")


def shapes(identity: Identity, sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """The shape of each name."""
    return {
        name: tuple(sizes[size] if size in sizes else int(size) for size in found[1:] if size)
        for found in SHAPES.findall(identity.shapes)
        for name in found[0].split(", ")
    }


def sizes_of(identity: Identity, sizes: Sizes) -> dict[str, int]:
    """The sizes that the identity names."""
    named = {size for found in SHAPES.findall(identity.shapes) for size in found[1:]}
    return {name: value for name, value in sizes.items() if name in named}


def draw(identity: Identity, sizes: Sizes, seed: int) -> Values:
    """A value for each name."""
    random = torch.Generator().manual_seed(seed)
    given = dict(identity.given)
    return {
        name: DATA[given.get(name, "real")](torch.randn(shape, dtype=F64, generator=random))
        for name, shape in shapes(identity, sizes).items()
    }


def _nearly_singular(x: Tensor) -> Tensor:
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    return u @ torch.diag(torch.cat([s[:-1], 1e-4 * s[:1]])) @ v


# what becomes of the value by which it is differentiated
SITUATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "one": lambda x: x,
    "empty": lambda x: x,
    "no rows": lambda x: x,
    "zero": torch.zeros_like,
    "equal": torch.ones_like,
    "large": lambda x: 1e8 * x,
    "tiny": lambda x: 1e-8 * x,
    "identity": _identity_like,
    "twice the identity": lambda x: 2 * _identity_like(x),
    "symmetric": lambda x: (x + x.T) / 2,
    "nearly singular": _nearly_singular,
}
OF_MATRICES = ("identity", "twice the identity", "nearly singular")
OF_SQUARES = ("symmetric",)


def situations(identity: Identity) -> list[str]:
    """The edges that the point of this identity has."""
    shape = shapes(identity, SIZES[0])[identity.by]
    sizes = sizes_of(identity, SIZES[0])
    return [
        each
        for each in SITUATIONS
        if (sizes or each not in ("one", "empty"))
        and (("n" in sizes and len(sizes) > 1) or each != "no rows")
        and (len(shape) == 2 or each not in OF_MATRICES)
        and ((len(shape) == 2 and shape[0] == shape[1]) or each not in OF_SQUARES)
    ]


def at_edge(identity: Identity, situation: str, seed: int = 0) -> tuple[Sizes, Values]:
    """The sizes and the values of an identity in a situation."""
    sizes = {"one": ONE, "empty": NONE, "no rows": NO_ROWS}.get(situation, SIZES[1])
    values = draw(identity, sizes, seed)
    return sizes, values | {identity.by: SITUATIONS[situation](values[identity.by])}
