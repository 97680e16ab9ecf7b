"""Tables of texts, the first row their head: aligned for a terminal, or as HTML."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence

from engine.show.names import display_width, pad

Cells = Sequence[str]
CELL = "text-align:left;padding:2px 8px;white-space:pre;font-family:monospace;vertical-align:top"
MARKED = "color:#c62828"


def without_empty(rows: Sequence[Cells]) -> list[Cells]:
    """The rows without the columns that are empty below their head."""
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    return [*zip(*columns, strict=True)]


def aligned(rows: Sequence[Cells]) -> list[str]:
    """A line for each row.

    >>> aligned([("by", "verdict"), ("x [2]", "right"), ("A [2, 2]", "wrong")])
    ['by        verdict', 'x [2]     right', 'A [2, 2]  wrong']
    """
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(pad, row, widths)).rstrip() for row in rows]


def as_html(rows: Sequence[Cells], marked: Collection[int] = ()) -> str:
    """The rows as a table; those with these numbers below the head are marked."""
    lines = [_line("th", row, CELL) for row in rows[:1]]
    for i, row in enumerate(rows[1:]):
        lines.append(_line("td", row, f"{CELL};{MARKED}" if i in marked else CELL))
    return f"<table>{''.join(lines)}</table>"


def _line(tag: str, row: Cells, style: str) -> str:
    cells = (f'<{tag} style="{style}">{html.escape(cell)}</{tag}>' for cell in row)
    return f"<tr>{''.join(cells)}</tr>"
