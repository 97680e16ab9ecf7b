"""Linear algebra: the matrix product of any rank, inverse, solve, determinant and its logarithm."""

from __future__ import annotations

from typing import Any

import torch

from engine.dims import Dim, Shape, contract, may_agree, show
from engine.dims import total as summed
from engine.errors import ShapeError
from engine.graph import Node, Op
from engine.ops import calls, kernels
from engine.ops.families import elements, multilinear, times, to_float, total, unbroadcast
from engine.ops.selection import square_size


def _matmul_vjp(g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
    """ā = g bᵀ,  b̄ = aᵀ g."""
    if a.rank is None or b.rank is None:
        return matmul_left.node((g, b, a)), matmul_right.node((g, a, b))
    return unbroadcast(_times_right(g, a, b), a), unbroadcast(_left_times(g, a, b), b)


def _times_right(g: Node, a: Node, b: Node) -> Node:
    """g bᵀ, where a vector is a row on the left and a column on the right."""
    if b.rank == 1:
        return g * b if a.rank == 1 else g[..., None] * b
    return (g[..., None, :] @ b.T)[..., 0, :] if a.rank == 1 else g @ b.T


def _left_times(g: Node, a: Node, b: Node) -> Node:
    """aᵀ g, where a vector is a row on the left and a column on the right."""
    if a.rank == 1:
        return a * g if b.rank == 1 else a[:, None] * g[..., None, :]
    return (a.T @ g[..., None])[..., 0] if b.rank == 1 else a.T @ g


def _matmul_cost(y: Node, a: Node, b: Node) -> Dim:
    """Multiply-adds count two."""
    return None if a.shape is None else times(2, times(a.shape[-1], elements(y)))


matmul = multilinear(
    "matmul",
    torch.matmul,
    shape=lambda attrs, a, b: contract(a.shape, b.shape),
    adjoints=_matmul_vjp,
    tex="%s %s",
    glyph="@",
    cost=_matmul_cost,
    arity=2,
    build=lambda a, b: matmul.node((to_float(a), to_float(b))),
    code=calls.matmul,
)
# The product's adjoints for ranks known only at run time; the three are closed under derivatives.
matmul_left = multilinear(
    "matmul_left",
    kernels.matmul_left,
    shape=lambda attrs, g, b, a: a.shape,
    adjoints=lambda c, y, g, b, a: (matmul(c, b), matmul_right.node((g, c, b)), None),
    values=2,
    tex=r"%s %s^{\top}",
    glyph="@",
    cost=lambda y, g, b, a: None if y.shape is None else times(2, times(y.shape[-1], elements(g))),
    arity=3,
)
matmul_right = multilinear(
    "matmul_right",
    kernels.matmul_right,
    shape=lambda attrs, g, a, b: b.shape,
    adjoints=lambda c, y, g, a, b: (matmul(a, c), matmul_left.node((g, c, a)), None),
    values=2,
    tex=lambda y, g, a, b: rf"{a}^{{\top}} {g}",
    glyph="@",
    cost=lambda y, g, a, b: _matmul_cost(g, a, b),
    arity=3,
)


def _square_shape(attrs: Any, x: Node) -> Shape:
    square_size(x)
    return x.shape


def _cube(y: Node, x: Node, *rest: Node) -> Dim:
    """n² of each element: the order of a factorisation."""
    n = square_size(x)
    return times(n, elements(x))


inv = Op(
    name="inv",
    kernel=torch.linalg.inv,
    shape=_square_shape,
    vjp=lambda g, y, x: (-(y.T @ g @ y.T),),
    jvp=lambda dx, y, x: -(y @ dx[0] @ y),
    tex="{%s}^{-1}",
    glyph="inv",
    cost=lambda y, x: times(2, _cube(y, x)),
    build=lambda x: inv.node((to_float(x),)),
)


def _solved(attrs: Any, a: Node, b: Node) -> Shape:
    n = square_size(a)
    if a.shape is None or b.shape is None:
        return None
    rows = b.shape[0] if len(b.shape) == 1 else b.shape[-2] if len(b.shape) > 1 else None
    if not b.shape or not may_agree(n, rows):
        raise ShapeError(
            f"cannot solve {show(a.shape)} x = {show(b.shape)}: the number of rows differs"
        )
    if len(a.shape) > 2 and len(b.shape) == 1:
        raise ShapeError(
            f"cannot solve {show(a.shape)} x = {show(b.shape)}", hint="write `{1}[:, None]`"
        )
    return contract(a.shape, b.shape)


def _solve_vjp(g: Node, y: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
    """b̄ = A⁻ᵀ g,  Ā = -b̄ yᵀ."""
    db = solve(a.T, g)
    if a.rank is None or b.rank is None:
        return -matmul_left.node((db, y, a)), unbroadcast(db, b)
    outer = db[:, None] * y if b.rank == 1 else db @ y.T
    return unbroadcast(-outer, a), unbroadcast(db, b)


def _solve_jvp(dx: tuple[Node | None, ...], y: Node, a: Node, b: Node) -> Node | None:
    """ẏ = A⁻¹ (ḃ - Ȧ y)."""
    da, db = dx
    right = total(db, None if da is None else -(da @ y))
    return None if right is None else solve(a, right)


def _solve_cost(y: Node, a: Node, b: Node) -> Dim:
    """A factorisation, and two triangles for each right side."""
    n = square_size(a)
    return summed((times(2, _cube(y, a)), None if n is None else times(2 * n, elements(y))))


solve = Op(
    name="solve",
    kernel=kernels.solve,
    shape=_solved,
    vjp=_solve_vjp,
    jvp=_solve_jvp,
    tex=r"%s^{-1} %s",
    glyph="solve",
    cost=_solve_cost,
    arity=2,
    build=lambda a, b: solve.node((to_float(a), to_float(b))),
)


def _scalar_of_matrix(attrs: Any, x: Node) -> Shape:
    square_size(x)
    return None if x.shape is None else x.shape[:-2]


def _sum_of_products(y: Node, x: Node, dx: Node) -> Node:
    """tr(X⁻¹ Ẋ), the relative change of a determinant."""
    from engine.ops.reductions import sum

    return sum(inv(x).T * dx, (-2, -1))


det = Op(
    name="det",
    kernel=torch.linalg.det,
    shape=_scalar_of_matrix,
    vjp=lambda g, y, x: ((g * y)[..., None, None] * inv(x).T,),
    jvp=lambda dx, y, x: y * _sum_of_products(y, x, dx[0]),
    tex=r"\det %s",
    glyph="det",
    cost=_cube,
    build=lambda x: det.node((to_float(x),)),
)
logdet = Op(
    name="logdet",
    kernel=torch.logdet,
    shape=_scalar_of_matrix,
    vjp=lambda g, y, x: (g[..., None, None] * inv(x).T,),
    jvp=lambda dx, y, x: _sum_of_products(y, x, dx[0]),
    tex=r"\log\det %s",
    glyph="logdet",
    cost=_cube,
    build=lambda x: logdet.node((to_float(x),)),
)
