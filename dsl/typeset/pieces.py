"""Brackets, texts, matrices, cases and the bounds of a loop in LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.show import Level

from ..syntax import Call, CallOrProduct, Expr, Name, Number

if TYPE_CHECKING:
    from .formulas import Formulas

_ESCAPED = {
    **{sign: rf"\{sign}" for sign in "#$%&_{}"},
    "\\": r"}\backslash\text{",
    "^": r"}\hat{\ }\text{",
    "~": r"}\sim\text{",
}


def bracketed(text: str) -> str:
    """In round brackets that grow with what they hold."""
    return rf"\left({text}\right)"


def quoted(text: str) -> str:
    """A text in which no sign means anything."""
    plain = " ".join(text.split())
    return rf"\text{{{''.join(_ESCAPED.get(char, char) for char in plain)}}}"


def matrix(rows: Sequence[Sequence[str]]) -> str:
    """Rows of elements in square brackets."""
    lines = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{bmatrix}} {lines} \end{{bmatrix}}"


def cases(rows: Sequence[tuple[str, str]], otherwise: str) -> str:
    """Values, each with its condition."""
    lines = [rf"{value} & \text{{if }} {condition}" for value, condition in rows]
    body = r" \\ ".join([*lines, rf"{otherwise} & \text{{otherwise}}"])
    return rf"\begin{{cases}} {body} \end{{cases}}"


def over_range(w: Formulas, target: Name, iterable: Expr) -> tuple[str, str]:
    """What stands below and above a sum: i = 0 and n - 1; or i ∈ xs and nothing."""
    index = w.free(target)
    bounds = _bounds(iterable.call if isinstance(iterable, CallOrProduct) else iterable)
    if bounds is None:
        return rf"{index} \in {w.at(iterable, Level.SUM)}", ""
    start, stop = bounds
    low = "0" if start is None else w.free(start)
    if isinstance(stop, Number) and isinstance(stop.value, int):
        return f"{index}={low}", str(stop.value - 1)
    return f"{index}={low}", f"{w.at(stop, Level.SUM)} - 1"


def _bounds(iterable: Expr) -> tuple[Expr | None, Expr] | None:
    match iterable:
        case Call(Name("range"), (stop,), ()):
            return None, stop
        case Call(Name("range"), (start, stop), ()):
            return start, stop
        case _:
            return None
