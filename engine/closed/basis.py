"""Unit vectors: eᵢ is 1 at place i, so that a vector is Σ xᵢ eᵢ and a matrix Σ Aᵢⱼ eᵢ eⱼᵀ."""

from __future__ import annotations

from collections.abc import Sequence

from engine import ops
from engine.dims import Shape, known
from engine.graph import Node
from engine.ops.sources import is_const


def unit(i: int, shape: Shape) -> Node:
    """eᵢ of a shape [n]."""
    return ops.unindex.node((ops.const(1.0),), key=(i,), shape=shape)


def place(x: Node) -> int | None:
    """i for the unit vector eᵢ, None for any other node."""
    if x.op is not ops.unindex or not is_const(x.inputs[0], 1):
        return None
    return read_place(x.attrs["key"], x.shape)


def read_place(key: Sequence[object], shape: Shape) -> int | None:
    """The place of the one element that a key reads of a vector, counted from its beginning."""
    n = known(shape[0]) if shape is not None and len(shape) == 1 else None
    *before, last = key or (None,)
    if n is None or before not in ([], [...]) or not isinstance(last, int):
        return None
    return last % n


def inner(a: Node, b: Node) -> Node | None:
    """eᵢᵀ eⱼ is 1 or 0, and eᵢᵀ x is x[i]; None if neither is a unit vector."""
    i, j = place(a), place(b)
    if i is not None and j is not None:
        return ops.const(float(i == j))
    if i is not None:
        return b[i]
    return a[j] if j is not None else None
