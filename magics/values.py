"""In few words what the nodes of a graph come to, and how steep a loss is at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import Node, gradients, trace
from engine.graph import depends
from engine.show import short_number, summary

MOST_ELEMENTS = 100


def values(outputs: Sequence[Node], feeds: Mapping[Node, Any]) -> dict[Node, str]:
    """What every node below the outputs comes to."""
    return {each.node: _equals(each.value) for each in trace(outputs, feeds)}


def _equals(value: Tensor) -> str:
    return f"= {summary(value)}" if value.ndim == 0 else summary(value)


def in_words(value: Tensor) -> str:
    """A small tensor with its elements as the language writes them, a large one in a few words.

    >>> in_words(torch.tensor([0.5, -1e9]))
    '[0.5, -1e9]'
    """
    if value.ndim == 0:
        return _element(value.item(), digits=6)
    if value.numel() > MOST_ELEMENTS:
        return summary(value)
    texts = [_element(each) for each in value.flatten().tolist()]
    width = max(map(len, texts), default=0) if value.ndim > 1 else 0

    def pad(each: object) -> str:
        return _element(each).rjust(width)

    return np.array2string(value.numpy(), separator=", ", formatter={"all": pad})


def _element(value: object, digits: int = 4) -> str:
    if isinstance(value, float | np.floating):
        return short_number(float(f"{value:.{digits}g}"))
    return str(value).lower()


def slopes(loss: Node, feeds: Mapping[Node, Any]) -> dict[Node, str]:
    """The gradient of a loss by every value it is made of: the number, of a tensor the length."""
    leaves = [node for node in feeds if node.kind == "float"]
    nodes = [node for node in depends([loss], leaves) if node.kind == "float"]
    found = gradients(loss, nodes)
    known = {each.node: each.value for each in trace(found, feeds)}
    return {node: _slope(known[g]) for node, g in zip(nodes, found, strict=True)}


def _slope(g: Tensor) -> str:
    return f"∂={g.item():.4g}" if g.ndim == 0 else f"|∂|={torch.linalg.vector_norm(g).item():.4g}"
