"""A tensor as a card: in one line how its elements lie, a corner of them, and a small heatmap.

`tensor[64, 64] float32 x∈[-3.3 |▁▂▅█▅▂▁| 3.8] μ=0.016 σ=0.998 NaN! (1 of 4096)`
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.show import spread, summary, visible
from magics.histogram import histogram
from magics.image import as_image
from magics.raster import cells, data_uri, scale_of
from magics.svg import document, pixels
from magics.values import element, in_words

CORNER = 6
BINS = 7
DIGITS = 3
SIDE, THIN = 128, 12  # pixels: the longer side of the heatmap at most, its height at least
PLAIN = "margin:0;font-family:monospace;line-height:1.3"  # pages have other letters for HTML
COMPUTED = (
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
)
STORED = (torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2)


@dataclass(frozen=True)
class Card:
    """A tensor as it was: a line about it, its first rows and columns, its heatmap as SVG."""

    line: str
    corner: str = ""
    svg: str | None = None

    @property
    def text(self) -> str:
        """The line and the corner below it."""
        return f"{self.line}\n{self.corner}" if self.corner else self.line

    @property
    def html(self) -> str:
        """The text with the heatmap beside it."""
        text = f'<pre style="{PLAIN}">{html.escape(self.text)}</pre>'
        shown = as_image(self.svg, "heatmap")
        if not shown:
            return text
        beside = "display:flex;gap:16px;align-items:flex-end"
        return f'<div style="{beside}">{text}{shown}</div>'

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}


def card(tensor: Tensor, name: str = "") -> Card:
    """The card of a tensor of any shape, in front of it the name; of a number the number itself.

    >>> card(torch.tensor([[1.0, 2.0], [4.0, 5.0]]), "W")
    W = tensor[2, 2] float32 x∈[1 |██   ██| 5] μ=3 σ=1.58
    1  2
    4  5
    """
    called = f"{visible(name)} = " if name else ""
    kind = f"tensor{list(tensor.shape)} {_what(tensor)}"
    value = _readable(tensor.detach())
    if value is None:
        return Card(f"{called}{kind}")
    if value.ndim == 0:
        return Card(f"{called}{in_words(value)}")
    if value.numel() == 0:
        return Card(f"{called}{kind} empty")
    matrix = front(value)
    return Card(f"{called}{kind} {_lie(value)}", _corner(value, matrix), _heatmap(matrix))


def front(value: Tensor) -> Tensor:
    """A tensor of at least one axis as a matrix: the first along every axis before the last two."""
    return value[(0,) * max(value.ndim - 2, 0)] if value.ndim > 1 else value[None]


def _what(tensor: Tensor) -> str:
    """Kind of the elements, with layout and device unless these are the usual ones."""
    kind = [tensor.dtype, *([tensor.layout] if tensor.layout is not torch.strided else [])]
    device = [] if tensor.device.type == "cpu" else [tensor.device]
    return " ".join(str(each).removeprefix("torch.") for each in [*kind, *device])


def _readable(tensor: Tensor) -> Tensor | None:
    """The tensor in a kind that can be counted, None of elements that have no order or no place."""
    if tensor.layout is not torch.strided or tensor.is_meta:
        return None
    if tensor.dtype in COMPUTED:
        return tensor
    return tensor.double() if tensor.dtype in STORED else None


def _lie(value: Tensor) -> str:
    """How the elements lie; NaN and inf are counted."""
    if value.dtype is torch.bool:
        return summary(value)
    found = spread(value)
    if found.ends is None:
        return found.trouble
    low, high = (element(end, DIGITS) for end in found.ends)
    shape = histogram(value, BINS)
    lie = [f"x∈[{low} |{shape.bars if shape else ''}| {high}]"]
    if found.ends[0] == found.ends[1]:
        lie = [f"x={low}"]
    elif found.moments:
        lie += [f"{sign}={element(x, DIGITS)}" for sign, x in zip("μσ", found.moments, strict=True)]
    return " ".join([*lie, *filter(None, [found.trouble])])


def _corner(value: Tensor, matrix: Tensor) -> str:
    """The first rows and columns, aligned."""
    rows, columns = matrix.shape
    shown = matrix[:CORNER, :CORNER].tolist()
    texts = [[element(x) for x in row] for row in shown]
    width = max(len(text) for row in texts for text in row)
    more = "  …" if columns > CORNER else ""
    lines = ["  ".join(text.rjust(width) for text in row) + more for row in texts]
    if rows > CORNER:
        lines.append("  ".join("⋮".rjust(width) for _ in texts[0]) + more)
    if value.ndim > 2:
        lines.insert(0, f"[{', '.join(['0'] * (value.ndim - 2))}]:")
    return "\n".join(lines)


def _heatmap(matrix: Tensor) -> str:
    """The matrix in small, without words."""
    shown = cells(matrix)
    rows, columns = shown.shape
    side = min(max(SIDE // max(rows, columns), 2), 16)
    width, height = columns * side, max(rows * side, THIN)
    drawn = pixels(1, 1, width, height, data_uri(shown, scale_of(shown)))
    return document(width + 2, height + 2, [drawn])
