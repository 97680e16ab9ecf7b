"""A matrix as coloured cells: at most 64 × 64, each the mean of a block, drawn as a small PNG.

Blue is above zero, red below, the more the darker; NaN is yellow, which no number is.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

MOST = 64  # cells along an axis
LEVELS = 255  # colours of numbers; the last entry of the palette is NaN's
NAN = "#facc15"
BELOW = ("#6b0f1f", "#d6435a", "#f9b4bd", "#f8fafc")
ABOVE = ("#f8fafc", "#a5cbfd", "#3b82f6", "#132c6b")


@dataclass(frozen=True)
class Scale:
    """From numbers to colours: through white at zero if there are both signs."""

    low: float
    high: float

    @property
    def palette(self) -> tuple[str, ...]:
        """The colours from the lowest number to the highest, then that of NaN."""
        if self.low < 0 < self.high:
            return (*_blended((*BELOW, *ABOVE[1:])), NAN)
        return (*_blended(BELOW if self.low < 0 else ABOVE), NAN)

    def entries(self, cells: Tensor) -> Tensor:
        """Where in the palette each number stands; infinities stand at the ends.

        >>> Scale(-1, 2).entries(torch.tensor([-2.0, 0.0, 1.0, 2.0, float("nan")])).tolist()
        [0, 127, 190, 254, 255]
        """
        low, high = self.low, self.high
        if low < 0 < high:
            low, high = min(low, -high), max(high, -low)
        most = max(abs(low), abs(high)) or 1.0
        width = (high / most - low / most) or 1.0
        level = ((cells.double() / most - low / most) / width).clamp(0, 1)
        return (level.nan_to_num(0) * (LEVELS - 1)).round().where(~level.isnan(), LEVELS).byte()


def scale_of(*matrices: Tensor) -> Scale:
    """The scale that all numbers of some matrices fit in; equal ones begin or end it at zero."""
    numbers = torch.cat([matrix.flatten().double() for matrix in matrices])
    finite = numbers[torch.isfinite(numbers)]
    if not finite.numel():
        return Scale(0, 0)
    low, high = finite.min().item(), finite.max().item()
    return Scale(low, high) if low < high else Scale(min(low, 0), max(high, 0))


def cells(matrix: Tensor, most: int = MOST) -> Tensor:
    """The matrix [r, c] in at most `most` rows and columns, each number the mean of a block.

    >>> cells(torch.tensor([[1.0, 3.0, 5.0, 7.0]]), most=2)
    tensor([[2., 6.]])
    """
    exact = matrix.dtype in (torch.float32, torch.float64)
    numbers = matrix if exact else matrix.to(torch.float32)
    return _fewer(_fewer(numbers, 0, most), 1, most)


def _fewer(numbers: Tensor, axis: int, most: int) -> Tensor:
    """The means of neighbours along an axis, as equal in number as they can be."""
    n = numbers.shape[axis]
    if n <= most:
        return numbers
    part = torch.arange(n, device=numbers.device) * most // n
    count = part.bincount(minlength=most).to(numbers.dtype)
    shape = [most if i == axis else size for i, size in enumerate(numbers.shape)]
    share = numbers / (count[part][:, None] if axis == 0 else count[part])
    return numbers.new_zeros(shape).index_add_(axis, part, share)


def data_uri(matrix: Tensor, scale: Scale) -> str:
    """The numbers [r, c] as an image of one pixel for each."""
    data = b64encode(png(scale.entries(matrix), scale.palette)).decode()
    return f"data:image/png;base64,{data}"


def png(entries: Tensor, palette: tuple[str, ...]) -> bytes:
    """An image of entries [r, c] of a palette of at most 256 colours (PNG, 3rd edition, 2025)."""
    height, width = entries.shape
    rows = entries.cpu().numpy()
    lines = b"".join(b"\0" + row.tobytes() for row in rows)  # each is stored as it is, filter 0
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),
        b"PLTE": bytes.fromhex("".join(colour[1:] for colour in palette)),
        b"IDAT": zlib.compress(lines, 9),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks.items())


def _chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def _blended(stops: tuple[str, ...]) -> Iterator[str]:
    """As many colours as there are levels, evenly between the stops."""
    pairs = [(_rgb(a), _rgb(b)) for a, b in pairwise(stops)]
    for i in range(LEVELS):
        at = i / (LEVELS - 1) * len(pairs)
        j = min(int(at), len(pairs) - 1)
        a, b = pairs[j]
        mixed = (round(x + (y - x) * (at - j)) for x, y in zip(a, b, strict=True))
        yield f"#{bytes(mixed).hex()}"


def _rgb(colour: str) -> bytes:
    return bytes.fromhex(colour[1:])
