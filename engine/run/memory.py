"""The memory of a step, planned from the order of its values and their last uses.

A value overwrites an operand that ends with it, where its kernel allows that. Every other large
value gets a place in a block of memory that a binding keeps from run to run, shared by values that
never live at the same time: fresh pages from the system cost more than most kernels.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from engine import ops
from engine.dims import complete, evaluate, known, product, same_shape
from engine.graph import Node, Op
from engine.ops import kernels
from engine.passes.fused import Fused

SMALL = 4096  # elements for which the allocator has memory at hand
ALIGNMENT = 64  # bytes
STRETCH = 64  # lines

# fmt: off
ELEMENTWISE = frozenset[Any]((
    torch.add, torch.sub, torch.mul, torch.div, torch.neg, torch.pow, torch.abs, torch.sign,
    torch.maximum, torch.minimum, torch.where, torch.sqrt, torch.exp, torch.log, torch.sin,
    torch.cos, torch.tanh, torch.sigmoid, torch.erf, F.gelu, kernels.relu,
))
# fmt: on
WRITING = ELEMENTWISE | {torch.matmul, torch.softmax, torch.log_softmax}
VIEWS = (ops.reshape, ops.expand, ops.transpose, ops.index, ops.part, ops.stop, ops.cast)
REDUCTIONS = (ops.sum, ops.mean, ops.max, ops.min, ops.logsumexp)


def looks_into(y: Node) -> bool:
    """Whether the value may lie in the memory of an operand."""
    if y.op in REDUCTIONS:
        return y.attrs["axis"] == ()
    if y.op is ops.sum_to:
        return y.rank in (None, y.inputs[0].rank) or y.inputs[0].rank is None
    if y.op is ops.prod:
        return y.inputs[0].rank in (0, None)
    return y.op in VIEWS or (y.op is ops.einsum and len(y.inputs) == 1)


@cache
def takes_out(op: Op) -> bool:
    """Whether the op's kernel writes into memory that it is given."""
    if op.kernel in WRITING:
        return True
    return isinstance(op, Fused) and "out" in inspect.signature(op.kernel).parameters


def writes(y: Node) -> bool:
    """Whether the kernel writes this value into memory: torch takes none for vectors' products."""
    vectors = y.op.kernel is torch.matmul and any(x.rank in (None, 1) for x in y.inputs)
    return takes_out(y.op) and not vectors


def replaceable(y: Node) -> Sequence[int]:
    """The operands that the value may overwrite: the kernel reads no element after writing it."""
    if isinstance(y.op, Fused):
        return y.op.over
    if y.op in (ops.softmax, ops.log_softmax):
        return (0,) if y.attrs["axis"] == -1 else ()
    return range(len(y.inputs)) if y.op.kernel in ELEMENTWISE else ()


@dataclass(frozen=True)
class Place:
    """Memory for a value of this shape and those that overwrite it, from line to line."""

    shape: tuple[Any, ...]
    first: int
    last: int


