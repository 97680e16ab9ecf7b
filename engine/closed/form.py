"""The textbook form of a graph: (A + Aᵀ) x where the rules of reverse mode made x Aᵀ + x A."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine import ops
from engine.closed.chains import COLUMN, ROW, is_flipped
from engine.closed.reading import read
from engine.closed.structure import Structure, structure
from engine.closed.writing import instead
from engine.graph import Node, toposort

# What reverse and forward mode need to bring cotangents into place, and no textbook writes.
BOOKKEEPING = frozenset(
    [
        *["sum_to", "expand", "unindex", "place", "scatter_add", "reshape", "permute", "part"],
        *["matmul_left", "matmul_right", "concat", "flip", "einsum", "cumsum", "pick", "gather"],
    ]
)


@dataclass(frozen=True)
class Closed:
    """A node of equal value as a textbook would write it.

    It is equal wherever all that is written has a finite value: x / ‖x‖ is not a number at x = 0,
    where the derivative of the norm is 0, and x - x is 0 for an infinite x too.

    `reduced` tells whether only operations of a textbook are left; if not, the formula is as right
    but longer than it might be. `structure` is what is known of a matrix by its form.
    """

    node: Node
    reduced: bool
    structure: Structure

    @property
    def words(self) -> tuple[str, ...]:
        """The structure in words, and whether the formula is not reduced."""
        return (*self.structure.words, *([] if self.reduced else ["not reduced"]))


def closed(node: Node, keep: Collection[Node] = (), x: Node | None = None) -> Closed:
    """The textbook form of one node; nodes in `keep` are not opened.

    With `x` it is told whether the value varies with x at all.
    Source: Petersen & Pedersen, The Matrix Cookbook, for how the forms are written.

    >>> from engine import gradients, var
    >>> A, x = var("A", ["n", "n"]), var("x", ["n"])
    >>> (g,) = gradients(x @ A @ x, [x])
    >>> g, closed(g).node
    (<add [n]>, <matmul [n]>)
    """
    return all_closed([node], keep, x)[0]


def all_closed(
    nodes: Sequence[Node], keep: Collection[Node] = (), x: Node | None = None
) -> list[Closed]:
    """As `closed`, of several nodes at once: what they share is read once."""
    return [
        Closed(node, is_reduced(node, keep), structure(node, x)) for node in textbook(nodes, keep)
    ]


def textbook(outputs: Sequence[Node], keep: Collection[Node] = ()) -> list[Node]:
    """Nodes of equal value, as a textbook would write them; those in `keep` are not opened.

    What equal means where a value is infinite or 0 / 0 is told in `Closed`.
    Gradients are in denominator layout, of the shape of what they are by; in numerator layout they
    are its transpose:

    >>> from engine import gradients, ops, var
    >>> from engine.show import BOARD, formula
    >>> A, W = var("A", ["k", "m"]), var("W", ["m", "k"])
    >>> (g,) = gradients(ops.trace(A @ W), [W])
    >>> [formula(form, notation=BOARD) for form in textbook([g, g.T])]
    ['A^T', 'A']
    """
    found = read(outputs, keep)
    return [instead(node, found[node]) for node in outputs]


def is_reduced(node: Node, keep: Collection[Node] = ()) -> bool:
    """Whether a node is made of what textbooks write alone; nodes in `keep` count as written."""
    kept = frozenset(keep)
    return all(_is_written(x) for x in toposort([node], stop=kept.__contains__) if x not in kept)


def _is_written(x: Node) -> bool:
    if x.op is ops.index:
        key = x.attrs["key"]
        return None not in key or (x.inputs[0].rank == 1 and key in (*COLUMN, *ROW))
    if x.op is ops.transpose:
        return is_flipped(x)
    if x.op is ops.where:
        return all(each.op is not ops.eye for each in toposort([x.inputs[0]]))
    return x.op.name not in BOOKKEEPING
