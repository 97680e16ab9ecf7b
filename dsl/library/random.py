"""Random tensors: in a draw of the parameter's shape and key, elsewhere with both given."""

from __future__ import annotations

from dataclasses import replace

from engine import Node, ops
from engine.graph import Op
from engine.ops.sources import constant_value

from ..errors import refuse
from ..lowering.arguments import Bound
from ..lowering.located import located
from ..lowering.readers import Reading
from ..lowering.state import Lowering
from ..scope import Scope
from ..span import Span
from ..values import Slot
from .builtin import form


def uniform(low: Lowering, scope: Scope, span: Span, bound: Bound) -> Node:
    """`uniform(low, high)`: evenly between the two."""
    reading = Reading(low)
    least, most = _given(reading, bound, "low", 0.0), _given(reading, bound, "high", 1.0)
    with located(span, reading.terms):
        numbers = _numbers(least, most)
        drawn = _drawn(reading, span, bound, ops.uniform, numbers)
        return low.keep(drawn if numbers else least + (most - least) * drawn, span, scope)


def normal(low: Lowering, scope: Scope, span: Span, bound: Bound) -> Node:
    """`normal(mean, std)`: by the bell curve."""
    reading = Reading(low)
    mean, std = _given(reading, bound, "mean", 0.0), _given(reading, bound, "std", 1.0)
    with located(span, reading.terms):
        numbers = _numbers(mean, std)
        drawn = _drawn(reading, span, bound, ops.normal, numbers)
        return low.keep(drawn if numbers else mean + std * drawn, span, scope)


def _given(reading: Reading, bound: Bound, name: str, default: float) -> Node:
    argument = bound.one.get(name)
    return ops.const(default) if argument is None else argument.term(reading.low, name).node


def _numbers(first: Node, second: Node) -> tuple[float, ...]:
    """What the operator itself can be told: both as numbers, or nothing."""
    values = constant_value(first), constant_value(second)
    return tuple(float(value) for value in values if value is not None and None not in values)


def _drawn(reading: Reading, span: Span, bound: Bound, op: Op, numbers: tuple[float, ...]) -> Node:
    """Numbers of the shape and with the key of the parameter, or of the call."""
    low, draw = reading.low, reading.low.draw
    if draw is not None and not {"shape", "key"} & set(bound.one):
        low.draw = replace(draw, key=draw.key + 1)  # another draw for it is another one
        return op(draw.leaf.shape, draw.key, *numbers)
    missing = next((name for name in ("shape", "key") if name not in bound.one), None)
    if missing is not None:
        hint = f"give both, as in `{op.name}(0, 1, shape=[n], key=7)`; a parameter's `~` needs none"
        raise refuse(f"`{op.name}` needs `{missing}` here", span, hint, "call")
    shape = reading.read(Slot("shape", "shape", None, required=True), bound)
    key = bound.one["key"].term(low, "key").node
    return op(shape, key, *numbers)


RANDOM = (
    form("normal(mean=0, std=1, shape=None, key=None)", normal),
    form("uniform(low=0, high=1, shape=None, key=None)", uniform),
)
