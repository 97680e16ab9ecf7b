"""Updates: every leaf gets the value that its node has before any leaf changes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from engine import Evaluator, Node, ops, var

W, V, b = var("W", [6, 5]), var("V", [6, 5]), var("b", [5])
x, rate = var("x", [2, 6]), var("rate", [])
SQUARE = var("S", [5, 5]), var("R", [5, 5])
LEAVES = (W, V, b, x, rate, *SQUARE)
slope = x.T @ ops.tanh(x @ W + b)
S, R = SQUARE

UPDATES: dict[str, tuple[Mapping[Node, Node], str]] = {
    "one step for all": (
        {b: b - 0.1 * ops.sum(x @ V, 0), V: V - 0.1 * (ops.sin(V) * W)},
        "torch._foreach_add_([b, V], [sum, mul], alpha=-0.1)",
    ),
    "the rate on the other side": (
        {b: b - ops.sum(x @ V, 0) * 0.1},
        "torch._foreach_add_([b], [sum], alpha=-0.1)",
    ),
    "no rate": ({b: b - ops.sum(x @ V, 0)}, "torch._foreach_add_([b], [sum], alpha=-1)"),
    "upwards": ({b: b + ops.sum(x @ V, 0)}, "torch._foreach_add_([b], [sum])"),
    "a rate that is fed": (
        {b: b - rate * ops.sum(x @ V, 0)},
        "torch._foreach_add_([b], [sum], alpha=-rate.item())",
    ),
    "a product larger than its factors": (
        {W: W - 0.1 * slope},
        "torch.addmm(W, transpose, tanh, alpha=-0.1, out=W)",
    ),
    "a product of two leaves' neighbours": (
        {W: W - 0.1 * slope, b: b - 0.1 * ops.sum(slope, 0)},
        "torch._foreach_add_([W, b], [matmul, sum], alpha=-0.1)",
    ),
    "one product for two leaves": (
        {W: W - 0.1 * slope, V: V - 0.1 * slope},
        "torch._foreach_add_([W, V], [matmul, matmul], alpha=-0.1)",
    ),
    "another formula": ({b: 0.9 * b}, "torch._foreach_copy_([b], [mul])"),
    "an exchange": ({W: V, V: W}, "torch._foreach_copy_([W, V], [V.clone(), W.clone()])"),
    "a slope that is a leaf": (
        {W: W - 0.1 * V, V: V - 0.1 * W},
        "torch._foreach_copy_([W, V], [sub, sub_1])",
    ),
    "a slope that looks into a leaf": (
        {S: S - R.T, R: R + S.T},
        "torch._foreach_copy_([S, R], [sub, add])",
    ),
    "a factor that looks into a leaf": (
        {S: S - 0.1 * (ops.tanh(b)[:, None] @ b[None, :]), b: b - 0.1 * ops.sum(S, 0)},
        "torch._foreach_add_([S, b], [matmul, sum], alpha=-0.1)",
    ),
    "a rate that changes too": (
        {rate: 0.5 * rate, b: b - rate * ops.sum(x @ V, 0)},
        "torch._foreach_copy_([rate, b], [mul, sub])",
    ),
    "nothing new": ({b: b}, "torch._foreach_copy_([b], [b.clone()])"),
}
over_updates = pytest.mark.parametrize("updates, line", UPDATES.values(), ids=UPDATES.keys())


def feeds() -> dict[Node, Tensor]:
    random = torch.Generator().manual_seed(3)
    shapes = {leaf: [int(str(dim)) for dim in leaf.shape or ()] for leaf in LEAVES}
    return {
        leaf: torch.randn(shape, generator=random, dtype=torch.float64)
        for leaf, shape in shapes.items()
    }


@over_updates
def test_the_source_says_how_leaves_are_written(updates: Mapping[Node, Node], line: str) -> None:
    assert line in Evaluator([], updates=updates).source()


@over_updates
def test_leaves_get_the_values_of_before(updates: Mapping[Node, Node], line: str) -> None:
    fed = feeds()
    wanted = Evaluator(list(updates.values()), fuse=False).run(feeds())
    results = Evaluator([*updates, ops.sum(x)], updates=updates).run(fed)
    for leaf, new, old in zip(updates, wanted, results, strict=False):
        torch.testing.assert_close(fed[leaf], new)
        assert torch.equal(old, feeds()[leaf])  # results are from before


@over_updates
def test_new_values_that_are_results_too_are_what_is_written(
    updates: Mapping[Node, Node], line: str
) -> None:
    fed = feeds()
    results = Evaluator(list(updates.values()), updates=updates).run(fed)
    for leaf, result in zip(updates, results, strict=True):
        assert torch.equal(fed[leaf], result)
