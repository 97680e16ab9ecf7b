"""What a picture of a graph shows: boxes and arrows, and functions as clusters that can be closed.

Numbers, sizes, masks (what depends on no leaf) and transposes are written into the box that reads
them. Everything else is a box of its own, or one with all of its function if that is closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from engine.graph import Node, depends, toposort
from engine.origins import origins
from engine.show.forms import write
from engine.show.lines import Part
from engine.show.names import Legend, own_name, visible
from engine.show.repeats import folded

MOST_BOXES = 200
FITTING = 25
LONGEST = 48
BLANK = "·"  # an operand without a name; the arrow says which it is

BoxKind = Literal["input", "param", "value", "output", "backward", "function"]
ArrowKind = Literal["forward", "backward", "recalled", "belongs", "again", "back"]
ELSEWHERE: Mapping[ArrowKind, ArrowKind] = {"forward": "again", "backward": "back"}
Owner: TypeAlias = (
    Node | tuple[str, ...]
)  # a node with its own box, or the path of a closed function


@dataclass(frozen=True)
class Box:
    """A leaf, a value or a closed function; it stands in the function `path`.

    The `key` is the same at every depth. `nodes` are those that the box stands for: derivatives,
    then values, in order.
    """

    key: str
    kind: BoxKind
    name: str
    text: str
    path: tuple[str, ...]
    nodes: tuple[Node, ...] = ()
    mark: str = ""


@dataclass(frozen=True)
class Arrow:
    """From a value to its reader, with the value's shape.

    `forward` between values, `backward` between derivatives, `recalled` where a derivative reads a
    value; `belongs` leads from each value to its derivatives, `again` from one pass of a `repeat`
    to the next, `back` to the one before.
    """

    tail: str
    head: str
    kind: ArrowKind
    shape: str = ""


@dataclass(frozen=True)
class View:
    """A picture before it is laid out; `keys` are those of all functions by their paths."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    keys: Mapping[tuple[str, ...], str]


def view(
    outputs: Sequence[Node],
    legend: Legend | None = None,
    *,
    backward: Sequence[Node] = (),
    depth: int | None = None,
) -> View:
    """The boxes and arrows of the outputs and of their derivatives `backward`.

    Functions nested deeper than `depth` are closed; by default none, or of a graph of more than 200
    values so many that 25 boxes are left.
    """
    views = Views(outputs, legend, backward)
    return views.at(views.fitting if depth is None else depth)


class Views:
    """The views of a graph at every depth, from 0 to the `deepest`; `fitting` is the usual one.

    `functions` are the keys of all functions by their paths, `order` is that of the evaluation.
    """

    def __init__(
        self, outputs: Sequence[Node], legend: Legend | None = None, backward: Sequence[Node] = ()
    ) -> None:
        self._graph = _Folded(outputs, legend or Legend(), backward)
        paths = [place.path for place in self._graph.places.values()]
        self.deepest = max(map(len, paths), default=0)
        self.fitting = self._graph.fitting_depth(self.deepest)
        above = dict.fromkeys(path[:i] for path in paths for i in range(1, len(path) + 1))
        self.functions = {path: f"f{i}" for i, path in enumerate(above)}
        self.order = {node: i for i, node in enumerate(self._graph.boxed)}

    def at(self, depth: int) -> View:
        """The boxes and arrows with the functions closed that are nested deeper."""
        graph = self._graph
        owners = graph.owners(max(depth, 0))
        keys = {owner: self._key(owner) for owner in dict.fromkeys(owners.values())}
        boxes = tuple(_boxes(graph, owners, keys))
        return View(boxes, tuple(_arrows(graph, owners, keys)), self.functions)

    def _key(self, owner: Owner) -> str:
        if isinstance(owner, Node):
            return f"n{self.order[owner]}"
        return self.functions[owner] if owner else "more"


