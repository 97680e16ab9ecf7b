"""What may be written in place: variables, by values that fit them, in tensors that were fed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torch import Tensor

from engine.dims import fits
from engine.errors import EngineError, KindError, ShapeError
from engine.graph import Node
from engine.ops import variable


def check_updates(updates: Mapping[Node, Node]) -> None:
    """Raise EngineError for what is no variable, ShapeError, KindError for what does not fit it."""
    for leaf, value in updates.items():
        if leaf.op is not variable:
            raise EngineError(f"only variables are updated, not {leaf!r}", nodes=(leaf,))
        told = f"`{leaf.label()}` is {leaf.describe()} and cannot be updated by {value.describe()}"
        if not fits(leaf.shape, value.shape):
            raise ShapeError(told, nodes=(leaf, value))
        if leaf.kind != value.kind:
            raise KindError(told, nodes=(leaf, value))


def refuse_copies(
    targets: Collection[Node],
    leaves: Sequence[Node],
    values: Sequence[Any],
    tensors: Sequence[Tensor],
) -> None:
    """Raise KindError for a target whose value had to be converted: its update would be lost."""
    for leaf, value, tensor in zip(leaves, values, tensors, strict=True):
        same = isinstance(value, Tensor) and value.data_ptr() == tensor.data_ptr()
        if leaf in targets and not same:
            raise KindError(
                f"`{leaf.label()}` is updated in place and needs a tensor of {tensor.dtype}"
            )
