"""Softmax, normalisation and the classifier's loss, each backward a closed form in the value."""

from __future__ import annotations

from typing import Any

import torch

from engine.dims import Shape
from engine.errors import KindError
from engine.graph import Node, Op, Operand
from engine.ops import kernels
from engine.ops.axes import one_axis, restore_axes
from engine.ops.families import elements, times, to_float
from engine.ops.functions import exp
from engine.ops.reductions import mean, sum
from engine.ops.reductions import var as variance
from engine.ops.selection import integers, pick, picked, place_like


def _same_shape(attrs: Any, x: Node) -> Shape:
    return x.shape


def _along_axis(op_name: str) -> Any:
    def build(x: Operand, axis: int = -1, **more: Any) -> Node:
        node = to_float(x)
        return Op.table[op_name].node((node,), axis=one_axis(axis, node), **more)

    return build


def _softmax_slope(g: Node, y: Node) -> Node:
    """(diag y - y yᵀ) g, a symmetric matrix: cotangent and tangent alike."""
    return y * (g - sum(g * y, y.attrs["axis"], keepdims=True))


softmax = Op(
    name="softmax",
    kernel=torch.softmax,
    shape=_same_shape,
    vjp=lambda g, y, x: (_softmax_slope(g, y),),
    jvp=lambda dx, y, x: _softmax_slope(dx[0], y),
    tex=r"\operatorname{softmax}(%s)",
    glyph="softmax",
    cost=lambda y, x: times(7, elements(x)),
    attrs={"axis": -1},
    build=_along_axis("softmax"),
)
log_softmax = Op(
    name="log_softmax",
    kernel=torch.log_softmax,
    shape=_same_shape,
    vjp=lambda g, y, x: (g - exp(y) * sum(g, y.attrs["axis"], keepdims=True),),
    jvp=lambda dx, y, x: dx[0] - sum(exp(y) * dx[0], y.attrs["axis"], keepdims=True),
    tex=r"\log\operatorname{softmax}(%s)",
    glyph="log_softmax",
    cost=lambda y, x: times(7, elements(x)),
    attrs={"axis": -1},
    build=_along_axis("log_softmax"),
)


def _layer_norm_slope(g: Node, y: Node, x: Node) -> Node:
    """(g - mean g - y mean(g y)) / σ, symmetric: cotangent and tangent alike (Ba et al., 2016)."""
    axis = y.attrs["axis"]
    deviation = (variance(x, axis, keepdims=True) + y.attrs["eps"]) ** -0.5
    return deviation * (g - mean(g, axis, keepdims=True) - y * mean(g * y, axis, keepdims=True))


def _layer_norm(
    x: Operand,
    weight: Operand | None = None,
    bias: Operand | None = None,
    axis: int = -1,
    eps: float = 1e-5,
) -> Node:
    """(x - mean x) / √(var x + eps) along `axis`, then `* weight + bias` where given."""
    node = to_float(x)
    y = layer_norm.node((node,), axis=one_axis(axis, node), eps=float(eps))
    scaled = y if weight is None else y * weight
    return scaled if bias is None else scaled + bias


layer_norm = Op(
    name="layer_norm",
    kernel=kernels.layer_norm,
    shape=_same_shape,
    vjp=lambda g, y, x: (_layer_norm_slope(g, y, x),),
    jvp=lambda dx, y, x: _layer_norm_slope(dx[0], y, x),
    tex=r"\operatorname{layernorm}(%s)",
    glyph="layernorm",
    cost=lambda y, x: times(8, elements(x)),
    attrs={"axis": -1, "eps": 1e-5},
    build=_layer_norm,
)


def _cross_entropy(
    logits: Operand, targets: Operand, axis: int = -1, reduction: str = "mean"
) -> Node:
    """-log softmax(logits)[targets]: their "mean", their "sum", or one per position ("none")."""
    node = to_float(logits)
    each = cross_entropy.node((node, integers(targets, "cross_entropy")), axis=one_axis(axis, node))
    if reduction not in ("mean", "sum", "none"):
        raise KindError(f"there is no reduction {reduction!r}", hint="take mean, sum or none")
    return each if reduction == "none" else mean(each) if reduction == "mean" else sum(each)


def _cross_entropy_vjp(g: Node, y: Node, x: Node, targets: Node) -> tuple[Node | None, ...]:
    """(softmax(x) - one_hot(target)) g."""
    axis = y.attrs["axis"]
    return restore_axes(g, axis) * softmax(x, axis) - place_like(g, targets, x, axis), None


def _cross_entropy_jvp(dx: tuple[Node | None, ...], y: Node, x: Node, targets: Node) -> Node | None:
    axis = y.attrs["axis"]
    if dx[0] is None:
        return None
    return sum(softmax(x, axis) * dx[0], axis) - pick(dx[0], targets, axis)


cross_entropy = Op(
    name="cross_entropy",
    kernel=kernels.cross_entropy,
    shape=picked,
    kind=lambda attrs, x, targets: "float",
    vjp=_cross_entropy_vjp,
    jvp=_cross_entropy_jvp,
    tex=r"-\log\operatorname{softmax}(%s)_{%s}",
    glyph="cross_entropy",
    cost=lambda y, x, targets: times(7, elements(x)),
    attrs={"axis": -1},
    build=_cross_entropy,
)
