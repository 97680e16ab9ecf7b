"""How long a run takes, and how that grows with a size: the shortest of several runs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import Evaluator, Node
from engine.dims import Size

LONGEST = 0.5  # seconds of measuring each
FEWEST = 3  # runs
SHORTEST_TEXT = 8

Feeds = Mapping[Node, Any]


@dataclass(frozen=True)
class Growth:
    """Between a size and half of it the time grew as this power of the size."""

    size: int
    exponent: float


def shortest(nodes: Sequence[Node], feeds: Feeds) -> float:
    """The seconds that the shortest of several runs takes, the first not counted."""
    evaluator, taken = Evaluator(nodes), list[float]()
    evaluator.run(feeds)
    while len(taken) < FEWEST or sum(taken) < LONGEST:
        start = time.perf_counter()
        evaluator.run(feeds)
        taken.append(time.perf_counter() - start)
    return min(taken)


def growth(node: Node, feeds: Feeds, length: Size) -> Growth | None:
    """How the time of a run grows with a size, measured at the data's and at half of it.

    None where the data do not have the size, or only a few of it.
    """
    found = [np.shape(x)[i] for leaf, x in feeds.items() for i in _axes(leaf, length)]
    if not found or found[0] < SHORTEST_TEXT:
        return None
    half = {leaf: _first(leaf, x, length, found[0] // 2) for leaf, x in feeds.items()}
    ratio = shortest([node], feeds) / shortest([node], half)
    return Growth(found[0], math.log(ratio) / math.log(found[0] / (found[0] // 2)))


def _axes(leaf: Node, length: Size) -> list[int]:
    return [i for i, dim in enumerate(leaf.shape or ()) if dim == length]


def _first(leaf: Node, value: Any, length: Size, n: int) -> Any:
    """The first n of a value along each axis of this size."""
    axes = _axes(leaf, length)
    key = tuple(slice(n) if i in axes else slice(None) for i in range(len(leaf.shape or ())))
    return value[key] if axes else value
