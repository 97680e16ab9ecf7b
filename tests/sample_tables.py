"""Samples made by rows of shapes, with the torch expression beside each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine import Op, ops
from tests.sampling import Leaf, Sample, real

Shape = tuple[int, ...]
SHAPES: list[Shape] = [(2, 3), (), (0, 3), (1,), (2, 1, 3)]
PAIRS: list[tuple[Shape, Shape]] = [
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((), (2, 3)),
    ((2, 3), ()),
    ((), ()),
    ((0, 3), (3,)),
    ((1,), (0,)),
    ((4, 2, 1), (1, 3)),
]
REDUCED: list[tuple[Shape, Any]] = [
    ((2, 3), None),
    ((2, 3), (0,)),
    ((2, 3), -1),
    ((2, 3, 4), (0, -1)),
    ((2, 3, 4), (-3, 1)),
    ((2, 1), -1),
    ((2, 3), ()),
    ((), None),
    ((), -1),
    ((0, 3), -1),
]
ALONG: list[tuple[Shape, int]] = [
    ((2, 3), -1),
    ((2, 3), 0),
    ((2, 3, 4), 1),
    ((2, 3, 4), -2),
    ((4,), 0),
    ((2, 1), -1),
    ((), -1),
    ((0, 3), -1),
    ((3, 0), -1),
]
PRODUCTS: list[tuple[Shape, Shape]] = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((1, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
]
MODES_WITHOUT_RANK = ("unknown", "first unknown")
MODES_WITHOUT_SIZES = ("ranks", *MODES_WITHOUT_RANK)


def needs(what: str, *modes: str) -> dict[str, str]:
    """The modes in which a sample is refused because something is not known."""
    return dict.fromkeys(modes, f"{what} must be known")


def unary(name: str, leaf: Callable[..., Leaf] = real) -> list[Sample]:
    return [Sample(name, (leaf(*shape),), Op.table[name]) for shape in SHAPES]


def binary(
    name: str, left: Callable[..., Leaf] = real, right: Callable[..., Leaf] = real
) -> list[Sample]:
    return [Sample(name, (left(*a), right(*b)), Op.table[name]) for a, b in PAIRS]


def reduction(name: str, expression: Callable[..., Tensor]) -> list[Sample]:
    """Over `REDUCED`; `expression(x, axes, keepdims)` gets one axis at least."""

    def sample(shape: Shape, axis: Any, keep: bool) -> Sample:
        axes = tuple(range(len(shape))) if axis is None else (axis,) if axis == -1 else axis

        def expected(x: Tensor) -> Tensor:
            return expression(x, axes, keep) if axes and shape else expression(x[None], (0,), False)

        both_ends = len(axes) > 1 and min(axes) < 0 < max(axes)
        return Sample(
            name,
            (real(*shape),),
            lambda x: Op.table[name](x, axis, keep),
            expected,
            refused=needs("the rank", *MODES_WITHOUT_RANK) if both_ends else {},
        )

    rows = [(shape, axis, keep) for shape, axis in REDUCED for keep in (False, True)]
    rows = rows if name in ("sum", "mean") else rows[::3]  # keepdims alternates
    return [sample(*row) for row in rows]


def along(
    name: str, expression: Callable[..., Tensor], leaf: Callable[..., Leaf] = real
) -> list[Sample]:
    """Over `ALONG`; `expression(x, axis)`."""

    def sample(shape: Shape, axis: int) -> Sample:
        return Sample(
            name,
            (leaf(*shape),),
            lambda x: Op.table[name](x, axis=axis),
            lambda x: expression(x, axis),
        )

    return [sample(shape, axis) for shape, axis in ALONG]


def variance(x: Tensor, axes: Shape, keepdims: bool) -> Tensor:
    return (x - x.mean(axes, keepdim=True)).square().mean(axes, keepdim=keepdims)


def layer_norm(x: Tensor, axis: int) -> Tensor:
    centred = x - x.mean(axis, keepdim=True)
    return centred / (centred.square().mean(axis, keepdim=True) + 1e-5).sqrt()


def adjoint(f: Callable[..., Tensor], x: Tensor, g: Tensor) -> Tensor:
    """fᵀ g by torch, for an f that is linear in x: what the engine's own adjoint ops compute."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(f(x), x, g, create_graph=True, materialize_grads=True)[0]


