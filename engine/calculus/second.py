"""Jacobians, Hessians and Hessian-vector products by composing the two modes."""

from __future__ import annotations

from collections.abc import Sequence

from engine.calculus.jvp import jvp
from engine.calculus.vjp import gradients
from engine.closed import matrix, textbook
from engine.dims import known, product, show
from engine.errors import GradientError
from engine.graph import Node
from engine.ops import eye, reshape, stack, variable, zeros


def vjp(output: Node, wrt: Sequence[Node] | Node, cotangent: Node) -> list[Node]:
    """Jᵀ·g for each node of `wrt`: the gradients of `output` seeded with `cotangent`."""
    return gradients(output, wrt, cotangent)


def jacobian(output: Node, wrt: Node) -> Node:
    """∂y/∂x of shape [*y.shape, *x.shape]: one pass per element of the smaller side.

    Raises GradientError when a size is known only by name.
    """
    outputs, inputs = _count(output), _count(wrt)
    if not outputs or not inputs:
        return zeros((*(output.shape or ()), *(wrt.shape or ())))
    flat = reshape(output, (outputs,)) if output.rank != 1 else output
    if outputs <= inputs:
        stacked = stack([gradients(flat[i], [wrt])[0] for i in range(outputs)])
    else:
        basis = eye(inputs)
        columns = [jvp(flat, [wrt], [reshape(basis[j], wrt.shape)]) for j in range(inputs)]
        stacked = stack(columns, axis=-1)
    return reshape(stacked, (*(output.shape or ()), *(wrt.shape or ())))


def _count(node: Node) -> int:
    n = None if node.shape is None else known(product(node.shape))
    if n is None:
        raise GradientError(
            f"a Jacobian needs sizes known as numbers, not {show(node.shape)}",
            nodes=(node,),
            hint="give the sizes values, or use jvp, vjp and hvp, which do not need them",
        )
    return n


def hessian(output: Node, wrt: Node) -> Node:
    """∂²f/∂x∂x of shape [*x.shape, *x.shape] for a scalar f, by a vector x as one formula.

    `A + Aᵀ` for xᵀ A x, of whatever size, and no pass for each row. Where the formula is not seen,
    it is the Jacobian of the gradient, which needs sizes known as numbers.

    >>> from engine import var
    >>> A, x = var("A", ["n", "n"]), var("x", ["n"])
    >>> hessian(x @ A @ x, x)
    <add [n, n]>
    """
    (slope,) = gradients(_scalar(output), [wrt])
    if wrt.rank == 0:
        return gradients(slope, [wrt])[0]
    found = _as_formula(slope, wrt)
    return jacobian(slope, wrt) if found is None else found


def _as_formula(output: Node, wrt: Node) -> Node | None:
    """The Jacobian of a vector by a vector, read off the derivative J·v as one matrix."""
    if (
        output.rank not in (0, 1)
        or wrt.rank != 1
        or None in (*(output.shape or ()), *(wrt.shape or ()))
    ):
        return None
    v = variable(f"direction of {wrt.label()}", wrt.shape)
    (simple,) = textbook([output], keep=[wrt])
    pushed = jvp(simple, [wrt], [v])
    for candidate in (*textbook([pushed], keep=[wrt]), pushed):
        found = matrix(candidate, v)
        if found is not None:
            return found
    return None


def hvp(output: Node, wrt: Sequence[Node] | Node, tangents: Sequence[Node] | Node) -> list[Node]:
    """The Hessian of a scalar times `tangents`, forward over reverse (Pearlmutter, 1994)."""
    return [jvp(g, wrt, tangents) for g in gradients(_scalar(output), wrt)]


def _scalar(output: Node) -> Node:
    if output.rank not in (0, None):
        raise GradientError(
            f"a Hessian is of a scalar, not of {output.describe()}",
            nodes=(output,),
            hint="sum it: `sum({0})`",
        )
    return output