class _Folded:
    """A graph of which only the `boxed` nodes, operands first, are not written inside others."""

    def __init__(self, outputs: Sequence[Node], legend: Legend, backward: Sequence[Node]) -> None:
        order = toposort([*outputs, *backward])
        self.legend, self.forward = legend, set(toposort(outputs))
        self.ends, self.outputs = {*outputs, *backward}, set(outputs)
        self.moving = depends(order, [node for node in order if node.op.name == "variable"])
        self.texts: dict[Node, str] = {}
        self.reads: dict[Node, tuple[Node, ...]] = {}
        self.boxed: list[Node] = []
        behind: dict[Node, tuple[Node, ...]] = {}
        parts: dict[Node, Part] = {}
        for node in order:
            part = self._written(node, [parts[x] for x in node.inputs])
            reads = tuple(dict.fromkeys(box for x in node.inputs for box in behind[x]))
            if self._folds(node):
                parts[node], behind[node] = part, reads
                continue
            self.boxed.append(node)
            self.texts[node], self.reads[node] = _short(part.text), reads
            parts[node], behind[node] = Part(own_name(node, legend.names) or BLANK), (node,)
        found = ((node, self._value_of(node)) for node in self.boxed)
        self.values = {node: value for node, value in found if value is not None}
        paths = {node: self._path(node) for node in self.boxed}
        self.places = folded(self.reads, paths, self.values)

    def _written(self, node: Node, parts: Sequence[Part]) -> Part:
        if node.op.name == "variable":
            return Part(visible(node.describe()))
        part = write(node, parts)
        return Part(visible(part.text, LONGEST), part.level)

    def _folds(self, node: Node) -> bool:
        """Whether a node is written where it is read: a cast, a transpose, what never changes."""
        if node in self.ends or node in self.legend.names or node.op.name == "variable":
            return False
        return node not in self.moving or node.op.name in ("cast", "transpose")

    def _path(self, node: Node) -> tuple[str, ...]:
        """The functions a node stands in, outermost first; a derivative stands with its value."""
        return self.legend.paths.get(self.values.get(node, node), ())

    def _value_of(self, node: Node) -> Node | None:
        """The value of this graph that a derivative belongs to."""
        found = (each.forward for each in origins(node) if node not in self.forward)
        return next((value for value in found if value in self.forward), None)

    def owners(self, depth: int) -> dict[Node, Owner]:
        """What shows each node: its box, its closed function's, or () for what is too far away."""
        owners: dict[Node, Owner] = {
            node: place.path[: depth + 1] if len(place.path) > depth else place.shown
            for node, place in self.places.items()
        }
        kinds = list(dict.fromkeys(owners.values()))
        hidden = set(kinds[: 1 - MOST_BOXES] if len(kinds) > MOST_BOXES else ())
        return {node: () if owner in hidden else owner for node, owner in owners.items()}

    def neighbours(self, node: Node) -> Iterator[tuple[Node, ArrowKind]]:
        """The boxed nodes that a node reads, and the value that a derivative belongs to."""
        derived = node not in self.forward
        for x in self.reads[node]:
            yield x, "forward" if not derived else "recalled" if x in self.forward else "backward"
        if self.values.get(node) in self.texts:
            yield self.values[node], "belongs"

    def is_other_pass(self, x: Node, node: Node) -> bool:
        """Whether one pass of a `repeat` reads here what another one made."""
        made, read = self.places[x], self.places[node]
        turns = zip(made.turns, read.turns, strict=False)
        return made.path[:1] == read.path[:1] and any(i != j for i, j in turns)

    def fitting_depth(self, deepest: int) -> int:
        """The depth that can be taken in: all of a small graph, of a large one what fits."""
        if len(self.boxed) <= MOST_BOXES:
            return deepest
        depths = range(deepest, 0, -1)
        return next((depth for depth in depths if len(self.boxes_at(depth)) <= FITTING), 0)

    def boxes_at(self, depth: int) -> set[Owner]:
        """What has a box of its own at a depth."""
        return {
            place.path[: depth + 1] if len(place.path) > depth else place.shown
            for place in self.places.values()
        }


def _short(text: str) -> str:
    """The text without the operands that have no name: `softmax(·)` is softmax, `· @ ·` is @."""
    text = re.sub(rf"^(\w+)\({BLANK}(, {BLANK})*\)$", r"\1", text)
    text = re.sub(rf"^(\w+)\({BLANK}, ", r"\1(", text)
    return re.sub(rf"^{BLANK} (\S+) {BLANK}$", r"\1", text)


def _boxes(
    graph: _Folded, owners: Mapping[Node, Owner], keys: Mapping[Owner, str]
) -> Iterator[Box]:
    members: dict[Owner, list[Node]] = {}
    for node in sorted(owners, key=graph.forward.__contains__):
        members.setdefault(owners[node], []).append(node)
    for owner, key in keys.items():
        nodes = tuple(members[owner])
        mark = next((graph.legend.marks[x] for x in nodes if x in graph.legend.marks), "")
        if isinstance(owner, Node):
            name, path = own_name(owner, graph.legend.names) or "", graph.places[owner].path
            yield Box(key, _kind(graph, nodes), name, graph.texts[owner], path, nodes, mark)
        else:
            name = visible(owner[-1]) if owner else "⋮"
            count = len({graph.places[node].shown for node in nodes})
            text = "1 value" if count == 1 else f"{count} values"
            yield Box(key, "function", name, text, owner[:-1], nodes, mark)


def _kind(graph: _Folded, nodes: Sequence[Node]) -> BoxKind:
    node = nodes[0]
    if node.op.name == "variable":
        return "param" if graph.legend.roles.get(node) == "param" else "input"
    if node not in graph.forward:
        return "backward"
    return "value" if graph.outputs.isdisjoint(nodes) else "output"


def _arrows(
    graph: _Folded, owners: Mapping[Node, Owner], keys: Mapping[Owner, str]
) -> Iterator[Arrow]:
    done: set[tuple[str, str, bool]] = set()
    for node in graph.boxed:
        for x, kind in graph.neighbours(node):
            tail, head = keys[owners[x]], keys[owners[node]]
            if kind in ELSEWHERE and graph.is_other_pass(x, node):
                kind = ELSEWHERE[kind]
            pair = tail, head, kind == "belongs"
            if tail != head and pair not in done:
                done.add(pair)
                yield Arrow(tail, head, kind, _passed(x) if kind in ELSEWHERE else "")


def _passed(x: Node) -> str:
    """The shape on an arrow; a leaf has it in its box."""
    return "" if x.op.name == "variable" else visible(x.describe())
