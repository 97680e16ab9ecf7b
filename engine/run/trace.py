"""The same graph run node by node, every value kept with its time: what a lesson steps through."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.dims import sizes_in
from engine.errors import FAILURES, failed
from engine.graph import Node, toposort
from engine.ops import variable as variable_op
from engine.run.bind import (
    Feeds,
    Placement,
    as_tensors,
    beside,
    bind_sizes,
    lacking,
    match,
    placement,
)
from engine.run.obligations import attrs_with, expressions, obligations
from engine.run.plan import refuse_two_of_one_name


@dataclass(frozen=True)
class Traced:
    """One evaluated node: its value and the seconds its kernel took (0 for a fed leaf)."""

    node: Node
    value: Tensor
    seconds: float


@dataclass(frozen=True)
class Bound:
    """A graph with what it needs for a run: its order, its leaves' values, the sizes, the place."""

    order: Sequence[Node]
    tensors: Mapping[Node, Tensor]
    sizes: Mapping[str, int]
    place: Placement


def trace(outputs: Sequence[Node], feeds: Feeds) -> list[Traced]:
    """Every node below the outputs in order, with its value. Raises what `Evaluator.run` raises.

    >>> from engine import ops, var
    >>> x = var("x", [])
    >>> [(t.node.label(), t.value.item()) for t in trace([ops.exp(x) - 1], {x: 0.0})]
    [('x', 0.0), ('exp', 1.0), ('const', 1), ('sub', 0.0)]
    """
    run = bound(outputs, feeds)
    values = dict(run.tensors)
    with torch.inference_mode():
        return [_compute(node, values, run) for node in run.order]


def bound(outputs: Sequence[Node], feeds: Feeds) -> Bound:
    """The feeds held against the leaves and the sizes. Raises what `Evaluator.run` raises."""
    order = toposort(outputs)
    leaves = [node for node in order if node.op is variable_op]
    refuse_two_of_one_name(leaves)
    tensors = as_tensors(leaves, match(leaves, feeds))
    needed = {
        s for node in order for dim in expressions((*node.attrs.values(),)) for s in sizes_in(dim)
    }
    others = beside(leaves, lacking(leaves, needed), feeds)
    place = placement(leaves, tensors, others.dtype)
    shapes = [tensor.shape for tensor in tensors]
    sizes = bind_sizes([*zip(leaves, shapes, strict=True), *others.shapes], needed)
    obligations(order).check(sizes)
    return Bound(order, dict(zip(leaves, tensors, strict=True)), sizes, place)


def _compute(node: Node, values: dict[Node, Tensor], run: Bound) -> Traced:
    if node in values:
        return Traced(node, values[node], 0.0)
    attrs = attrs_with(run.sizes, node)
    placed = {"dtype": run.place.dtype, "device": run.place.device} if node.op.placed else {}
    start = time.perf_counter()
    try:
        values[node] = node.op.run({**attrs, **placed}, *(values[x] for x in node.inputs))
    except FAILURES as error:
        raise failed(node, error) from error
    return Traced(node, values[node], time.perf_counter() - start)
