"""Pieces of SVG as text: colours are attributes, words are escaped; no style sheet, no script."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from engine.show import visible

GREY = "#7c8798"  # words and lines that can be read on white and on black
BLUE, RED = "#3b82f6", "#e0566b"
FONT = 11
WIDTH = 0.6  # of a letter, as a part of the size of its font


def document(width: float, height: float, parts: Iterable[str]) -> str:
    """A picture of this size in pixels."""
    size = f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'


def words(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: float = FONT,
    turned: bool = False,
    bold: bool = False,
    fill: str = GREY,
) -> str:
    r"""A line of text whose baseline begins, ends or has its middle at a point.

    >>> words(1, 2, "a < b\x1b").partition(">")[2]
    'a &lt; b�</text>'
    """
    turn = f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turned else ""
    heavy = ' font-weight="bold"' if bold else ""
    font = f'font-family="Arial, sans-serif" font-size="{_n(size)}"{heavy}'
    place = f'x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"'
    look = f'{place} {font} fill="{fill}" xml:space="preserve"{turn}'
    return f"<text {look}>{escape(visible(text, None))}</text>"


def pixels(x: float, y: float, width: float, height: float, uri: str) -> str:
    """An image whose pixels become rectangles with sharp edges, in a thin frame."""
    box = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
    return (
        f'<image {box} preserveAspectRatio="none" image-rendering="pixelated" href="{uri}"/>'
        f'<rect {box} fill="none" stroke="{GREY}" stroke-width="0.5"/>'
    )


def rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    """A rectangle of one colour."""
    box = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
    return f'<rect {box} fill="{fill}"/>'


def bars(
    x: float, y: float, width: float, height: float, counts: tuple[int, ...], fill: str
) -> str:
    """Bars on a baseline at y, the highest as high as said, what is not empty at least a pixel."""
    step, most = width / max(len(counts), 1), max(counts, default=0) or 1
    tops = ((i, max(n / most * height, 1)) for i, n in enumerate(counts) if n)
    path = "".join(f"M{_n(x + i * step)} {_n(y)}v-{_n(t)}h{_n(step)}v{_n(t)}z" for i, t in tops)
    return (
        f'<path d="{path}" fill="{fill}"/>'
        f'<path d="M{_n(x)} {_n(y)}h{_n(width)}" stroke="{GREY}" stroke-width="0.5"/>'
    )


def _n(x: float) -> str:
    return f"{x:.1f}".removesuffix(".0")
