"""The functions of the library, one line each: the signature that users read, and the operator."""

from __future__ import annotations

from collections.abc import Sequence

from engine import Node, ops
from engine.dims import Dim
from engine.errors import EngineError, ShapeError

from ..values import Value
from .builtin import builtin

MASKED = -1e9


def causal(n: Dim) -> Node:
    """The additive mask of shape [n, n]: -1e9 above the diagonal, so that no position sees a later one."""
    return ops.triu(ops.full((n, n), MASKED), 1)


def dot(a: Node, b: Node) -> Node:
    """The sum of products of two vectors."""
    if a.rank not in (None, 1) or b.rank not in (None, 1):
        raise ShapeError("dot is of two vectors", hint="a matrix product is `{0} @ {1}`")
    return ops.matmul(a, b)


def outer(a: Node, b: Node) -> Node:
    """The matrix of all products of two vectors."""
    if a.rank not in (None, 1) or b.rank not in (None, 1):
        raise ShapeError("outer is of two vectors", hint="a matrix product is `{0} @ {1}`")
    return a[:, None] * b[None, :]


def variance(x: Node, axis: object, keepdims: bool, correction: int) -> Node:
    """The mean squared distance from the mean."""
    return ops.var(x, axis, keepdims, correction=int(correction))


def deviation(x: Node, axis: object, keepdims: bool, correction: int) -> Node:
    """The root of the variance."""
    return ops.sqrt(variance(x, axis, keepdims, correction))


def argmin(x: Node, axis: int | None, keepdims: bool) -> Node:
    """Where the smallest element is."""
    return ops.argmax(-x, axis, keepdims)


def extreme(
    name: str, reduce: object, pair: object, x: Node, y: Node | None, axis: object, keepdims: bool
) -> Node:
    ...


def _transposed(x: Node, axes: Sequence[int] | None) -> Node:
    return x.T if axes is None else ops.transpose(x, axes)


FUNCTIONS: dict[str, Value] = {
    function.name: function
    for function in (
        # element by element
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
        # over axes
        builtin("sum(x, axis=None, keepdims=false)", ops.sum),
        builtin("mean(x, axis=None, keepdims=false)", ops.mean),
        builtin("prod(x, axis=None, keepdims=false)", ops.prod),
        builtin("logsumexp(x, axis=None, keepdims=false)", ops.logsumexp),
        builtin("var(x, axis=None, keepdims=false, correction=0)", variance),
        builtin("std(x, axis=None, keepdims=false, correction=0)", deviation),
        builtin("norm(x, axis=None, keepdims=false)", ops.norm),
        builtin("argmax(x, axis=None, keepdims=false)", ops.argmax),
        builtin("argmin(x, axis=None, keepdims=false)", argmin),
        builtin("cumsum(x, axis=-1)", ops.cumsum),
        builtin("softmax(x, axis=-1)", ops.softmax),
        builtin("log_softmax(x, axis=-1)", ops.log_softmax),
        builtin("layernorm(x, weight=None, bias=None, axis=-1, eps=1e-5)", ops.layer_norm),
        builtin("cross_entropy(logits, targets, axis=-1)", ops.cross_entropy),
        # products and matrices
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
        # layout
        builtin("reshape(x, shape)", ops.reshape),
        builtin("expand(x, shape)", ops.expand),
        builtin("concat(*xs, axis=0)", ops.concat),
        builtin("stack(*xs, axis=0)", ops.stack),
        builtin("split(x, parts, axis=-1)", ops.split),
        builtin("flip(x, axis=None)", ops.flip),
        # choosing
        builtin("gather(table, index)", ops.gather),
        builtin("pick(x, index, axis=-1)", ops.pick),
        builtin("one_hot(index, n)", ops.one_hot),
        # made of sizes
        builtin("arange(start, stop=None, step=1)", ops.arange),
        builtin("zeros(shape)", ops.zeros),
        builtin("ones(shape)", ops.ones),
        builtin("eye(n)", ops.eye),
        builtin("causal(n)", causal),
    )
}
