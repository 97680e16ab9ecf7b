"""SAMPLES: several calls of every operator. Whoever adds an operator adds its row here."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from engine import ops
from tests import sample_tables as tables
from tests.sample_places import LAYOUT, indexing, picks, rows
from tests.sample_tables import (
    MODES_WITHOUT_SIZES,
    Shape,
    along,
    binary,
    reduction,
    unary,
)
from tests.sampling import Sample, matrix, positive, real, truth, whole

UNKNOWN = (*MODES_WITHOUT_SIZES, "last unknown")

COMPARISONS = [
    sample
    for name in ("equal", "not_equal", "less", "less_equal")
    for sample in (*binary(name)[::2], *binary(name, whole, whole)[:2])
]
LOGIC = [
    *binary("logical_and", truth, truth),
    *binary("logical_or", truth, truth),
    *unary("logical_not", truth),
]
CHOICES = [
    Sample("where", (truth(*c), real(*a), real(*b)), ops.where)
    for c, a, b in [
        ((2, 3), (2, 3), (2, 3)),
        ((3,), (2, 1), ()),
        ((), (2, 3), (3,)),
        ((2, 1), (), (3,)),
        ((0, 3), (3,), (1, 3)),
    ]
] + [Sample("where", (truth(2, 3), whole(2, 3), real(3)), ops.where)]

ARITHMETIC = [
    *binary("add"),
    *binary("sub"),
    *binary("mul"),
    *binary("div", real, positive),
    *unary("neg"),
    *binary("pow", positive),
    *(
        Sample("pow", (leaf(2, 3),), lambda x, n=n: x**n, lambda x, n=n: x**n)
        for leaf, n in [
            (real, 0),
            (real, 1),
            (real, 2),
            (real, 3),
            (real, -1),
            (real, -2.0),
            (positive, 0.5),
            (positive, -1.5),
        ]
    ),
    Sample("pow", (real(3),), lambda x: 2**x, lambda x: 2**x),
    *unary("abs"),
    *unary("sign"),
    *binary("maximum"),
    *binary("minimum"),
]
MIXED_KINDS = [  # whole numbers and truth values beside floats; whole numbers alone
    Sample("add", (whole(2, 3), real(3)), ops.add),
    Sample("add", (whole(2, 3), whole(3)), ops.add),
    Sample("add", (truth(3), truth(3)), ops.add, lambda a, b: a.long() + b.long()),
    Sample("sub", (truth(3), whole(3)), ops.sub, lambda a, b: a.long() - b),
    Sample("mul", (truth(2, 3), real(2, 3)), ops.mul),
    Sample("mul", (whole(3),), lambda x: x * 0.5, lambda x: x.double() * 0.5),
    Sample(
        "div", (whole(3), whole(3)), lambda a, b: a / (b + 1), lambda a, b: a.double() / (b + 1)
    ),
    Sample("pow", (whole(3), real(3)), lambda a, b: (a + 1) ** b, lambda a, b: (a + 1.0) ** b),
    Sample("pow", (whole(3),), lambda a: a**2, lambda a: a**2),
    Sample("pow", (whole(3),), lambda a: a**0.5, lambda a: a.double() ** 0.5),
    Sample("exp", (whole(3),), ops.exp, lambda x: x.double().exp()),
    Sample("relu", (whole(3),), ops.relu),
    Sample("matmul", (whole(2, 3), real(3)), ops.matmul, lambda a, b: a.double() @ b),
    Sample("mean", (whole(2, 3),), ops.mean, lambda x: x.double().mean()),
    Sample("sum", (truth(2, 3),), ops.sum, torch.sum),
    Sample("max", (whole(2, 3, below=9),), ops.max, torch.max),
    Sample("cumsum", (truth(3),), ops.cumsum, lambda x: x.long().cumsum(0)),
    Sample(
        "concat",
        (whole(2), real(3)),
        lambda a, b: ops.concat([a, b]),
        lambda a, b: torch.cat([a, b]),
    ),
    Sample(
        "stack",
        (real(2), whole(2)),
        lambda a, b: ops.stack([a, b]),
        lambda a, b: torch.stack([a, b]),
    ),
]
FUNCTIONS = [
    *unary("sqrt", positive),
    *unary("exp"),
    *unary("log", positive),
    *unary("sin"),
    *unary("cos"),
    *unary("tanh"),
    *unary("sigmoid"),
    *unary("softplus"),
    *unary("erf"),
    *unary("relu"),
    *unary("gelu"),
    Sample(
        "gelu",
        (real(2, 3),),
        lambda x: ops.gelu(x, "tanh"),
        lambda x: F.gelu(x, approximate="tanh"),
    ),
    *unary("silu"),
]


def argmax(shape: Shape, axis: int | None, keepdims: bool) -> Sample:
    return Sample(
        "argmax",
        (real(*shape),),
        lambda x: ops.argmax(x, axis, keepdims),
        lambda x: torch.argmax(x, axis, keepdims),
    )


REDUCTIONS = [
    *reduction("sum", torch.sum),
    *reduction("mean", torch.mean),
    *reduction("var", tables.variance),
    Sample(
        "var", (real(2, 3),), lambda x: ops.var(x, -1, correction=1), lambda x: torch.var(x, -1)
    ),
    *reduction("max", torch.amax),
    *reduction("min", torch.amin),
    *reduction("logsumexp", torch.logsumexp),
    *reduction("norm", lambda x, axes, keep: torch.linalg.vector_norm(x, 2, axes, keep)),
    *tables.products(),
    *along("cumsum", torch.cumsum),
    *(
        argmax(*row)
        for row in [
            ((2, 3), None, False),
            ((2, 3), 0, False),
            ((2, 3, 4), -2, True),
            ((), None, False),
            ((), -1, True),
            ((0, 3), -1, False),
            ((2, 3), None, True),
        ]
    ),
    *(
        Sample(
            "count",
            (real(*shape),),
            lambda x, axis=axis: x * ops.count(x, axis),
            lambda x, n=n: x * n,
        )
        for shape, axis, n in [
            ((2, 3), None, 6),
            ((2, 3), -1, 3),
            ((2, 3), (0, 1), 6),
            ((), None, 1),
        ]
    ),
]


def triangle(name: str, shape: Shape, diagonal: int) -> Sample:
    expression = {"triu": torch.triu, "tril": torch.tril}[name]
    return Sample(
        name,
        (real(*shape),),
        lambda x: getattr(ops, name)(x, diagonal),
        lambda x: expression(x, diagonal),
    )


SELECTION = [
    Sample(
        "cross_entropy",
        (real(4, 5), whole(4, below=5)),
        ops.cross_entropy,
        F.cross_entropy,
    ),
    Sample(
        "cross_entropy",
        (real(2, 5, 3), whole(2, 3, below=5)),
        lambda x, i: ops.cross_entropy(x, i, 1, "sum"),
        lambda x, i: F.cross_entropy(x, i, reduction="sum"),
    ),
    *(
        Sample(
            "one_hot",
            (whole(*shape, below=4),),
            lambda i: ops.one_hot(i, 4),
            lambda i: F.one_hot(i, 4).double(),
        )
        for shape in [(), (3,), (2, 0)]
    ),
    *(
        triangle(name, shape, diagonal)
        for name in ("triu", "tril")
        for shape, diagonal in [((3, 3), 0), ((2, 3), 1), ((4, 2, 3), -1), ((0, 3), 0)]
    ),
    Sample("diag", (real(3),), ops.diag),
    Sample("diag", (real(3, 3),), ops.diag),
    Sample("diag", (real(0),), ops.diag),
    Sample("trace", (real(3, 3),), ops.trace),
    Sample("trace", (real(0, 0),), ops.trace),
]


def solve(a: Shape, b: Shape, expression: Any = None) -> Sample:
    return Sample("solve", (matrix(*a), real(*b)), ops.solve, expression or torch.linalg.solve)


LINEAR_ALGEBRA = [
    *tables.matmuls(),
    *tables.EINSUMS,
    *(
        Sample(name, (matrix(*shape),), getattr(ops, name), expression)
        for name, expression in [
            ("inv", None),
            ("det", None),
            ("logdet", None),
        ]
        for shape in [(3, 3), (1, 1), (5, 3, 3), (2, 1, 3, 3), (0, 3, 3)]
    ),
    solve((3, 3), (3,)),
    solve((3, 3), (3, 2)),
    solve((5, 3, 3), (5, 3, 2)),
    solve((3, 3), (5, 3, 2)),
    solve((5, 3, 3), (3, 2), lambda a, b: torch.linalg.solve(a, b.expand(5, 3, 2))),
    solve((3, 3, 3), (3, 3), lambda a, b: torch.linalg.solve(a, b.expand(3, 3, 3))),
    solve((2, 1, 3, 3), (5, 3, 2)),
    solve((3, 3), (3, 0)),
]
NEURAL = [
    *along("softmax", torch.softmax),
    *along("log_softmax", torch.log_softmax),
    *along("layer_norm", tables.layer_norm),
    Sample(
        "layer_norm",
        (real(2, 3), real(3), real(3)),
        ops.layer_norm,
        lambda x, w, b: F.layer_norm(x, (3,), w, b),
    ),
    Sample(
        "layer_norm",
        (real(4, 3), real(4, 1)),
        lambda x, w: ops.layer_norm(x, w, axis=0, eps=0.1),
        lambda x, w: F.layer_norm(x.T, (4,), eps=0.1).T * w,
    ),
]


def random(key: int) -> torch.Generator:
    return torch.Generator().manual_seed(key)


def made(name: str, builder: Any, expression: Any) -> Sample:
    """A tensor made without inputs, times a variable that tells its sizes."""
    return Sample(name, (real(2, 3),), lambda n, x: builder(n) * x, expression, sized=True)


def lent(name: str) -> Sample:
    """A tensor of the shape that a variable lends."""
    return Sample(
        name, (real(3, 3),), lambda x: x - getattr(ops, name)(x), lambda x: x - TORCH[name](x)
    )


TORCH = {
    "zeros": torch.zeros_like,
    "ones": torch.ones_like,
    "eye": lambda x: torch.eye(len(x), dtype=x.dtype),
}
DOUBLE: dict[str, Any] = {"dtype": torch.float64}
SOURCES = [
    *(Sample("variable", (leaf(2, 3),), lambda x: x, lambda x: x) for leaf in (real, whole, truth)),
    Sample("const", (real(3),), lambda x: x * 2.5, lambda x: x * 2.5),
    Sample(
        "const", (real(2, 1),), lambda x: ops.add(x, [1, 2]), lambda x: x + torch.tensor([1, 2])
    ),
    Sample("const", (), lambda: ops.const(3.0), lambda: torch.tensor(3.0, **DOUBLE)),
    made("size", lambda n: ops.size(n(3)), lambda x: 3 * x),
    made("arange", lambda n: ops.arange(n(3)), lambda x: torch.arange(3) * x),
    made("arange", lambda n: ops.arange(n(2), n(2) + n(3)), lambda x: torch.arange(2, 5) * x),
    Sample(
        "arange", (real(),), lambda x: ops.arange(1, 6, 2) * x, lambda x: torch.arange(1, 6, 2) * x
    ),
    made("zeros", lambda n: ops.zeros((n(2), n(3))), lambda x: 0 * x),
    made("ones", lambda n: ops.ones((n(2), 1)), lambda x: x),
    made("full", lambda n: ops.full((n(3),), 1.5), lambda x: 1.5 * x),
    made("eye", lambda n: ops.eye(n(3))[0], lambda x: torch.eye(3, **DOUBLE)[0] * x),
    *map(lent, TORCH),
    made(
        "uniform",
        lambda n: ops.uniform((n(2), n(3)), 3, -1, 1),
        lambda x: (torch.rand(2, 3, generator=random(3), **DOUBLE) * 2 - 1) * x,
    ),
    made(
        "normal",
        lambda n: ops.normal((n(2), n(3)), 4, 1, 0.5),
        lambda x: (torch.randn(2, 3, generator=random(4), **DOUBLE) / 2 + 1) * x,
    ),
    Sample(
        "uniform",
        (whole(below=9),),
        lambda key: ops.uniform((2, 3), key),
        lambda key: torch.rand(2, 3, generator=random(int(key))),
    ),
]
SAMPLES = [
    *COMPARISONS,
    *LOGIC,
    *CHOICES,
    *ARITHMETIC,
    *MIXED_KINDS,
    *FUNCTIONS,
    *REDUCTIONS,
    *LAYOUT,
    *indexing(),
    *rows(),
    *picks(),
    *SELECTION,
    *LINEAR_ALGEBRA,
    *NEURAL,
    *SOURCES,
]
