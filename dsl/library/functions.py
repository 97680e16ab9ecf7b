"""The functions of the library, one line each: the signature that users read, and the operator."""

from __future__ import annotations

from collections.abc import Sequence

from engine import Node, ops
from engine.dims import Dim
from engine.errors import KindError, ShapeError
from engine.ops.selection import integers

from ..values import Value
from .builtin import builtin
from .reductions import REDUCTIONS

MASKED = -1e9
MOST_PARTS = 10_000


def causal(n: Dim) -> Node:
    """The additive mask [n, n], -1e9 above the diagonal: no position sees a later one."""
    return ops.triu(ops.full((n, n), MASKED), 1)


def dot(a: Node, b: Node) -> Node:
    """The sum of the products of two vectors."""
    _check_vectors("dot", a, b)
    return ops.matmul(a, b)


def outer(a: Node, b: Node) -> Node:
    """The matrix of all products of two vectors."""
    _check_vectors("outer", a, b)
    return a[:, None] * b[None, :]


def _check_vectors(name: str, a: Node, b: Node) -> None:
    if a.rank not in (None, 1) or b.rank not in (None, 1):
        raise ShapeError(f"`{name}` is of two vectors", hint="a matrix product is `{0} @ {1}`")


def transpose(x: Node, axes: Sequence[int] | int | None) -> Node:
    """The axes in another order; of a matrix its transpose."""
    if axes is None and (x.rank or 0) > 2:
        order = f"[{', '.join(map(str, range((x.rank or 0) - 1, -1, -1)))}]"
        raise ShapeError(
            f"`transpose` of {x.describe()} does not say in which order the axes come",
            hint=f"`{{0}}^T` exchanges the last two; `transpose({{0}}, {order})` reverses all",
        )
    if axes is None:
        return x.T
    return ops.transpose(x, (axes,) if isinstance(axes, int) else axes)


def split(x: Node, parts: int | Sequence[Dim], axis: int) -> list[Node]:
    """Equal parts of an axis, or parts of given sizes."""
    if x.rank == 0:
        raise ShapeError("a number has no axis to split")
    if isinstance(parts, int) and parts < 1:
        raise ShapeError(f"an axis is not split into {parts} parts")
    if isinstance(parts, int) and parts > MOST_PARTS:
        raise ShapeError(f"an axis is split into at most {MOST_PARTS:,} parts")
    return ops.split(x, parts, axis)


def arange(start: Dim, stop: Dim, step: int) -> Node:
    """The whole numbers from 0 to `start`, or from `start` to `stop`, in steps."""
    return ops.arange(start, stop, step)


def place(g: Node, index: Node, shape: Sequence[Dim] | Node, axis: int) -> Node:
    """Zeros of a shape with `g` written at `index` along an axis, where `pick` would read it."""
    inputs = (g, integers(index, "place"))
    if isinstance(shape, Node):
        return ops.place.node((*inputs, shape), axis=axis)
    return ops.place.node(inputs, axis=axis, shape=tuple(shape))


def unindex(g: Node, read: Node) -> Node:
    """Zeros of the shape that x lends with `g` where `read`, a part x[…], is read from."""
    if read.op is not ops.index:
        raise KindError("`unindex` needs a part of a tensor", hint="as in `unindex(g, x[0])`")
    (x,), key = read.inputs, read.attrs["key"]
    if x.op is ops.zeros and not x.inputs:  # a shape as such, which nothing has to lend
        return ops.unindex.node((g,), key=key, shape=x.shape)
    return ops.unindex.node((g, x), key=key)


def part(g: Node, xs: Sequence[Node], axis: int, which: int) -> Node:
    """The slice of a concatenation that came from `xs[which]`."""
    return ops.part.node((g, *xs), axis=axis, which=which)


