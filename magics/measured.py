"""How a value lies and the gradient of a loss by it: counted, and in words what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.show import spread
from magics.histogram import Histogram, histogram

BINS = 24
FAINTEST = 1e-8  # of the largest gradient; all that is smaller, zero too, stands at the left end
MOSTLY = 0.5  # of the elements, from which on they are called saturated
NEAR = 0.02  # of its range to an end is a value saturated
RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "erf": (-1.0, 1.0)}

Ends = tuple[float, float]


@dataclass(frozen=True)
class Row:
    """A value by its name; a histogram is None where there is nothing to count."""

    name: str
    shape: tuple[int, ...]
    values: Histogram | None
    slopes: Histogram | None
    remarks: str


def measured(name: str, op: str, value: Tensor, slope: Tensor | None, ends: Ends | None) -> Row:
    """The row of a value that the operator `op` made; `ends` are those of all |gradient|.

    >>> measured("y", "relu", torch.tensor([0.0, 0.0, 0.0]), None, None).remarks
    'all zero'
    """
    remarks = [*_of_value(op, value), *(_of_slope(slope) if slope is not None else ())]
    shape = tuple(value.shape)
    steep = by_powers(slope, ends) if slope is not None and ends else None
    return Row(name, shape, histogram(value, BINS), steep, "; ".join(remarks))


def ends_of(slopes: Sequence[Tensor]) -> Ends | None:
    """The smallest |gradient| that is told from zero and the largest; None if all are zero."""
    sizes = [slope[torch.isfinite(slope) & (slope != 0)].abs().double() for slope in slopes]
    sizes = [each for each in sizes if each.numel()]
    if not sizes:
        return None
    high = max(each.max().item() for each in sizes)
    low = max(min(each.min().item() for each in sizes), high * FAINTEST)
    return min(low, high / 10), high


def by_powers(slope: Tensor, ends: Ends) -> Histogram | None:
    """The finite |gradient| counted in parts of equal ratio between the ends."""
    low, high = torch.tensor(ends, dtype=torch.float64).log10().tolist()
    finite = slope[torch.isfinite(slope)].double().abs()
    return histogram(finite.clamp(*ends).log10(), BINS, (low, high))


def _of_value(op: str, value: Tensor) -> Iterator[str]:
    found = spread(value)
    if found.trouble:
        yield found.trouble
    if not value.numel():
        yield "empty"
    elif not value.count_nonzero():
        yield "all zero"
    elif value.ndim > 1 and (dead := _zero_throughout(value)):
        yield f"{dead} of {value.shape[-1]} units zero throughout"
    if op in RANGES and value.numel() and (share := _at_ends(value, *RANGES[op])) >= MOSTLY:
        yield f"saturated ({share:.0%})"


def _zero_throughout(value: Tensor) -> int:
    """Along the last axis, at how many places everything is zero."""
    return int((value == 0).flatten(0, -2).all(dim=0).sum())


def _at_ends(value: Tensor, low: float, high: float) -> float:
    """Which part of the elements is nearly at an end."""
    near = (high - low) * NEAR
    return ((value <= low + near) | (value >= high - near)).double().mean().item()


def _of_slope(slope: Tensor) -> Iterator[str]:
    found = spread(slope)
    if found.trouble:
        yield f"∂ {found.trouble}"
    elif slope.numel() and not slope.count_nonzero():
        yield "∂ all zero"
