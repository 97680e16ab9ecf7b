"""What a graph costs: floating-point operations as a polynomial in the sizes, 8·B·T·d² + 4·B·T²·d.

Every operator has its cost in its record; a multiply-add counts 2. A value used several times
counts once, and what depends on no leaf (masks, positions) is counted apart: it is computed once
for all runs with the same sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine import ops
from engine.calculus import gradients
from engine.dims import Dim, Size
from engine.explain.polynomial import added, order, summed
from engine.graph import Node, depends, toposort


@dataclass(frozen=True)
class Work:
    """Operations of every run, and those that are done `once` for all runs of the same sizes.

    `unknown` is the number of nodes without known shapes, whose cost is not in the sums.
    """

    each: Dim
    once: Dim
    unknown: int = 0


@dataclass(frozen=True)
class Generation:
    """Tokens drawn one by one, the whole text so far computed anew for each.

    `token` is one more token after `length` of them, `text` all of a text of that length.
    """

    logits: Node
    length: Size
    token: Dim
    text: Dim

    @property
    def orders(self) -> tuple[int, int]:
        """The exponents of the length, for a token and for a text."""
        return order(self.token, self.length), order(self.text, self.length)


def cost(outputs: Sequence[Node], beside: Iterable[Node] = ()) -> Work:
    """The operations of the outputs together, without those of the values `beside` them.

    >>> from engine import var
    >>> x, w = var("x", ["n", "d"]), var("w", ["d", "k"])
    >>> cost([x @ w]).each
    2*d*k*n
    """
    order_, done = toposort(outputs), set(toposort(beside))
    moving = depends(order_, [node for node in order_ if node.op is ops.variable])
    new = [node for node in order_ if node not in done]
    found = {node: node.op.cost(node, *node.inputs) for node in new}
    return Work(
        each=added(found[node] for node in new if node in moving),
        once=added(found[node] for node in new if node not in moving),
        unknown=sum(dim is None for dim in found.values()),
    )


def cost_of_gradients(loss: Node, wrt: Sequence[Node]) -> Work:
    """What the gradients cost beside the values of the loss, which they reuse."""
    return cost(gradients(loss, wrt), beside=[loss])


def cost_of_generation(logits: Node) -> Generation | None:
    """What it costs to generate with logits [..., T, V]; None if T is no named size."""
    length = logits.shape[-2] if logits.shape and len(logits.shape) > 1 else None
    if not isinstance(length, Size):
        return None
    token = cost([logits]).each
    return Generation(logits, length, token, summed(token, length))


def shares(outputs: Sequence[Node], parts: Mapping[Node, str]) -> dict[str, Dim]:
    """The operations of every run by the part that each node belongs to, where there are any.

    A node without a part belongs to that of the first value that reads it.
    """
    order_ = toposort(outputs)
    moving = depends(order_, [node for node in order_ if node.op is ops.variable])
    owner: dict[Node, str] = {}
    for node in reversed(order_):
        owner[node] = parts.get(node) or owner.get(node, "")
        for x in node.inputs:
            owner.setdefault(x, owner[node])
    costs: dict[str, list[Dim]] = {}
    for node in order_:
        if node in moving:
            costs.setdefault(owner[node], []).append(node.op.cost(node, *node.inputs))
    found = {part: added(dims) for part, dims in costs.items()}
    return {part: dim for part, dim in found.items() if dim != 0}
