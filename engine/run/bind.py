"""From tensors to sizes: feeds matched with leaves, checked, named sizes read off their shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, cast

import numpy as np
import sympy
import torch
from torch import Tensor

from engine.dims import Dim, Size, evaluate, show, show_dim, sizes_in
from engine.errors import KindError, MissingInput, ShapeError
from engine.graph import Node
from engine.ops.families import dtype_kind
from engine.ops.kernels import placed_dtype

Feeds = Mapping[Any, Any]  # {leaf or its name: tensor, array, list or number}


@dataclass(frozen=True)
class Placement:
    """Where and how precisely a graph runs: read off the feeds."""

    dtype: torch.dtype
    device: torch.device


def match(leaves: Sequence[Node], feeds: Feeds) -> list[Any]:
    """The value for each leaf, by node or name. Raises MissingInput naming those without one."""
    values = [
        feeds[leaf] if leaf in feeds else feeds.get(leaf.attrs["name"], _ABSENT) for leaf in leaves
    ]
    missing = [leaf for leaf, value in zip(leaves, values, strict=True) if value is _ABSENT]
    if missing:
        told = ", ".join(f"`{leaf.label()}` {leaf.describe()}" for leaf in missing)
        raise MissingInput(f"no value was fed for {told}", hint=_fed(feeds))
    return values


_ABSENT = object()


def _fed(feeds: Feeds) -> str:
    names = [key.label() if isinstance(key, Node) else str(key) for key in feeds]
    return f"fed were {', '.join(f'`{name}`' for name in names)}" if names else "nothing was fed"


def as_tensors(leaves: Sequence[Node], values: Sequence[Any]) -> list[Tensor]:
    """The values as tensors of the leaves' element kinds. Raises KindError naming the leaf.

    Numbers, lists and arrays take the precision of the tensors beside them.
    """
    return [
        value.detach()
        if isinstance(value, Tensor) and dtype_kind(value.dtype) == leaf.kind != "int"
        else _convert(leaf, value, values)
        for leaf, value in zip(leaves, values, strict=True)
    ]


def _convert(leaf: Node, value: Any, beside: Sequence[Any]) -> Tensor:
    """A value as a tensor; in Python data whole numbers may stand for floats."""
    tensor = _tensor(leaf, value)
    kind, data = dtype_kind(tensor.dtype), not isinstance(value, Tensor | np.ndarray)
    if kind != leaf.kind and not (data and (kind, leaf.kind) == ("int", "float")):
        raise KindError(
            f"`{leaf.label()}` is {leaf.describe()} and takes {leaf.kind}s, not {tensor.dtype}",
            hint=f"convert it: `.{'long' if leaf.kind == 'int' else leaf.kind}()`"
            if isinstance(value, Tensor)
            else None,
        )
    precise = torch.as_tensor(value, dtype=torch.float64) if data and kind == "float" else tensor
    device = tensor.device if isinstance(value, Tensor) else _device(beside)
    return precise.to(device, placed_dtype(leaf.kind, precision(beside)))


def _device(values: Iterable[Any]) -> torch.device:
    return next((v.device for v in values if isinstance(v, Tensor)), torch.device("cpu"))


def _tensor(leaf: Node, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, np.ndarray) and (
        not value.flags.writeable or min((0, *value.strides)) < 0
    ):
        value = value.copy()  # torch shares memory only with what it may write into
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise KindError(
            f"`{leaf.label()}` cannot take a {type(value).__name__}: {error}"
        ) from error


def precision(values: Iterable[Any]) -> torch.dtype:
    """The widest precision among float tensors, else among float arrays, else torch's default."""
    tensors = [v for v in values if isinstance(v, Tensor)]
    found = [t.dtype for t in tensors if t.is_floating_point()]
    if not found:
        arrays = [v for v in values if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
        found = [torch.as_tensor(np.empty(0, array.dtype)).dtype for array in arrays]
    return reduce(torch.promote_types, found) if found else torch.get_default_dtype()


def placement(
    leaves: Sequence[Node], tensors: Sequence[Tensor], default: torch.dtype | None = None
) -> Placement:
    """The one precision and the one device of the feeds; `default` where no float is fed.

    Raises KindError naming two leaves that differ.
    """
    floats = [(x, t.dtype) for x, t in zip(leaves, tensors, strict=True) if x.kind == "float"]
    devices = [(x, t.device) for x, t in zip(leaves, tensors, strict=True)]
    for (first, wanted), *others in filter(None, (floats, devices)):
        for leaf, found in others:
            if found != wanted:
                raise KindError(
                    f"`{leaf.label()}` is {found}, but `{first.label()}` is {wanted}",
                    hint="feed all tensors in one precision, on one device",
                )
    dtype = floats[0][1] if floats else default or torch.get_default_dtype()
    return Placement(dtype, devices[0][1] if devices else torch.device("cpu"))


def bind_sizes(
    leaves: Sequence[Node], tensors: Sequence[Tensor], needed: Iterable[Size] = ()
) -> dict[str, int]:
    """The value of each named size, from the shapes that arrived.

    Raises ShapeError naming the leaf with both shapes, or both leaves when they disagree about a
    size.
    """
    sizes: dict[str, int] = {}
    sources: dict[str, tuple[Node, Tensor]] = {}
    later: list[tuple[Node, Tensor, Dim, int]] = []
    for leaf, tensor in zip(leaves, tensors, strict=True):
        if leaf.shape is None:
            continue
        if len(leaf.shape) != tensor.ndim:
            raise _wrong_shape(leaf, tensor)
        for dim, actual in zip(leaf.shape, tensor.shape, strict=True):
            if isinstance(dim, Size) and dim.value is None:
                _bind_one(sizes, sources, dim.name, actual, (leaf, tensor))
            elif dim is not None:
                later.append((leaf, tensor, dim, actual))
    for leaf, tensor, dim, actual in later:
        _check(leaf, tensor, dim, actual, sizes)
    for size in needed:
        if size.value is not None:
            sizes.setdefault(size.name, size.value)
        if size.name not in sizes:
            raise ShapeError(
                f"the size `{size.name}` is not known from any input", hint="give it a value"
            )
    return sizes


def _bind_one(
    sizes: dict[str, int],
    sources: dict[str, tuple[Node, Tensor]],
    name: str,
    actual: int,
    here: tuple[Node, Tensor],
) -> None:
    if sizes.setdefault(name, actual) == actual:
        sources.setdefault(name, here)
        return
    (first, first_tensor), (leaf, tensor) = sources[name], here
    if first is leaf:
        raise _wrong_shape(leaf, tensor)
    both = (
        f"both are declared {show(leaf.shape)}"
        if first.shape == leaf.shape
        else (f"they are declared {show(first.shape)} and {show(leaf.shape)}")
    )
    raise ShapeError(
        f"{name} = {sizes[name]} from `{first.label()}` {list(first_tensor.shape)}, "
        f"but `{leaf.label()}` is {list(tensor.shape)}; {both}"
    )


def _check(leaf: Node, tensor: Tensor, dim: Dim, actual: int, sizes: dict[str, int]) -> None:
    """A dim against what arrived; one unknown size in it is solved for."""
    assert dim is not None
    unknown = [s for s in sizes_in(dim) if s.value is None and s.name not in sizes]
    if len(unknown) == 1:
        solved = [
            s
            for s in sympy.solve(cast(sympy.Expr, dim) - actual, unknown[0])
            if s.is_Integer and s >= 0
        ]
        if not solved:
            raise _wrong_shape(leaf, tensor)
        sizes[unknown[0].name] = int(solved[0])
    elif not unknown and evaluate(dim, sizes) != actual:
        raise _wrong_shape(
            leaf, tensor, f": {show_dim(dim)} is {evaluate(dim, sizes)}" if sizes_in(dim) else ""
        )


def _wrong_shape(leaf: Node, tensor: Tensor, why: str = "") -> ShapeError:
    return ShapeError(
        f"`{leaf.label()}` is declared {show(leaf.shape)} but was fed {list(tensor.shape)}{why}"
    )
