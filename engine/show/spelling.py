"""How closely a graph is written: short, for readers, or exactly, so that it compiles again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import sympy

from engine.dims import Dim, Shape, show_dim
from engine.graph import Node
from engine.ops.sources import number
from engine.show.names import some, visible

_Row = list[Any]


@dataclass(frozen=True)
class Spelling:
    """What is written of numbers, sizes, lists and texts.

    exact     all of it and to the last bit, where readers want few characters
    words     how functions are called whose own names mean something else
    key       the key of the parameter that is drawn, which random draws need not name
    """

    exact: bool = False
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    key: Node | None = None

    def word(self, name: str) -> str:
        """A function or a constant of the language."""
        return self.words.get(name, name)

    def listed(self, items: list[str]) -> str:
        """`a, b, c`."""
        return ", ".join(items if self.exact else some(items))

    def literal(self, value: Any) -> str:
        """An attribute as one writes it."""
        if isinstance(value, tuple):
            return f"[{self.listed([self.literal(x) for x in cast(tuple[Any, ...], value)])}]"
        if isinstance(value, sympy.Expr):
            return self.dim(value)
        if isinstance(value, int | float):
            return self.number(value)
        text = str(value) if self.exact else visible(str(value))
        return f'"{text}"' if isinstance(value, str) else text

    def number(self, value: float) -> str:
        """A number; exactly, `2.0` is a float and `2` is whole."""
        if isinstance(value, bool):
            return self.word(str(value).lower())
        if not self.exact or isinstance(value, int):
            return short_number(value)
        if not math.isfinite(value):
            return "-" * (value < 0) + self.word(str(abs(value)))
        text = short_number(value) if value else str(value)
        return f"{text}.0" if text.lstrip("-").isdigit() else text

    def dim(self, dim: Dim) -> str:
        """A size; exactly, one quotient of all terms, since each alone may leave a remainder."""
        if not self.exact or not isinstance(dim, sympy.Expr):
            return show_dim(dim)
        over, under = sympy.fraction(sympy.together(dim))
        if under == 1:
            return show_dim(over)
        above = f"({show_dim(over)})" if over.is_Add else show_dim(over)
        below = show_dim(under) if under.is_Symbol or under.is_Integer else f"({show_dim(under)})"
        return f"{above}/{below}"

    def shape(self, shape: Shape) -> str:
        """`[B, 4d]`."""
        return f"[{', '.join(map(self.dim, shape or ()))}]"

    def key_of(self, node: Node) -> str:
        """What stands in the brackets of an index: `0, 1:, ..., None`."""
        return self.listed([self._entry(k) for k in node.attrs["key"]]) or "..."

    def _entry(self, k: Any) -> str:
        if k is None or k is Ellipsis:
            return "..." if k is Ellipsis else self.word("None")
        if not isinstance(k, tuple):
            return self.dim(k)
        start, stop, step = ("" if x is None else self.dim(x) for x in cast(tuple[Dim, ...], k))
        return f"{start}:{stop}" + (f":{step}" if step else "")

    def tensor(self, node: Node) -> str:
        """A constant: its elements, or (for readers) its shape if it is large."""
        tensor = node.attrs["value"].tensor
        if self.exact:
            return f"{self.word('tensor')}({self._rows(tensor.tolist())})"
        if tensor.ndim > 2 or tensor.numel() > 9 or not tensor.numel():
            return f"tensor{list(tensor.shape)}"
        rows = tensor.tolist() if tensor.ndim == 2 else [tensor.tolist()]
        return f"[{'; '.join(', '.join(map(self.number, row)) for row in rows)}]"

    def _rows(self, items: _Row | float) -> str:
        """`[1, 2]`, `[[1, 2], [3, 4]]`."""
        if isinstance(items, list):
            return f"[{', '.join([self._rows(item) for item in items])}]"
        return self.number(items)


def short_number(value: float) -> str:
    """A number in few characters: 2, 0.5, 10000, -1e9, 1e-5, inf."""
    plain, (mantissa, _, power) = number(value), f"{value:e}".partition("e")
    if isinstance(value, int) or not power:
        return plain
    short = f"{mantissa.rstrip('0').rstrip('.')}e{int(power)}"
    worth_it = "e" in plain or len(short) + 2 < len(plain)
    return short if worth_it and float(short) == value else plain
