"""Jacobians, Hessians and Hessian-vector products by composing the two modes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from engine.calculus.jvp import jvp
from engine.calculus.vjp import check_differentiable, gradients
from engine.closed import matrix, textbook
from engine.dims import known, product, show
from engine.errors import GradientError, KindError
from engine.graph import Node, depends
from engine.ops import eye, reshape, stack, variable, zeros

Mode = Literal["forward", "reverse"]


def vjp(output: Node, wrt: Sequence[Node] | Node, cotangent: Node) -> list[Node]:
    """Jᵀ·g for each node of `wrt`: the gradients of `output` seeded with `cotangent`."""
    return gradients(output, wrt, cotangent)


def jacobian(output: Node, wrt: Node, mode: Mode | None = None) -> Node:
    """∂y/∂x of shape [*y.shape, *x.shape]; zeros where y does not depend on x.

    Forward mode takes a pass for each element of x and makes columns, reverse mode one for each
    element of y and makes rows. Without a `mode` it is what takes the fewest operations: one of
    these, or for a vector by a vector one formula, `A diag(1 - h²) B` for A tanh(B x) with h the
    tanh, where that is seen.

    Raises GradientError for whole numbers and truth values, and when passes are to be made and a
    size is known only by name; KindError for another mode.

    >>> from engine import var
    >>> x = var("x", [3])
    >>> jacobian(stack([x[0] * x[1], x[2]]), x).shape, jacobian(x**2, x, mode="reverse").shape
    ((2, 3), (3, 3))
    """
    check_differentiable(output, [wrt])
    if mode not in (None, *_SIDES):
        raise KindError(f"there is no mode {mode!r}", hint="it is `forward` or `reverse`")
    formula = None if mode else _as_formula(output, wrt)
    if formula is not None and _is_cheaper(formula, output, wrt):
        return formula
    return _by_passes(output, wrt, mode)


def _by_passes(output: Node, wrt: Node, mode: Mode | None = None) -> Node:
    """The Jacobian in one of the modes, the cheaper one where none is asked for."""
    outputs, inputs = _count(output), _count(wrt)
    shape = (*(output.shape or ()), *(wrt.shape or ()))
    if not outputs or not inputs or output not in depends([output], [wrt]):
        return zeros(shape)
    flat = reshape(output, (outputs,)) if output.rank != 1 else output
    return reshape(_SIDES[mode or _cheaper(output, wrt)](flat, wrt), shape)


def _columns(y: Node, x: Node) -> Node:
    """J eⱼ beside each other, for each element of x."""
    basis = eye(_count(x))
    columns = [jvp(y, [x], [reshape(basis[j], x.shape)]) for j in range(_count(x))]
    return stack(columns, axis=-1)


def _rows(y: Node, x: Node) -> Node:
    """Jᵀ eᵢ below each other, for each element of a vector y."""
    return stack([gradients(y[i], [x])[0] for i in range(_count(y))])


_SIDES: Mapping[Mode, Callable[[Node, Node], Node]] = {"forward": _columns, "reverse": _rows}


def _cheaper(output: Node, wrt: Node) -> Mode:
    """The mode in which the Jacobian takes fewer operations."""
    from engine.explain.modes import cheaper  # counting differentiates too

    return cheaper(output, wrt)


def _is_cheaper(formula: Node, output: Node, wrt: Node) -> bool:
    """Whether the formula takes no more than the passes of either mode."""
    from engine.explain.modes import is_cheaper

    return is_cheaper(formula, output, wrt)


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
    return _by_passes(slope, wrt) if found is None else found


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
