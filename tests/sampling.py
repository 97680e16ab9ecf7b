"""Sample calls of operators: leaves, the values fed to them, how much is known of their sizes.

The values of one sample are all different and none is zero, so that no sample sits on a kink (ties
and kinks are in test_op_edges). The same sample is built in several modes, from sizes that are
numbers to shapes of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from engine import Node, var
from engine.dims import Dim, Shape, size
from engine.graph import Kind


@dataclass(frozen=True)
class Leaf:
    """An input: `domain` takes numbers spread over (-2, 2) to where the op is smooth.

    Whole numbers are drawn from 0 up to `below`.
    """

    shape: tuple[int, ...]
    kind: Kind = "float"
    domain: Callable[[Tensor], Tensor] = lambda v: v
    below: int = 2

    @property
    def count(self) -> int:
        return torch.Size(self.shape).numel()


@dataclass(frozen=True, eq=False)
class Sample:
    """One call of `op`: its leaves, how the node is built from them, and what torch says.

    Without `torch` it is the function of torch with the op's name. A `sized` builder takes first
    the function that turns a number into a size of the mode. `refused` names the modes in which
    building the node or its gradient raises, with the reason.
    """

    op: str
    leaves: tuple[Leaf, ...]
    build: Callable[..., Node]
    torch: Callable[..., Any] | None = None
    sized: bool = False
    refused: Mapping[str, str] = field(default_factory=dict[str, str])

    def __str__(self) -> str:
        shapes = ",".join(x.kind[0] + "x".join(map(str, x.shape)) for x in self.leaves)
        return f"{self.op}({shapes})"


@dataclass(frozen=True)
class Built:
    """A sample in one mode: its node, its variables, the values to feed."""

    y: Node
    xs: tuple[Node, ...]
    feeds: dict[Node, Tensor]

    @property
    def floats(self) -> list[Node]:
        return [x for x in self.xs if x.kind == "float"]


def real(*shape: int) -> Leaf:
    """Numbers of either sign."""
    return Leaf(shape)


def positive(*shape: int) -> Leaf:
    return Leaf(shape, domain=lambda v: 1.3 + v / 2)


def matrix(*shape: int) -> Leaf:
    """Matrices far from singular, with a positive determinant."""
    return Leaf(shape, domain=lambda v: v / 4 + 2 * torch.eye(shape[-1], dtype=v.dtype))


def whole(*shape: int, below: int = 2) -> Leaf:
    """Whole numbers from 0 on."""
    return Leaf(shape, "int", below=below)


def truth(*shape: int) -> Leaf:
    return Leaf(shape, "bool")


NAMES = {0: "Z", 2: "B", 3: "T", 4: "d", 5: "n", 6: "h"}  # equal numbers are equal names; 1 stays 1


def number(k: int) -> int:
    return k


def named(k: int) -> Dim:
    return size(NAMES[k]) if k in NAMES else k


def fixed(k: int) -> Dim:
    return size(NAMES[k], k) if k in NAMES else k


# how a leaf is declared, from its shape, its place and whether it is the last of several leaves
MODES: dict[str, Callable[[tuple[int, ...], int, bool], Shape]] = {
    "numbers": lambda shape, place, last: shape,
    "fixed": lambda shape, place, last: tuple(map(fixed, shape)),
    "names": lambda shape, place, last: tuple(map(named, shape)),
    "ranks": lambda shape, place, last: (None,) * len(shape),
    "unknown": lambda shape, place, last: None,
    "first unknown": lambda shape, place, last: None if place == 0 else shape,
    "last unknown": lambda shape, place, last: None if last else shape,
}
SIZES: dict[str, Callable[[int], Dim]] = {"fixed": fixed, "names": named}


def declared(sample: Sample, mode: str = "numbers") -> tuple[Node, ...]:
    """The variables of a sample."""
    last = len(sample.leaves) - 1
    return tuple(
        var(f"x{i}", MODES[mode](leaf.shape, i, i == last > 0), leaf.kind)
        for i, leaf in enumerate(sample.leaves)
    )


def build(sample: Sample, mode: str = "numbers") -> Built:
    """The sample in a mode. Raises what building it raises."""
    xs = declared(sample, mode)
    sizes = (SIZES.get(mode, number),) if sample.sized else ()
    return Built(sample.build(*sizes, *xs), xs, dict(zip(xs, values(sample), strict=True)))


def values(sample: Sample) -> list[Tensor]:
    """One tensor per leaf, floats in double precision."""
    random = torch.Generator().manual_seed(7)
    counts = [leaf.count for leaf in sample.leaves]
    spread = (torch.arange(sum(counts), dtype=torch.float64) + 0.37) / max(1, sum(counts)) * 4 - 2
    pieces = spread[torch.randperm(sum(counts), generator=random)].split(counts)
    return [
        _value(leaf, piece.reshape(leaf.shape), random)
        for leaf, piece in zip(sample.leaves, pieces, strict=True)
    ]


def _value(leaf: Leaf, spread: Tensor, random: torch.Generator) -> Tensor:
    if leaf.kind == "float":
        return leaf.domain(spread)
    drawn = torch.randint(0, leaf.below, leaf.shape, generator=random)
    return drawn.bool() if leaf.kind == "bool" else drawn
