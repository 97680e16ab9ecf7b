"""In few words what the nodes of a graph come to, and how steep a loss is at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import Node, gradients, trace
from engine.graph import depends
from engine.show import short_number, summary

MOST_ELEMENTS = 100


@dataclass(frozen=True)
class Computed:
    """What a picture shows of an evaluation, in words, and the nodes where something is wrong.

    `values` of nodes, `slopes` of a loss by them, and warnings, `marks`: at the first NaN, and
    where a gradient is zero throughout.
    """

    values: Mapping[Node, str]
    slopes: Mapping[Node, str] | None = None
    marks: Mapping[Node, str] = field(default_factory=dict[Node, str])


def computed(outputs: Sequence[Node], feeds: Mapping[Node, Any], loss: Node | None) -> Computed:
    """Every node below the outputs; with a loss also its gradient by each value it is made of."""
    traced = trace(outputs, feeds)
    values = {each.node: _equals(each.value) for each in traced}
    nan = next((each.node for each in traced if _has_nan(each.value)), None)
    marks = {} if nan is None else {nan: "first NaN"}
    if loss is None:
        return Computed(values, None, marks)
    found = slopes(loss, feeds)
    flat = {node: "∂ = 0" for node, g in found.items() if not g.count_nonzero()}
    return Computed(values, {node: _slope(g) for node, g in found.items()}, {**flat, **marks})


def _has_nan(value: Tensor) -> bool:
    return value.is_floating_point() and bool(value.isnan().any())


def _equals(value: Tensor) -> str:
    return f"= {summary(value)}" if value.ndim == 0 else summary(value)


def in_words(value: Tensor) -> str:
    """A small tensor with its elements as the language writes them, a large one in a few words.

    >>> in_words(torch.tensor([0.5, -1e9]))
    '[0.5, -1e9]'
    """
    if value.ndim == 0:
        return element(value.item(), digits=6)
    if value.numel() > MOST_ELEMENTS:
        return summary(value)
    texts = [element(each) for each in value.flatten().tolist()]
    width = max(map(len, texts), default=0) if value.ndim > 1 else 0

    def pad(each: object) -> str:
        return element(each).rjust(width)

    return np.array2string(value.numpy(), separator=", ", formatter={"all": pad})


def element(value: object, digits: int = 4) -> str:
    """A number as the language writes it, to so many digits."""
    if isinstance(value, float | np.floating):
        return short_number(float(f"{value:.{digits}g}"))
    return str(value).lower()


def slopes(loss: Node, feeds: Mapping[Node, Any]) -> dict[Node, Tensor]:
    """The gradient of a loss by every value of floats that it is made of."""
    leaves = [node for node in feeds if node.kind == "float"]
    nodes = [node for node in depends([loss], leaves) if node.kind == "float"]
    found = gradients(loss, nodes)
    known = {each.node: each.value for each in trace(found, feeds)}
    return {node: known[g] for node, g in zip(nodes, found, strict=True)}


def _slope(g: Tensor) -> str:
    return f"∂={g.item():.4g}" if g.ndim == 0 else f"|∂|={torch.linalg.vector_norm(g).item():.4g}"
