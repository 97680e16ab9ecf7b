"""Tensors of whole numbers among the entries of an index: `X[:, i]`, `X[rows, columns]`.

As in NumPy the tensors are broadcast together and go along their axes in step, and their axes
stand where the first of them stood. What NumPy moves to the front is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.dims import broadcast
from engine.errors import ShapeError
from engine.graph import Node
from engine.ops.indexing import Key, aligned, index
from engine.ops.layout import expand, reshape, transpose
from engine.ops.selection import gather, integers, pick

WHOLE = (None, None, None)


def lookup(x: Node, key: Key) -> Node:
    """`x[key]`, where some entries of the key are nodes of whole numbers.

    Raises ShapeError where a slice stands between them, KindError for nodes of other kinds.
    """
    if x.shape is None:
        raise ShapeError("an index tensor among other indices needs a known rank", nodes=(x,))
    entries = [k for k, _ in aligned(key, x.shape)]
    tensors = [integers(k, "an index") for k in entries if isinstance(k, Node)]
    first = next(i for i, k in enumerate(entries) if isinstance(k, Node))
    at = sum(1 for k in entries[:first] if _stays(k))
    _check_together(x, entries, at)
    rest = tuple(WHOLE if isinstance(k, Node) else k for k in entries)
    part = x if all(k == WHOLE for k in rest) else index.node((x,), key=rest)
    return _in_step(part, at, tensors)


def _stays(k: Any) -> bool:
    """Whether an entry leaves an axis of its own: a slice or a new axis."""
    return k is None or isinstance(k, tuple)


def _check_together(x: Node, entries: Sequence[Any], at: int) -> None:
    """Refuse tensors that a slice keeps apart; numbers count as tensors, except before them all."""
    places = [i for i, k in enumerate(entries) if isinstance(k, Node)]
    if at:
        places = [i for i, k in enumerate(entries) if not _stays(k)]
    if any(map(_stays, entries[places[0] : places[-1]])):
        raise ShapeError(
            "an index tensor stands apart from the other indices: where its axes go is not clear",
            nodes=(x,),
            hint="index twice, as in `{0}[0][:, i]`",
        )


def _in_step(x: Node, at: int, tensors: Sequence[Node]) -> Node:
    """The elements at `tensors` along the axes from `at` on, one tensor an axis."""
    shape = broadcast(*(each.shape for each in tensors))
    assert shape is not None
    first, *others = [each if each.shape == shape else expand(each, shape) for each in tensors]
    y = gather(_moved(x, at, 0, 1), first)
    for each in others:  # after the axes of the index come those before `at`, then the next one
        y = _picked(y, each, len(shape), len(shape) + at)
    return _moved(y, 0, at, len(shape))


def _picked(y: Node, places: Node, rank: int, axis: int) -> Node:
    """The element at `places`, which has the first `rank` axes of y, along another axis."""
    assert y.shape is not None
    rest = (*y.shape[rank:axis], *y.shape[axis + 1 :])
    spread = reshape(places, (*(places.shape or ()), *(1 for _ in rest)))
    return pick(y, expand(spread, (*(places.shape or ()), *rest)), axis)


def _moved(x: Node, start: int, to: int, count: int) -> Node:
    """`count` axes from `start` on moved to `to`."""
    if start == to or count == 0:
        return x
    others = [i for i in range(x.rank or 0) if not start <= i < start + count]
    order = [*others[:to], *range(start, start + count), *others[to:]]
    return transpose(x, order)
