"""The same graph run node by node, every value kept with its time: what a lesson steps through."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import sympy
import torch
from torch import Tensor

from engine.dims import evaluate, sizes_in
from engine.graph import Node, toposort
from engine.ops import variable as variable_op
from engine.run.bind import Feeds, Placement, as_tensors, bind_sizes, match, placement, precision


@dataclass(frozen=True)
class Traced:
    """One evaluated node: its value and the seconds its kernel took (0 for a fed leaf)."""

    node: Node
    value: Tensor
    seconds: float


def trace(outputs: Sequence[Node], feeds: Feeds) -> list[Traced]:
    """Every node below the outputs in order, with its value. Raises what `Evaluator.run` raises.

    >>> from engine import ops, var
    >>> x = var("x", [])
    >>> [(t.node.label(), t.value.item()) for t in trace([ops.exp(x) - 1], {x: 0.0})]
    [('x', 0.0), ('exp', 1.0), ('const', 1.0), ('sub', 0.0)]
    """
    order = toposort(outputs)
    leaves = [node for node in order if node.op is variable_op]
    tensors = as_tensors(leaves, match(leaves, feeds))
    place = placement(leaves, tensors, precision(feeds.values()))
    needed = {
        s for node in order for dim in _dims(tuple(node.attrs.values())) for s in sizes_in(dim)
    }
    sizes = bind_sizes(leaves, tensors, needed)
    values = dict(zip(leaves, tensors, strict=True))
    with torch.inference_mode():
        return [_compute(node, values, sizes, place) for node in order]


def _compute(
    node: Node, values: dict[Node, Tensor], sizes: dict[str, int], place: Placement
) -> Traced:
    if node in values:
        return Traced(node, values[node], 0.0)
    attrs = {name: with_sizes(value, sizes) for name, value in node.attrs.items()}
    placed = {"dtype": place.dtype, "device": place.device} if node.op.placed else {}
    start = time.perf_counter()
    values[node] = node.op.run({**attrs, **placed}, *(values[x] for x in node.inputs))
    return Traced(node, values[node], time.perf_counter() - start)


def _dims(value: Any) -> list[sympy.Expr]:
    if isinstance(value, tuple):
        return [dim for item in cast(tuple[Any, ...], value) for dim in _dims(item)]
    return [value] if isinstance(value, sympy.Expr) else []


def with_sizes(value: Any, sizes: dict[str, int]) -> Any:
    """An attribute with its named sizes replaced by their numbers."""
    if isinstance(value, tuple):
        return tuple(with_sizes(item, sizes) for item in cast(tuple[Any, ...], value))
    return evaluate(value, sizes) if isinstance(value, sympy.Expr) else value
