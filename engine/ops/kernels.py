"""What runs where one torch function does not say it: `kernel(*tensors, **attrs) -> Tensor`.

A `like` tensor lends its shape only. `dtype` and `device` come from the feeds; None is torch's
default.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

Axis = int | tuple[int, ...] | None
Ints = Sequence[int]


def placed_dtype(kind: str, dtype: torch.dtype | None) -> torch.dtype:
    """The dtype of an element kind, floats at the precision of the feeds."""
    if kind == "float":
        return dtype or torch.get_default_dtype()
    return torch.int64 if kind == "int" else torch.bool


def cast(
    x: Tensor, *, kind: str, dtype: torch.dtype | None = None, device: torch.device | None = None
) -> Tensor:
    return x.to(placed_dtype(kind, dtype))


def target(shape: Ints | None, like: Tensor | None) -> Ints:
    """The shape asked for: given, or lent by a tensor."""
    if shape is not None:
        return shape
    assert like is not None
    return like.shape


def reshape(
    x: Tensor, like: Tensor | None = None, *, shape: Sequence[int | None] | None = None
) -> Tensor:
    """Reshape; one size that is unknown (None) takes what is left."""
    if shape is not None:
        return torch.reshape(x, [-1 if dim is None else dim for dim in shape])
    return torch.reshape(x, tuple(target(None, like)))


def expand(x: Tensor, like: Tensor | None = None, *, shape: Ints | None = None) -> Tensor:
    """Broadcast to a shape; surplus leading axes of size 1 are dropped."""
    to = tuple(target(shape, like))
    if x.ndim > len(to):
        x = x.reshape(x.shape[x.ndim - len(to) :])
    return x.expand(to)


def sum_to(x: Tensor, like: Tensor | None = None, *, shape: Ints | None = None) -> Tensor:
    """The adjoint of broadcasting: sum over every axis along which `shape` was repeated."""
    to = tuple(target(shape, like))
    if x.ndim < len(to):  # a scalar of unknown rank whose reduced axis was put back
        x = x[(None,) * (len(to) - x.ndim)]
    return x if x.shape == to else x.sum_to_size(to)


def sum(x: Tensor, *, axis: Axis, keepdims: bool) -> Tensor:
    return x if axis == () else torch.sum(x, axis, keepdims)


def mean(x: Tensor, *, axis: Axis, keepdims: bool) -> Tensor:
    return x if axis == () else torch.mean(x, axis, keepdims)


def var(x: Tensor, *, axis: Axis, keepdims: bool, correction: int) -> Tensor:
    if not x.numel() or taken_together(x, axis) <= correction:  # 0 / 0, where torch warns
        return torch.full_like(sum(x, axis=axis, keepdims=keepdims), torch.nan)
    if axis == ():
        return torch.zeros_like(x)
    return torch.var(x, axis, correction=correction, keepdim=keepdims)


def max(x: Tensor, *, axis: Axis, keepdims: bool) -> Tensor:
    return x if axis == () else torch.amax(x, () if axis is None else axis, keepdims)


def min(x: Tensor, *, axis: Axis, keepdims: bool) -> Tensor:
    return x if axis == () else torch.amin(x, () if axis is None else axis, keepdims)


def logsumexp(x: Tensor, *, axis: Axis, keepdims: bool) -> Tensor:
    if axis == ():
        return x
    return torch.logsumexp(x, tuple(range(x.ndim)) if axis is None else axis, keepdims)


def norm(x: Tensor, *, axis: Axis, keepdims: bool) -> Tensor:
    return x.abs() if axis == () else torch.linalg.vector_norm(x, 2, axis, keepdims)


def count(x: Tensor, *, axis: Axis, dtype: torch.dtype | None = None, device: Any = None) -> Tensor:
    number = taken_together(x, axis)
    return torch.tensor(number, dtype=placed_dtype("float", dtype), device=x.device)


def taken_together(x: Tensor, axis: Axis) -> int:
    """How many elements a reduction over `axis` takes together."""
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return math.prod(x.shape[a] for a in axes) if x.ndim else 1


def transpose(x: Tensor, *, axes: Ints | None) -> Tensor:
    """Permute; None reverses, negative axes permute the last ones and leave the others alone."""
    if axes is None:
        return x.permute(tuple(range(x.ndim))[::-1])
    lead = x.ndim - len(axes)
    return x.permute((*range(lead), *(a % x.ndim for a in axes)))


def concat(*xs: Tensor, axis: int) -> Tensor:
    return torch.cat(xs, axis)


def stack(*xs: Tensor, axis: int) -> Tensor:
    return torch.stack(xs, axis)


def part(g: Tensor, *xs: Tensor, axis: int, which: int) -> Tensor:
    """The slice of a concatenation that came from `xs[which]`."""
    return torch.split(g, [x.shape[axis] for x in xs], axis)[which]


def index(x: Tensor, *, key: tuple[Any, ...]) -> Tensor:
    """NumPy's basic indexing; `key` holds ints, None, Ellipsis and (start, stop, step) triples."""
    return x[tuple(slice(*k) if isinstance(k, tuple) else k for k in key)]


