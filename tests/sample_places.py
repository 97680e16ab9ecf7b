"""Samples of where elements stand: reshaped, repeated, joined, indexed, picked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from engine import ops
from tests.sample_tables import (
    MODES_WITHOUT_RANK,
    MODES_WITHOUT_SIZES,
    SHAPES,
    Shape,
    adjoint,
    along,
    needs,
)
from tests.sampling import Sample, real, truth, whole


def reshape(before: Shape, after: Shape) -> list[Sample]:
    return [
        Sample(
            "reshape",
            (real(*before),),
            lambda n, x: ops.reshape(x, tuple(map(n, after))),
            lambda x: x.reshape(after),
            sized=True,
        ),
        Sample(
            "reshape",
            (real(*before), real(*after)),
            ops.reshape,
            lambda x, like: x.reshape(after),
        ),
    ]


def expand(small: Shape, large: Shape) -> list[Sample]:
    return [
        Sample(
            "expand",
            (real(*small),),
            lambda n, x: ops.expand(x, [n(k) if k in small else k for k in large]),
            lambda x: x.expand(large),
            sized=True,
        ),
        Sample("expand", (real(*small), real(*large)), ops.expand, lambda x, like: x.expand(large)),
        Sample(
            "sum_to",
            (real(*large),),
            lambda n, x: ops.sum_to(x, tuple(map(n, small))),
            lambda x: x.sum_to_size(small),
            sized=True,
        ),
        Sample(
            "sum_to",
            (real(*large), real(*small)),
            ops.sum_to,
            lambda x, like: x.sum_to_size(small),
        ),
    ]


def transpose(shape: Shape, axes: Shape | None, order: Shape) -> Sample:
    return Sample(
        "transpose",
        (real(*shape),),
        lambda x: ops.transpose(x, axes),
        lambda x: x.permute(order),
    )


def joined(name: str, shapes: list[Shape], axis: int, torch_join: Any) -> Sample:
    return Sample(
        name,
        tuple(real(*shape) for shape in shapes),
        lambda *xs: getattr(ops, name)(xs, axis),
        lambda *xs: torch_join(xs, axis),
    )


def part(shapes: list[Shape], axis: int, which: int) -> Sample:
    """The slice of a joined cotangent that belongs to one operand."""
    g = list(shapes[0])
    g[axis] = sum(shape[axis] for shape in shapes)
    sizes = [shape[axis] for shape in shapes]
    return Sample(
        "part",
        (real(*g), *(real(*shape) for shape in shapes)),
        lambda g, *xs: ops.part.node((g, *xs), axis=axis, which=which),
        lambda g, *xs: torch.split(g, sizes, axis)[which],
    )


LAYOUT = [
    *(
        sample
        for before, after in [
            ((2, 3), (3, 2)),
            ((2, 3), (2, 3, 1)),
            ((1, 1), ()),
            ((), (1,)),
            ((0, 3), (3, 0)),
        ]
        for sample in reshape(before, after)
    ),
    Sample(
        "reshape", (real(2, 3, 4),), lambda x: ops.reshape(x, (2, -1)), lambda x: x.reshape(2, -1)
    ),
    Sample("reshape", (real(2, 3),), lambda x: ops.reshape(x, -1), torch.flatten),
    *(
        sample
        for small, large in [
            ((3,), (2, 3)),
            ((2, 1), (2, 3)),
            ((), (2, 3)),
            ((2, 3), (2, 3)),
            ((1, 3), (0, 3)),
            ((2, 1, 3), (4, 2, 5, 3)),
        ]
        for sample in expand(small, large)
    ),
    transpose((2, 3), None, (1, 0)),
    transpose((2, 3, 4), None, (2, 1, 0)),
    transpose((2, 3, 4), (-1, -2), (0, 2, 1)),
    transpose((2, 3, 4), (1, 2, 0), (1, 2, 0)),
    transpose((2, 3, 4), (-1, -3, -2), (2, 0, 1)),
    transpose((2, 3, 4, 5), (-2, -1, -3), (0, 2, 3, 1)),
    transpose((3,), (0,), (0,)),
    transpose((), None, ()),
    transpose((0, 3), (1, 0), (1, 0)),
    Sample("transpose", (real(2, 3, 4),), lambda x: x.T, lambda x: x.mT),
    Sample(
        "transpose",
        (real(2, 3, 4),),
        lambda x: ops.swapaxes(x, 0, -1),
        lambda x: x.swapaxes(0, -1),
        refused=needs("the rank", *MODES_WITHOUT_RANK),
    ),
    joined("concat", [(2, 3), (2, 3)], 0, torch.cat),
    joined("concat", [(2, 3), (4, 3)], 0, torch.cat),
    joined("concat", [(2, 3), (2, 1), (2, 4)], -1, torch.cat),
    joined("concat", [(2, 3, 4), (2, 5, 4)], 1, torch.cat),
    joined("concat", [(3,)], 0, torch.cat),
    joined("concat", [(0, 3), (2, 3)], 0, torch.cat),
    joined("stack", [(2, 3), (2, 3)], 0, torch.stack),
    joined("stack", [(2, 3), (2, 3), (2, 3)], -1, torch.stack),
    joined("stack", [(2, 3), (2, 3)], 1, torch.stack),
    joined("stack", [(), ()], 0, torch.stack),
    joined("stack", [(0, 3), (0, 3)], -2, torch.stack),
    Sample("concat", (real(3),), lambda x: ops.concat([x, x]), lambda x: torch.cat([x, x])),
    part([(2, 3), (4, 3)], 0, 0),
    part([(2, 3), (4, 3)], -2, 1),
    part([(2, 3), (2, 1), (2, 4)], -1, 1),
    Sample(
        "index",
        (real(2, 4),),
        lambda x: ops.mul(*ops.split(x, 2)),
        lambda x: torch.mul(*x.split(2, -1)),
        refused=needs("the size", *MODES_WITHOUT_SIZES),
    ),
    *along("flip", lambda x, axis: x.flip(axis) if x.ndim else x),
    Sample("flip", (real(2, 3),), ops.flip, lambda x: x.flip(0, 1)),
    Sample("flip", (real(2, 3, 4),), lambda x: ops.flip(x, (0, -1)), lambda x: x.flip(0, -1)),
    *(
        Sample("cast", (leaf(2, 3),), ops.cast, lambda x: x.double())
        for leaf in (real, whole, truth)
    ),
    Sample("cast", (real(2, 3),), lambda x: ops.cast(x, "int"), lambda x: x.long()),
    Sample("cast", (whole(3),), lambda x: ops.cast(x, kind="bool"), lambda x: x.bool()),
    *(Sample("stop", (real(*shape),), ops.stop, torch.detach) for shape in SHAPES),
]


def sized(n: Callable[[int], Any], shape: Shape, told: Sequence[int]) -> list[Any]:
    """The shape in the sizes of a mode, as far as a leaf tells them."""
    return [n(k) if k in told else k for k in shape]


KEYS: list[tuple[Shape, Any]] = [
    ((2, 3, 4), 0),
    ((2, 3, 4), -1),
    ((2, 3, 4), (0, 1)),
    ((2, 3, 4), (0, -1, 2)),
    ((2, 3, 4), (slice(None), 1)),
    ((2, 3, 4), (..., 0)),
    ((2, 3, 4), (None, ..., None, 0)),
    ((2, 3, 4), slice(1, None)),
    ((2, 3, 4), (..., slice(None, -1))),
    ((2, 3, 4), (..., slice(1, 3))),
    ((2, 3, 4), (..., slice(0, 4, 2))),
    ((2, 3, 4), (slice(1, 1), ..., slice(-2, None))),
    ((2, 3), (slice(None), None)),
    ((2, 3), ()),
    ((), None),
    ((), ...),
    ((0, 3), (slice(None), 1)),
]


def indexing() -> list[Sample]:
    """Reading at a key, and its adjoint: `g` written at the key into zeros."""

    def samples(shape: Shape, key: Any) -> list[Sample]:
        exact = ops.index(torch.zeros(shape), key).attrs["key"]
        g = real(*torch.zeros(shape)[key].shape)
        return [
            Sample("index", (real(*shape),), lambda x: x[key], lambda x: x[key]),
            Sample(
                "unindex",
                (g,),
                lambda g: ops.unindex.node((g,), key=exact, shape=shape),
                lambda g: adjoint(lambda x: x[key], torch.zeros(shape, dtype=g.dtype), g),
            ),
            Sample(
                "unindex",
                (g, real(*shape)),
                lambda g, like: ops.unindex.node((g, like), key=exact),
                lambda g, like: adjoint(lambda x: x[key], like, g),
            ),
        ]

    return [sample for shape, key in KEYS for sample in samples(shape, key)]


PICKS: list[tuple[Shape, int]] = [
    ((2, 3), -1),
    ((2, 3), 0),
    ((4, 2, 3), 1),
    ((4, 2, 3), -1),
    ((3,), 0),
    ((0, 3), -1),
]


def picks() -> list[Sample]:
    """One element along an axis, its adjoint, and the loss that picks one class."""

    def read(x: Tensor, i: Tensor, axis: int) -> Tensor:
        return x.gather(axis, i.unsqueeze(axis)).squeeze(axis)

    def samples(shape: Shape, axis: int) -> list[Sample]:
        rest = [n for i, n in enumerate(shape) if i != axis % len(shape)]
        x, index, g = real(*shape), whole(*rest, below=shape[axis]), real(*rest)
        return [
            Sample(
                "pick",
                (x, index),
                lambda x, i: ops.pick(x, i, axis),
                lambda x, i: read(x, i, axis),
            ),
            Sample(
                "place",
                (g, index, x),
                lambda g, i, like: ops.place.node((g, i, like), axis=axis),
                lambda g, i, like: adjoint(lambda x: read(x, i, axis), like, g),
            ),
            Sample(
                "place",
                (g, index),
                lambda n, g, i: ops.place.node(
                    (g, i), axis=axis, shape=tuple(sized(n, shape, rest))
                ),
                lambda g, i: adjoint(
                    lambda x: read(x, i, axis), torch.zeros(shape, dtype=g.dtype), g
                ),
                sized=True,
            ),
            Sample(
                "cross_entropy",
                (x, index),
                lambda x, i: ops.cross_entropy(x, i, axis, "none"),
                lambda x, i: -read(torch.log_softmax(x, axis), i, axis),
            ),
        ]

    return [sample for shape, axis in PICKS for sample in samples(shape, axis)]


ROWS: list[tuple[Shape, Shape]] = [
    ((5, 3), (2, 4)),
    ((5, 3), ()),
    ((5,), (3,)),
    ((5, 2, 3), (4,)),
    ((5, 3), (0,)),
    ((5, 0), (2,)),
]


def rows() -> list[Sample]:
    """Reading the rows of a table, and adding to them."""

    def samples(table: Shape, index: Shape) -> list[Sample]:
        i, g = whole(*index, below=table[0]), real(*index, *table[1:])
        return [
            Sample("gather", (real(*table), i), ops.gather, lambda x, i: x[i]),
            Sample(
                "scatter_add",
                (g, i, real(*table)),
                ops.scatter_add,
                lambda g, i, like: adjoint(lambda x: x[i], like, g),
            ),
            Sample(
                "scatter_add",
                (g, i),
                lambda n, g, i: ops.scatter_add(g, i, (table[0], *map(n, table[1:]))),
                lambda g, i: adjoint(lambda x: x[i], torch.zeros(table, dtype=g.dtype), g),
                sized=True,
            ),
        ]

    return [sample for table, index in ROWS for sample in samples(table, index)]
