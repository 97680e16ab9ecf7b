"""Softmax, ReLU and the cross-entropy with the kernels that torch has for their cotangents."""

from __future__ import annotations

from engine import ops
from engine.dims import same_shape
from engine.graph import Node
from engine.ops.axes import restore_axes
from engine.ops.sources import is_const
from engine.passes import fused
from engine.passes.cover import Rules, Users


def _sums(s: Node, axis: int) -> Node | None:
    """x of Σ x along one axis that is kept."""
    along = s.op is ops.sum and s.attrs["axis"] == (axis,) and s.attrs["keepdims"]
    return s.inputs[0] if along else None


def softmax_backward(n: Node, users: Users) -> Node | None:
    """y (g - Σ g y), y = softmax x."""
    match n.inputs:
        case (Node(ops.softmax) as y, Node(ops.sub, (g, s))):
            axis = y.attrs["axis"]
            if _sums(s, axis) is g * y and same_shape(g.shape, y.shape):
                return fused.softmax_backward.node((g, y), axis=axis)
    return None


def log_softmax_backward(n: Node, users: Users) -> Node | None:
    """g - e^y Σ g, y = log softmax x."""
    match n.inputs:
        case (g, Node(ops.mul, (Node(ops.exp, (Node(ops.log_softmax) as y,)), s))):
            axis = y.attrs["axis"]
            if _sums(s, axis) is g and same_shape(g.shape, y.shape):
                return fused.log_softmax_backward.node((g, y), axis=axis)
    return None


def relu_backward(n: Node, users: Users) -> Node | None:
    """g where 0 < x, else 0. Where x is no number torch's kernel lets g through."""
    match n.inputs:
        case (Node(ops.less, (low, x)), g, zero) if (
            is_const(low, 0)
            and is_const(zero, 0)
            and x.kind == g.kind == "float"
            and same_shape(g.shape, x.shape)
        ):
            y = next((y for y in users.of(x) if y.op is ops.relu), x)
            return fused.relu_backward.node((g, y))
    return None


def cross_entropy(n: Node, users: Users) -> Node | None:
    """-log softmax(x)[target] by way of log_softmax, which the cotangent takes up again."""
    x, targets = n.inputs
    if n.attrs["axis"] != -1 or not x.rank:
        return None
    return fused.cross_entropy.node((ops.log_softmax(x), targets), reduction="none")


def mean_cross_entropy(n: Node, users: Users) -> Node | None:
    """The mean over all positions in one kernel."""
    each = n.inputs[0]
    if each.op is not ops.cross_entropy or not users.at_most_one(each):
        return None
    fast = cross_entropy(each, users) if n.attrs["axis"] is None and n.rank == 0 else None
    return None if fast is None else fused.cross_entropy.node(fast.inputs, reduction="mean")


def cross_entropy_backward(n: Node, users: Users) -> Node | None:
    """g softmax(x) - g one_hot(target)."""
    match n.inputs:
        case (
            Node(ops.mul, (spread, Node(ops.softmax, (x,)) as y)),
            Node(ops.place, (g, targets, *_)) as placed,
        ) if y.attrs["axis"] == placed.attrs["axis"] == -1 and x.rank:
            if spread is restore_axes(g, -1) and same_shape(placed.shape, x.shape):
                return fused.cross_entropy_backward.node((-spread, ops.log_softmax(x), targets))
    return None


RULES: Rules = {
    ops.mul: (softmax_backward,),
    ops.sub: (log_softmax_backward, cross_entropy_backward),
    ops.where: (relu_backward,),
    ops.cross_entropy: (cross_entropy,),
    ops.mean: (mean_cross_entropy,),
}
