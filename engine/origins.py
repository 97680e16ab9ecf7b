"""Where a derivative node comes from: the forward node and the rule that made it.

A side table kept by the drivers, not a field of the node, so that equal nodes stay one node. When a
pass replaces a node, the driver of the passes carries its origin over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from engine.graph import Node

MOST = 8  # graphs that may share a derivative and still have each its own forward node


@dataclass(frozen=True)
class Origin:
    """`rule` ("vjp" or "jvp") of the op of `forward` made the node."""

    forward: Node
    rule: str


_origins: WeakKeyDictionary[Node, tuple[Origin, ...]] = WeakKeyDictionary()


def origin(node: Node) -> Origin | None:
    """The forward node and rule that made a derivative node; None for a node that a user wrote.

    >>> from engine import gradients, ops, var
    >>> x = var("origin_example", [])
    >>> (g,) = gradients(ops.sin(x), [x])
    >>> origin(g)
    Origin(forward=<sin []>, rule='vjp')
    """
    return next(iter(origins(node)), None)


def origins(node: Node) -> tuple[Origin, ...]:
    """All that made a derivative node, the first first: equal ones of two graphs are one node."""
    return _origins.get(node, ())


def record(made: Iterable[Node], forward: Node, rule: str, known: set[Node]) -> None:
    """Mark every node below `made` that is not in `known` yet; they become known."""
    stack = list(made)
    while stack:
        node = stack.pop()
        if node in known:
            continue
        known.add(node)
        _add(node, (Origin(forward, rule),))
        stack.extend(node.inputs)


def carry_over(old: Node, new: Node) -> None:
    """A pass made `new` out of `old`: it has the same origins, after those of its own."""
    if new is not old:
        _add(new, origins(old))


def carry_all(new: Mapping[Node, Node]) -> None:
    """A graph was rebuilt, old -> new: what it carried over comes from the new graph too."""
    for old, made in new.items():
        if made is not old:
            moved = (Origin(new.get(o.forward, o.forward), o.rule) for o in origins(old))
            _add(made, tuple(moved))


def _add(node: Node, more: tuple[Origin, ...]) -> None:
    if more:
        _origins[node] = tuple(dict.fromkeys((*origins(node), *more)))[:MOST]
