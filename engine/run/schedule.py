"""The order of a step: as the formula was written, then backwards through it.

A cotangent comes when its forward node's turn comes, all cotangents of that node together: then the
values between the two passes are freed layer by layer. A tangent comes beside its forward node, so
that neither waits for the other through all layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush

from engine.graph import Node, depends, toposort
from engine.ops import variable
from engine.origins import origin
from engine.run.memory import looks_into


def schedule(
    finals: Sequence[Node], written: Sequence[Node], stands_for: Mapping[Node, Node]
) -> list[Node]:
    """Every node that the finals depend on, inputs before users, in natural order.

    `written` is the graph as it was before passes; a node `stands_for` one of its nodes.
    """
    place = {node: i for i, node in enumerate(toposort(written))}
    order = toposort(finals)
    leaves = {node for node in order if node.op is variable}
    made = depends(order, leaves) - leaves  # all else is there before the step
    turns = {
        node: _turn(stands_for.get(node, node), place) if node in made else 0 for node in order
    }
    _delay_views(order, turns)
    return _by_turn(order, [turns[node] for node in order])


def _delay_views(order: Sequence[Node], turns: dict[Node, int]) -> None:
    """A view is made when it is first looked at."""
    wanted: dict[Node, int] = {}
    for node in reversed(order):
        if looks_into(node) and node in wanted:
            turns[node] = wanted[node]
        for x in node.inputs:
            wanted[x] = min(wanted.get(x, turns[node]), turns[node])


def _turn(node: Node, place: Mapping[Node, int]) -> int:
    """When a node should come: forward nodes as they stand, cotangents mirrored behind them."""
    found = origin(node)
    if found is not None and found.forward in place:
        at = place[found.forward]
        return at if found.rule == "jvp" else 2 * len(place) - at
    return place.get(node, 0)


def _by_turn(order: Sequence[Node], turns: Sequence[int]) -> list[Node]:
    """The topological order in which the node with the earliest turn comes first."""
    index = {node: i for i, node in enumerate(order)}
    waits = [len(set(node.inputs)) for node in order]
    users: list[list[int]] = [[] for _ in order]
    for i, node in enumerate(order):
        for x in dict.fromkeys(node.inputs):
            users[index[x]].append(i)
    ready = [(turns[i], i) for i, count in enumerate(waits) if not count]
    ready.sort()
    done: list[Node] = []
    while ready:
        _, i = heappop(ready)
        done.append(order[i])
        for user in users[i]:
            waits[user] -= 1
            if not waits[user]:
                heappush(ready, (turns[user], user))
    return done
