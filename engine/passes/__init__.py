"""Passes: graph in, graph out, the same value in fewer or faster nodes."""

from __future__ import annotations

from collections.abc import Sequence

from engine.graph import Node
from engine.passes.cover import Covered, cover
from engine.passes.fuse import FUSE


def optimise(outputs: Sequence[Node]) -> Covered:
    """What the evaluator runs instead of the outputs: equal values, fewer kernels.

    Up to rounding; and where a ReLU meets what is no number, its gradient is torch's.
    """
    return cover(outputs, FUSE)
