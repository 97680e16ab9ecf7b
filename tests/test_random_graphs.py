"""Random graphs: value, gradient and second derivative are torch's, fused and planned or not.

With named sizes every value counts as large, so that all the sharing of memory takes place.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine import Evaluator, Node, ShapeError, const, gradients, ops, var
from tests.sample_tables import layer_norm, variance

Pair = tuple[Node, Tensor]
Step = tuple[Callable[..., Node], Callable[..., Tensor]]
ONE: list[Step] = [
    (lambda x: ops.exp(ops.tanh(x)), lambda x: x.tanh().exp()),
    (ops.sin, torch.sin),
    (ops.relu, torch.relu),
    (ops.gelu, F.gelu),
    (ops.silu, F.silu),
    (ops.abs, torch.abs),
    (lambda x: -x, torch.neg),
    (lambda x: x**2, torch.square),
    (lambda x: ops.log(x * x + 1), lambda x: (x * x + 1).log()),
    (lambda x: 2 / (x * x + 1), lambda x: 2 / (x * x + 1)),
]
TWO: list[Step] = [
    (ops.add, torch.add),
    (ops.sub, torch.sub),
    (ops.mul, torch.mul),
    (ops.matmul, torch.matmul),
    (ops.maximum, torch.maximum),
    (lambda a, b: a / (b * b + 1), lambda a, b: a / (b * b + 1)),
    (lambda a, b: ops.where(a < b, a, b * 2), lambda a, b: torch.where(a < b, a, b * 2)),
]
OVER: list[Step] = [
    (ops.sum, torch.sum),
    (ops.mean, torch.mean),
    (ops.logsumexp, torch.logsumexp),
    (ops.max, torch.amax),
    (ops.var, variance),
]
ALONG: list[Step] = [
    (ops.softmax, torch.softmax),
    (ops.log_softmax, torch.log_softmax),
    (ops.cumsum, torch.cumsum),
    (lambda x, axis: ops.layer_norm(x, axis=axis), layer_norm),
]
KEYS: list[Any] = [None, (..., None), (..., -1), slice(1, None), (..., slice(None, -1))]
NAMES = {2: "B", 3: "T", 4: "d"}
SHAPES = [(2, 3), (3, 4), (3,), (), (2, 1), (4,), (2, 3, 4), (1, 4)]


def step(random: Random, pool: list[Pair]) -> Pair:
    """A value made of one or two others. Raises what the operators raise where they do not fit."""
    (x, t), (y, u) = random.choice(pool), random.choice(pool)
    kind = random.choice(("one", "two", "two", "over", "along", "key", "transpose"))
    axis = random.choice((-1, 0))
    if kind == "one":
        f, g = random.choice(ONE)
        return f(x), g(t)
    if kind == "two":
        f, g = random.choice(TWO)
        return f(x, y), g(t, u)
    if kind == "over":
        (f, g), keep = random.choice(OVER), random.random() < 0.5
        return f(x, (axis,), keep), g(t, (axis,), keep)
    if kind == "along":
        f, g = random.choice(ALONG)
        return f(x, axis=axis), g(t, axis)
    if kind == "key":
        key = random.choice(KEYS)
        return x[key], t[key]
    return ops.transpose(x, (-1, -2)), t.transpose(-1, -2)


def grown(
    random: Random, declare: Callable[[tuple[int, ...]], Any]
) -> tuple[list[Pair], Node, Tensor]:
    """Four variables with their values, and a scalar made of them."""
    leaves = [
        (var(f"x{i}", declare(shape)), torch.randn(shape, dtype=torch.float64).requires_grad_())
        for i, shape in enumerate(random.sample(SHAPES, 4))
    ]
    pool: list[Pair] = list(leaves)
    for _ in range(random.randint(3, 10)):
        try:
            made = step(random, pool)
        except (ShapeError, RuntimeError, IndexError):  # they do not fit
            continue
        if made[1].numel() and made[1].abs().max() < 1e4:
            pool.append(made)
    y, t = const(0.0), torch.zeros((), dtype=torch.float64)
    for node, value in pool[-2:]:
        y, t = y + ops.sum(node * node), t + (value * value).sum()
    return leaves, y, t


MODES: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "numbers": lambda shape: shape,
    "names": lambda shape: [NAMES.get(n, n) for n in shape],
    "ranks": lambda shape: [None] * len(shape),
    "unknown": lambda shape: None,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", [*range(12), 25, 474])  # two that once went wrong
def test_a_random_graph_is_what_torch_computes(seed: int, mode: str) -> None:
    leaves, y, expected = grown(Random(seed), MODES[mode])
    xs, tensors = [x for x, _ in leaves], [t for _, t in leaves]
    first = gradients(y, xs)
    second = gradients(sum((ops.sum(ops.sin(g)) for g in first), const(0.0)), xs)
    slopes = torch.autograd.grad(expected, tensors, create_graph=True, materialize_grads=True)
    bent = sum((g.sin().sum() for g in slopes), 0 * sum(t.sum() for t in tensors))
    assert isinstance(bent, Tensor)
    wanted = [expected, *slopes, *torch.autograd.grad(bent, tensors, materialize_grads=True)]
    feeds = {x: t.detach().clone() for x, t in leaves}
    for fuse in (True, False):
        evaluator = Evaluator([y, *first, *second], fuse=fuse)
        for found in (evaluator.run(feeds), evaluator.run(feeds)):
            for a, b in zip(found, wanted, strict=True):
                torch.testing.assert_close(a, b.detach(), rtol=1e-7, atol=1e-7)
    assert all(torch.equal(feeds[x], t.detach()) for x, t in leaves)
