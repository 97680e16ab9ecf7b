"""What heatmaps show: matrices with titles, and labels of their rows and columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from engine.show import visible

LETTERS = 14  # of a label at most
BLANKS = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"})  # which as labels would not be seen


@dataclass(frozen=True, eq=False)
class Panel:
    """A matrix, and what stands beside it."""

    title: str
    matrix: Tensor


@dataclass(frozen=True)
class Labels:
    """What stands beside the rows and above the columns, one for each; () for nothing."""

    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def label(text: str) -> str:
    r"""A text as a label: visible and short.

    >>> label(" "), label("a\tb"), label("a" * 20)
    ('␣', 'a⇥b', 'aaaaaaaaaaaaa…')
    """
    return visible(text.translate(BLANKS), LETTERS)


def spaced(texts: tuple[str, ...], cells: Iterable[int], count: int) -> list[str]:
    """The labels of some of `count` cells, each that of the first element in its cell."""
    return [texts[i * len(texts) // count] for i in cells] if texts else []
