"""The nodes that one is made of element by element: how far a formula reaches without mixing."""

from __future__ import annotations

from collections.abc import Callable

from engine import Node

from ..lowering.derivatives import ELEMENTWISE

FARTHEST = 32  # nodes: a lint looks at a formula, not at a network


def is_given(node: Node) -> bool:
    """Whether a value mixes elements or is made of nothing: what a formula begins with."""
    return node.op.name not in ELEMENTWISE


def near(node: Node, is_end: Callable[[Node], bool] = is_given) -> list[Node]:
    """The node and what it is made of, nearest first, as far as `FARTHEST` and the ends."""
    found = {node: None}
    for each in (queue := [node]):
        if not is_end(each) and len(found) < FARTHEST:
            new = [x for x in dict.fromkeys(each.inputs) if x not in found]
            found.update(dict.fromkeys(new))
            queue += new
    return list(found)
