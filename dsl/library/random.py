"""Random tensors: in a draw of the parameter's shape and key, elsewhere with both given."""

from __future__ import annotations

from dataclasses import replace

from engine import Node, ops
from engine.graph import Op

from ..errors import refuse
from ..lower.arguments import Bound
from ..lower.located import located
from ..lower.lowering import Lowering
from ..lower.readers import Reading
from ..scope import Scope
from ..span import Span
from ..values import Form
from .builtin import slots_of


def uniform(l: Lowering, scope: Scope, span: Span, bound: Bound) -> Node:
    """`uniform(low, high)`: evenly between the two."""
    reading = Reading(l)
    low, high = _given(reading, bound, "low", 0.0), _given(reading, bound, "high", 1.0)
    with located(span, reading.terms):
        drawn = _drawn(reading, span, bound, ops.uniform)
        return l.keep(low + (high - low) * drawn, span, scope)


def normal(l: Lowering, scope: Scope, span: Span, bound: Bound) -> Node:
    """`normal(mean, std)`: by the bell curve."""
    reading = Reading(l)
    mean, std = _given(reading, bound, "mean", 0.0), _given(reading, bound, "std", 1.0)
    with located(span, reading.terms):
        drawn = _drawn(reading, span, bound, ops.normal)
        return l.keep(mean + std * drawn, span, scope)


def _given(reading: Reading, bound: Bound, name: str, default: float) -> Node:
    argument = bound.one.get(name)
    return ops.const(default) if argument is None else argument.term(reading.l, name).node


def _drawn(reading: Reading, span: Span, bound: Bound, op: Op) -> Node:
    """Numbers of the shape and with the key of the parameter, or of the call."""
    l, draw = reading.l, reading.l.draw
    if draw is not None and not {"shape", "key"} & set(bound.one):
        l.draw = replace(draw, key=draw.key + 1)  # a second draw for this parameter is another one
        return op(draw.leaf.shape, draw.key)
    missing = next((name for name in ("shape", "key") if name not in bound.one), None)
    if missing is not None:
        hint = f"give both, as in `{op.name}(0, 1, shape=[n], key=7)`; `param W : [n] ~ …` gives them itself"
        raise refuse(f"`{op.name}` needs `{missing}` here", span, hint, "call")
    slots = {slot.name: slot for slot in SHAPED.slots}
    shape = reading.read(slots["shape"], bound)
    key = bound.one["key"].term(l, "key").node
    return op(shape, key)


NORMAL = "normal(mean=0, std=1, shape=None, key=None)"
UNIFORM = "uniform(low=0, high=1, shape=None, key=None)"
SHAPED = Form("normal", slots_of(NORMAL), normal, NORMAL)
RANDOM = (SHAPED, Form("uniform", slots_of(UNIFORM), uniform, UNIFORM))
