"""The race of minimisers: their paths over contours, and beside them how fast each came down.

A result has `path` [steps + 1, 2], `values` f(x) and `slopes` |∇f(x)| [steps + 1], as those of
`dsl.minimise`. Of more than two numbers only the curves are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from magics.errors import GraphError
from magics.plot.film import Film
from magics.plot.ground import Ground, Range, contours, ground, short, star
from magics.plot.page import COLOURS, chart, dress, figure_of, legend, plain, tell
from magics.plot.plane import Array, Values, plane

WIDE, HIGH = 9.4, 4.2  # inches of both pictures side by side
FRAMES = 36  # of a film
MARGIN = 0.15  # around the paths, as a part of what they span
FAR = 1e3  # a path that leaves the start so many times as far as the others has diverged
By = Literal["value", "slope"]


@dataclass(frozen=True, eq=False)
class Runner:
    """One method: where it was, and what is drawn of how far down it was, by step."""

    name: str
    colour: str
    path: Array | None  # [steps + 1, 2]
    heights: Array  # [steps + 1]

    @property
    def steps(self) -> int:
        """How many steps it made."""
        return len(self.heights) - 1


def race(
    results: Mapping[str, Any],
    f: Any = None,
    x: Range | None = None,
    y: Range | None = None,
    *,
    values: Values | None = None,
    minimum: Sequence[float] | None = None,
    by: By = "value",
    animate: bool = False,
    ax: Axes | Sequence[Axes] | None = None,
) -> Figure | Film:
    """The paths of results by name over contours of f, and f − f* by step; or |∇f| by "slope".

    f         what `plane` takes, with `values`; without it there are no contours
    x, y      ranges; by default around the paths
    minimum   to mark with a star; by default the lowest point that was reached. f* is f there
    animate   a film: `.html` has a player, `.save("race.gif")` a GIF
    ax        one axes for the paths, or two, the second for the curves

    Raises GraphError where there is nothing to draw.
    """
    if not results:
        raise GraphError("there is no result to draw", help='`{"newton": dsl.minimise(…)}`')
    least = _least(results, f, values, minimum)
    runners = [
        _runner(name, colour, found, by, least)
        for (name, found), colour in zip(results.items(), _colours(len(results)), strict=True)
    ]
    flat = all(runner.path is not None for runner in runners)
    over = _over(runners, f, x, y, values) if flat else None
    sides = _sides(ax, flat)
    best = minimum if minimum is not None else _best(results) if flat else None
    names = over.plane.names if over else ("x[0]", "x[1]")
    track = _track(sides[0], runners, over, best, names) if flat else []
    curve = _curve(sides[-1], runners, by, least) if len(sides) > 1 or not flat else []
    figure = tell(figure_of(sides[0]), _words(results, runners, by))
    if not animate:
        return figure
    return Film(figure, [*track, *curve], _frames(runners, track, curve))


def _colours(n: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(n)]


def _least(
    results: Mapping[str, Any], f: Any, values: Values | None, minimum: Sequence[float] | None
) -> float:
    """f*: at the minimum that is known, else the lowest value reached."""
    if minimum is not None and f is not None:
        return float(plane(f, values).at(*minimum))
    reached = [np.asarray(found.values, np.float64) for found in results.values()]
    finite = [each[np.isfinite(each)] for each in reached]
    return min((float(each.min()) for each in finite if each.size), default=0.0)


def _runner(name: str, colour: str, found: Any, by: By, least: float) -> Runner:
    path = np.asarray(found.path, np.float64)
    heights = np.asarray(found.slopes if by == "slope" else found.values, np.float64)
    if not heights.size:
        raise GraphError(f"`{plain(name)}` has no path")
    flat = path.reshape(len(path), -1)
    shown = heights if by == "slope" else heights - least
    return Runner(str(name), colour, flat if flat.shape[1] == 2 else None, shown)


def _best(results: Mapping[str, Any]) -> Array | None:
    """The point of the lowest value reached."""
    ends = [(np.nanmin(r.values), r) for r in results.values() if np.isfinite(r.values).any()]
    if not ends:
        return None
    _, best = min(ends, key=lambda end: end[0])
    return np.asarray(best.path, np.float64)[int(np.nanargmin(best.values))].ravel()


def _over(
    runners: Sequence[Runner], f: Any, x: Range | None, y: Range | None, values: Values | None
) -> Ground | None:
    """The ground under the paths."""
    if f is None:
        return None
    return ground(plane(f, values), x or _span(runners, 0), y or _span(runners, 1))


def _span(runners: Sequence[Runner], axis: int) -> Range:
    """What the paths span along an axis, those that ran away left out."""
    paths = [r.path[np.isfinite(r.path).all(axis=1), axis] for r in runners if r.path is not None]
    reach = {i: float(np.ptp(path)) for i, path in enumerate(paths) if path.size}
    least = min((each for each in reach.values() if each > 0), default=1.0)
    points = np.concatenate(
        [paths[i] for i, wide in reach.items() if wide <= FAR * least] or [np.zeros(1)]
    )
    room = float(np.ptp(points)) * MARGIN or 1.0
    return float(points.min()) - room, float(points.max()) + room


def _sides(ax: Axes | Sequence[Axes] | None, flat: bool) -> list[Axes]:
    if ax is None:
        made = chart(WIDE if flat else WIDE * 0.7, HIGH).subplots(
            1, 2 if flat else 1, squeeze=False
        )
        return list(made.ravel())
    return [ax] if isinstance(ax, Axes) else list(ax)


def _track(
    ax: Axes,
    runners: Sequence[Runner],
    over: Ground | None,
    best: Sequence[float] | Array | None,
    names: tuple[str, str],
) -> list[Any]:
    """The paths: a line for each, a ring where all begin, a dot where each is."""
    if over is not None:
        contours(ax, over)
    lines = [
        line
        for each in runners
        for line in ax.plot(*_columns(each), color=each.colour, linewidth=1.6, zorder=4)
    ]
    for each in runners:
        ax.plot(*_columns(each)[:, :1], "o", color=each.colour, fillstyle="none", zorder=5)
    dots = [
        dot
        for each in runners
        for dot in ax.plot(*_columns(each)[:, -1:], "o", color=each.colour, markersize=5, zorder=7)
    ]
    if best is not None:
        star(ax, float(best[0]), float(best[1]))
    dress(ax, *map(plain, names))
    return [*lines, *dots]


def _columns(runner: Runner) -> Array:
    assert runner.path is not None
    return runner.path.T


def _curve(ax: Axes, runners: Sequence[Runner], by: By, least: float) -> list[Any]:
    """How far down each was by step: both axes by ratios, the first from step 0 on."""
    lines = [
        line
        for each in runners
        for line in ax.plot(_positive(each.heights), color=each.colour, linewidth=1.6)
    ]
    if any((each.heights > 0).any() for each in runners):
        ax.set_yscale("log")
    longest = max(each.steps for each in runners)
    if longest > 100:
        ax.set_xscale("symlog", linthresh=1)
        ax.set_xlim(0, longest)
    label = "|∇f|" if by == "slope" else f"f − f*,  f* = {short(least)}"
    dress(ax, "step", label)
    ax.grid(color="#7c8798", alpha=0.2, linewidth=0.6)
    names = [f"{plain(each.name)}, {each.steps} steps" for each in runners]
    legend(ax, lines, names, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return lines


def _positive(heights: Array) -> Array:
    """The heights that a logarithm takes; gaps for the others."""
    return np.where(np.isfinite(heights) & (heights > 0), heights, np.nan)


def _frames(runners: Sequence[Runner], track: Sequence[Any], curve: Sequence[Any]) -> Iterator[Any]:
    """What puts each frame of a film on the page: all paths up to a step, later steps apart."""
    longest = max(each.steps for each in runners)
    spaced = np.unique(np.geomspace(1, longest + 1, FRAMES).round().astype(int)) - 1
    for step in spaced.tolist():
        yield lambda step=step: _put(runners, track, curve, step)


def _put(runners: Sequence[Runner], track: Sequence[Any], curve: Sequence[Any], step: int) -> None:
    """Draw what was reached at a step."""
    for i, each in enumerate(runners):
        upto = min(step, each.steps) + 1
        if track:
            track[i].set_data(*_columns(each)[:, :upto])
            track[len(runners) + i].set_data(*_columns(each)[:, upto - 1 : upto])
        if curve:
            curve[i].set_data(np.arange(upto), _positive(each.heights[:upto]))


def _words(results: Mapping[str, Any], runners: Sequence[Runner], by: By) -> str:
    what = "|∇f|" if by == "slope" else "f − f*"
    ends = (f"{plain(r.name)} {short(float(r.heights[-1]))} after {r.steps} steps" for r in runners)
    return f"race of {len(results)} minimisers, {what} at the end: {', '.join(ends)}"
