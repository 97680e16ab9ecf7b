"""A graph as short lines: what is used twice or grows long is written once and then called by name.

So forty squarings are forty lines and not 2⁴⁰ factors. How an operator is written is the
business of a notation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from engine.graph import Node, toposort
from engine.show.names import fresh_names, own_name


class Level(IntEnum):
    """How tightly a written expression holds together, loosest first."""

    FREE = 0
    EITHER = 1
    BOTH = 2
    NEGATION = 3
    COMPARISON = 4
    SUM = 5
    PREFIX = 6
    PRODUCT = 7
    SIGN = 8
    JUXTAPOSED = 9
    POWER = 10
    ATOM = 11


@dataclass(frozen=True)
class Part:
    """A written expression, and how tightly it holds together.

    `bare` is how it may be written as an operand of what makes floats of whole numbers by itself.
    """

    text: str
    level: Level = Level.ATOM
    bare: Part | None = None

    def beside(self, level: Level) -> str:
        """As an operand of an operator of this level: in brackets if it is looser."""
        return self.text if self.level >= level else f"({self.text})"

    def inside(self, level: Level) -> str:
        """As an operand that must be tighter than this level: in brackets unless it is."""
        return self.text if self.level > level else f"({self.text})"


@dataclass(frozen=True)
class Notation:
    """How names and operators are written, and how wide a line and how long a name may grow.

    A text no wider than `short` is repeated where its value is used several times.
    """

    symbol: Callable[[str], str]
    write: Callable[[Node, Sequence[Part]], Part]
    width: int
    longest_name: int | None = 40
    short: int = 0
    named: Callable[[str], Part] = Part


@dataclass(frozen=True)
class Line:
    """`name = text`, the value of `node`; `reads` are the leaves and other lines' nodes in it."""

    name: str
    node: Node
    text: str
    reads: tuple[Node, ...] = ()


def written(
    outputs: Sequence[Node],
    names: Mapping[Node, str],
    notation: Notation,
    stop: Callable[[Node], bool] = lambda node: False,
    taken: Iterable[str] = (),
) -> list[Line]:
    """The lines of the outputs, operands before their users.

    A line for each output, named node and shared value. Leaves, and nodes where `stop` holds, have
    none and are called by name. No new name is one of those `taken`.
    """
    order = toposort(outputs, stop)
    page = _Page(order, names, notation, taken)
    uses = Counter(x for node in order if not stop(node) for x in node.inputs)
    for node in order:
        if stop(node) or node.op.name == "variable":
            page.call_by_name(node)
            continue
        page.compose(node)
        shared = uses[node] > 1 and not page.is_plain(node)
        if shared or node in names or node in outputs:
            page.give_line(node)
    return page.lines


class _Page:
    """The lines so far, and each node as it is written inside the lines of others."""

    def __init__(
        self,
        order: Iterable[Node],
        names: Mapping[Node, str],
        how: Notation,
        taken: Iterable[str],
    ) -> None:
        self.lines: list[Line] = []
        self._names, self._how = names, how
        self._fresh = fresh_names(order, [*names.values(), *taken])
        self._parts: dict[Node, Part] = {}
        self._reads: dict[Node, tuple[Node, ...]] = {}
        self._on_line: set[Node] = set()

    def call_by_name(self, node: Node) -> str:
        """From now on the node is written as its name."""
        own = own_name(node, self._names, self._how.longest_name)
        name = own or next(self._fresh)
        self._parts[node] = self._how.named(self._how.symbol(name))
        self._reads[node] = (node,)
        self._on_line.add(node)
        return name

    def compose(self, node: Node) -> None:
        """Write the node with its operands; the longest get their own lines until it is short."""
        part = self._write(node)
        while len(part.text) > self._how.width:
            inline = [x for x in node.inputs if x not in self._on_line and len(self._text(x)) > 12]
            if not inline:
                break
            self.give_line(max(inline, key=lambda x: len(self._text(x))))
            part = self._write(node)
        self._parts[node] = part
        self._reads[node] = tuple(dict.fromkeys(r for x in node.inputs for r in self._reads[x]))

    def give_line(self, node: Node) -> None:
        """Give a composed node a line of its own."""
        text, reads = self._text(node), self._reads[node]
        self.lines.append(Line(self.call_by_name(node), node, text, reads))

    def is_plain(self, node: Node) -> bool:
        """Whether a node may be repeated: a leaf, its transpose, or a short constant."""
        operand = node.inputs[0] if node.op.name == "transpose" else node
        is_leaf = operand.op.name == "variable"
        longest = self._how.short if self._reads[node] else 24
        return is_leaf or len(self._text(node)) <= longest

    def _text(self, node: Node) -> str:
        return self._parts[node].text

    def _write(self, node: Node) -> Part:
        return self._how.write(node, [self._parts[x] for x in node.inputs])
