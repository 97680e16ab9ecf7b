"""Axes as NumPy takes them: checked, and counted from the right once the rank is known."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex, cast

from engine.dims import Dim, Shape, product, show
from engine.errors import KindError, ShapeError
from engine.graph import Node

Axis = int | Sequence[int] | None


def one_axis(axis: int, x: Node, extra: int = 0) -> int:
    """An axis of `x` (`extra`: of more axes), negative if the rank is known; scalars have 0, -1."""
    if isinstance(axis, bool) or not isinstance(cast(object, axis), SupportsIndex):
        raise KindError(f"an axis is a whole number, not {axis!r}")
    axis = operator.index(axis)
    if x.rank is None:
        return axis
    rank = max(1, x.rank + extra)
    if not -rank <= axis < rank:
        raise ShapeError(
            f"axis {axis} does not exist in {show(x.shape)}",
            nodes=(x,),
            hint=f"its axes are {-rank} to {rank - 1}",
        )
    return axis - rank if axis >= 0 else axis


def some_axes(axis: Axis, x: Node) -> tuple[int, ...] | None:
    """The axes of a reduction: None is all of them, as is every axis of a scalar."""
    if axis is None:
        return None
    given = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    axes = tuple(sorted(one_axis(a, x) for a in given))
    if len(set(axes)) < len(axes):
        raise ShapeError(f"an axis is named twice in {tuple(given)}", nodes=(x,))
    left = [a for a in axes if a >= 0]
    if len(left) < len(axes) and left != list(range(len(left))):
        raise ShapeError(
            f"which of the axes {tuple(given)} comes first depends on the rank, which is unknown",
            nodes=(x,),
            hint="count all of them from one side",
        )
    return () if x.rank == 0 else axes


def reduced(shape: Shape, axis: tuple[int, ...] | int | None, keepdims: bool) -> Shape:
    """The shape that is left after a reduction."""
    axes = (axis,) if isinstance(axis, int) else axis
    if shape is None:
        return () if axes is None and not keepdims else None
    gone = set(range(len(shape))) if axes is None else {a % len(shape) for a in axes if shape}
    kept = [1 if i in gone else dim for i, dim in enumerate(shape)]
    return tuple(kept) if keepdims else tuple(dim for i, dim in enumerate(kept) if i not in gone)


def reduced_size(x: Node, axis: tuple[int, ...] | int | None) -> Dim:
    """How many elements each result of a reduction takes together, None when unknown."""
    if x.shape is None:
        return None
    axes = range(len(x.shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return product(x.shape[a] for a in axes if x.shape)


def restore_axes(g: Node, axis: tuple[int, ...] | int | None) -> Node:
    """`g` with axes of size 1 put back where a reduction without keepdims took them out."""
    if axis is None or axis == ():
        return g
    for a in sorted((axis,) if isinstance(axis, int) else axis, key=_outermost):
        g = g[new_axis(a)]
    return g


def _outermost(axis: int) -> tuple[bool, int]:
    """Axes from the left come in rising order, axes from the right in falling order."""
    return (axis < 0, -axis if axis < 0 else axis)


def new_axis(axis: int) -> tuple[Any, ...]:
    """The index key that puts an axis of size 1 at `axis` of the result."""
    colon = slice(None)
    return (*(colon,) * axis, None) if axis >= 0 else (..., None, *(colon,) * (-axis - 1))


def over(sign: str, operand: str = " %s") -> Callable[[Node, str], str]:
    """LaTeX of an operator along axes: below its sign they are named, unless it takes all."""

    def tex(y: Node, x: str) -> str:
        axis = y.attrs["axis"]
        axes = axis if isinstance(axis, tuple) else (axis,)
        named = "" if axis is None else rf"_{{\mathrm{{axis}}={','.join(map(str, axes))}}}"
        return f"{sign}{named}{operand % x}"

    return tex
