"""Choosing by index or place: gather, scatter_add, pick, place, one-hot, triangles, diagonals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from engine.dims import Dim, Shape, fits, may_agree, show
from engine.errors import KindError, ShapeError
from engine.graph import Node, Op, Operand, as_node
from engine.ops import calls, kernels
from engine.ops.axes import one_axis, reduced
from engine.ops.families import elements, linear, shape_of, to_number
from engine.ops.layout import asked
from engine.ops.sources import DimLike, as_shape, eye


def integers(index: Operand, what: str) -> Node:
    """The operand, which must hold whole numbers."""
    node = as_node(index)
    if node.kind != "int":
        raise KindError(f"{what} needs whole numbers, not {node.describe()}", nodes=(node,))
    return node


def _like(op: Op, inputs: tuple[Node, ...], x: Node, **attrs: Any) -> Node:
    """`op` on the inputs, reaching the shape of `x`."""
    to = shape_of(x)
    return (
        op.node((*inputs, to), shape=None, **attrs)
        if isinstance(to, Node)
        else op.node(inputs, shape=to, **attrs)
    )


def _gathered(attrs: Any, table: Node, index: Node) -> Shape:
    if table.shape is None or index.shape is None:
        return None
    if not table.shape:
        raise ShapeError("a scalar has no rows to gather")
    return (*index.shape, *table.shape[1:])


def _scatter_add(g: Operand, index: Operand, shape: Any) -> Node:
    """Zeros of `shape` (or of the shape of a node), row `index[i]` increased by `g[i]`."""
    inputs = (to_number(g), integers(index, "scatter_add"))
    if isinstance(shape, Node):
        return _like(scatter_add, inputs, shape)
    return scatter_add.node(inputs, shape=as_shape(shape))


gather = linear(
    "gather",
    kernels.gather,
    shape=_gathered,
    kind=lambda attrs, table, index: table.kind,
    adjoint=lambda g, y, table, index: _like(scatter_add, (g, index), table),
    tex="{%s}_{[%s]}",
    glyph="gather",
    arity=2,
    build=lambda table, index: gather.node((as_node(table), integers(index, "gather"))),
    code=calls.gather,
)
scatter_add = linear(
    "scatter_add",
    kernels.scatter_add,
    shape=asked,
    kind=lambda attrs, g, *rest: g.kind,
    adjoint=lambda c, y, g, index, *like: (gather(c, index), *(None,) * (1 + len(like))),
    tex=lambda y, g, index, *like: rf"\operatorname{{scatter}}_{{{index}}}({g})",
    cost=lambda y, g, *rest: elements(g),
    attrs={"shape": None},
    build=_scatter_add,
)


def picked(attrs: Any, x: Node, index: Node) -> Shape:
    """The shape of the index: that of `x` without the axis."""
    rest = reduced(x.shape, attrs["axis"], keepdims=False)
    if x.shape is not None and not fits(rest, index.shape):
        raise ShapeError(
            f"one index for each position of {show(rest)} is needed, not {show(index.shape)}",
            hint=f"`{{0}}` is {show(x.shape)} and axis {attrs['axis']} is the one to choose from",
        )
    return index.shape


def _pick(x: Operand, index: Operand, axis: int = -1) -> Node:
    """The element at `index[...]` along `axis`, for each position of the other axes."""
    node = as_node(x)
    return pick.node((node, integers(index, "pick")), axis=one_axis(axis, node))


pick = linear(
    "pick",
    kernels.pick,
    shape=picked,
    kind=lambda attrs, x, index: x.kind,
    adjoint=lambda g, y, x, index: _like(place, (g, index), x, axis=y.attrs["axis"]),
    tex="{%s}_{[%s]}",
    attrs={"axis": -1},
    build=_pick,
)
place = linear(
    "place",
    kernels.place,
    shape=asked,
    kind=lambda attrs, g, *rest: g.kind,
    adjoint=lambda c, y, g, index, *like: (
        pick(c, index, y.attrs["axis"]),
        *(None,) * (1 + len(like)),
    ),
    tex=lambda y, g, index, *like: rf"\operatorname{{place}}_{{{index}}}({g})",
    attrs={"axis": -1, "shape": None},
)


def place_like(g: Node, index: Node, x: Node, axis: int) -> Node:
    """Zeros of the shape of `x` with `g` written at `index` along `axis`."""
    return _like(place, (g, index), x, axis=axis)


one_hot = Op(
    name="one_hot",
    kernel=kernels.one_hot,
    shape=lambda attrs, index: None if index.shape is None else (*index.shape, attrs["n"]),
    kind=lambda attrs, index: "float",
    vjp=lambda g, y, index: (None,),
    jvp=lambda dx, y, index: None,
    tex=r"\mathbf{e}_{%s}",
    glyph="one_hot",
    cost=lambda y, index: elements(y),
    attrs={"n": 1},
    build=lambda index, n: one_hot.node((integers(index, "one_hot"),), n=_classes(n)),
    placed=True,
)


def _classes(n: DimLike) -> Any:
    shape = as_shape((n,))
    assert shape is not None
    if shape[0] is None:
        raise KindError("one_hot needs the number of classes")
    return shape[0]


def triangle(name: str, kernel: Callable[..., Any]) -> Op:
    """The upper or lower triangle of a matrix, zero elsewhere; a projection, so its own adjoint."""
    return linear(
        name,
        kernel,
        shape=_of_matrix,
        adjoint=lambda g, y, x: y.op.node((g,), **y.attrs),
        tex=rf"\operatorname{{{name}}}(%s)",
        attrs={"diagonal": 0},
    )


def _of_matrix(attrs: Any, x: Node) -> Shape:
    if x.rank is not None and x.rank < 2:
        raise ShapeError(f"a matrix is needed, not {show(x.shape)}")
    return x.shape


triu = triangle("triu", torch.triu)
tril = triangle("tril", torch.tril)


def _diagonal(attrs: Any, x: Node) -> Shape:
    if x.shape is None:
        return None
    if len(x.shape) == 1:
        return (x.shape[0], x.shape[0])
    if len(x.shape) > 2:
        raise ShapeError(f"diag takes a vector or one matrix, not {show(x.shape)}")
    return (square_size(x),)


def square_size(x: Node) -> Dim:
    """The number of rows of a square matrix."""
    if x.shape is None:
        return None
    if len(x.shape) < 2 or not may_agree(*x.shape[-2:]):
        raise ShapeError(f"a square matrix is needed, not {show(x.shape)}")
    return x.shape[-1] if x.shape[-2] is None else x.shape[-2]


diag = linear(
    "diag",
    torch.diag,
    shape=_diagonal,
    adjoint=lambda g, y, x: diag(g),
    tex=r"\operatorname{diag}(%s)",
)


def _trace_shape(attrs: Any, x: Node) -> Shape:
    square_size(x)
    if x.rank not in (None, 2):
        raise ShapeError(f"trace takes one matrix, not {show(x.shape)}")
    return ()


trace = linear(
    "trace",
    torch.trace,
    shape=_trace_shape,
    adjoint=lambda g, y, x: g * eye(square_size(x) or x),
    tex=r"\operatorname{tr}(%s)",
    glyph="tr",
    cost=lambda y, x: square_size(x),
    build=lambda x: trace.node((to_number(x),)),
)
