"""Reductions: sums, means, extremes, products, norms; the running sum. Axes as in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from engine.dims import Shape, known, show
from engine.errors import ShapeError
from engine.graph import Kind, Node, Op, Operand, as_node, promote
from engine.ops import calls, kernels
from engine.ops.axes import Axis, one_axis, over, reduced, reduced_size, restore_axes, some_axes
from engine.ops.families import (
    broadcast_to,
    elements,
    linear,
    times,
    to_float,
    to_number,
    unbroadcast,
)
from engine.ops.functions import exp
from engine.ops.layout import cast, flip, reshape, transpose
from engine.ops.logic import equal, not_equal, where
from engine.ops.sources import eye, size_value, source


def spread(g: Node, y: Node, x: Node) -> Node:
    """`g`, shaped like the reduction `y` of `x`, repeated over the reduced axes."""
    return broadcast_to(kept(g, y), x)


def kept(g: Node, y: Node) -> Node:
    """`g`, shaped like the reduction `y`, with its axes put back as 1 so that it broadcasts."""
    return g if y.attrs["keepdims"] else restore_axes(g, y.attrs["axis"])


def scaled(g: Node, y: Node, x: Node, slope: Node) -> Node:
    """`g`, shaped like the reduction `y` of `x`, times the slope at each element of `x`."""
    product = kept(g, y) * slope
    return product if x.rank is not None else unbroadcast(product, x)  # x may be a scalar


def _reduced_shape(attrs: Any, x: Node) -> Shape:
    return reduced(x.shape, attrs["axis"], attrs["keepdims"])


def _builder(name: str, operand: Callable[[Operand], Node]) -> Callable[..., Node]:
    def build(x: Operand, axis: Axis = None, keepdims: bool = False, **more: Any) -> Node:
        node = operand(x)
        return Op.table[name].node(
            (node,), axis=some_axes(axis, node), keepdims=bool(keepdims), **more
        )

    return build


def reduction(
    name: str,
    kernel: Callable[..., Any],
    vjp: Callable[..., Node],
    jvp: Callable[..., Node],
    *,
    tex: Callable[[Node, str], str],
    glyph: str = "",
    operand: Callable[[Operand], Node] = to_float,
    shape: Callable[..., Shape] = _reduced_shape,
    cost: int = 1,
    code: Callable[..., str | None] | None = None,
    **attrs: Any,
) -> Op:
    """A reduction of one operand: `vjp(g, y, x)` and `jvp(dx, y, x)` for that operand alone."""
    return Op(
        name=name,
        kernel=kernel,
        shape=shape,
        vjp=lambda g, y, x: (vjp(g, y, x) if x.kind == "float" else None,),
        jvp=lambda dx, y, x: jvp(dx[0], y, x),
        tex=tex,
        glyph=glyph or name,
        cost=lambda y, x: times(cost, elements(x)),
        attrs={"axis": None, "keepdims": False, **attrs},
        build=_builder(name, operand),
        code=code,
    )


sum = reduction(
    "sum",
    kernels.sum,
    vjp=spread,
    jvp=lambda dx, y, x: sum.node((dx,), **y.attrs),
    tex=over(r"\textstyle\sum"),
    glyph="Σ",
    operand=to_number,
    code=calls.reduction,
)

count = source(
    "count",
    kernels.count,
    shape=lambda attrs, x: (),
    kind=lambda attrs, x: "float",
    build=lambda x, axis=None: _count(as_node(x), some_axes(axis, as_node(x))),
    attrs={"axis": None},
)


def _count(x: Node, axis: tuple[int, ...] | int | None) -> Node:
    """How many elements a reduction of `x` takes together, as a number when the sizes are known."""
    n = reduced_size(x, axis)
    return count.node((x,), axis=axis) if n is None else to_float(size_value(n))


mean = reduction(
    "mean",
    kernels.mean,
    vjp=lambda g, y, x: spread(g, y, x) / _count(x, y.attrs["axis"]),
    jvp=lambda dx, y, x: mean.node((dx,), **y.attrs),
    tex=over(r"\operatorname{mean}", "(%s)"),
    code=calls.reduction,
)


def _deviation(y: Node, x: Node) -> Node:
    """2 (x - mean x) / (n - correction), the slope of the variance."""
    axis = y.attrs["axis"]
    centred = x - mean.node((x,), axis=axis, keepdims=True)
    return centred * (2.0 / (_count(x, axis) - float(y.attrs["correction"])))


var = reduction(
    "var",
    kernels.var,
    vjp=lambda g, y, x: scaled(g, y, x, _deviation(y, x)),
    jvp=lambda dx, y, x: sum(dx * _deviation(y, x), y.attrs["axis"], y.attrs["keepdims"]),
    tex=over(r"\operatorname{var}", "(%s)"),
    cost=4,
    correction=0,
)


def _share(y: Node, x: Node) -> Node:
    """1 at the extreme element of each group, shared equally where several are equal."""
    ties = cast.node((equal(x, kept(y, y)),), kind="float")
    return ties / sum(ties, y.attrs["axis"], keepdims=True)


def _extreme_shape(attrs: Any, x: Node) -> Shape:
    if known(reduced_size(x, attrs["axis"])) == 0:
        raise ShapeError(f"no element to choose from in {show(x.shape)}")
    return _reduced_shape(attrs, x)


def extreme(name: str, kernel: Callable[..., Any]) -> Op:
    """The largest or smallest element of each group."""
    return reduction(
        name,
        kernel,
        vjp=lambda g, y, x: scaled(g, y, x, _share(y, x)),
        jvp=lambda dx, y, x: sum(dx * _share(y, x), y.attrs["axis"], y.attrs["keepdims"]),
        tex=over(rf"\{name}"),
        operand=to_number,
        shape=_extreme_shape,
    )


max = extreme("max", kernels.max)
min = extreme("min", kernels.min)
logsumexp = reduction(
    "logsumexp",
    kernels.logsumexp,
    vjp=lambda g, y, x: scaled(g, y, x, exp(x - kept(y, y))),
    jvp=lambda dx, y, x: sum(dx * exp(x - kept(y, y)), y.attrs["axis"], y.attrs["keepdims"]),
    tex=over(r"\log\textstyle\sum", " e^{%s}"),
    cost=6,
)


def _unit(y: Node, x: Node) -> Node:
    """x / ‖x‖, and 0 at the origin, where its own slope is not a number: there is none."""
    length = kept(y, y)
    return where(not_equal(length, 0), x / length, 0.0)


norm = reduction(
    "norm",
    kernels.norm,
    vjp=lambda g, y, x: scaled(g, y, x, _unit(y, x)),
    jvp=lambda dx, y, x: sum(dx * _unit(y, x), y.attrs["axis"], y.attrs["keepdims"]),
    tex=lambda y, x: over(rf"\left\lVert {x} \right\rVert", "%.0s")(y, x),
    glyph="‖‖",
    cost=2,
)


def _prod(x: Operand, axis: Axis = None, keepdims: bool = False) -> Node:
    """The product over some axes, one after the other; over all axes of the flattened operand."""
    node = to_number(x)
    if axis is None and not keepdims and node.rank != 0:
        return prod.node((reshape(node, -1),), axis=-1, keepdims=False)
    if axis is None and node.rank is None:
        raise ShapeError("the product over all axes needs a known rank to keep them", nodes=(node,))
    axes = some_axes(tuple(range(node.rank or 0)) if axis is None else axis, node) or ()
    if len(axes) == 1:
        return prod.node((node,), axis=axes[0], keepdims=bool(keepdims))
    for a in axes:
        node = prod.node((node,), axis=a, keepdims=True)
    return node if keepdims else _drop_axes(node, axes)


def _drop_axes(x: Node, axes: tuple[int, ...]) -> Node:
    """`x` without the given axes of size 1 (all counted from the right, or all from the left)."""
    for a in sorted(axes, key=lambda a: (a < 0, a if a < 0 else -a)):
        colon = slice(None)
        x = x[(*(colon,) * a, 0)] if a >= 0 else x[(..., 0, *(colon,) * (-a - 1))]
    return x


def _others(y: Node, x: Node) -> Node:
    """∏_{j≠i} x_j for each i, exact at zeros: n copies of x with ones on the diagonal."""
    axis = y.attrs["axis"]
    last = _swap_last(x, axis)
    n = last.shape[-1] if last.shape is not None else None
    copies = where(not_equal(eye(last if n is None else n), 0), 1.0, last[..., None, :])
    return _swap_last(prod.node((copies,), axis=-1, keepdims=False), axis)


def _swap_last(x: Node, axis: int) -> Node:
    if axis == -1:
        return x
    if axis >= 0:
        raise ShapeError(
            f"the gradient of a product along axis {axis} needs a known rank",
            nodes=(x,),
            hint="count the axis from the right",
        )
    return transpose(x, (-1, *range(axis + 1, -1), axis))


prod = Op(
    name="prod",
    kernel=kernels.prod,
    shape=_reduced_shape,
    vjp=lambda g, y, x: (kept(g, y) * _others(y, x) if x.kind == "float" else None,),
    jvp=lambda dx, y, x: sum(dx[0] * _others(y, x), y.attrs["axis"], y.attrs["keepdims"]),
    tex=over(r"\textstyle\prod"),
    glyph="∏",
    cost=lambda y, x: elements(x),
    attrs={"axis": -1, "keepdims": False},
    build=_prod,
)
cumsum = linear(
    "cumsum",
    torch.cumsum,
    shape=lambda attrs, x: x.shape,
    kind=lambda attrs, x: promote(x),
    adjoint=lambda g, y, x: _from_the_end(g, y.attrs["axis"]),
    tex=over(r"\operatorname{cumsum}", "(%s)"),
    cost=lambda y, x: elements(x),
    attrs={"axis": -1},
    build=lambda x, axis=-1: cumsum.node((to_number(x),), axis=one_axis(axis, as_node(x))),
)


def _from_the_end(g: Node, axis: int) -> Node:
    """The running sum from the last element to the first."""
    if g.rank == 0:
        return g
    return flip(cumsum(flip(g, axis), axis), axis)


def _argmax(x: Operand, axis: int | None = None, keepdims: bool = False) -> Node:
    node = to_number(x)
    checked = None if axis is None else one_axis(axis, node)
    return argmax.node((node,), axis=checked, keepdims=bool(keepdims))


def _int(attrs: Any, x: Node) -> Kind:
    return "int"


argmax = Op(
    name="argmax",
    kernel=kernels.argmax,
    shape=_extreme_shape,
    kind=_int,
    vjp=lambda g, y, x: (None,),
    jvp=lambda dx, y, x: None,
    tex=over(r"\operatorname{argmax}"),
    glyph="argmax",
    cost=lambda y, x: elements(x),
    attrs={"axis": None, "keepdims": False},
    build=_argmax,
)