def unindex(
    g: Tensor, like: Tensor | None = None, *, key: tuple[Any, ...], shape: Ints | None = None
) -> Tensor:
    """The adjoint of `index`: zeros of the given shape with `g` written at `key`."""
    out = g.new_zeros(tuple(target(shape, like)))
    index(out, key=key).copy_(g)
    return out


def gather(table: Tensor, index: Tensor) -> Tensor:
    """Rows of a table: `table[index]`, for indices from 0 on."""
    if table.ndim == 2:
        return torch.nn.functional.embedding(index, table)
    return table.index_select(0, index.reshape(-1)).reshape((*index.shape, *table.shape[1:]))


def scatter_add(
    g: Tensor, index: Tensor, like: Tensor | None = None, *, shape: Ints | None = None
) -> Tensor:
    """The adjoint of `gather`: zeros of the table's shape, row `index[i]` increased by `g[i]`."""
    out = g.new_zeros(tuple(target(shape, like)))
    return out.index_add_(0, index.reshape(-1), g.reshape(index.numel(), *out.shape[1:]))


def pick(x: Tensor, index: Tensor, *, axis: int) -> Tensor:
    """One element along `axis` for each position: `x[..., index[...], ...]`."""
    return torch.gather(x, axis, _at_each(index, x.shape, axis)).squeeze(axis)


def _at_each(index: Tensor, shape: Ints, axis: int) -> Tensor:
    """The index with the axis put back, one for each position of the others: torch takes fewer."""
    spread = index.unsqueeze(axis)
    rest = [1 if a == axis % len(shape) else n for a, n in enumerate(shape)]
    if list(spread.shape) != rest:
        raise ValueError(
            f"an index {list(index.shape)} does not hold one for each position beside axis {axis} "
            f"of {list(shape)}"
        )
    return spread


def place(
    g: Tensor, index: Tensor, like: Tensor | None = None, *, axis: int, shape: Ints | None = None
) -> Tensor:
    """The adjoint of `pick`: zeros with `g` written at `index` along `axis`."""
    out = g.new_zeros(tuple(target(shape, like)))
    return out.scatter_(axis, _at_each(index, out.shape, axis), g.unsqueeze(axis))


def one_hot(
    index: Tensor, *, n: int, dtype: torch.dtype | None = None, device: Any = None
) -> Tensor:
    classes = torch.arange(n, device=index.device)
    return (index.unsqueeze(-1) == classes).to(placed_dtype("float", dtype))


def constant(
    *, value: Any, kind: str, dtype: torch.dtype | None = None, device: Any = None
) -> Tensor:
    to = placed_dtype(kind, dtype)
    if hasattr(value, "tensor"):
        return value.tensor.to(device=device, dtype=to)
    return torch.tensor(value, dtype=to, device=device)


def size(*, dim: int, dtype: torch.dtype | None = None, device: Any = None) -> Tensor:
    return torch.tensor(dim, dtype=torch.int64, device=device)


def arange(
    *, start: int, stop: int, step: int, dtype: torch.dtype | None = None, device: Any = None
) -> Tensor:
    end = stop if (stop - start) * step > 0 else start  # as in range: nothing the wrong way round
    return torch.arange(start, end, step, dtype=torch.int64, device=device)


