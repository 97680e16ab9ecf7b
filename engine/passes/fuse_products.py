"""Matrix products: all batches in one, transposes moved inside, sums added in the same kernel."""

from __future__ import annotations

from engine import ops
from engine.dims import complete, product, same, same_shape
from engine.errors import ShapeError
from engine.graph import Node
from engine.ops.sources import constant_value
from engine.passes import fused
from engine.passes.cover import Rules, Users


def rows(x: Node) -> Node:
    """The last axis of all batches as the rows of one matrix: [B, T, d] -> [B·T, d]."""
    assert x.shape is not None
    return x if x.rank == 2 else ops.reshape(x, (product(x.shape[:-1]), x.shape[-1]))


def _batches_times_matrix(a: Node, b: Node) -> bool:
    return a.rank is not None and a.rank > 2 and b.rank == 2 and complete(a.shape)


def flatten_batches(n: Node, users: Users) -> Node | None:
    """[…, d] @ [d, k] -> one product of matrices."""
    a, b = n.inputs
    if not _batches_times_matrix(a, b) or not complete(n.shape):
        return None
    return ops.reshape(rows(a) @ b, n.shape)


def sum_of_products(n: Node, users: Users) -> Node | None:
    """Σ over batches of Aᵀ G -> (rows of A)ᵀ (rows of G): the gradient of a matrix."""
    match n.inputs[0]:
        case Node(ops.matmul, (Node(ops.transpose, (a,)) as at, g)) if (
            n.rank == 2
            and at.attrs["axes"] == (-1, -2)
            and a.shape is not None
            and g.shape is not None
            and len(a.shape) > 2
            and complete(a.shape)
            and same_shape(a.shape[:-1], g.shape[:-1])
            and same_shape(n.shape, n.inputs[0].shape[-2:] if n.inputs[0].shape else None)
            and users.at_most_one(n.inputs[0])
        ):
            return rows(a).T @ rows(g)
    return None


def transposed_product(n: Node, users: Users) -> Node | None:
    """(A B)ᵀ -> Bᵀ Aᵀ, whose memory is in order."""
    match n:
        case Node(ops.transpose, (Node(ops.matmul, (a, b)) as p,)) if (
            n.attrs["axes"] == (-1, -2)
            and min(a.rank or 0, b.rank or 0) >= 2
            and users.at_most_one(p)
        ):
            return _transposed(b) @ _transposed(a)
    return None


def _transposed(x: Node) -> Node:
    twice = x.op is ops.transpose and x.attrs["axes"] == (-1, -2)
    return x.inputs[0] if twice else x.T


def add_to_product(n: Node, users: Users) -> Node | None:
    """c + s · A B -> addmm."""
    for c, p in (n.inputs, n.inputs[::-1]):
        found = _scaled_product(p, users)
        made = None if found is None else _add_product(c, p, *found)
        if made is not None:
            return made
    return None


def subtract_product(n: Node, users: Users) -> Node | None:
    """c - A B -> addmm with -1."""
    c, p = n.inputs
    if p.op is not ops.matmul or not users.at_most_one(p):
        return None
    return _add_product(c, p, *p.inputs, ops.const(-1.0))


def _scaled_product(p: Node, users: Users) -> tuple[Node, ...] | None:
    """(a, b) of a @ b, (a, b, s) of a @ b · s and a @ b / s; of values needed here alone."""
    if not users.at_most_one(p):
        return None
    match p:
        case Node(ops.matmul, (a, b)):
            return a, b
        case Node(ops.mul, (Node(ops.matmul, (a, b)) as m, s)) if _scales(m, s, users):
            return a, b, s
        case Node(ops.mul, (s, Node(ops.matmul, (a, b)) as m)) if _scales(m, s, users):
            return a, b, s
        case Node(ops.div, (Node(ops.matmul, (a, b)) as m, s)) if _scales(m, s, users):
            return a, b, _reciprocal(s)
    return None


def _scales(m: Node, s: Node, users: Users) -> bool:
    return s.shape == () and s.kind == "float" and users.at_most_one(m)


def _reciprocal(s: Node) -> Node:
    number = constant_value(s)
    return ops.const(1.0 / number) if number else 1.0 / s


def _add_product(c: Node, p: Node, a: Node, b: Node, *scale: Node) -> Node | None:
    """addmm for matrices, for stacks of as many, and for batches of rows times one matrix."""
    if c.kind != "float" or not complete(p.shape):
        return None
    if _batches_times_matrix(a, b):
        if c.rank not in (0, 1) and not same_shape(c.shape, p.shape):
            return None
        made = _fitting(c if c.rank in (0, 1) else rows(c), rows(a), b, *scale)
        return None if made is None else ops.reshape(made, p.shape)
    stacks = a.rank == b.rank == 3 and a.shape and b.shape and same(a.shape[0], b.shape[0])
    if a.rank == b.rank == 2 or stacks:
        return _fitting(c, a, b, *scale)
    return None


def _fitting(c: Node, a: Node, b: Node, *scale: Node) -> Node | None:
    """addmm, where c + a @ b has the shape of a @ b."""
    try:
        made = fused.addmm.node((c, a, b, *scale))
    except ShapeError:
        return None
    return made if same_shape(made.shape, (a @ b).shape) else None


RULES: Rules = {
    ops.matmul: (flatten_batches,),
    ops.sum_to: (sum_of_products,),
    ops.transpose: (transposed_product,),
    ops.add: (add_to_product,),
    ops.sub: (subtract_product,),
}
