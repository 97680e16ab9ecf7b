"""The nodes that one is made of element by element: how far a formula reaches without mixing."""

from __future__ import annotations

from engine import Node
from engine.graph import Op

from ..lowering.derivatives import ELEMENTWISE

FARTHEST = 64  # nodes: a lint looks at a formula, not at a network


def near(node: Node, *ends: Op) -> list[Node]:
    """The node and what it is made of by elementwise operators, nearest first.

    Nothing below an operator in `ends` is looked at.
    """
    found = [node]
    for each in found:  # grows while it is walked
        if each.op.name in ELEMENTWISE and each.op not in ends and len(found) < FARTHEST:
            found += [x for x in dict.fromkeys(each.inputs) if x not in found]
    return found
