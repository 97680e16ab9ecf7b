"""Rules that say the same in fewer nodes: neutral elements, zeros, double inverses, constants."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from engine import ops
from engine.dims import same_shape
from engine.graph import Node
from engine.ops.families import broadcast_to, zeros_like
from engine.ops.sources import constant_value
from engine.passes.rewrite import Rule, rewrite


def filled_with(x: Node, value: float) -> bool:
    """Whether every element of the node is `value`, by what it is."""
    if x.op in (ops.zeros, ops.ones, ops.full):
        return x.attrs["value"] == value
    if x.op in (ops.expand, ops.cast):
        return filled_with(x.inputs[0], value)
    return constant_value(x) == value


def _instead(y: Node, x: Node) -> Node | None:
    """`x` in the place of `y`: of the same kind, and repeated to its shape."""
    return broadcast_to(x, y) if x.kind == y.kind else None


def one_as_number(n: Node) -> Node | None:
    """ones([]) -> 1."""
    return ops.const(1.0) if n.op is ops.ones and n.shape == () and n.kind == "float" else None


def drop_neutral(n: Node) -> Node | None:
    """x + 0, x - 0, x · 1, x / 1, x¹ -> x."""
    match n:
        case Node(ops.add | ops.sub, (x, zero)) if filled_with(zero, 0):
            return _instead(n, x)
        case Node(ops.add, (zero, x)) if filled_with(zero, 0):
            return _instead(n, x)
        case Node(ops.mul | ops.div | ops.pow, (x, one)) if filled_with(one, 1):
            return _instead(n, x)
        case Node(ops.mul, (one, x)) if filled_with(one, 1):
            return _instead(n, x)
    return None


def absorb_zero(n: Node) -> Node | None:
    """0 · x, 0 / x, A @ 0, and every linear op of zeros -> zeros."""
    match n:
        case Node(ops.mul | ops.matmul, (a, b)) if n.kind == "float" and (
            _is_zeros(a) or _is_zeros(b)
        ):
            return zeros_like(n)
        case Node(ops.sub, (zero, x)) if _is_zeros(zero):
            return _instead(n, -x)
        case Node(
            ops.neg | ops.sum | ops.mean | ops.sum_to | ops.expand | ops.reshape | ops.transpose,
            (x, *_),
        ):
            return zeros_like(n) if _is_zeros(x) and n.kind == "float" else None
    return None


def _is_zeros(x: Node) -> bool:
    return x.op is ops.zeros and x.kind == "float"


def undo_inverse(n: Node) -> Node | None:
    """-(-x) -> x,  (xᵀ)ᵀ -> x,  reshape and expand to the own shape -> x."""
    match n:
        case Node(ops.neg, (Node(ops.neg, (x,)),)):
            return x
        case Node(ops.transpose, (y,)) if _is_transposed(n) and _is_transposed(y):
            return y.inputs[0]
        case Node(ops.reshape | ops.expand | ops.sum_to, (x, *_)) if same_shape(n.shape, x.shape):
            return x
    return None


def transpose_product(n: Node) -> Node | None:
    """(Aᵀ B)ᵀ -> Bᵀ A,  (A Bᵀ)ᵀ -> B Aᵀ, for matrices, not vectors."""
    match n:
        case Node(ops.transpose, (Node(ops.matmul, (a, b)),)) if (
            _is_transposed(n)
            and (_is_transposed(a) or _is_transposed(b))
            and min(a.rank or 0, b.rank or 0) >= 2
        ):
            return _flip(b) @ _flip(a)
    return None


def _is_transposed(x: Node) -> bool:
    return x.op is ops.transpose and x.attrs["axes"] == (-1, -2)


def _flip(x: Node) -> Node:
    return x.inputs[0] if _is_transposed(x) else x.T


def pull_out_sign(n: Node) -> Node | None:
    """a + (-b) -> a - b,  a - (-b) -> a + b."""
    match n:
        case Node(ops.add, (a, Node(ops.neg, (b,)))):
            return a - b
        case Node(ops.sub, (a, Node(ops.neg, (b,)))):
            return a + b
    return None


FOLDS = {
    ops.add: lambda a, b: a + b,
    ops.sub: lambda a, b: a - b,
    ops.mul: lambda a, b: a * b,
    ops.neg: lambda a: -a,
}


def fold_numbers(n: Node) -> Node | None:
    """Arithmetic of scalar constants is done once."""
    fold = FOLDS.get(n.op)
    if fold is None:
        return None
    values = [constant_value(x) for x in n.inputs]
    if any(v is None or isinstance(v, bool) for v in values):
        return None
    try:
        return ops.const(fold(*values))
    except OverflowError:
        return None


ELEMENTWISE = (ops.add, ops.sub, ops.mul, ops.div)


def repeat_less(n: Node) -> Node | None:
    """x ∘ expand(s) -> x ∘ s where x has the shape,  expand(s) ∘ number -> expand(s ∘ number)."""
    match n:
        case Node(op, (Node(ops.expand, (s, *_)), x)) if op in ELEMENTWISE and s.rank is not None:
            if same_shape(x.shape, n.shape):
                return op.node((s, x))
            return broadcast_to(op.node((s, x)), n) if x.shape == () else None
        case Node(op, (x, Node(ops.expand, (s, *_)))) if op in ELEMENTWISE and s.rank is not None:
            if same_shape(x.shape, n.shape):
                return op.node((x, s))
            return broadcast_to(op.node((x, s)), n) if x.shape == () else None
    return None


def divide_once(n: Node) -> Node | None:
    """(1 / a) · x -> x / a,  x · (1 / a) -> x / a for a number a."""
    match n:
        case Node(ops.mul, (Node(ops.div, (one, a)), x)) | Node(
            ops.mul, (x, Node(ops.div, (one, a)))
        ) if filled_with(one, 1) and one.shape == a.shape == ():
            return x / a
    return None


def multiply_by_vector(n: Node) -> Node | None:
    """(A @ v[:, None])[..., 0] -> A @ v,  (v[None, :] @ A)[..., 0, :] -> v @ A."""
    match n:
        case Node(ops.index, (Node(ops.matmul, (a, Node(ops.index, (v,)) as column)),)) if (
            n.attrs["key"] == (..., 0) and column.attrs["key"] == (..., None) and v.rank == 1
        ):
            return a @ v
        case Node(ops.index, (Node(ops.matmul, (Node(ops.index, (v,)) as row, a)),)) if n.attrs[
            "key"
        ] == (..., 0, _ALL) and row.attrs["key"] == (..., None, _ALL):
            return v @ a if v.rank == 1 else None
    return None


_ALL = (None, None, None)  # `:` in a key


TIDY: tuple[Rule, ...] = (
    one_as_number,
    fold_numbers,
    drop_neutral,
    absorb_zero,
    undo_inverse,
    transpose_product,
    pull_out_sign,
    repeat_less,
    divide_once,
    multiply_by_vector,
)


def tidy(outputs: Sequence[Node], keep: Collection[Node] = ()) -> list[Node]:
    """The outputs, simplified; the nodes in `keep` (a user's own) stay as they were written."""
    return rewrite(outputs, TIDY, keep)[0]