def full(
    like: Tensor | None = None,
    *,
    value: float,
    shape: Ints | None,
    kind: str,
    dtype: torch.dtype | None = None,
    device: Any = None,
) -> Tensor:
    return torch.full(
        tuple(target(shape, like)), value, dtype=placed_dtype(kind, dtype), device=device
    )


def eye(
    like: Tensor | None = None,
    *,
    n: int | None,
    dtype: torch.dtype | None = None,
    device: Any = None,
) -> Tensor:
    """The identity matrix of n rows, or of as many as `like` has in its last axis."""
    rows = like.shape[-1] if like is not None else n
    assert rows is not None
    return torch.eye(rows, dtype=placed_dtype("float", dtype), device=device)


def _generator(key: Tensor) -> torch.Generator:
    return torch.Generator().manual_seed(int(key))


def uniform(
    key: Tensor,
    *,
    shape: Ints,
    low: float,
    high: float,
    dtype: torch.dtype | None = None,
    device: Any = None,
) -> Tensor:
    """Uniform on [low, high), the same numbers on every device for the same key."""
    drawn = torch.rand(tuple(shape), generator=_generator(key), dtype=placed_dtype("float", dtype))
    return (drawn * (high - low) + low).to(device)


def normal(
    key: Tensor,
    *,
    shape: Ints,
    mean: float,
    std: float,
    dtype: torch.dtype | None = None,
    device: Any = None,
) -> Tensor:
    """Normal of the given mean and deviation, the same numbers on every device for the same key."""
    drawn = torch.randn(tuple(shape), generator=_generator(key), dtype=placed_dtype("float", dtype))
    return (drawn * std + mean).to(device)


def relu(x: Tensor, *, out: Tensor | None = None) -> Tensor:
    return torch.relu(x) if out is None else torch.clamp_min(x, 0, out=out)


def diag(x: Tensor) -> Tensor:
    return torch.diag(x)


def matmul_left(g: Tensor, b: Tensor, like: Tensor) -> Tensor:
    """ā of a @ b for operands of any rank: g bᵀ, summed to the shape of a."""
    if b.ndim == 1:
        return sum_to(g.unsqueeze(-1) * b if like.ndim > 1 else g * b, like)
    rows = g.unsqueeze(-2) if like.ndim == 1 else g
    product = rows @ b.mT
    return sum_to(product.squeeze(-2) if like.ndim == 1 else product, like)


def matmul_right(g: Tensor, a: Tensor, like: Tensor) -> Tensor:
    """b̄ of a @ b for operands of any rank: aᵀ g, summed to the shape of b."""
    if a.ndim == 1:
        return sum_to(a.unsqueeze(-1) * g.unsqueeze(-2) if like.ndim > 1 else a * g, like)
    columns = g.unsqueeze(-1) if like.ndim == 1 else g
    product = a.mT @ columns
    return sum_to(product.squeeze(-1) if like.ndim == 1 else product, like)


def layer_norm(x: Tensor, *, axis: int, eps: float) -> Tensor:
    if x.ndim == 0:  # a single number is its own mean
        return torch.zeros_like(x)
    if axis in (-1, x.ndim - 1):
        return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=eps)
    return layer_norm(x.movedim(axis, -1), axis=-1, eps=eps).movedim(-1, axis)


def cross_entropy(logits: Tensor, targets: Tensor, *, axis: int) -> Tensor:
    """-log softmax(logits)[target], one per position."""
    return -pick(torch.log_softmax(logits, axis), targets, axis=axis)


def solve(a: Tensor, b: Tensor) -> Tensor:
    """A⁻¹ b; only a `b` of one axis is a vector, where torch also takes a batch of them."""
    if b.ndim > 1:
        b = b.expand(*torch.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:])
    return torch.linalg.solve(a, b)


def einsum(*xs: Tensor, pattern: str) -> Tensor:
    return torch.einsum(pattern, *xs)


def prod(x: Tensor, *, axis: int, keepdims: bool) -> Tensor:
    return torch.prod(x, axis, keepdims) if x.ndim else x


def argmax(x: Tensor, *, axis: int | None, keepdims: bool) -> Tensor:
    return torch.argmax(x, axis, keepdims)


def flip(x: Tensor, *, axis: Ints | None) -> Tensor:
    return torch.flip(x, tuple(range(x.ndim)) if axis is None else tuple(axis))


def stop(x: Tensor) -> Tensor:
    return x