@dataclass(frozen=True)
class Memory:
    """Where the values of a step are written: over an operand, or into a place."""

    over: Mapping[Node, Node]
    place_of: Mapping[Node, int]
    places: Sequence[Place]

    def fresh(self) -> list[Tensor | None]:
        """No memory: each value allocates its own and frees it."""
        return [None] * len(self.places)

    def kept(
        self, sizes: Mapping[str, int], dtype: torch.dtype, device: torch.device, block: Block
    ) -> list[Tensor | None]:
        """A tensor for each place, all of the block."""
        shapes = [torch.Size(evaluate(dim, sizes) for dim in p.shape) for p in self.places]
        grain = max(1, ALIGNMENT // dtype.itemsize)
        needed = [-(-shape.numel() // grain) * grain for shape in shapes]
        starts, end = packed(self.places, needed)
        memory = block.take(end, dtype, device)
        return [
            memory[start : start + shape.numel()].view(shape)
            for start, shape in zip(starts, shapes, strict=True)
        ]


class Block:
    """Memory for all steps of an evaluator, which runs one of them at a time; it grows."""

    def __init__(self) -> None:
        self.tensor = torch.empty(0)

    def take(self, length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
        """A tensor of at least this length; a new one where the old one does not do."""
        old = self.tensor
        if (old.dtype, old.device) != (dtype, device) or old.numel() < length:
            self.tensor = torch.empty(length, dtype=dtype, device=device)
        return self.tensor


def packed(places: Sequence[Place], needed: Sequence[int]) -> tuple[list[int], int]:
    """Where each place starts in a block, and how long the block is.

    The largest are laid first, each as low as those allow that live at the same time (Pisarchyk
    and Lee, Efficient Memory Management for Deep Neural Net Inference, 2020).
    """
    starts, end = [0] * len(places), 0
    laid: defaultdict[int, list[int]] = defaultdict(list)  # by stretches of the step
    for i in sorted(range(len(places)), key=lambda i: (-needed[i], places[i].first)):
        first, last = places[i].first, places[i].last
        stretches = range(first // STRETCH, last // STRETCH + 1)
        near = {j for stretch in stretches for j in laid[stretch]}
        meets = [j for j in near if places[j].first <= last and first <= places[j].last]
        for low, high in sorted((starts[j], starts[j] + needed[j]) for j in meets):
            if low - starts[i] >= needed[i]:
                break
            starts[i] = max(starts[i], high)
        end = max(end, starts[i] + needed[i])
        for stretch in stretches:
            laid[stretch].append(i)
    return starts, end


def plan_memory(order: Sequence[Node], leaving: Iterable[Node], kept: Iterable[Node]) -> Memory:
    """Where each value of a step is written; `order` has a line for each.

    Values `leaving` the step never lie in a place; they and those `kept` live to its end.
    """
    leaving = list(leaving)
    owners = _owners(order)
    last = _last_lines(order, owners, [*leaving, *kept])
    over = _overwriting(order, owners, last)
    for node in reversed(order):  # memory is needed as long as what overwrites it
        for x in owners[over[node]] if node in over else ():
            last[x] = max(last[x], last.get(node, 0))
    given = {x for node in leaving for x in _origins(node, owners, over)}
    placed = [
        (line, node)
        for line, node in enumerate(order)
        if _is_large(node) and writes(node) and node not in over and node not in given
    ]
    places = [Place(node.shape or (), line, last.get(node, line)) for line, node in placed]
    return Memory(over, {node: i for i, (_, node) in enumerate(placed)}, places)


def _owners(order: Sequence[Node]) -> dict[Node, frozenset[object]]:
    """The values in whose memory each value may lie: itself, and operands that it looks into."""
    owners: dict[Node, frozenset[object]] = {}
    for node in order:
        seen = node.inputs if looks_into(node) else ()
        owners[node] = frozenset((node,)).union(*(owners.get(x, {_OUTSIDE}) for x in seen))
    return owners


_OUTSIDE = object()  # stands for the memory of leaves and of the binding


def _origins(
    x: Node, owners: Mapping[Node, frozenset[object]], over: Mapping[Node, Node]
) -> set[object]:
    """The values in whose memory a value lies in the end, by looking into it or overwriting it."""
    found: set[object] = set()
    stack = list(owners.get(x, ()))
    while stack:
        node = stack.pop()
        if node in found:
            continue
        found.add(node)
        if isinstance(node, Node) and node in over:
            stack.extend(owners[over[node]])
    return found


def _last_lines(
    order: Sequence[Node], owners: Mapping[Node, frozenset[object]], kept: Iterable[Node]
) -> dict[object, int]:
    """The last line that reads the memory of each value."""
    last: dict[object, int] = {}
    for line, node in enumerate(order):
        for x in node.inputs:
            last |= dict.fromkeys(owners.get(x, ()), line)
    for x in kept:
        last |= dict.fromkeys(owners.get(x, ()), len(order))
    return last


def _overwriting(
    order: Sequence[Node], owners: Mapping[Node, frozenset[object]], last: Mapping[object, int]
) -> dict[Node, Node]:
    """The operand that each value overwrites, where one of its shape ends with it."""
    over: dict[Node, Node] = {}
    repeated = _repeated(order)
    for line, node in enumerate(order):
        if not _is_large(node) or not writes(node):
            continue
        for x in (node.inputs[i] for i in replaceable(node)):
            others = [o for o in node.inputs if o is not x]
            if (
                x.kind == "float"
                and x not in repeated
                and same_shape(x.shape, node.shape)
                and _OUTSIDE not in owners.get(x, {_OUTSIDE})
                and all(last[owner] == line for owner in owners[x])
                and all(owners[x].isdisjoint(owners.get(o, ())) for o in others)
                and (node.op.kernel in ELEMENTWISE or node.inputs.count(x) == 1)
            ):
                over[node] = x
                break
    return over


def _repeated(order: Sequence[Node]) -> set[Node]:
    """The values whose elements may share memory: repeated ones, and what looks into them."""
    found: set[Node] = set()
    for node in order:
        if node.op is ops.expand or (looks_into(node) and not found.isdisjoint(node.inputs)):
            found.add(node)
    return found


def _is_large(y: Node) -> bool:
    """Whether the value is a float tensor that may be large."""
    if y.kind != "float" or y.shape is None or not complete(y.shape):
        return False
    number = known(product(y.shape))
    return number is None or number >= SMALL
