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

from engine.dims import Size, evaluate, known, show, show_dim, sizes_in
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
        raise MissingInput(f"no value was fed for {told}", hint=_fed(feeds), at=missing[0])
    return values


_ABSENT = object()


def _fed(feeds: Feeds) -> str:
    names = [key.label() if isinstance(key, Node) else str(key) for key in feeds]
    return f"fed were {', '.join(f'`{name}`' for name in names)}" if names else "nothing was fed"


DTYPES = {
    "float": frozenset((torch.float64, torch.float32, torch.float16, torch.bfloat16)),
    "int": frozenset((torch.int64,)),
    "bool": frozenset((torch.bool,)),
}


def ready(leaves: Sequence[Node], feeds: Feeds) -> list[Tensor] | None:
    """The tensors fed for the leaves; None where one is missing or has to be converted."""
    tensors: list[Tensor] = []
    for leaf in leaves:
        value = feeds.get(leaf)
        if value is None:
            value = feeds.get(leaf.attrs["name"])
        if not isinstance(value, Tensor) or value.dtype not in DTYPES[leaf.kind]:
            return None
        tensors.append(value.detach())
    return tensors


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
    whole = data and (kind, leaf.kind) == ("int", "float")
    if tensor.is_complex() or (kind != leaf.kind and not whole):
        raise KindError(
            f"`{leaf.label()}` is {leaf.describe()} and takes {leaf.kind}s, not {tensor.dtype}",
            hint=_conversion(leaf.kind, value),
            at=leaf,
        )
    precise = torch.as_tensor(value, dtype=torch.float64) if data and kind == "float" else tensor
    device = tensor.device if isinstance(value, Tensor) else _device(beside)
    return precise.to(device, placed_dtype(leaf.kind, precision(beside)))


def _conversion(kind: str, value: Any) -> str | None:
    if isinstance(value, Tensor):
        return f"convert it: `.{'long' if kind == 'int' else kind}()`"
    return f"convert it: `.astype({kind})`" if isinstance(value, np.ndarray) else None


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
            f"`{leaf.label()}` cannot take a {type(value).__name__}: {error}", at=leaf
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
                    at=leaf,
                )
    dtype = floats[0][1] if floats else default or torch.get_default_dtype()
    return Placement(dtype, devices[0][1] if devices else torch.device("cpu"))


@dataclass(frozen=True)
class Beside:
    """What the feeds of other leaves tell a graph: its precision and sizes that its own lack."""

    dtype: torch.dtype | None = None
    shapes: tuple[tuple[Node, tuple[int, ...]], ...] = ()


def lacking(leaves: Sequence[Node], needed: Iterable[Size]) -> frozenset[str]:
    """The sizes without a value that stand in no shape of the leaves, or only in polynomials."""
    told = {dim for leaf in leaves for dim in leaf.shape or ()}
    return frozenset(size.name for size in needed if size.value is None and size not in told)


def beside(leaves: Sequence[Node], names: frozenset[str], feeds: Feeds) -> Beside:
    """What a graph of these leaves, which lack the sizes `names`, takes from the other feeds.

    The gradient of a linear function holds its variable's sizes but not the variable.
    """
    dtype = None if any(leaf.kind == "float" for leaf in leaves) else precision(feeds.values())
    others = [x for x in feeds if isinstance(x, Node) and x not in leaves] if names else []
    shapes = [
        (leaf, tuple(np.shape(feeds[leaf])))
        for leaf in others
        if any(size.name in names for dim in leaf.shape or () for size in sizes_in(dim))
    ]
    return Beside(dtype, tuple(shapes))


Fed = tuple[Node, Sequence[int]]  # a leaf with the shape that arrived


def bind_sizes(fed: Sequence[Fed], needed: Iterable[Size] = ()) -> dict[str, int]:
    """The value of each named size, from the shapes that arrived.

    Raises ShapeError naming the leaf with both shapes, or both leaves when they disagree about a
    size.
    """
    sizes: dict[str, int] = {}
    sources: dict[str, Fed] = {}
    later: list[tuple[Fed, sympy.Expr | int, int]] = []
    for leaf, actual in fed:
        if leaf.shape is None:
            continue
        if len(leaf.shape) != len(actual):
            raise _wrong_shape((leaf, actual))
        for dim, n in zip(leaf.shape, actual, strict=True):
            if isinstance(dim, Size) and dim.value is None:
                _bind_one(sizes, sources, dim.name, n, (leaf, actual))
            elif dim is not None:
                later.append(((leaf, actual), dim, n))
    _solve_all(later, sizes)
    for size in needed:
        if size.value is None and size.name not in sizes:
            raise ShapeError(
                f"the size `{size.name}` is not known from any input",
                hint="give it a value, or feed an input that has it in its shape",
            )
    return sizes


def _bind_one(sizes: dict[str, int], sources: dict[str, Fed], name: str, n: int, here: Fed) -> None:
    if sizes.setdefault(name, n) == n:
        sources.setdefault(name, here)
        return
    (first, first_shape), (leaf, shape) = sources[name], here
    if first is leaf:
        raise _wrong_shape(here)
    both = (
        f"both are declared {show(leaf.shape)}"
        if first.shape == leaf.shape
        else (f"they are declared {show(first.shape)} and {show(leaf.shape)}")
    )
    raise ShapeError(
        f"{name} = {sizes[name]} from `{first.label()}` {list(first_shape)}, "
        f"but `{leaf.label()}` is {list(shape)}; {both}",
        at=leaf,
    )


def _solve_all(later: list[tuple[Fed, sympy.Expr | int, int]], sizes: dict[str, int]) -> None:
    """Check every dim that is more than a name; those with one unknown size give its value."""
    while later:
        ready = [check for check in later if len(_unknown(check[1], sizes)) <= 1]
        if not ready:
            return  # several unknown sizes in each: nothing to hold them against
        later = [check for check in later if check not in ready]
        for fed, dim, n in ready:
            _solve_one(fed, dim, n, sizes)


def _unknown(dim: sympy.Expr | int, sizes: dict[str, int]) -> list[Size]:
    return [s for s in sizes_in(dim) if s.value is None and s.name not in sizes]


def _solve_one(fed: Fed, dim: sympy.Expr | int, n: int, sizes: dict[str, int]) -> None:
    """A dim against what arrived; one unknown size in it is solved for."""
    unknown = _unknown(dim, sizes)
    if not unknown:
        fixed = known(dim)  # cached: no algebra at each binding
        expected = evaluate(dim, sizes) if fixed is None else fixed
        if expected != n:
            why = f": {show_dim(dim)} is {expected}" if sizes_in(dim) else ""
            raise _wrong_shape(fed, why)
        return
    x = sympy.Dummy(integer=True)
    values = [(s, sizes.get(s.name, s.value or 0)) for s in sizes_in(dim) if s is not unknown[0]]
    rest = cast(sympy.Expr, dim).subs(values).subs(unknown[0], x) - n
    roots = [int(root) for root in sympy.solve(rest, x) if root.is_Integer and root >= 0]
    if rest != 0 and not roots:
        raise _wrong_shape(fed, f": {show_dim(dim)} cannot be {n}")
    if roots:
        sizes[unknown[0].name] = max(roots)


def _wrong_shape(fed: Fed, why: str = "") -> ShapeError:
    leaf, shape = fed
    return ShapeError(
        f"`{leaf.label()}` is declared {show(leaf.shape)} but was fed {list(shape)}{why}", at=leaf
    )
