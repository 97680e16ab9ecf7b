"""Layer normalisation: forward, its statistics and all three cotangents in two kernels."""

from __future__ import annotations

from engine import ops
from engine.dims import same_shape
from engine.graph import Node
from engine.passes import fused
from engine.passes.cover import Rules, Users


def _is_norm(y: Node) -> bool:
    return y.op is ops.layer_norm and y.attrs["axis"] == -1 and bool(y.rank)


def _per_feature(w: Node, y: Node) -> bool:
    """Whether `w` has an element for each along the last axis of `y`."""
    return w.kind == "float" and y.shape is not None and same_shape(w.shape, y.shape[-1:])


def _scaling(y: Node, users: Users) -> tuple[Node, ...]:
    """The weight and the bias that follow a normalised value, as far as there are any."""
    for n in users.of(y):
        match n:
            case Node(ops.mul, (a, w)) if a is y and _per_feature(w, y):
                return (w, *_shift(n, y, users))
    return ()


def _shift(scaled: Node, y: Node, users: Users) -> tuple[Node, ...]:
    for n in users.of(scaled):
        match n:
            case Node(ops.add, (a, b)) if a is scaled and _per_feature(b, y):
                return (b,) if users.at_most_one(scaled) else ()
    return ()


def _normalised(y: Node, scaling: tuple[Node, ...]) -> Node:
    return fused.layer_norm.node((*y.inputs, *scaling), eps=y.attrs["eps"])


def _item(several: Node, which: int) -> Node:
    return fused.item.node((several,), which=which)


def normalise(n: Node, users: Users) -> Node | None:
    """layer_norm(x)."""
    return _item(_normalised(n, ()), 0) if _is_norm(n) else None


def normalise_and_scale(n: Node, users: Users) -> Node | None:
    """layer_norm(x) · weight, layer_norm(x) · weight + bias."""
    scaled = n.inputs[0] if n.op is ops.add else n
    y = scaled.inputs[0] if scaled.op is ops.mul else None
    if y is None or not _is_norm(y):
        return None
    scaling = _scaling(y, users)
    parts = (*scaled.inputs[1:], *(n.inputs[1:] if n.op is ops.add else ()))
    return _item(_normalised(y, scaling), 0) if scaling == parts else None


def _backward(y: Node, g: Node, scaling: tuple[Node, ...]) -> Node:
    """The cotangents of the normalised, scaled value for the cotangent g."""
    statistics = _normalised(y, scaling)
    parts = (g, *y.inputs, _item(statistics, 1), _item(statistics, 2), *scaling[:1])
    return fused.layer_norm_backward.node(parts)


def input_cotangent(n: Node, users: Users) -> Node | None:
    """(h - mean h - y mean(h y)) / σ, where h = g or h = g · weight."""
    match n.inputs:
        case (rstd, Node(ops.sub, (Node(ops.sub, (h, _)), Node(ops.mul, (y, _)))) as slope):
            pass
        case _:
            return None
    if not _is_norm(y) or slope is not _slope(h, y) or rstd is not _rstd(y):
        return None
    scaling = _scaling(y, users)
    if scaling and h.op is ops.mul and h.inputs[1] is scaling[0]:
        return _item(_backward(y, h.inputs[0], scaling), 0)
    return _item(_backward(y, h, ()), 0)


def _slope(h: Node, y: Node) -> Node:
    return h - ops.mean(h, -1, keepdims=True) - y * ops.mean(h * y, -1, keepdims=True)


def _rstd(y: Node) -> Node:
    return (ops.var(y.inputs[0], -1, keepdims=True) + y.attrs["eps"]) ** -0.5


def weight_cotangent(n: Node, users: Users) -> Node | None:
    """Σ g y, where the kernel runs for the input's sake."""
    match n.inputs[0]:
        case Node(ops.mul, (g, y)) if _is_norm(y) and _per_feature(n, y):
            scaling = _scaling(y, users)
            if scaling and users.of(g * scaling[0]):
                return _item(_backward(y, g, scaling), 1)
    return None


def bias_cotangent(n: Node, users: Users) -> Node | None:
    """Σ g, where the kernel runs for the input's sake."""
    g = n.inputs[0]
    for user in users.of(g):
        match user:
            case Node(ops.mul, (a, y)) if a is g and _is_norm(y) and _per_feature(n, y):
                scaling = _scaling(y, users)
                if scaling and users.of(g * scaling[0]):
                    return _item(_backward(y, g, scaling), 2)
    return None


RULES: Rules = {
    ops.layer_norm: (normalise,),
    ops.add: (normalise_and_scale,),
    ops.mul: (normalise_and_scale, input_cotangent),
    ops.sum_to: (weight_cotangent, bias_cotangent),
}
