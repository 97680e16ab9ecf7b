"""Training curves: the loss of each step, faint, and smoothed over it; several side by side.

Smoothed is the mean of the steps before, the nearer the heavier: sₜ = β sₜ₋₁ + (1 − β) yₜ, divided
by 1 − βᵗ, as Adam does (Kingma, Ba, 2015), so that it begins where the losses begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from magics.errors import GraphError
from magics.plot.ground import short
from magics.plot.page import COLOURS, GREY, dress, legend, page, plain, tell
from magics.plot.plane import Array

STEEP = 50.0  # the highest loss over the lowest, from which the axis is by ratios
SPAN = 100  # steps from which a curve is smoothed if nothing else is said


def curves(
    trainings: Any,
    *,
    smooth: float | None = None,
    log: bool | None = None,
    label: str = "loss",
    ax: Axes | None = None,
) -> Figure:
    """The losses of trainings by step.

    trainings   one, or several by name: losses, Records of `fit`, (step, loss) pairs, a Training,
                a result of `dsl.minimise`
    smooth      β from 0, not at all, to below 1; by default over a fiftieth of the steps
    log         whether the axis is by ratios; by default where losses fall fifty-fold

    Raises GraphError where there is no loss.
    """
    named = trainings if isinstance(trainings, Mapping) else {label: trainings}
    runs = {str(name): losses(each) for name, each in named.items()}
    finite = [y[np.isfinite(y)] for _, y in runs.values()]
    if not any(y.size for y in finite):
        raise GraphError("there are no losses to draw", help="train first: `%graph train loss`")
    if smooth is not None and not 0 <= smooth < 1:
        raise GraphError(f"smoothing is from 0 to below 1, not {smooth}", help="`--smooth 0.9`")
    figure, ax = page(ax)
    lines = [
        _line(ax, *run, COLOURS[i % len(COLOURS)], smooth) for i, run in enumerate(runs.values())
    ]
    everything = np.concatenate(finite)
    steep = everything.min() > 0 and everything.max() > STEEP * everything.min()
    if log or (log is None and steep):
        ax.set_yscale("log")
    dress(ax, "step", plain(label))
    ax.grid(color=GREY, alpha=0.2, linewidth=0.6)
    if len(lines) > 1:
        legend(ax, lines, list(runs), loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return tell(figure, _words(runs))


def losses(training: Any) -> tuple[Array, Array]:
    """Steps and losses of whatever has them."""
    found = getattr(training, "losses", getattr(training, "values", training))
    rows = [(getattr(x, "step", i + 1), getattr(x, "loss", x)) for i, x in enumerate(found)]
    rows = [y if isinstance(y, tuple) else (x, y) for x, y in rows]
    both = np.array([(float(x), float(y)) for x, y in rows], dtype=np.float64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def smoothed(y: Array, beta: float) -> Array:
    """The running means; what is not finite does not count.

    >>> smoothed(np.array([1.0, 0.0, 0.0]), 0.5).round(3).tolist()
    [1.0, 0.333, 0.143]
    """
    mean, weight, out = 0.0, 0.0, np.full(len(y), np.nan)
    for i, value in enumerate(y.tolist()):
        if np.isfinite(value):
            mean, weight = beta * mean + (1 - beta) * value, beta * weight + (1 - beta)
            out[i] = mean / weight
    return out


def _line(ax: Axes, x: Array, y: Array, colour: str, smooth: float | None) -> Any:
    """The losses, and over them their means if there are many."""
    shown = np.where(np.isfinite(y), y, np.nan)
    beta = 1 - 1 / max(1.0, len(y) / 50 if len(y) > SPAN else 1.0) if smooth is None else smooth
    if beta:
        ax.plot(x, shown, color=colour, alpha=0.3, linewidth=0.8)
        shown = smoothed(y, beta)
    [line] = ax.plot(x, shown, color=colour, linewidth=1.7)
    ax.plot(x[-1:], shown[-1:], "o", color=colour, markersize=4)
    return line


def _words(runs: Mapping[str, tuple[Array, Array]]) -> str:
    each = (
        f"{plain(name)} {short(y[0])} → {short(y[-1])} in {len(y)} steps"
        for name, (_, y) in runs.items()
        if len(y)
    )
    return f"training curves: {', '.join(each)}"
