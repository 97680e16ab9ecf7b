"""The derivative by differences: (f(x + h) - f(x - h)) / 2h at shorter and shorter h, brought to 0.

The error of a central difference is a series in h², so each column of the tableau removes a term of
it (Richardson, 1911; Romberg, 1955); which entry to trust, and how far, its neighbours tell
(Ridders, Advances in Engineering Software 4, 1982; Numerical Recipes, section 5.7).

Where (f(x + h) - f(x)) / h and (f(x) - f(x - h)) / h stay apart however small h is, f has a kink:
no derivative is right or wrong there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

EPS = torch.finfo(torch.float64).eps
NOISE = 100 * EPS  # the rounding that may gather in a value, relative to it
FIRST = 256 * EPS ** (1 / 3)  # far above the best step of a plain central difference, EPS^(1/3)
SMALLEST = 1e-20  # of a step, where x is so small that it does not vanish beside it
AGREE = 1e-3  # one-sided differences this close have no kink between them
SETTLED = 1e-7  # a tableau that settles this closely was of a smooth function
ROWS = 8
RATIO = math.sqrt(2)  # no power of two, since rounding to a grid would look alike at both steps

Method = Literal["complex step", "central differences"]
Slopes = Callable[[float], tuple[float, float]]  # h -> the differences to the left and to the right


@dataclass(frozen=True)
class Slope:
    """A derivative as a number: what the method says of its own error, and what rounding may do.

    At a kink the value is the mean of both sides.
    """

    value: float
    estimate: float
    rounding: float = 0.0
    kink: bool = False
    method: Method = "central differences"

    @property
    def uncertainty(self) -> float:
        """How far from the value the derivative may lie; an estimate is no bound."""
        return 4 * self.estimate + self.rounding


def difference(slopes: Slopes, x: float, rounding: float) -> Slope:
    """The extrapolated central difference at the largest step that shows a smooth function.

    `rounding` is the error of a value of f. The gap between the one-sided differences is h f''
    where f is smooth, so it shrinks with h until they agree. At a kink it stays, at a jump they
    grow as 1 / h; where f ends there is no central difference.

    >>> found = difference(lambda h: (2 - h, 2 + h), 1.0, 1e-16)  # x² at 1
    >>> (found.value, found.kink)
    (2.0, False)
    """
    h, gap, least = FIRST * max(1.0, abs(x)), math.inf, max(SMALLEST, 16 * EPS * abs(x))
    rough: Slope | None = None
    while True:
        left, right = slopes(h)
        before, gap = gap, abs(right - left)
        agree = gap < math.inf and gap <= AGREE * max(abs(left), abs(right))
        if agree:
            found = _extrapolated(slopes, (left + right) / 2, h, least, rounding)
            if found.estimate <= SETTLED * abs(found.value) + found.rounding:
                return found if rough is None or _compatible(found, rough) else rough
            if found.estimate <= AGREE * abs(found.value):
                rough = min(rough or found, found, key=lambda slope: slope.uncertainty)
        if h / 16 < least or (gap * h / 16 < rounding and not agree):
            kink = not gap < before / 2
            return Slope((left + right) / 2, gap / 2, rounding / h, kink)
        h /= 16


def _compatible(fine: Slope, rough: Slope) -> bool:
    """Whether the finer one is nearer to the same: beneath its rounding a function is a stair."""
    return abs(fine.value - rough.value) <= 2 * rough.uncertainty


def _extrapolated(slopes: Slopes, first: float, h: float, least: float, rounding: float) -> Slope:
    """The entry of the tableau that differs least from its neighbours, which is its error."""
    row, best = [first], Slope(first, math.inf, rounding / h)
    while len(row) <= ROWS and h / RATIO >= least:
        h, above = h / RATIO, row
        row = _next_row(above, sum(slopes(h)) / 2)
        errors = [
            max(abs(entry - left), abs(entry - over))
            for entry, left, over in zip(row[1:], row, above, strict=False)
        ]
        error = min(errors)
        if error < best.estimate:
            best = Slope(row[errors.index(error) + 1], error, rounding / h)
        if not error <= 2 * best.estimate or error <= max(EPS * abs(first), rounding / h / 100):
            break  # where rounding has the upper hand, shorter steps are worse
    return best


def _next_row(row: list[float], central: float) -> list[float]:
    """A[i, k] = A[i, k-1] + (A[i, k-1] - A[i-1, k-1]) / (2ᵏ - 1), as RATIO² is 2."""
    new = [central]
    for k, above in enumerate(row, 1):
        new.append(new[-1] + (new[-1] - above) / (2**k - 1))
    return new
