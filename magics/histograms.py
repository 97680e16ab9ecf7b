"""Histograms of values and of the gradients of a loss by them, one line for each value.

Gradients are in one scale for all lines, by powers of ten, so that where they vanish is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.show import NOT_COMPUTED, display_width, table, visible
from magics.histogram import Histogram
from magics.image import as_image
from magics.measured import Ends, Row
from magics.svg import BLUE, FONT, RED, WIDTH, bars, document, words
from magics.values import element

LINE, BAR, WIDE, GAP = 28, 20, 140, 18  # pixels: a line, a bar, a histogram, between columns
NUMBER, ONE = 48, 6  # of the number beside a histogram, of the bar where all elements are equal


@dataclass(frozen=True)
class Histograms:
    """The rows; with a loss, `ends` are those of all |gradient|; `note` says what is left out."""

    rows: tuple[Row, ...]
    loss: str | None = None
    ends: Ends | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """A table for a terminal."""
        loss = [self.scale] if self.loss is not None else []
        lines = [["", "", "", "value", "", *loss, ""], *map(self._line, self.rows)]
        return "\n".join([*table(lines), *([self.note] if self.note else [])])

    @property
    def scale(self) -> str:
        """What the gradients are, and their ends."""
        ends = [element(end, 2) for end in self.ends or ()]
        return f"|∂{visible(self.loss or '')}|" + (f" {' … '.join(ends)}" if ends else "")

    @property
    def svg(self) -> str:
        """The table as a picture."""
        return _drawn(self)

    def _line(self, row: Row) -> list[str]:
        low, high = _ends(row.values)
        loss = [_barred(row.slopes)] if self.loss is not None else []
        shape = f"[{', '.join(map(str, row.shape))}]"
        return [visible(row.name), shape, low, _barred(row.values), high, *loss, row.remarks]

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": as_image(self.svg, self.text)}


def _barred(found: Histogram | None) -> str:
    return f"|{found.bars}|" if found else NOT_COMPUTED


def _ends(found: Histogram | None) -> tuple[str, str]:
    return (element(found.low, 3), element(found.high, 3)) if found else ("", "")


def _drawn(shown: Histograms) -> str:
    named = max((_length(visible(row.name)) * 1.1 for row in shown.rows), default=0) + GAP
    sized = max((_length(_shape(row)) for row in shown.rows), default=0) + GAP
    first = named + sized + NUMBER
    second = first + WIDE + NUMBER + GAP
    last = second + (WIDE + GAP if shown.loss is not None else 0)
    parts = [words(first + WIDE / 2, 12, "value", anchor="middle")]
    if shown.loss is not None:
        parts.append(words(second + WIDE / 2, 12, shown.scale, anchor="middle"))
    for i, row in enumerate(shown.rows):
        y = LINE * (i + 1) + 14
        parts += [words(0, y, visible(row.name), bold=True), words(named, y, _shape(row))]
        parts += _values(row, first, y)
        parts += _bars(row.slopes, second, y, RED) if shown.loss is not None else ()
        parts.append(words(last, y, row.remarks, fill=RED))
    height = LINE * (len(shown.rows) + 1) + (20 if shown.note else 0)
    parts += [words(0, height - 4, shown.note)] if shown.note else []
    remarks = max((_length(row.remarks) for row in shown.rows), default=0)
    return document(last + remarks + 4, height, parts)


def _shape(row: Row) -> str:
    return f"[{', '.join(map(str, row.shape))}]"


def _values(row: Row, x: float, y: float) -> Iterator[str]:
    low, high = _ends(row.values)
    yield words(x - 6, y, low, anchor="end")
    yield from _bars(row.values, x, y, BLUE)
    yield words(x + WIDE + 6, y, high)


def _bars(found: Histogram | None, x: float, y: float, fill: str) -> Iterator[str]:
    if found is None:
        yield words(x + WIDE / 2, y, NOT_COMPUTED, anchor="middle")
    elif found.low == found.high:
        yield bars(x + (WIDE - ONE) / 2, y, ONE, BAR, found.counts, fill)
    else:
        yield bars(x, y, WIDE, BAR, found.counts, fill)


def _length(text: str) -> float:
    """About how many pixels a text takes."""
    return display_width(text) * WIDTH * FONT
