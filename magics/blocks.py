"""Matrices for a terminal: each number as a block, the taller the higher it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from engine.show import display_width, pad
from magics.histogram import BARS
from magics.panels import Labels, Panel, spaced
from magics.raster import LEVELS, Scale, cells, scale_of
from magics.values import element

MOST = 36  # rows and columns
WIDEST, LINES = 76, 100  # letters across, lines of all panels
SHORTENED = 3  # letters at least of a label that is cut, with the sign for that
NAN = "×"


def written(title: str, panels: Sequence[Panel], labels: Labels, notes: Sequence[str]) -> str:
    """As many of the panels as fit under the title, their scale, and the notes."""
    small = [cells(panel.matrix, MOST) for panel in panels]
    fitting = max(LINES // (small[0].shape[0] + 2), 1)
    scale = scale_of(*small)
    lines = [title]
    for panel, numbers in list(zip(panels, small, strict=True))[:fitting]:
        lines += [*([panel.title] if panel.title else []), *_matrix(numbers, labels, scale)]
    more = [f"… and {len(panels) - fitting} more"] if len(panels) > fitting else []
    return "\n".join([*lines, *more, _key(scale, small), *notes])


def _matrix(numbers: Tensor, labels: Labels, scale: Scale) -> Iterator[str]:
    rows, columns = numbers.shape
    beside = spaced(labels.rows, range(rows), rows)
    room = max(map(display_width, beside), default=0)
    above = spaced(labels.columns, range(columns), columns)
    longest = max(map(display_width, above), default=0)
    wide = max(min(longest + 1, (WIDEST - room) // columns), 2)
    if above and (wide > SHORTENED or longest < wide):
        head = "".join(pad(_cut(text, wide - 1), wide) for text in above)
        yield (" " * (room + bool(room)) + head).rstrip()
    for text, entries in zip(beside or [""] * rows, scale.entries(numbers).tolist(), strict=True):
        head = f"{pad(text, room)} " if room else ""
        yield head + "".join(_block(entry, wide) for entry in entries).rstrip()


def _cut(text: str, width: int) -> str:
    while display_width(text) > width:
        text = f"{text.rstrip('…')[:-1]}…"
    return text


def _block(entry: int, wide: int = 1) -> str:
    """A block, with a blank behind it where labels make it wider than two letters."""
    sign = NAN if entry == LEVELS else BARS[entry * len(BARS) // LEVELS]
    return f"{sign * (wide - 1)} " if wide > 2 else sign * wide


def _key(scale: Scale, small: Sequence[Tensor]) -> str:
    """The blocks of the lowest and the highest number, and that of NaN."""
    ends = torch.tensor([scale.low, scale.high], dtype=torch.float64)
    low, high = map(_block, scale.entries(ends).tolist())
    nan = f"   {NAN} NaN" if any(bool(each.isnan().any()) for each in small) else ""
    return f"{low} {element(scale.low, 3)} … {high} {element(scale.high, 3)}{nan}"
