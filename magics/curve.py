"""A loss curve as SVG: the loss by step, logarithmic where it falls through decades."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from engine.show import short_number
from magics.svg import GREY, document, words

Point = tuple[float, float]
WIDTH, HEIGHT = 460, 240
RIGHT, TOP, BOTTOM = 16, 14, 38
MOST_POINTS = 400
BLUE = "#3b82f6"
BARS = "▁▂▃▄▅▆▇█"


def curve(points: Sequence[Point], y_label: str = "loss", x_label: str = "step") -> str:
    """The curve through the finite ones of some points, with axes; empty without any."""
    finite = [(x, y) for x, y in points if math.isfinite(y)]
    if not finite:
        return document(WIDTH, HEIGHT, [words(WIDTH / 2, HEIGHT / 2, "no values", anchor="middle")])
    scale = _Scale(finite)
    return document(WIDTH, HEIGHT, [*_axes(scale, x_label, y_label), _line(scale, thinned(finite))])


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """The values in a row of blocks, the lowest low; what is no number is left out.

    >>> sparkline([4.0, 2.0, 1.0, 0.5])
    '█▄▂▁'
    """
    finite = [y for y in values if math.isfinite(y)]
    if not finite:
        return ""
    taken = (
        [finite[i * len(finite) // width] for i in range(width)] if len(finite) > width else finite
    )
    low, high = min(taken), max(taken)
    step = (high - low) or 1.0
    return "".join(BARS[min(int((y - low) / step * len(BARS)), len(BARS) - 1)] for y in taken)


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """All points, or of many the lowest and highest of each stretch, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    size = math.ceil(2 * len(points) / most)
    kept: list[Point] = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        kept += sorted({min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])})
    return kept


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from low to high, 1, 2 or 5 times a power of ten apart.

    >>> ticks(0.0, 1.0), ticks(3, 17)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [5.0, 10.0, 15.0])
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(power * k for k in (1, 2, 5, 10) if (high - low) / (power * k) <= most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


class _Scale:
    """From steps and losses to pixels."""

    def __init__(self, points: Sequence[Point]) -> None:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        self.is_log = min(ys) > 0 and max(ys) / min(ys) > 50
        self.left, self.right = min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1
        low, high = self._height(min(ys)), self._height(max(ys))
        room = (high - low) * 0.05 or max(abs(high), 1.0) * 0.05
        self.low, self.high = low - room, high + room
        self.start = 36 + 6.5 * max(len(short_number(y)) for y in self.y_ticks() or [0.0])

    def _height(self, y: float) -> float:
        return math.log10(y) if self.is_log else y

    def x(self, x: float) -> float:
        return self.start + (x - self.left) / (self.right - self.left) * (
            WIDTH - RIGHT - self.start
        )

    def y(self, y: float) -> float:
        part = (self._height(y) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    def y_ticks(self) -> list[float]:
        if self.is_log:
            whole = range(math.ceil(self.low), math.floor(self.high) + 1)
            return [10.0**k for k in list(whole)[:: max(1, len(whole) // 5)]]
        return ticks(self.low, self.high)


def _axes(scale: _Scale, x_label: str, y_label: str) -> Iterator[str]:
    left, bottom, right = round(scale.start), HEIGHT - BOTTOM, WIDTH - RIGHT
    for y in scale.y_ticks():
        at = scale.y(y)
        yield f'<path d="M{left} {at:.1f}H{right}" stroke="{GREY}" stroke-opacity="0.25"/>'
        yield words(left - 6, at + 4, short_number(y), anchor="end")
    for x in ticks(scale.left, scale.right):
        yield words(scale.x(x), bottom + 16, short_number(x), anchor="middle")
    yield f'<path d="M{left} {TOP}V{bottom}H{right}" stroke="{GREY}" fill="none"/>'
    yield words((left + right) / 2, HEIGHT - 6, x_label, anchor="middle")
    yield words(14, (TOP + bottom) / 2, y_label, anchor="middle", turned=True)


def _line(scale: _Scale, points: Sequence[Point]) -> str:
    """The curve; a dot where it ends."""
    path = " ".join(f"{scale.x(x):.1f},{scale.y(y):.1f}" for x, y in points)
    x, y = points[-1]
    return (
        f'<polyline points="{path}" fill="none" stroke="{BLUE}" stroke-width="1.5"/>'
        f'<circle cx="{scale.x(x):.1f}" cy="{scale.y(y):.1f}" r="3" fill="{BLUE}"/>'
    )
