"""The figures of a run: the loss curve, the time per token and the exponent that fits it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

Point = tuple[float, float]


def exponent(points: Sequence[Point]) -> float:
    """The p of the least-squares line log y = p log x + c.

    >>> round(exponent([(1, 2), (2, 8), (4, 32)]), 6)
    2.0
    """
    xs, ys = zip(*((math.log(x), math.log(y)) for x, y in points), strict=True)
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / sum(
        (x - mx) ** 2 for x in xs
    )


def plot_losses(
    train: Sequence[Point], held_out: Sequence[Point], bigram: float, path: Path
) -> None:
    """The loss by step, train and held out, with the bigram model as a line to pass."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(*zip(*train, strict=True), color="#9db7d5", linewidth=0.8, label="training batch")
    axes.plot(
        *zip(*held_out, strict=True), color="#1f5a96", marker="o", markersize=3, label="held out"
    )
    axes.axhline(
        bigram, color="#b5542d", linestyle="--", linewidth=1, label=f"bigram model {bigram:.2f}"
    )
    axes.set(xlabel="step", ylabel="loss (nats per character)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
