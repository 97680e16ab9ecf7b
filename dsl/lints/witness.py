"""Data for which a branch is not chosen and has no slope: looked for among simple numbers.

Condition and operand are formulas, element by element, of a few given values. These take all
combinations of small numbers and of the constants in the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from engine import Node, ops
from engine.graph import toposort
from engine.ops.sources import constant_value

from .nearby import FARTHEST, is_given, near
from .signs import sign

SIMPLE = (0.0, 0.5, 1.0, 2.0, 3.0)
MOST_DATA = 10_000


def exists(
    condition: Node, operand: Node, chosen: bool, has_no_slope: Callable[[Tensor], Tensor]
) -> bool:
    """Whether some data have a condition other than `chosen` and an operand without a slope."""
    order, given = _formulas(condition, operand)
    numbers = {float(v) for node in order if (v := constant_value(node)) is not None}
    samples = [_samples(node, {*SIMPLE, *numbers}) for node in given]
    if not given or math.prod(map(len, samples)) > MOST_DATA:
        return False
    grid = torch.meshgrid(*samples, indexing="ij")
    values = dict(zip(given, (each.reshape(-1) for each in grid), strict=True))
    for node in order:
        if node not in values:
            values[node] = _value(node, [values[x] for x in node.inputs])
    hidden = values[condition].bool() != chosen
    return bool((hidden & has_no_slope(values[operand])).any())


def _formulas(condition: Node, operand: Node) -> tuple[list[Node], list[Node]]:
    """Both, down to what is given; if that is too far, to what they have in common."""
    both = (condition, operand)
    shared = {*near(condition)} & {*near(operand)}
    for is_end in (is_given, lambda node: is_given(node) or node in shared):
        if all(len(near(node, is_end)) < FARTHEST for node in both):
            order = toposort(both, stop=is_end)
            return order, [x for x in order if is_end(x) and constant_value(x) is None]
    return [], []


def _samples(node: Node, numbers: set[float]) -> Tensor:
    """Numbers for a value, of the signs that it can have."""
    if node.kind == "bool":
        return torch.tensor([False, True])
    least = {1: 1e-9, 0: 0.0, None: -math.inf}[sign(node)]
    fitting = sorted({each for x in numbers for each in (x, -x) if each >= least})
    return torch.tensor(fitting, dtype=torch.float64)


def _value(node: Node, inputs: list[Tensor]) -> Tensor:
    value = constant_value(node)
    if value is not None:
        return torch.tensor(value, dtype=torch.bool if isinstance(value, bool) else torch.float64)
    if node.op is ops.cast:
        return inputs[0].bool() if node.attrs["kind"] == "bool" else inputs[0].double()
    return node.op.run(node.attrs, *inputs)