def matmuls() -> list[Sample]:
    """The product and its two adjoints over `PRODUCTS`."""

    def samples(a: Shape, b: Shape) -> list[Sample]:
        y = torch.matmul(torch.zeros(a), torch.zeros(b)).shape
        left, right = ops.matmul_left.node, ops.matmul_right.node
        return [
            Sample("matmul", (real(*a), real(*b)), ops.matmul),
            Sample(
                "matmul_left",
                (real(*y), real(*b), real(*a)),
                lambda g, b, a: left((g, b, a)),
                lambda g, b, a: adjoint(lambda x: x @ b, a, g),
            ),
            Sample(
                "matmul_right",
                (real(*y), real(*a), real(*b)),
                lambda g, a, b: right((g, a, b)),
                lambda g, a, b: adjoint(lambda x: a @ x, b, g),
            ),
        ]

    return [sample for a, b in PRODUCTS for sample in samples(a, b)]


def einsum(pattern: str, *shapes: Shape) -> Sample:
    terms = pattern.partition("->")[0].split(",")
    modes = ["unknown"] if "..." in pattern else []
    modes += ["first unknown"] if "..." in terms[0] else []
    modes += ["last unknown"] if "..." in terms[-1] else []
    return Sample(
        "einsum",
        tuple(real(*shape) for shape in shapes),
        lambda *xs: ops.einsum(pattern, *xs),
        lambda *xs: torch.einsum(pattern, *xs),
        refused=needs("the rank", *modes),
    )


EINSUMS = [
    einsum("ij,jk->ik", (2, 3), (3, 4)),
    einsum("ij->ji", (2, 3)),
    einsum("ij->", (2, 3)),
    einsum("i->i", (3,)),
    einsum("i,j->ij", (2,), (3,)),
    einsum("ij,ij->i", (2, 3), (2, 3)),
    einsum("ij,k->ik", (2, 3), (4,)),
    einsum("bij,bjk->bik", (5, 2, 3), (5, 3, 4)),
    einsum("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    einsum("ij,jk", (2, 3), (3, 4)),
    einsum("ba", (2, 3)),
    einsum(",i->i", (), (3,)),
    einsum("ij,jk->ik", (0, 3), (3, 4)),
    einsum("...ij,...jk->...ik", (5, 2, 3), (5, 3, 4)),
    einsum("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    einsum("...i->...", (2, 3)),
    einsum("...i,i->...i", (2, 3), (3,)),
    einsum("ii->i", (3, 3)),
    einsum("ii", (3, 3)),
    einsum("iij->ij", (3, 3, 2)),
    einsum("ii,ij->j", (3, 3), (3, 2)),
    einsum("iii->i", (2, 2, 2)),
]


def products() -> list[Sample]:
    """The product over one axis (the op), and over several (built of it)."""

    def sample(shape: Shape, axis: Any, keep: bool) -> Sample:
        axes = tuple(range(len(shape))) if axis is None else (axis,) if axis == -1 else axis
        from_the_left = (axis is None and keep) or (axis is not None and max(axes) >= 0)
        refused = needs("the rank", *MODES_WITHOUT_RANK) if from_the_left else {}

        def expected(x: Tensor) -> Tensor:
            for a in sorted((a % x.ndim for a in axes if shape), reverse=True):
                x = torch.prod(x, a, keep)
            return x

        return Sample(
            "prod", (real(*shape),), lambda x: ops.prod(x, axis, keep), expected, refused=refused
        )

    one_at_least = [row for row in REDUCED if row[1] != () and row[0] != ()]
    return [sample(shape, axis, keep) for shape, axis in one_at_least for keep in (False, True)]
