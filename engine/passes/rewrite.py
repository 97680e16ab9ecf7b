"""The driver of the passes: apply rules `Node -> Node | None`, rebuild, remember old -> new."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from engine.graph import Node, rebuild, toposort
from engine.origins import carry_over

Rule = Callable[[Node], Node | None]


def rewrite(
    outputs: Sequence[Node], rules: Iterable[Rule], keep: Collection[Node] = ()
) -> tuple[list[Node], dict[Node, Node]]:
    """The outputs with every rule applied until none fires, and the map old -> new.

    Inputs come before their users, so a rule sees inputs that are final. Nodes in `keep` stay as
    they are.
    """
    applied, kept = tuple(rules), frozenset(keep)
    new: dict[Node, Node] = {node: node for node in kept}
    for node in toposort(outputs, stop=new.__contains__):
        if node not in new:
            new[node] = _settle(rebuild(node, tuple(new[x] for x in node.inputs)), applied, new)
            if new[node] not in kept:  # a user's own node comes from no rule
                carry_over(node, new[node])
    return [new[node] for node in outputs], new


def _settle(node: Node, rules: tuple[Rule, ...], new: dict[Node, Node]) -> Node:
    """Apply rules to a node until none fires."""
    for _ in range(100):
        result = next(
            (r for r in (rule(node) for rule in rules) if r is not None and r is not node), None
        )
        if result is None:
            return node
        for inner in toposort([result], stop=new.__contains__)[:-1]:
            new.setdefault(inner, inner)
        node = result
    return node
