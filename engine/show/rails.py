"""A graph as rails: one line a value, and from its dot a rail down to every line that reads it.

●    Q       input                 [T, d]
│ ●  K       input                 [T, d]
╰─●  scores  softmax(Q @ K^T)      [T, T]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from engine.graph import Node
from engine.show.lines import Line, written
from engine.show.names import Legend, display_width, distinct, own_name, pad, visible
from engine.show.text import TEXT

MOST_LINES = 120
MOST_RAILS = 16
NOT_COMPUTED = "—"


def rails(
    outputs: Sequence[Node],
    legend: Legend | None = None,
    values: Mapping[Node, str] | None = None,
    slopes: Mapping[Node, str] | None = None,
) -> str:
    """One line for each leaf, named node, shared value and output: rails, name, formula, shape.

    `values` and `slopes` (gradients of a loss) add a column of short texts each, `—` for none.

    >>> from engine import ops, var
    >>> x, w = var("x", ["n"]), var("w", ["n"])
    >>> y = ops.exp(w * x)
    >>> print(rails([ops.sum(x / y)], Legend({y: "y"}), values={x: "μ=0.5"}))
    ●    w  input       [n]     —
    │ ●  x  input       [n]     μ=0.5
    ●─┤  y  exp(w * x)  [n]     —
    ●─╯  a  sum(x / y)  scalar  —
    """
    known = legend or Legend()
    names = distinct(known)
    lines = _with_leaves(written(outputs, names, TEXT), outputs, names, known.roles)
    rows = [
        (rail, *_cells(line), *_columns(line.node, values, slopes))
        for rail, line in zip(_draw(lines), lines, strict=True)
    ]
    return "\n".join(table(rows))


def _with_leaves(
    lines: Sequence[Line],
    outputs: Sequence[Node],
    names: Mapping[Node, str],
    roles: Mapping[Node, str],
) -> list[Line]:
    """The lines, and one for each leaf before the first line that reads it."""
    rows: dict[Node, Line] = {}
    for line in [*lines, *(Line("", x, "", (x,)) for x in outputs if x.op.name == "variable")]:
        for leaf in (x for x in line.reads if x.op.name == "variable" and x not in rows):
            rows[leaf] = Line(own_name(leaf, names) or "", leaf, roles.get(leaf, "input"))
        rows.setdefault(line.node, line)
    return list(rows.values())


def _draw(lines: Sequence[Line]) -> Iterator[str]:
    """The rails of each line: a value takes the leftmost rail that ends in it, else a free one."""
    last = {node: i for i, line in enumerate(lines) for node in line.reads}
    columns: list[Node | None] = []
    for i, line in enumerate(lines):
        reading = {columns.index(node) for node in line.reads}
        ending = {columns.index(node) for node in line.reads if last[node] == i}
        place = min(ending, default=columns.index(None) if None in columns else len(columns))
        yield _rail(columns, reading, ending, place)
        columns = [None if c in ending else node for c, node in enumerate(columns)]
        columns[place : place + 1] = [line.node if line.node in last else None]
        while columns and columns[-1] is None:
            columns.pop()


def _rail(columns: Sequence[Node | None], reading: set[int], ending: set[int], place: int) -> str:
    left, right = min(reading | {place}), max(reading | {place})
    drawn = ""
    for c in range(max(len(columns), place + 1)):
        if c == place:
            drawn += "●"
        elif c in reading:
            shape = "╰┴╯" if c in ending else "├┼┤"
            drawn += shape[0 if c == left else 2 if c == right else 1]
        elif c < len(columns) and columns[c] is not None:
            drawn += "│"
        else:
            drawn += "─" if left < c < right else " "
        drawn += "─" if left <= c < right else " "
    return visible(drawn.rstrip(), 2 * MOST_RAILS)


def _cells(line: Line) -> tuple[str, str, str]:
    shape = "scalar" if line.node.shape == () else visible(line.node.describe())
    return line.name, visible(line.text, TEXT.width + 8), shape


def _columns(node: Node, *columns: Mapping[Node, str] | None) -> list[str]:
    return [column.get(node, NOT_COMPUTED) for column in columns if column is not None]


def _without_the_middle(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """All rows, or the first and the last of them and how many stand between."""
    if len(rows) <= MOST_LINES:
        return list(rows)
    half = MOST_LINES // 2
    return [*rows[:half], ("⋮", f"{len(rows) - 2 * half} more"), *rows[-half:]]


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows in columns of one width; of very many the first and the last."""
    rows = _without_the_middle(rows)
    widths = [max(map(display_width, column)) for column in zip_longest(*rows, fillvalue="")]
    for row in rows:
        cells = (pad(cell, width) for cell, width in zip(row, widths, strict=False))
        yield "  ".join(cells).rstrip()
