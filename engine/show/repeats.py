"""`repeat` drawn once: the passes of one structure are one cluster, "h × 12".

Passes are told apart by their place among calls: `h.0`, `h.1`, … Two have the same structure when
they are made of the same operators, in the same order, that read each other in the same way. Their
derivatives may differ, since the first pass hands none on: a derivative that a pass lacks is drawn
where the first pass has it that does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from engine.graph import Node

Path = tuple[str, ...]
_PASS = re.compile(r"(.*)\.(\d+)", re.DOTALL)


@dataclass(frozen=True)
class Place:
    """What draws a node: the node `shown` at `path`; `turns` tells the passes it stood in."""

    shown: Node
    path: Path
    turns: tuple[int, ...] = ()


def folded(
    reads: Mapping[Node, Sequence[Node]],
    paths: Mapping[Node, Path],
    values: Mapping[Node, Node],
) -> dict[Node, Place]:
    """The place of each node, in whose path the first of several like passes stands for all.

    `reads` are the nodes, operands first, each with those of them that it reads; `values` tells of
    each derivative the value that it belongs to.
    """
    nodes = list(reads)
    places = {node: Place(node, paths[node]) for node in nodes}
    for level in range(max((len(path) for path in paths.values()), default=0)):
        first = [node for node in nodes if places[node].shown is node]
        for passes in _repeated(first, places, level):
            for run in _alike(passes, reads, places, values, level):
                _fold(run, places, values, level)
    return places


def _repeated(
    nodes: Iterable[Node], places: Mapping[Node, Place], level: int
) -> Iterable[dict[int, list[Node]]]:
    """The nodes of each repeated call at this depth of nesting, by the number of the pass."""
    found: dict[Path, dict[int, list[Node]]] = {}
    for node in nodes:
        path = places[node].path
        match = _PASS.fullmatch(path[level]) if len(path) > level else None
        if match:
            call = (*path[:level], match[1])
            found.setdefault(call, {}).setdefault(int(match[2]), []).append(node)
    return found.values()


def _alike(
    passes: Mapping[int, list[Node]],
    reads: Mapping[Node, Sequence[Node]],
    places: Mapping[Node, Place],
    values: Mapping[Node, Node],
    level: int,
) -> Iterable[list[tuple[int, list[Node]]]]:
    """Two or more passes, one after the other, of the same structure."""
    ordered = sorted(passes.items())

    def structure(numbered: tuple[int, list[Node]]) -> object:
        """Operators with the calls they stand in, and which of each other they read."""
        made = [node for node in numbered[1] if node not in values]
        position = {node: i for i, node in enumerate(made)}
        return [
            (
                node.op,
                node.shape,
                places[node].path[level + 1 :],
                [position.get(x) for x in reads[node]],
            )
            for node in made
        ]

    for _, run in groupby(ordered, key=structure):
        if len(alike := list(run)) > 1:
            yield alike


def _fold(
    run: Sequence[tuple[int, list[Node]]],
    places: dict[Node, Place],
    values: Mapping[Node, Node],
    level: int,
) -> None:
    """Draw every pass of a run where its first one is."""
    (start, first), (end, _) = run[0], run[-1]
    name = _PASS.fullmatch(places[first[0]].path[level])
    assert name is not None
    of = f"{name[1]} × {len(run)}" if start == 0 else f"{name[1]}.{start}…{end} × {len(run)}"
    drawn, likes = dict[Node, Place](), dict[Hashable, Node]()
    for turn, nodes in run:
        for role, node in _roles(nodes, places, values):
            like = likes.setdefault(role, node)
            path = places[like].path
            drawn[node] = Place(like, (*path[:level], of, *path[level + 1 :]), (turn,))
    for node, place in places.items():  # those that earlier folds draw elsewhere follow
        if place.shown in drawn:
            to = drawn[place.shown]
            places[node] = Place(to.shown, to.path, (*place.turns, *to.turns))


def _roles(
    nodes: Sequence[Node], places: Mapping[Node, Place], values: Mapping[Node, Node]
) -> Iterable[tuple[Hashable, Node]]:
    """What the nodes of a pass have in common with their likes of other passes.

    A value: the how-manieth it is. A derivative: of which value, and the how-manieth of its kind.
    """
    position = {node: i for i, node in enumerate(x for x in nodes if x not in values)}
    found = Counter[Hashable]()
    for node in nodes:
        if node in position:
            yield position[node], node
            continue
        value = values[node]
        shown = places[value].shown if value in places else value
        kind = position.get(shown), node.op, node.shape
        found[kind] += 1
        yield (*kind, found[kind]), node
