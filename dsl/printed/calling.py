"""What everything is called in a printed program: each name once, the author's where they can be.

A name that something else has gets a number, as calls get one in paths: `A`, `A_2`. What hides a
word of the library takes its place only in the last line, and the words that a leaf or a size
hides are given other names in the first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from engine import Node, ops
from engine.dims import Size
from engine.graph import sizes_of, toposort
from engine.ops.sources import constant_value

from ..library import WORDS
from ..limits import LARGEST
from ..lowering.expressions import MOST_WHOLE

MOST_ELEMENTS = 100


@dataclass(frozen=True)
class Names:
    """The names of a printed program.

    words      another name for each word that a leaf or a size hides
    constants  the tensors that a list cannot hold or that are long, as `const` lines
    values     the values that have a line
    hiding     names that would hide a leaf, a size or a word
    taken      every name that something has
    """

    words: Mapping[str, str]
    constants: Mapping[Node, str]
    values: Mapping[Node, str]
    hiding: frozenset[str]
    taken: set[str]

    def fresh(self, name: str) -> str:
        """The name, with a number if something has it already."""
        return _fresh(self.taken, name)


def named(
    order: Sequence[Node],
    nodes: Mapping[str, Node],
    leaves: Iterable[str],
    labels: Mapping[Node, str],
) -> Names:
    """Names for what is in `order`, where `nodes` must keep theirs."""
    fixed = {*leaves, *(size.name for node in order for size in sizes_of(node))}
    hiding = frozenset(fixed | WORDS)
    taken = {*WORDS, *fixed, *(name.partition(".")[0] for name in nodes)}
    words = {word: _fresh(taken, word) for word in sorted(fixed & WORDS)}
    constants = {node: _fresh(taken, labels.get(node, "c")) for node in order if _is_declared(node)}
    below = toposort(nodes.values())
    able = {node for node in below if _has_line(node) and node not in constants}
    values: dict[Node, str] = {}
    for name, node in nodes.items():
        if node in able and name not in hiding and "." not in name:
            values.setdefault(node, name)
    wanted = {**{node: name.partition(".")[0] for name, node in nodes.items()}, **labels}
    for node in below:
        if node in able and node in wanted and node not in values:
            values[node] = _fresh(taken, wanted[node])
    return Names(words, constants, values, hiding, taken)


def _fresh(taken: set[str], name: str) -> str:
    numbered: Iterator[str] = (f"{name}_{i}" for i in count(2))
    found = name if name not in taken else next(each for each in numbered if each not in taken)
    taken.add(found)
    return found


def _has_line(node: Node) -> bool:
    """Whether a value is worth a line: no leaf, no number, no name of a size."""
    is_size = node.op is ops.size and isinstance(node.attrs["dim"], Size)
    return node.op is not ops.variable and constant_value(node) is None and not is_size


def _is_declared(node: Node) -> bool:
    """Whether a constant has its value from outside the text."""
    if node.op is not ops.const or not node.shape:
        return False
    value: Tensor = node.attrs["value"].tensor
    if value.dtype not in (torch.float64, torch.int64, torch.bool):
        return True
    is_short = 0 < value.numel() <= MOST_ELEMENTS
    return not is_short or not all(map(is_literal, value.flatten().tolist()))


def is_literal(number: float) -> bool:
    """Whether a number can be written: whole ones of 64 bits, others up to 10^308."""
    if isinstance(number, int):
        return abs(number) < MOST_WHOLE
    return abs(number) <= LARGEST or not math.isfinite(number)
