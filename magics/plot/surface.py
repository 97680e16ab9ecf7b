"""A function of two numbers as a surface in three dimensions, with a path on it if one is given."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from magics.errors import GraphError
from magics.plot.field import RANGE
from magics.plot.ground import Ground, Range, ground, short
from magics.plot.page import GREEN, GREY, RAMP, chart, dress, figure_of, plain, tell
from magics.plot.plane import Array, Values, plane

WIDE, HIGH = 6.6, 5.0  # inches
FACES = 80  # along an axis
LIFTED = 0.01  # a path above the surface, as a part of its height


def surface(
    f: Any,
    x: Range = RANGE,
    y: Range = RANGE,
    *,
    values: Values | None = None,
    path: Any = None,
    ax: Axes | None = None,
) -> Figure:
    """The surface z = f(x, y), coloured by height as contours are spaced.

    f      what `plane` takes, with `values`
    path   points [steps, 2], or a result of `dsl.minimise`, drawn on the surface
    ax     axes of three dimensions: `figure.add_subplot(projection="3d")`

    Raises GraphError for what is not of two numbers, and for a range that is none.
    """
    p = plane(f, values)
    over = ground(p, x, y, min(p.fine, FACES))
    track = None if path is None else points(path)
    heights = None if track is None else p.at(*track.T)
    figure = solid(over, ax, track, heights)
    return tell(figure, f"surface of {plain(p.title)} {over.words}, {_ends(over)}")


def points(path: Any) -> Array:
    """The points of a path, [steps, 2]. Raises GraphError for others."""
    found = np.asarray(getattr(path, "path", path), np.float64)
    if found.ndim != 2 or found.shape[1] != 2:
        raise GraphError(f"a path is of points [steps, 2], and this has shape {list(found.shape)}")
    return found


def solid(over: Ground, ax: Axes | None, track: Array | None = None, heights: Any = None) -> Figure:
    """A ground as a surface, and a path over it."""
    given: Any = chart(WIDE, HIGH).add_subplot(projection="3d") if ax is None else ax
    if not hasattr(given, "plot_surface"):
        way = '`figure.add_subplot(projection="3d")`'
        raise GraphError("a surface needs axes of three dimensions", help=way)
    given.plot_surface(
        *(over.across, over.up, over.heights.filled(np.nan)),
        cmap=RAMP,
        norm=_colours(over),
        rcount=FACES,
        ccount=FACES,
        linewidth=0,
        antialiased=False,
        alpha=0.85,
    )
    figure = figure_of(given)
    if track is not None:
        lift = LIFTED * float(np.ptp(over.heights.compressed()))
        given.plot(*track.T, heights + lift, color=GREEN, linewidth=2, zorder=10)
        given.plot(*track[-1:].T, heights[-1:] + lift, "o", color=GREEN, markersize=5, zorder=11)
    names = [plain(name) for name in over.plane.names]
    dress(given, *names, z=plain(over.plane.title))
    _clear(given)
    return figure


def _colours(over: Ground) -> Normalize:
    """From heights to colours, an equal part of them between two contours."""
    levels = over.levels
    return BoundaryNorm(levels, RAMP.N, extend="neither") if len(levels) else Normalize()


def _clear(ax: Any) -> None:
    """Walls that nothing hides behind, thin lines on them."""
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
        axis.line.set_color(GREY)
        axis.set_major_locator(MaxNLocator(5))
        axis._axinfo["grid"].update(color=(0.49, 0.53, 0.6, 0.3), linewidth=0.5)


def _ends(over: Ground) -> str:
    return f"from {short(over.low)} up to {short(float(over.heights.max()))}"
