"""A value in a few words: `3.41`, `-3.3 … 3.8  μ=0.016 σ=0.998`, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Spread:
    """The range, mean and deviation of the finite elements, and how many are not finite.

    `ends` is None without a finite element, `moments` also for whole numbers.
    """

    size: int
    ends: tuple[float, float] | None
    moments: tuple[float, float] | None
    nans: int
    infs: int

    @property
    def trouble(self) -> str:
        """What is not finite: `NaN! (1 of 12)`, empty if everything is."""
        found = {"NaN": self.nans, "inf": self.infs}
        return "  ".join(f"{name}! ({n} of {self.size})" for name, n in found.items() if n)


def spread(value: Tensor) -> Spread:
    """How the elements of a tensor of floats or ints lie.

    >>> spread(torch.tensor([1.0, 3.0, float("nan")]))
    Spread(size=3, ends=(1.0, 3.0), moments=(2.0, 1.0), nans=1, infs=0)
    """
    with torch.inference_mode():
        finite = value[torch.isfinite(value)]
        nans = int(value.isnan().sum())
        infs = value.numel() - finite.numel() - nans
        if not finite.numel():
            return Spread(value.numel(), None, None, nans, infs)
        ends = finite.min().item(), finite.max().item()
        if not finite.dtype.is_floating_point:
            return Spread(value.numel(), ends, None, nans, infs)
        exact = finite.double()
        moments = exact.mean().item(), exact.std(correction=0).item()
        return Spread(value.numel(), ends, moments, nans, infs)


def summary(value: Tensor) -> str:
    """The number itself, or range, mean and deviation of the finite elements; NaN and inf are told.

    >>> summary(torch.tensor(2.5)), summary(torch.tensor([1.0, 3.0]))
    ('2.5', '1 … 3  μ=2 σ=1')
    """
    if value.ndim == 0:
        return _number(value.item())
    if value.numel() == 0:
        return "empty"
    if value.dtype is torch.bool:
        return f"{int(value.sum())} of {value.numel()} true"
    return "  ".join(_parts(spread(value)))


def _parts(found: Spread) -> list[str]:
    ends = " … ".join(map(_number, found.ends or ()))
    moments = [f"{sign}={_number(x)}" for sign, x in zip("μσ", found.moments or (), strict=False)]
    return [part for part in (ends, " ".join(moments), found.trouble) if part]


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4g}"