ELEMENTWISE = (
    builtin("exp(x)", ops.exp),
    builtin("log(x)", ops.log),
    builtin("sqrt(x)", ops.sqrt),
    builtin("neg(x)", ops.neg),
    builtin("pow(x, n)", ops.pow, n="tensor"),
    builtin("abs(x)", ops.abs),
    builtin("sign(x)", ops.sign),
    builtin("sin(x)", ops.sin),
    builtin("cos(x)", ops.cos),
    builtin("tan(x)", lambda x: ops.sin(x) / ops.cos(x)),
    builtin("tanh(x)", ops.tanh),
    builtin("sigmoid(x)", ops.sigmoid),
    builtin("softplus(x)", ops.softplus),
    builtin("erf(x)", ops.erf),
    builtin("relu(x)", ops.relu),
    builtin("gelu(x)", ops.gelu),
    builtin("gelu_tanh(x)", lambda x: ops.gelu(x, "tanh")),
    builtin("silu(x)", ops.silu),
    builtin("maximum(a, b)", ops.maximum),
    builtin("minimum(a, b)", ops.minimum),
    builtin("where(condition, a, b)", ops.where),
    builtin("stop(x)", ops.stop),
    builtin("float(x)", lambda x: ops.cast(x, kind="float")),
    builtin("int(x)", lambda x: ops.cast(x, kind="int")),
    builtin("bool(x)", lambda x: ops.cast(x, kind="bool")),
)
NEURAL = (
    builtin("softmax(x, axis=-1)", ops.softmax),
    builtin("log_softmax(x, axis=-1)", ops.log_softmax),
    builtin("layernorm(x, weight=None, bias=None, axis=-1, eps=1e-5)", ops.layer_norm),
    builtin('cross_entropy(logits, targets, axis=-1, reduction="mean")', ops.cross_entropy),
    builtin("causal(n)", causal),
)
MATRICES = (
    builtin("dot(a, b)", dot),
    builtin("outer(a, b)", outer),
    builtin("matmul(a, b)", ops.matmul),
    builtin("einsum(pattern, *xs)", lambda pattern, xs: ops.einsum(pattern, *xs)),
    builtin("inv(A)", ops.inv),
    builtin("solve(A, b)", ops.solve),
    builtin("det(A)", ops.det),
    builtin("logdet(A)", ops.logdet),
    builtin("trace(A)", ops.trace),
    builtin("diag(x)", ops.diag),
    builtin("triu(A, diagonal=0)", ops.triu),
    builtin("tril(A, diagonal=0)", ops.tril),
)
LAYOUT = (
    builtin("tensor(x)", lambda x: x),
    builtin("transpose(x, axes=None)", transpose),
    builtin("reshape(x, shape)", ops.reshape),
    builtin("expand(x, shape)", ops.expand),
    builtin("concat(*xs, axis=0)", ops.concat),
    builtin("stack(*xs, axis=0)", ops.stack),
    builtin("split(x, parts, axis=-1)", split),
    builtin("flip(x, axis=None)", ops.flip),
    builtin("cumsum(x, axis=-1)", ops.cumsum),
    builtin("gather(table, index)", ops.gather),
    builtin("pick(x, index, axis=-1)", ops.pick),
)
MADE_OF_SIZES = (
    builtin("one_hot(index, n)", ops.one_hot),
    builtin("arange(start, stop=None, step=1)", arange),
    builtin('zeros(shape, kind="float")', ops.zeros),
    builtin('ones(shape, kind="float")', ops.ones),
    builtin("full(shape, value)", ops.full, value="element"),
    builtin("eye(n)", ops.eye, n="extent"),
    builtin("size(n)", ops.size),
    builtin("count(x, axis=None)", ops.count),
)
ADJOINTS = (
    builtin("sum_to(x, shape)", ops.sum_to),
    builtin("scatter_add(g, index, shape)", ops.scatter_add),
    builtin("place(g, index, shape, axis=-1)", place),
    builtin("unindex(g, read)", unindex),
    builtin("part(g, *xs, axis=0, which=0)", part),
    builtin("matmul_left(g, b, a)", ops.matmul_left),
    builtin("matmul_right(g, a, b)", ops.matmul_right),
)

FUNCTIONS: dict[str, Value] = {
    function.name: function
    for family in (ELEMENTWISE, REDUCTIONS, NEURAL, MATRICES, LAYOUT, MADE_OF_SIZES, ADJOINTS)
    for function in family
}
