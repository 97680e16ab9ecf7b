"""How the elements of a tensor lie: counted in equal parts of their range, and as a row of bars."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Histogram:
    """How many of the finite elements lie in each of equal parts of the range `low … high`."""

    low: float
    high: float
    counts: tuple[int, ...]

    @property
    def bars(self) -> str:
        """A row of bars, the highest full; a blank where nothing lies.

        >>> Histogram(0, 1, (1, 0, 4, 8)).bars
        '▁ ▄█'
        """
        most = max(self.counts, default=0)
        return "".join(BARS[-(-8 * n // most) - 1] if n else " " for n in self.counts)


def histogram(
    value: Tensor, bins: int, ends: tuple[float, float] | None = None
) -> Histogram | None:
    """The finite elements counted, those beyond the ends in the outermost part; None without one.

    >>> histogram(torch.tensor([0.0, 1.0, 1.5, 2.0, float("nan")]), bins=2)
    Histogram(low=0.0, high=2.0, counts=(1, 3))
    """
    finite = value[torch.isfinite(value)].double()
    if not finite.numel():
        return None
    low, high = ends or (finite.min().item(), finite.max().item())
    if low == high:
        return Histogram(low, high, (finite.numel(),))
    scale = max(abs(low), abs(high))  # the width of the range alone may be more than a float holds
    parts = (finite / scale - low / scale) / (high / scale - low / scale) * bins
    counts = parts.clamp(0, bins - 1).long().bincount(minlength=bins)
    return Histogram(low, high, tuple(counts.tolist()))
