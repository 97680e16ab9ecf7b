"""Passes: graph in, graph out, the same value in fewer or faster nodes."""

from __future__ import annotations

from collections.abc import Sequence

from engine.graph import Node


def optimise(outputs: Sequence[Node]) -> list[Node]:
    """What the evaluator runs instead of the outputs: equal values, fewer kernels."""
    return list(outputs)
