"""Matrices as heatmaps side by side, in one scale, with labels on rows and columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
from torch import Tensor

from engine.show import display_width, visible
from magics.blocks import written
from magics.image import as_image
from magics.panels import Labels, Panel, label, spaced
from magics.raster import NAN, Scale, cells, data_uri, scale_of
from magics.svg import FONT, WIDTH, document, pixels, rectangle, words
from magics.values import element

SIDES = {1: 420, 2: 300, 4: 210, 16: 150}  # for up to so many panels, pixels of the longer side
ACROSS = 4  # panels in a row
SMALLEST, LARGEST, THIN = 2, 24, 16  # pixels of a cell, and of the height of a panel at least
LABELLED = 9  # pixels of a cell at least that has a label of its own, as up to 32 have
GAP = 18
KEY = 160  # pixels of the scale


@dataclass(frozen=True)
class Heatmap:
    """Heatmaps as the numbers were: a picture, and for a terminal in blocks."""

    title: str
    text: str
    svg: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": as_image(self.svg, self.title)}


def heatmap(
    title: str, panels: Sequence[Panel], labels: Labels | None = None, note: str = ""
) -> Heatmap:
    """The panels, matrices of one shape with at least one element, in one scale; a note below.

    >>> heatmap("A", [Panel("", torch.tensor([[0.0, 1.0], [1.0, 0.5]]))], Labels(("x", "y")))
    A
    x ▁▁██
    y ██▄▄
    ▁ 0 … █ 1
    """
    title, labels = visible(title, 100), labels or Labels()
    labels = Labels(tuple(map(label, labels.rows)), tuple(map(label, labels.columns)))
    small = [Panel(panel.title, cells(panel.matrix)) for panel in panels]
    scale = scale_of(*(panel.matrix for panel in small))
    notes = [
        each for each in (_means(panels[0].matrix, small[0].matrix), visible(note, 100)) if each
    ]
    text = written(title, panels, labels, notes)
    return Heatmap(title, text, _drawn(title, small, labels, scale, notes))


def _means(whole: Tensor, shown: Tensor) -> str:
    """What a cell is, if it is not an element."""
    if shown.shape == whole.shape:
        return ""
    size = (element(n / m, 3) for n, m in zip(whole.shape, shown.shape, strict=True))
    return f"each cell is the mean of {' × '.join(size)} elements"


@dataclass(frozen=True)
class _Grid:
    """Where panels stand: how many in a row, the pixels of each and of what is around them."""

    across: int
    width: float
    height: float
    left: float
    top: float
    below: float

    def place(self, i: int) -> tuple[float, float]:
        """The upper left corner of a panel."""
        row, column = divmod(i, self.across)
        return (
            self.left + column * (self.width + GAP),
            self.top + row * (self.height + self.below + GAP),
        )


def _drawn(
    title: str, panels: Sequence[Panel], labels: Labels, scale: Scale, notes: Sequence[str]
) -> str:
    shape, cell = panels[0].matrix.shape, _cell(panels, labels)
    rows, columns = _Axis(labels.rows, 0, shape, cell), _Axis(labels.columns, 1, shape, cell)
    across = min(len(panels), ACROSS)
    below = 16 if any(panel.title for panel in panels) else 0
    grid = _Grid(across, columns.length, rows.length, rows.room, 24 + columns.room, below)
    parts = [words(0, 14, title, size=12, bold=True)]
    for i, panel in enumerate(panels):
        x, y = grid.place(i)
        parts.append(pixels(x, y, grid.width, grid.height, data_uri(panel.matrix, scale)))
        under = x + grid.width / 2, y + grid.height + 13
        parts += [words(*under, panel.title, anchor="middle")] if panel.title else []
        parts += rows.beside(x, y) if not i % across else ()
        parts += columns.above(x, y) if i < across else ()
    end = grid.place(len(panels) - 1)[1] + grid.height + below + GAP
    has_nan = any(bool(panel.matrix.isnan().any()) for panel in panels)
    parts += _key(scale, end, has_nan)
    parts += [words(0, end + 24 + 15 * i, note) for i, note in enumerate(notes)]
    width = max(grid.place(across - 1)[0] + grid.width, _length(title, 12) * 1.1, KEY + 160)
    width = max(width, *(_length(note) for note in notes), 0)
    return document(width + 2, end + 18 + 15 * len(notes), parts)


def _cell(panels: Sequence[Panel], labels: Labels) -> int:
    """The pixels of a cell."""
    longest = max(panels[0].matrix.shape)
    side = next(pixels for most, pixels in SIDES.items() if len(panels) <= most)
    least = LABELLED if (labels.rows or labels.columns) and longest <= 32 else SMALLEST
    return min(max(side // longest, least), LARGEST)


class _Axis:
    """The rows or the columns of all panels: how long they are drawn, and their labels."""

    def __init__(self, texts: tuple[str, ...], axis: int, shape: Sequence[int], cell: int) -> None:
        self.count = shape[axis]
        self.length = max(self.count * cell, THIN)
        self.size = min(max(cell, 8), FONT)
        every = ceil(self.size / cell)  # so that labels do not lie on each other
        shown = range(0, self.count, every)
        self.labels = dict(zip(shown, spaced(texts, shown, self.count), strict=False))
        widest = max((_length(text, self.size) for text in self.labels.values()), default=0)
        self.turned = axis == 1 and widest > cell * every
        self.room = (self.size if axis == 1 and not self.turned else widest) + 6 if texts else 1

    def beside(self, x: float, y: float) -> Iterator[str]:
        """The labels of rows, left of a panel."""
        for i, text in self.labels.items():
            yield words(x - 5, y + self._middle(i) + 4, text, anchor="end", size=self.size)

    def above(self, x: float, y: float) -> Iterator[str]:
        """The labels of columns, upwards where they are longer than a column is wide."""
        for i, text in self.labels.items():
            at = x + self._middle(i)
            if self.turned:
                yield words(at + 4, y - 5, text, size=self.size, turned=True)
            else:
                yield words(at, y - 5, text, anchor="middle", size=self.size)

    def _middle(self, i: int) -> float:
        return (i + 0.5) * self.length / self.count


def _key(scale: Scale, y: float, has_nan: bool) -> Iterator[str]:
    """The colours from the lowest number to the highest, and that of NaN."""
    low, high = element(scale.low, 3), element(scale.high, 3)
    start = _length(low) + 6
    ramp = torch.linspace(scale.low, scale.high, 128, dtype=torch.float64)[None]
    yield words(0, y + 9, low)
    yield pixels(start, y, KEY, 10, data_uri(ramp, scale))
    yield words(start + KEY + 6, y + 9, high)
    if has_nan:
        after = start + KEY + 6 + _length(high) + 16
        yield rectangle(after, y, 10, 10, NAN)
        yield words(after + 14, y + 9, "NaN")


def _length(text: str, size: float = FONT) -> float:
    """About how many pixels a text takes."""
    return display_width(text) * WIDTH * size
