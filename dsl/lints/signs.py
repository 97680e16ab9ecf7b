"""Which values are certainly positive, or at least not negative, whatever the data are."""

from __future__ import annotations

from collections.abc import Callable

from engine import Node, ops
from engine.graph import Op
from engine.ops.sources import constant_value

DEEPEST = 16

Sign = int | None


def sign(node: Node, depth: int = DEEPEST) -> Sign:
    """1 if every entry is greater than 0, 0 if none is less, None where that is not known."""
    value = constant_value(node)
    if value is not None:
        return 1 if value > 0 else 0 if value == 0 else None
    if node.op in _ALWAYS:
        return _ALWAYS[node.op]
    if node.op not in _BY_INPUTS or not depth:
        return None
    if node.op is ops.mul and node.inputs[0] is node.inputs[1]:
        return 0
    return _BY_INPUTS[node.op](node, [sign(x, depth - 1) for x in node.inputs])


def _all(node: Node, signs: list[Sign]) -> Sign:
    """As weak as the weakest."""
    return None if None in signs else min(s for s in signs if s is not None)


def _sum(node: Node, signs: list[Sign]) -> Sign:
    """One positive part is enough if no part is negative."""
    return None if None in signs else max(s for s in signs if s is not None)


def _greatest(node: Node, signs: list[Sign]) -> Sign:
    return max((s for s in signs if s is not None), default=None)


def _quotient(node: Node, signs: list[Sign]) -> Sign:
    return signs[0] if signs[1] == 1 else None


def _power(node: Node, signs: list[Sign]) -> Sign:
    """xⁿ is positive with x, and not negative for an even n."""
    n = constant_value(node.inputs[1])
    return 1 if signs[0] == 1 else 0 if n is not None and n > 0 and n % 2 == 0 else None


def _at_least_zero(node: Node, signs: list[Sign]) -> Sign:
    return 1 if signs[0] == 1 else 0


def _branches(node: Node, signs: list[Sign]) -> Sign:
    return _all(node, signs[1:])


_ALWAYS: dict[Op, Sign] = {
    **dict.fromkeys((ops.exp, ops.softmax, ops.sigmoid, ops.softplus, ops.size), 1),
    **dict.fromkeys((ops.relu, ops.var, ops.norm), 0),
}
_BY_INPUTS: dict[Op, Callable[[Node, list[Sign]], Sign]] = {
    **dict.fromkeys((ops.mul, ops.minimum, ops.sum, ops.mean, ops.max, ops.min, ops.prod), _all),
    **dict.fromkeys((ops.cast, ops.reshape, ops.transpose, ops.expand, ops.index, ops.stop), _all),
    ops.add: _sum,
    ops.maximum: _greatest,
    ops.div: _quotient,
    ops.pow: _power,
    **dict.fromkeys((ops.sqrt, ops.abs), _at_least_zero),
    ops.where: _branches,
}
