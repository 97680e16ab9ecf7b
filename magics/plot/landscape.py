"""The loss around trained weights: L(θ + a d₁ + b d₂) in two filter-normalised random directions.

Li et al. (2018): since filters of d are as long as those of θ, at a = 1 a direction is as large as
the model, whatever the scale of its weights. One graph is compiled, in which a and b are leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from engine import Node, var
from engine.graph import substitute
from magics.errors import GraphError
from magics.plot.directions import direction, filter_axes
from magics.plot.ground import Ground, Range, contours, ground, short
from magics.plot.page import GREEN, RED, dress, page, plain, tell
from magics.plot.plane import Array, Plane, Told, doubled
from magics.plot.surface import solid as solid_of

RANGE: Range = (-1.0, 1.0)
POINTS = 31  # along an axis


def landscape(
    loss: Node,
    params: Mapping[str, Node],
    values: Mapping[str, Any],
    feeds: Mapping[Node, Any] | None = None,
    x: Range = RANGE,
    y: Range = RANGE,
    *,
    title: str = "",
    seed: int = 0,
    points: int = POINTS,
    path: Sequence[Mapping[str, Any]] = (),
    solid: bool = False,
    told: Told | None = None,
    ax: Axes | None = None,
) -> Figure:
    """The loss at points × points places around the values of the parameters, both by path.

    feeds    values of the other leaves
    x, y     ranges of a and b: at 1 the way is as long as the weights
    seed     of the two directions
    path     values of the weights on the way, drawn where the plane is nearest to them
    solid    in three dimensions
    told     called after each point, with how many are done

    Raises GraphError where no parameter is a weight, and for a range that is none.
    """
    around = surroundings(loss, params, values, feeds or {}, title, seed, told)
    over = ground(around.plane, x, y, points)
    track = around.nearest(path) if path else None
    figure = _solid(around, over, ax, track) if solid else _flat(over, ax, track)
    here = float(around.plane.at(0.0, 0.0))
    said = f"landscape of {plain(around.plane.title)} around its weights, {over.words}"
    return tell(figure, f"{said}: {short(here)} at the weights, {short(over.low)} at the lowest")


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The loss as a number of a and b, the weights and the two directions by path."""

    plane: Plane
    weights: Mapping[str, Tensor]
    directions: tuple[Mapping[str, Tensor], Mapping[str, Tensor]]

    def nearest(self, path: Sequence[Mapping[str, Any]]) -> Array:
        """The points (a, b) [steps, 2] of the plane that are nearest to some weights."""
        basis = np.stack([_flat_row(each, self.weights) for each in self.directions], axis=1)
        origin = _flat_row(self.weights, self.weights)
        away = [_flat_row(each, self.weights) - origin for each in path]
        found = [np.linalg.lstsq(basis, each, rcond=None)[0] for each in away]
        return np.stack(found).astype(np.float64)


def surroundings(
    loss: Node,
    params: Mapping[str, Node],
    values: Mapping[str, Any],
    feeds: Mapping[Node, Any],
    title: str = "",
    seed: int = 0,
    told: Told | None = None,
) -> Surroundings:
    """The plane through the values of the parameters. Raises GraphError without weights."""
    axes = filter_axes(loss, params)
    if not axes:
        raise GraphError(
            "there is no weight to vary, only biases and scales",
            help="a landscape is of a loss that depends on a `param` in a product, as `X W`",
        )
    weights = {path: doubled(values[path]) for path in axes}
    first, second = (direction(weights, axes, 2 * seed + i) for i in range(2))
    a, b = var("a of the landscape", []), var("b of the landscape", [])
    along = {path: [var(f"d{i} of {path}", params[path].shape) for i in (1, 2)] for path in axes}
    moved = {params[path]: params[path] + a * d1 + b * d2 for path, (d1, d2) in along.items()}
    [node] = substitute([loss], moved)
    fed = {leaf: doubled(value) for leaf, value in feeds.items()}
    fed |= {leaf: doubled(values[path]) for path, leaf in params.items()}
    fed |= {d1: first[path] for path, (d1, _) in along.items()}
    fed |= {d2: second[path] for path, (_, d2) in along.items()}
    plane = Plane(title or loss.label(), ("a", "b"), node, (a, b), fed, told)
    return Surroundings(plane, weights, (first, second))


def _flat_row(values: Mapping[str, Any], like: Mapping[str, Tensor]) -> Array:
    """All weights in one row."""
    return np.concatenate([doubled(values[path]).double().numpy().ravel() for path in like])


def _flat(over: Ground, ax: Axes | None, track: Array | None) -> Figure:
    figure, ax = page(ax)
    contours(ax, over, numbers=True)
    ax.plot([0], [0], "o", color=RED, markersize=7, zorder=6)
    if track is not None:
        ax.plot(*track.T, "-o", color=GREEN, linewidth=1.2, markersize=2.5, zorder=5)
    title = f"{plain(over.plane.title)} at θ + a d₁ + b d₂"
    dress(ax, "a, along d₁", "b, along d₂", title=title)
    return figure


def _solid(around: Surroundings, over: Ground, ax: Axes | None, track: Array | None) -> Figure:
    heights = None if track is None else around.plane.at(*track.T)
    return solid_of(over, ax, track, heights)
