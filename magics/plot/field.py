"""The gradient field of a function of two numbers: arrows along −∇f over its contours.

Arrows are of one length, since gradients of one function differ by powers of ten; their colour
says |∇f|.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from magics.plot.ground import Range, contours, ground, short, star
from magics.plot.page import RAMP, bar, dress, page, plain, tell
from magics.plot.plane import Array, Values, grid, plane

ARROWS = 21  # along an axis
WIDE = 50.0  # the largest gradient in smallest ones, from which colours are by ratios
RANGE: Range = (-2.0, 2.0)


def field(
    f: Any,
    x: Range = RANGE,
    y: Range = RANGE,
    *,
    values: Values | None = None,
    minimum: Sequence[float] | None = None,
    uphill: bool = False,
    arrows: int = ARROWS,
    ax: Axes | None = None,
) -> Figure:
    """Arrows along −∇f, the way down, or with `uphill` along ∇f, at arrows × arrows places.

    f         what `plane` takes, with `values`: a text, a Program, a node, a Plane
    x, y      the ranges of its two numbers
    minimum   a point to mark with a star, if one is known

    Raises GraphError for what is not of two numbers, and for a range that is none.
    """
    p = plane(f, values)
    over = ground(p, x, y)
    figure, ax = page(ax)
    contours(ax, over)
    across, up = _places(over.x, over.y, arrows)
    dx, dy = (np.asarray(each if uphill else -each) for each in p.slope(across, up))
    length = np.hypot(dx, dy)
    arrow = ax.quiver(
        *(across, up, *_of_one_length(dx, dy, length), _seen(length)),
        cmap=RAMP,
        norm=_colours(length),
        **_look(arrows),
    )
    if minimum is not None:
        star(ax, *minimum)
    bar(figure, ax, arrow, f"|∇{plain(p.title)}|")
    way = f"{'' if uphill else '−'}∇{plain(p.title)}"
    dress(ax, *map(plain, p.names), title=f"{way} over contours of {plain(p.title)}")
    top = f", |∇f| up to {short(float(_seen(length).max()))}" if _seen(length).count() else ""
    along = f"arrows along {'' if uphill else '−'}∇f{top}"
    return tell(figure, f"gradient field of {plain(p.title)} {over.words}: {along}")


def _places(x: Range, y: Range, n: int) -> tuple[Array, Array]:
    """n × n places, half a step from the edges, so that no arrow is cut."""
    inner = [(low + (high - low) / (2 * n), high - (high - low) / (2 * n)) for low, high in (x, y)]
    return grid(inner[0], inner[1], n)


def _of_one_length(dx: Array, dy: Array, length: Array) -> tuple[Any, Any]:
    """The directions; none where there is no gradient."""
    with np.errstate(all="ignore"):
        parts = [np.where(length > 0, each / length, np.nan) for each in (dx, dy)]
    return np.ma.masked_invalid(parts[0]), np.ma.masked_invalid(parts[1])


def _seen(length: Array) -> Any:
    """The lengths that are finite and not zero."""
    return np.ma.masked_where(~np.isfinite(length) | (length == 0), length)


def _colours(length: Array) -> Normalize:
    seen = _seen(length).compressed()
    if seen.size and seen.max() > WIDE * np.percentile(seen, 5):
        return LogNorm(max(float(np.percentile(seen, 1)), seen.max() * 1e-6), seen.max())
    return Normalize(0, seen.max() if seen.size else 1)


def _look(arrows: int) -> dict[str, Any]:
    """Arrows that fill most of the room that each has, around their places."""
    return {
        "angles": "xy",
        "pivot": "mid",
        "scale": arrows * 1.2,
        "scale_units": "width",
        "width": 0.0035,
        "headwidth": 4,
        "headlength": 4.5,
        "headaxislength": 4,
        "zorder": 3,
    }
