"""Covering a graph with kernels from the outputs down, the largest known formula first.

A rule sees a node as the graph has it, before anything below it was replaced, so no rule spoils the
formula of another; what lies inside a formula and is used nowhere else is never computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.graph import Node, Op, rebuild, toposort
from engine.origins import carry_over


class Users:
    """Who uses each node of a graph. A rule asks before it hides a costly node in a formula."""

    def __init__(self, outputs: Sequence[Node]) -> None:
        self.nodes = toposort(outputs)
        self._users: dict[Node, list[Node]] = {}
        self._outputs = set(outputs)
        for node in self.nodes:
            for x in node.inputs:
                self._users.setdefault(x, []).append(node)

    def of(self, x: Node) -> list[Node]:
        """The nodes that take `x` as an input, once for each time."""
        return self._users.get(x, [])

    def at_most_one(self, x: Node) -> bool:
        """Whether the value is needed in one place alone."""
        return len(self.of(x)) <= 1 and x not in self._outputs


Rule = Callable[[Node, Users], Node | None]  # None: no change
Rules = Mapping[Op, Sequence[Rule]]  # those to try for each op


@dataclass(frozen=True)
class Covered:
    """Outputs that compute the same: `new` has the node of each value that is still computed.

    `stands_for` has, for every new node, the node of the old graph that it serves.
    """

    outputs: Sequence[Node]
    new: Mapping[Node, Node]
    stands_for: Mapping[Node, Node]


def cover(outputs: Sequence[Node], rules: Rules) -> Covered:
    """The same outputs by fewer kernels."""
    users = Users(outputs)
    chosen: dict[Node, Node] = {}
    old = {node: node for node in users.nodes}
    new: dict[Node, Node] = {}
    stack = list(outputs)[::-1]
    while stack:
        node = stack[-1]
        if node not in chosen:
            chosen[node] = _settle(node, rules, users)
        best = chosen[node]
        waiting = [] if node in new else [x for x in best.inputs if x not in new]
        if waiting:
            stack.extend(reversed(waiting))
            old |= {x: old[node] for x in waiting if x not in old}
            continue
        stack.pop()
        new[node] = rebuild(best, tuple(new[x] for x in best.inputs))
        if new[node] not in old:
            carry_over(old[node], new[node])
    stands_for: dict[Node, Node] = {}
    for node, made in new.items():
        stands_for.setdefault(made, old[node])
    return Covered([new[node] for node in outputs], new, stands_for)


def _settle(node: Node, rules: Rules, users: Users) -> Node:
    """Apply rules to a node until none fires; every rule leads to an op closer to a kernel."""
    found: Node | None = node
    while found is not None:
        node, tried = found, rules.get(found.op, ())
        found = next(filter(lambda r: r is not None, (rule(node, users) for rule in tried)), None)
    return node
