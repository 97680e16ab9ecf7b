"""How a node is said in torch where its shapes are known: the `code` of ops with general kernels.

Each takes the node and the names of its operands, and gives None where the kernel has to look at
the tensors first.
"""

from __future__ import annotations

from engine.dims import Shape, complete, same, same_shape, source
from engine.graph import Node

Names = tuple[str, ...]


def _sizes(shape: Shape) -> str:
    return ", ".join(source(dim) for dim in shape or () if dim is not None) or "()"


def reshape(y: Node, names: Names) -> str | None:
    """`x.reshape(B * T, d)`."""
    return f"{names[0]}.reshape({_sizes(y.shape)})" if complete(y.attrs["shape"]) else None


def expand(y: Node, names: Names) -> str | None:
    """`x.expand(B, T, d)`; surplus axes of x are the kernel's business."""
    rank, to = y.inputs[0].rank, y.attrs["shape"]
    if rank is None or not complete(to) or rank > len(to):
        return None
    return f"{names[0]}.expand({_sizes(to)})"


def sum_to(y: Node, names: Names) -> str | None:
    """`torch.sum(x, (0, 1))` where leading axes were repeated."""
    x = y.inputs[0]
    if x.shape is None or y.shape is None or not complete(y.attrs["shape"]):
        return None
    leading = len(x.shape) - len(y.shape)
    if leading < 1 or not same_shape(x.shape[leading:], y.shape):
        return None
    return f"torch.sum({names[0]}, {tuple(range(leading))})"


def reduction(y: Node, names: Names) -> str | None:
    """`torch.sum(x)`, `torch.mean(x, (-1,), keepdim=True)`."""
    axis, keepdims = y.attrs["axis"], y.attrs["keepdims"]
    if axis == () or (axis is None and keepdims):
        return None
    along = "" if axis is None else f", {axis}" + ", keepdim=True" * keepdims
    return f"torch.{y.op.name}({names[0]}{along})"


def transpose(y: Node, names: Names) -> str | None:
    """`x.mT`, `x.permute(0, 2, 1, 3)`."""
    axes, rank = y.attrs["axes"], y.rank
    if rank is None:
        return None
    if axes == (-1, -2):
        return f"{names[0]}.mT"
    order = range(rank)[::-1] if axes is None else (*range(rank - len(axes)), *axes)
    return f"{names[0]}.permute({', '.join(map(str, order)) or '()'})"


def matmul(y: Node, names: Names) -> str | None:
    """`torch.mm` of matrices, `torch.bmm` of stacks of as many matrices."""
    a, b = y.inputs
    if a.rank == b.rank == 2:
        return f"torch.mm({', '.join(names)})"
    if a.rank == b.rank == 3 and a.shape and b.shape and same(a.shape[0], b.shape[0]):
        return f"torch.bmm({', '.join(names)})"
    return None


def gather(y: Node, names: Names) -> str | None:
    """`F.embedding(index, table)` for rows of a matrix."""
    table, index = names
    return f"F.embedding({index}, {table})" if y.inputs[0].rank == 2 else None
