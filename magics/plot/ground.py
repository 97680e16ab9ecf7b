"""The ground of a picture over a plane: contours of f, by equal ratios where it falls far.

A contour at f* + c, c by equal ratios, shows the valley of a function that is a thousand times
higher elsewhere. Low ground is dark; where f is no number there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from engine.show import short_number
from magics.errors import GraphError
from magics.plot.page import GREEN, GREY, SMALL
from magics.plot.plane import Array, Plane, grid

Range = tuple[float, float]
LEVELS = 15
STEEP = 12.0  # the highest above the lowest, in middle heights, from which levels are by ratios
DEEPEST = 1e-4  # the lowest contour, as a part of the whole height
DARK = 0.5  # opacity of the lowest ground


@dataclass(frozen=True, eq=False)
class Ground:
    """f [n, n] at the points of a grid over two ranges, masked where it is not finite."""

    plane: Plane
    x: Range
    y: Range
    across: Array
    up: Array
    heights: Any  # a masked array

    @property
    def low(self) -> float:
        """The lowest value."""
        return float(self.heights.min())

    @property
    def lowest(self) -> tuple[float, float]:
        """The point of the grid where that is."""
        i = np.unravel_index(int(self.heights.argmin()), self.heights.shape)
        return float(self.across[i]), float(self.up[i])

    @property
    def missing(self) -> float:
        """The part of the plane where f is not finite."""
        return float(np.ma.getmaskarray(self.heights).mean())

    @property
    def levels(self) -> Array:
        """The heights of contours, rising; none of a constant."""
        heights = np.unique(self.heights.compressed())
        whole = heights[-1] - heights[0]
        if not whole > 1e-12 * max(abs(heights[-1]), abs(heights[0])):
            return np.array([])
        if whole < STEEP * (np.median(heights) - heights[0]):
            return np.linspace(heights[0], heights[-1], LEVELS + 1)
        steps = np.geomspace(whole * DEEPEST, whole, LEVELS)
        return np.concatenate([[heights[0]], heights[0] + steps])

    @property
    def words(self) -> str:
        """The ranges, and how much of the plane has no value."""
        (a, b), (x, y) = self.plane.names, (map(short, each) for each in (self.x, self.y))
        where = f"over {a} from {' to '.join(x)}, {b} from {' to '.join(y)}"
        part = f"; {self.missing:.0%} of it is left out, where it is no number"
        flat = "" if len(self.levels) else f"; it is {short(self.low)} everywhere"
        return where + flat + (part if self.missing else "")


def ground(f: Plane, x: Range, y: Range, n: int | None = None) -> Ground:
    """f over two ranges. Raises GraphError for a range that is none, and where f has no value."""
    x, y = checked(x), checked(y)
    across, up = grid(x, y, n or f.fine)
    heights = np.ma.masked_invalid(f.at(across, up))
    found = Ground(f, x, y, across, up, heights)
    if found.missing == 1:
        told = f"`{f.title}` is no finite number anywhere over"
        ranges = ", ".join(f"{name} = {short(a)}:{short(b)}" for name, (a, b) in _named(f, x, y))
        raise GraphError(f"{told} {ranges}", help="choose other ranges: `--x 0.1:4 --y 0.1:4`")
    return found


def contours(ax: Axes, over: Ground, numbers: bool = False) -> None:
    """The ground of a picture: levels in grey, the lowest darkest; hatched where f is no number.

    With numbers on the lines.
    """
    ax.set_xlim(*over.x)
    ax.set_ylim(*over.y)
    levels = over.levels
    place: Any = over.across, over.up, over.heights
    if over.missing:
        gone = np.ma.getmaskarray(over.heights).astype(float)
        hatched = ax.contourf(*place[:2], gone, levels=[0.5, 1.5], colors="none", hatches=["///"])
        hatched.set_edgecolor(to_rgba(GREY, 0.35))
        hatched.set_linewidth(0)
    if len(levels):
        shades = [to_rgba(GREY, DARK * (1 - i / LEVELS)) for i in range(len(levels) - 1)]
        ax.contourf(*place, levels=levels, colors=shades, zorder=0)
        lines = ax.contour(
            *place, levels=levels[1:-1], colors=GREY, linewidths=0.5, alpha=0.7, zorder=1
        )
        if numbers:
            ax.clabel(lines, levels[1:-1:2], fontsize=SMALL - 1, colors=GREY, fmt=short)


def star(ax: Axes, x: float, y: float) -> Any:
    """A minimum."""
    [mark] = ax.plot([x], [y], "*", color=GREEN, markersize=13, markeredgecolor="white", zorder=6)
    mark.set_markeredgewidth(0.7)
    return mark


def checked(given: Range) -> Range:
    """A range of two finite numbers, the second larger. Raises GraphError."""
    try:
        low, high = map(float, given)
    except (TypeError, ValueError):
        raise _no_range(f"{given!r}") from None
    if not (np.isfinite([low, high]).all() and low < high and np.isfinite(high - low)):
        raise _no_range(f"{short(low)}:{short(high)}")
    return low, high


def short(value: float) -> str:
    """A number in three digits.

    >>> short(2.0), short(0.12345)
    ('2', '0.123')
    """
    return short_number(float(f"{value:.3g}"))


def _no_range(text: str) -> GraphError:
    return GraphError(f"`{text}` is no range", help="from low to high, as in `--x -2:2`")


def _named(f: Plane, x: Range, y: Range) -> Any:
    return zip(f.names, (x, y), strict=True)
