"""Live memory: the most bytes that the values of a run take at once.

A value lives from the line of the step that makes it to the last that reads it, an output to the
end. One that looks into another (a transpose, a slice) or overwrites it takes nothing of its own,
but keeps the other alive. Leaves and what depends on sizes alone are there before the run and are
not counted, nor is what a kernel takes for itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from engine import ops
from engine.dims import Dim, product, same, same_shape
from engine.explain.polynomial import added, estimate
from engine.graph import Node, depends
from engine.passes import optimise
from engine.passes.fused import item
from engine.run.memory import looks_into, plan_memory
from engine.run.schedule import schedule

BYTES = {"float": 4, "int": 8, "bool": 1}  # floats in single precision
ALL = (None, None, None)  # the slice `:`


def live(outputs: Sequence[Node], sizes: Mapping[str, int] | None = None) -> Dim:
    """The bytes at the fullest line of the evaluator's step, floats in single precision.

    Which line is the fullest depends on the sizes: it is the one at `sizes`, where those without a
    value are taken to be alike and large. Values of unknown shape are not counted.

    >>> from engine import var
    >>> x = var("x", ["n", "d"])
    >>> live([ops.sum(ops.exp(x) @ ops.sin(x).T)])
    8*d*n + 4*n**2
    """
    covered = optimise(outputs)
    order = schedule(covered.outputs, outputs, covered.stands_for)
    leaves = [node for node in order if node.op is ops.variable]
    moving = depends(order, leaves)
    lines = [node for node in order if node in moving and node.op is not ops.variable]
    owner = _owners(lines, plan_memory(lines, covered.outputs, ()).over)
    return _fullest(_lives(lines, covered.outputs, owner), sizes or {})


def _owners(lines: Sequence[Node], over: Mapping[Node, Node]) -> dict[Node, Node]:
    """The value in whose memory each lies: its own, or that of an operand; leaves have none."""
    owner: dict[Node, Node] = {}
    in_order = dict[Node, bool]()
    for node in lines:
        x = over.get(node, node.inputs[0] if _lies_in(node, in_order) else None)
        in_order[node] = x is None or (in_order.get(x, True) and _keeps_order(node))
        if x is None or x in owner:
            owner[node] = node if x is None else owner[x]
    return owner


def _lies_in(node: Node, in_order: Mapping[Node, bool]) -> bool:
    """Whether the value lies in the memory of its first operand."""
    x = node.inputs[0]
    if node.op is ops.reshape:
        return in_order.get(x, True) or _splits(x.shape or (), node.shape or ())
    if node.op is ops.cast:
        return node.kind == x.kind
    if node.op is ops.einsum and len(node.inputs) == 1:
        letters, _, left = node.attrs["pattern"].partition("->")
        return set(letters) == set(left)
    return looks_into(node) and (node.op is not ops.sum_to or same_shape(node.shape, x.shape))


def _splits(shape: Sequence[Dim], into: Sequence[Dim]) -> bool:
    """Whether every axis stays or is cut into several, so that none has to be copied."""
    rest = [*into]
    for dim in shape:
        part: Dim = 1
        while not same(part, dim):
            if not rest:
                return False
            part = product((part, rest.pop(0)))
    return True


def _keeps_order(node: Node) -> bool:
    """Whether a view has its elements side by side, as a reshape needs them."""
    if node.op is ops.index:
        cut = [k for k in node.attrs["key"] if k is not None and k is not Ellipsis]
        whole = [k for k in cut if k != ALL]
        return not whole or (node.attrs["key"][0] == whole[0] and len(whole) == 1)
    return node.op not in (ops.transpose, ops.expand, ops.part, ops.einsum)


def _lives(
    lines: Sequence[Node], outputs: Sequence[Node], owner: Mapping[Node, Node]
) -> list[tuple[Dim, int, int]]:
    """The bytes of each value with memory of its own, and its first and its last line."""
    line = {node: i for i, node in enumerate(lines)}
    last = dict[Node, int]()
    for node in lines:
        for x in node.inputs if node.op is not item else ():
            if x in owner:
                last[owner[x]] = line[node]
    last |= {owner[node]: len(lines) for node in outputs if node in owner}
    return [
        (_bytes(node), first := line[_made_with(node)], last.get(node, first))
        for node in lines
        if owner.get(node) is node and node.shape is not None
    ]


def _made_with(node: Node) -> Node:
    """The node on whose line a value is made: a kernel with several results makes them together."""
    return node.inputs[0] if node.op is item else node


def _bytes(node: Node) -> Dim:
    elements = product(node.shape or ())
    return None if elements is None else product((BYTES[node.kind], elements))


def _fullest(lives: Sequence[tuple[Dim, int, int]], sizes: Mapping[str, int]) -> Dim:
    """Σ bytes at the line where that is most."""
    born, dead = defaultdict[int, list[Dim]](list), defaultdict[int, list[Dim]](list)
    for each, first, last in lives:
        born[first].append(each)
        dead[last].append(each)
    number = {each: estimate(each, sizes) for each, _, _ in lives}
    alive, held, most, fullest = Counter[Dim](), 0.0, 0.0, Counter[Dim]()
    for line in sorted(born | dead):
        alive.update(born[line])
        held += sum(number[each] for each in born[line])
        if held > most:
            most, fullest = held, alive.copy()
        alive.subtract(dead[line])
        held -= sum(number[each] for each in dead[line])
    return added(fullest.elements())
