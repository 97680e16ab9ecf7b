"""Random directions in the space of weights, each filter as long as the model's own.

Li, Xu, Taylor, Studer, Goldstein (2018), Visualizing the Loss Landscape of Neural Nets, section 4:
d is drawn from a normal distribution, then each filter dᵢ becomes dᵢ ‖θᵢ‖ / ‖dᵢ‖. A filter is what
makes one element of an output: a column of W in X W, a row of W in W x and of a table. Biases and
the scales of norms stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from engine import Node, ops
from engine.graph import toposort


def filter_axes(loss: Node, params: Mapping[str, Node]) -> dict[str, int | None]:
    """The weights among the parameters, by path: the axis that counts their filters.

    None of a weight that is one filter, the w of X w.
    """
    order = toposort([loss])
    used = {path: [node for node in order if leaf in node.inputs] for path, leaf in params.items()}
    matrices = {
        path: -2 if _rows(leaf, order) else -1
        for path, leaf in params.items()
        if leaf.rank is not None and leaf.rank >= 2 and used[path]
    }
    vectors = [path for path, leaf in params.items() if leaf.rank == 1 and _in_product(used[path])]
    return {path: matrices.get(path) for path in params if path in (*matrices, *vectors)}


def _in_product(used: Sequence[Node]) -> bool:
    return any(node.op is ops.matmul for node in used)


def _rows(leaf: Node, order: Sequence[Node]) -> bool:
    """Whether the filters of a matrix are its rows: it stands on the left, or is a table."""
    for node in order:
        if leaf not in node.inputs:
            continue
        if node.op is ops.transpose and node.rank == leaf.rank:
            return not _rows(node, order)
        if node.op is ops.matmul:
            return node.inputs[0] is leaf and node.inputs[1] is not leaf
        if node.op.name in ("gather", "index"):
            return True
    return False


def direction(
    values: Mapping[str, Tensor], axes: Mapping[str, int | None], seed: int
) -> dict[str, Tensor]:
    """A random direction for each weight, in double precision, with the norms of its filters."""
    source = torch.Generator().manual_seed(seed)
    drawn = {
        path: torch.randn(values[path].shape, generator=source, dtype=torch.float64)
        for path in axes
    }
    return {path: like(d, values[path], axes[path]) for path, d in drawn.items()}


def like(d: Tensor, weight: Tensor, axis: int | None) -> Tensor:
    """d with each filter as long as that of the weight.

    >>> like(torch.ones(2, 2), torch.tensor([[3.0, 0.0], [4.0, 1.0]]), -1).norm(dim=0).round()
    tensor([5., 1.])
    """
    return d * norms(weight.to(d.dtype), axis) / norms(d, axis).clamp(min=1e-300)


def norms(weight: Tensor, axis: int | None) -> Tensor:
    """The norm of each filter, of a shape that multiplies the weight."""
    others = [i for i in range(weight.ndim) if axis is None or i != axis % weight.ndim]
    return weight.square().sum(others, keepdim=True).sqrt()
