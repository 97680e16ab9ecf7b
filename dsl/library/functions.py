"""The functions of the library, one line each: the signature that users read, and the operator."""

from __future__ import annotations

from collections.abc import Sequence

from engine import Node, ops
from engine.dims import Dim
from engine.errors import ShapeError

from ..values import Value
from .builtin import builtin
from .reductions import REDUCTIONS

MASKED = -1e9


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
    return ops.split(x, parts, axis)


def integers(start: Dim, stop: Dim, step: int) -> Node:
    """The whole numbers from 0 to `start`, or from `start` to `stop`, in steps."""
    return ops.arange(start, stop, step)


ELEMENTWISE = (
    builtin("exp(x)", ops.exp),
    builtin("log(x)", ops.log),
    builtin("sqrt(x)", ops.sqrt),
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
)
NEURAL = (
    builtin("softmax(x, axis=-1)", ops.softmax),
    builtin("log_softmax(x, axis=-1)", ops.log_softmax),
    builtin("layernorm(x, weight=None, bias=None, axis=-1, eps=1e-5)", ops.layer_norm),
    builtin("cross_entropy(logits, targets, axis=-1)", ops.cross_entropy),
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
    builtin("arange(start, stop=None, step=1)", integers),
    builtin("zeros(shape)", ops.zeros),
    builtin("ones(shape)", ops.ones),
    builtin("full(shape, value)", ops.full, value="number"),
    builtin("eye(n)", ops.eye),
)

FUNCTIONS: dict[str, Value] = {
    function.name: function
    for family in (ELEMENTWISE, REDUCTIONS, NEURAL, MATRICES, LAYOUT, MADE_OF_SIZES)
    for function in family
}
