"""Where elements stand: transpose, reshape, expand, sum_to, concat, flip. All linear.

A shape that is known in full is an attribute; one that is not is lent at run time by a second
operand.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from engine import dims
from engine.dims import Dim, Shape, same, show, show_dim
from engine.errors import KindError, ShapeError
from engine.graph import Node, Op, Operand, as_node
from engine.ops import calls, kernels
from engine.ops.axes import one_axis, some_axes
from engine.ops.families import elements, linear, shape_of, zeros_like
from engine.ops.sources import DimLike, as_shape, element_kind, known_shape

Target = Sequence[DimLike] | int | Node | None


def _to(op: Op, x: Operand, shape: Target) -> Node:
    """`op` applied to reach a shape, given or lent by a node."""
    if isinstance(shape, Node):
        return op.node((as_node(x), shape), shape=None)
    return op.node((as_node(x),), shape=known_shape(shape, op.name))


def asked(attrs: Any, *inputs: Node) -> Shape:
    """The shape an op is to reach: its attribute, or its last operand's."""
    return inputs[-1].shape if attrs["shape"] is None else attrs["shape"]


def _reshaped(attrs: Any, *inputs: Node) -> Shape:
    to, before = asked(attrs, *inputs), elements(inputs[0])
    after = None if to is None else dims.product(to)
    if before is not None and after is not None and not same(before, after):
        raise ShapeError(
            f"cannot reshape {show(inputs[0].shape)} to {show(to)}: "
            f"{show_dim(before)} elements into {show_dim(after)}"
        )
    return to


def _reshape(x: Operand, *shape: Any) -> Node:
    """`reshape(x, (2, 3))` or `reshape(x, 2, 3)`; one size may be -1; a node lends its shape."""
    to = shape[0] if len(shape) == 1 else shape
    if isinstance(to, Node) or to is None:
        return _to(reshape, x, to)
    sizes = tuple(to) if isinstance(to, Sequence) else (to,)
    free = [i for i, dim in enumerate(sizes) if isinstance(dim, int) and dim == -1]
    if len(free) > 1:
        raise ShapeError("only one size of a reshape can be -1")
    for i in free:
        rest = as_shape(sizes[:i] + sizes[i + 1 :]) or ()
        sizes = (*sizes[:i], _left_over(elements(as_node(x)), dims.product(rest)), *sizes[i + 1 :])
    return reshape.node((as_node(x),), shape=as_shape(sizes))


def _left_over(count: Dim, fixed: Dim) -> Dim:
    """The size of the free axis: all elements over those of the other axes."""
    if count is None or fixed is None or fixed == 0:
        return None
    if isinstance(count, int) and isinstance(fixed, int):
        return count // fixed
    return dims.exact(count, fixed)


reshape = linear(
    "reshape",
    kernels.reshape,
    shape=_reshaped,
    adjoint=lambda g, y, x, *like: reshape(g, shape_of(x)),
    tex=r"\operatorname{reshape}(%s)",
    attrs={"shape": None},
    code=calls.reshape,
    build=_reshape,
)


def _expanded(attrs: Any, *inputs: Node) -> Shape:
    to, shape = asked(attrs, *inputs), inputs[0].shape
    if shape is None or to is None:
        return to
    if len(shape) > len(to):
        raise ShapeError(f"cannot expand {show(shape)} to {show(to)}: it has more axes")
    pairs = zip(shape, to[len(to) - len(shape) :], strict=True)
    if not all(a == 1 or dims.may_agree(a, b) for a, b in pairs):
        raise ShapeError(
            f"cannot expand {show(shape)} to {show(to)}: only axes of size 1 can be repeated"
        )
    return to


expand = linear(
    "expand",
    kernels.expand,
    shape=_expanded,
    adjoint=lambda g, y, x, *like: sum_to(g, shape_of(x)),
    tex=r"\operatorname{expand}(%s)",
    attrs={"shape": None},
    code=calls.expand,
    build=lambda x, shape: _to(expand, x, shape),
)
sum_to = linear(
    "sum_to",
    kernels.sum_to,
    shape=asked,
    adjoint=lambda g, y, x, *like: expand(g, shape_of(x)),
    tex=r"\textstyle\sum %s",
    glyph="Σ",
    cost=lambda y, x, *like: elements(x),
    attrs={"shape": None},
    build=lambda x, shape: _to(sum_to, x, shape),
    code=calls.sum_to,
)


