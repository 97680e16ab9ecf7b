"""Data for which a branch is not chosen and has no slope: looked for among simple numbers.

Condition and operand are formulas element by element of a few values; these are given all
combinations of small numbers and of the constants in the formulas.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine import Node, ops
from engine.graph import toposort
from engine.ops.sources import constant_value

from ..lowering.derivatives import ELEMENTWISE
from .signs import sign

SIMPLE = (0.0, 0.5, 1.0, 2.0, 3.0)
MOST_DATA = 10_000


def exists(
    condition: Node, operand: Node, chosen: bool, has_no_slope: Callable[[Tensor], Tensor]
) -> bool:
    """Whether some data have a condition other than `chosen` and an operand without a slope."""
    order = toposort([condition, operand], stop=_is_end)
    ends = [node for node in order if _is_end(node) and constant_value(node) is None]
    constants = {float(v) for node in order if (v := constant_value(node)) is not None}
    samples = [_samples(node, constants) for node in ends]
    total = torch.tensor([len(each) for each in samples]).prod().item()
    if not ends or total > MOST_DATA:
        return False
    grid = torch.meshgrid(*samples, indexing="ij")
    values = dict(zip(ends, (each.reshape(-1) for each in grid), strict=True))
    for node in order:
        if node not in values:
            values[node] = _value(node, [values[x] for x in node.inputs])
    hidden = values[condition].bool() != chosen
    return bool((hidden & has_no_slope(values[operand])).any())


def _is_end(node: Node) -> bool:
    """Whether a value is taken as given: all but what is made element by element."""
    return node.op.name not in ELEMENTWISE


def _samples(node: Node, constants: set[float]) -> Tensor:
    """Numbers for a value, of the signs that it can have."""
    if node.kind == "bool":
        return torch.tensor([False, True])
    least = {1: 1e-9, 0: 0.0}.get(sign(node), -torch.inf)
    numbers = {*SIMPLE, *constants}
    whole = sorted({each for x in numbers for each in (x, -x) if each >= least})
    return torch.tensor(whole, dtype=torch.float64)


def _value(node: Node, inputs: list[Tensor]) -> Tensor:
    value = constant_value(node)
    if value is not None:
        return torch.tensor(value, dtype=None if isinstance(value, bool) else torch.float64)
    if node.op is ops.cast:
        return inputs[0].bool() if node.attrs["kind"] == "bool" else inputs[0].double()
    return node.op.run(node.attrs, *inputs)
