"""`%graph map`: heatmaps of the last two axes of a value, attention maps among them."""

from __future__ import annotations

import re
from itertools import islice, product
from math import prod
from typing import Any

from IPython.core.magic_arguments import argument, magic_arguments
from torch import Tensor

from engine import Evaluator
from magics.errors import GraphError
from magics.heatmap import Heatmap, heatmap
from magics.panels import Labels, Panel
from magics.verbs.desk import Desk

MOST = 16  # panels


@magic_arguments("graph map")
@argument("name", metavar="NAME", help="the value; inside a call by its path, `h.0.attention.Q`")
@argument("--rows", metavar="LABELS", help="a list of words or a text of your Python: row labels")
@argument("--cols", metavar="LABELS", help="the same for the columns")
@argument("--at", metavar="INDEX", help="which of the axes before the last two: `2`, or `:,0`")
def map(
    desk: Desk, name: str, rows: str | None = None, cols: str | None = None, at: str | None = None
) -> Heatmap:
    """Draw a value as heatmaps, one for each head: `%graph map A --rows words --cols words`."""
    node = desk.session.node(name)
    [value] = Evaluator([node]).run(desk.feeds(node))
    if not value.ndim or not value.numel():
        what = "a number" if not value.ndim else f"empty, {list(value.shape)}"
        raise GraphError(f"a map is of rows and columns, and `{name}` is {what}")
    matrices = value if value.ndim > 1 else value[None]
    picked = _picked(name, matrices, at)
    labels = Labels(
        _labels(desk, rows, matrices.shape[-2], f"rows of `{name}`"),
        _labels(desk, cols, matrices.shape[-1], f"columns of `{name}`"),
    )
    panels = [Panel(str(list(i)) if i else "", matrices[i]) for i in islice(product(*picked), MOST)]
    hidden = prod(len(each) for each in picked) - len(panels)
    note = f"{hidden} more: choose by --at" if hidden else ""
    return heatmap(f"{name}  {list(value.shape)}", panels, labels, note)


def _picked(name: str, value: Tensor, at: str | None) -> list[range]:
    """The indices shown of each axis before the last two. Raises GraphError."""
    sizes = value.shape[:-2]
    asked = at.split(",") if at else []
    if len(asked) > len(sizes):
        raise GraphError(f"`{name}` has {len(sizes)} axes before its rows and columns, not {at}")
    return [
        range(size) if i >= len(asked) or asked[i] == ":" else _one(name, asked[i], size)
        for i, size in enumerate(sizes)
    ]


def _one(name: str, index: str, size: int) -> range:
    """One index of an axis, counted from its end if it is negative. Raises GraphError."""
    if re.fullmatch(r"-?\d{1,9}", index) and -size <= int(index) < size:
        return range(size)[int(index) % size :][:1]
    raise GraphError(
        f"`{name}` has no index `{index}` in an axis of {size}",
        help=f"give a number from 0 to {size - 1}, or `:` for all",
    )


def _labels(desk: Desk, name: str | None, count: int, what: str) -> tuple[str, ...]:
    """The words of a list, or the characters of a text, that has this name in Python."""
    if name is None:
        return ()
    found: Any = desk.names.get(name)
    if type(found) not in (str, list, tuple) or any(type(x) not in (str, int) for x in found):
        raise GraphError(f"`{name}` is no list of words and no text", help=f"{name} = […]")
    if len(found) != count:
        raise GraphError(f"the {what} are {count}, and `{name}` has {len(found)} labels")
    return tuple(str(each) for each in found)