def _permutation(axes: Sequence[int] | None, x: Node) -> tuple[int, ...] | None:
    """Negative axes without the leading ones that stay: (0, 2, 1) of three axes is (-1, -2)."""
    given: Any = axes
    if not isinstance(given, Sequence | None):
        raise KindError(f"an order of axes is a list of them, not {axes!r}")
    if x.rank is None:
        return None if axes is None else tuple(one_axis(a, x) for a in axes)
    rank = x.rank
    order = tuple(range(rank))[::-1] if axes is None else tuple(axes)
    if len(order) < rank and all(a < 0 for a in order):
        order = (*range(rank - len(order)), *order)
    placed = [one_axis(a, x) + rank for a in order]
    if sorted(placed) != list(range(rank)):
        raise ShapeError(
            f"{tuple(axes or ())} is no order of the {rank} axes of {show(x.shape)}", nodes=(x,)
        )
    stay = next((i for i, a in enumerate(placed) if a != i), rank)
    return tuple(a - rank for a in placed[stay:])


def _transpose(x: Operand, axes: Sequence[int] | None = None) -> Node:
    """Permute the axes; None reverses them, negative axes alone permute the last ones."""
    node = as_node(x)
    return transpose.node((node,), axes=_permutation(axes, node))


def _transposed(attrs: Any, x: Node) -> Shape:
    axes = attrs["axes"]
    if x.shape is None:
        return None
    if axes is None:
        return x.shape[::-1]
    if len(axes) > len(x.shape):
        raise ShapeError(f"cannot permute {len(axes)} axes of {show(x.shape)}")
    return (*x.shape[: len(x.shape) - len(axes)], *(x.shape[a] for a in axes))


def _inverse_axes(y: Node) -> tuple[int, ...] | None:
    axes = y.attrs["axes"]
    if axes is None:
        return None
    n = len(axes)
    places = [a % n for a in axes]
    back = sorted(range(n), key=places.__getitem__)
    return tuple(back) if any(a >= 0 for a in axes) else tuple(a - n for a in back)


def _transpose_tex(y: Node, x: str) -> str:
    axes = y.attrs["axes"]
    return (
        rf"{{{x}}}^{{\top}}"
        if axes in (None, (-1, -2))
        else rf"\operatorname{{permute}}_{{{axes}}}({x})"
    )


transpose = linear(
    "transpose",
    kernels.transpose,
    shape=_transposed,
    adjoint=lambda g, y, x: transpose(g, _inverse_axes(y)),
    tex=_transpose_tex,
    glyph="ᵀ",
    attrs={"axes": None},
    build=_transpose,
    code=calls.transpose,
)


def permute(x: Operand, axes: Sequence[int]) -> Node:
    """Transpose by an explicit order of the axes."""
    return transpose(x, axes)


def swapaxes(x: Operand, a: int, b: int) -> Node:
    """Exchange two axes of a node of known rank."""
    node = as_node(x)
    if node.rank is None:
        raise ShapeError(
            "swapaxes needs a known rank", nodes=(node,), hint="give the variable a shape"
        )
    order = list(range(node.rank))
    i, j = one_axis(a, node), one_axis(b, node)
    order[i], order[j] = order[j], order[i]
    return transpose(node, order)


def _sequence(xs: Any, what: str) -> tuple[Node, ...]:
    if not isinstance(xs, list | tuple) or not xs:
        raise KindError(f"{what} takes a list of at least one operand", hint=f"`{what}([a, b])`")
    return tuple(map(as_node, xs))


def _concat(xs: Sequence[Operand], axis: int = 0) -> Node:
    """Join along an existing axis."""
    nodes = _sequence(xs, "concat")
    if any(x.rank == 0 for x in nodes):
        raise ShapeError("a scalar has no axis to join along", nodes=nodes, hint="use stack")
    return concat.node(nodes, axis=one_axis(axis, nodes[0]))


def _joined(attrs: Any, *xs: Node) -> Shape:
    if any(x.shape is None for x in xs):
        return None
    shapes = [list(x.shape or ()) for x in xs]
    axis = attrs["axis"]
    along = dims.total(shape[axis] for shape in shapes)
    for shape in shapes:
        shape[axis] = along
    return _common([tuple(shape) for shape in shapes], xs, f"join along axis {axis}")


def _common(shapes: list[tuple[Dim, ...]], xs: Sequence[Node], what: str) -> Shape:
    for shape, x in zip(shapes, xs, strict=True):
        if not dims.fits(shapes[0], shape):
            raise ShapeError(f"cannot {what}: {show(xs[0].shape)} and {show(x.shape)}")
    return tuple(
        next((shape[i] for shape in shapes if shape[i] is not None), None)
        for i in range(len(shapes[0]))
    )


