"""What may be taken from a user's namespace, and in few words what the nodes of a graph come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import Node, gradients, trace
from engine.graph import depends
from engine.show import summary

Namespace = Mapping[str, Any]
EXACTLY = (bool, int, float, Tensor, np.ndarray)  # a subclass could run code of its own


def usable(namespace: Namespace) -> dict[str, Any]:
    """The tensors, arrays and numbers of a namespace, by name."""
    return {name: value for name, value in namespace.items() if is_plain(value)}


def is_plain(value: object) -> bool:
    """Whether a value is exactly a tensor, an array or a number."""
    kind = type(value)
    return kind in EXACTLY or (issubclass(kind, np.generic) and kind.__module__ == "numpy")


def values(outputs: Sequence[Node], feeds: Mapping[Node, Any]) -> dict[Node, str]:
    """What every node below the outputs comes to."""
    return {each.node: _equals(each.value) for each in trace(outputs, feeds)}


def _equals(value: Tensor) -> str:
    return f"= {summary(value)}" if value.ndim == 0 else summary(value)


def in_words(value: Tensor) -> str:
    """A small tensor with its elements, a large one in a few words."""
    return summary(value) if value.ndim == 0 or value.numel() > 100 else str(value)


def slopes(loss: Node, feeds: Mapping[Node, Any]) -> dict[Node, str]:
    """The gradient of a loss by every value it is made of: the number, of a tensor the length."""
    leaves = [node for node in feeds if node.kind == "float"]
    nodes = [node for node in depends([loss], leaves) if node.kind == "float"]
    found = gradients(loss, nodes)
    known = {each.node: each.value for each in trace(found, feeds)}
    return {node: _slope(known[g]) for node, g in zip(nodes, found, strict=True)}


def _slope(g: Tensor) -> str:
    return f"∂={g.item():.4g}" if g.ndim == 0 else f"|∂|={torch.linalg.vector_norm(g).item():.4g}"