def _pieces(g: Node, y: Node, *xs: Node) -> tuple[Node, ...]:
    """The cotangent of a concatenation, cut where the operands met."""
    axis = y.attrs["axis"]
    sizes = [None if x.shape is None else x.shape[axis] for x in xs]
    if axis >= 0 or any(size is None for size in sizes):
        return tuple(part.node((g, *xs), axis=axis, which=i) for i in range(len(xs)))
    ends = [dims.total(sizes[: i + 1]) for i in range(len(xs))]
    keys = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    return tuple(g[(..., key, *(slice(None),) * (-axis - 1))] for key in keys)


concat = linear(
    "concat",
    kernels.concat,
    shape=_joined,
    adjoint=_pieces,
    tex=lambda y, *xs: r"\left[" + r"\;".join(xs) + r"\right]",
    attrs={"axis": 0},
    arity=0,
    build=_concat,
    in_all=True,
)
part = linear(
    "part",
    kernels.part,
    shape=lambda attrs, g, *xs: xs[attrs["which"]].shape,
    adjoint=lambda c, y, g, *xs: concat(
        [c if i == y.attrs["which"] else zeros_like(x) for i, x in enumerate(xs)], y.attrs["axis"]
    ),
    tex=lambda y, g, *xs: rf"{{{g}}}_{{({y.attrs['which']})}}",
    attrs={"axis": 0, "which": 0},
)


def _stack(xs: Sequence[Operand], axis: int = 0) -> Node:
    """Join along a new axis."""
    nodes = _sequence(xs, "stack")
    return stack.node(nodes, axis=one_axis(axis, nodes[0], extra=1))


def _stacked(attrs: Any, *xs: Node) -> Shape:
    if any(x.shape is None for x in xs):
        return None
    if any(x.rank != xs[0].rank for x in xs):
        raise ShapeError(
            f"cannot stack {' and '.join(show(x.shape) for x in xs)}: their ranks differ"
        )
    shape = list(_common([x.shape or () for x in xs], xs, "stack") or ())
    shape.insert(attrs["axis"] % (len(shape) + 1), len(xs))
    return tuple(shape)


def _slot(axis: int, i: int) -> tuple[Any, ...]:
    colon = slice(None)
    return (*(colon,) * axis, i) if axis >= 0 else (..., i, *(colon,) * (-axis - 1))


stack = linear(
    "stack",
    kernels.stack,
    shape=_stacked,
    adjoint=lambda g, y, *xs: tuple(g[_slot(y.attrs["axis"], i)] for i in range(len(xs))),
    tex=lambda y, *xs: r"\begin{bmatrix}" + r" \\ ".join(xs) + r"\end{bmatrix}",
    attrs={"axis": 0},
    arity=0,
    build=_stack,
    in_all=True,
)


def split(x: Operand, sizes: int | Sequence[DimLike], axis: int = -1) -> list[Node]:
    """Cut an axis of known size into `sizes` equal parts, or into parts of the given sizes."""
    node = as_node(x)
    a = one_axis(axis, node)
    along = node.shape[a] if node.shape else None
    if along is None:
        raise ShapeError(
            "split needs a known size", nodes=(node,), hint="give the variable a shape"
        )
    if isinstance(sizes, int):
        if sizes < 1 or (isinstance(along, int) and along % sizes):
            raise ShapeError(f"{sizes} equal parts do not fit an axis of {along}", nodes=(node,))
        parts: tuple[Dim, ...] = (dims.exact(along, sizes),) * sizes
    else:
        parts = as_shape(tuple(sizes)) or ()
        if not dims.may_agree(dims.total(parts), along):
            raise ShapeError(
                f"parts of {show(parts)} do not add up to the axis of {show_dim(along)}",
                nodes=(node,),
            )
    ends = list(accumulate(parts, lambda end, part: dims.total((end, part))))
    keys = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    return [node[(..., key, *(slice(None),) * (-a - 1))] for key in keys]


flip = linear(
    "flip",
    kernels.flip,
    shape=lambda attrs, x: x.shape,
    adjoint=lambda g, y, x: flip.node((g,), axis=y.attrs["axis"]),
    tex=r"\operatorname{flip}(%s)",
    attrs={"axis": None},
    build=lambda x, axis=None: flip.node((as_node(x),), axis=some_axes(axis, as_node(x))),
)
cast = linear(
    "cast",
    kernels.cast,
    shape=lambda attrs, x: x.shape,
    kind=element_kind,
    adjoint=lambda g, y, x: g,
    tex="%s",
    attrs={"kind": "float"},
    placed=True,
)
stop = Op(
    name="stop",
    kernel=kernels.stop,
    shape=lambda attrs, x: x.shape,
    vjp=lambda g, y, x: (None,),
    jvp=lambda dx, y, x: None,
    tex=r"\operatorname{stop}(%s)",
    glyph="stop",
    cost=lambda y, x: 0,
)
