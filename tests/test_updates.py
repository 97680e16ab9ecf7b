"""Updates: every leaf gets the value that its node has before any leaf changes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from engine import Evaluator, Node, ops, var
from engine.graph import Operand

W, V, b = var("W", [6, 5]), var("V", [6, 5]), var("b", [5])
x, rate = var("x", [2, 6]), var("rate", [])
SQUARE = var("S", [5, 5]), var("R", [5, 5])
S, R = SQUARE
m, v, t = var("m", [5]), var("v", [5]), var("t", [], "int")
LEAVES = (W, V, b, x, rate, S, R, m, v, t)
slope, grad_b = x.T @ ops.tanh(x @ W + b), ops.sum(x @ V, 0)


def adam(
    g: Node, lr: Operand, decay: float | None = None, β1: float = 0.9, power: int = 2
) -> dict[Node, Node]:
    """The updates of b and its moments, as in the papers."""
    new_m = β1 * m + (1 - ops.const(0.9)) * g
    new_v = 0.999 * v + 0.001 * g**power
    first, second = new_m / (1 - β1**t), new_v / (1 - 0.999**t)
    new = b - lr * first / (ops.sqrt(second) + 1e-8)
    return {b: new if decay is None else new - lr * decay * b, m: new_m, v: new_v}


UPDATES: dict[str, tuple[Mapping[Node, Node], str]] = {
    "one step for all": (
        {b: b - 0.1 * grad_b, V: V - 0.1 * (ops.sin(V) * W)},
        "torch._foreach_add_([b, V], [sum, mul], alpha=-0.1)",
    ),
    "the rate on the other side": (
        {b: b - grad_b * 0.1},
        "torch._foreach_add_([b], [sum], alpha=-0.1)",
    ),
    "no rate": ({b: b - grad_b}, "torch._foreach_add_([b], [sum], alpha=-1)"),
    "upwards": ({b: b + grad_b}, "torch._foreach_add_([b], [sum])"),
    "a rate that is fed": (
        {b: b - rate * grad_b},
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
        {rate: 0.5 * rate, b: b - rate * grad_b},
        "torch._foreach_copy_([rate, b], [mul, sub])",
    ),
    "Adam": (
        adam(grad_b, 0.1),
        "fused.adam([b], [sum], [m], [v], t, lr=0.1, betas=(0.9, 0.999), eps=1e-08, decay=0.0)",
    ),
    "AdamW with a rate that is fed": (
        adam(grad_b, rate, 0.01),
        "fused.adam([b], [sum], [m], [v], t, lr=rate, betas=(0.9, 0.999), eps=1e-08, decay=0.01)",
    ),
    "Adam that keeps no moment": (
        {leaf: new for leaf, new in adam(grad_b, 0.1).items() if leaf is not m},
        "torch._foreach_add_([b], [div",
    ),
    "Adam of another power": (adam(grad_b, 0.1, power=4), "torch._foreach_add_([b], [div"),
    "Adam of another mean": (adam(grad_b, 0.1, β1=0.8), "torch._foreach_add_([b], [div"),
    "Adam of a slope that is a leaf": (
        {**adam(V[0], 0.1), V: 0.5 * V},
        "torch._foreach_copy_([b, m, v, V], [sub",
    ),
    "nothing new": ({b: b}, "torch._foreach_copy_([b], [b.clone()])"),
}
over_updates = pytest.mark.parametrize("updates, line", UPDATES.values(), ids=UPDATES.keys())


def feeds() -> dict[Node, Tensor]:
    """Random doubles, none negative in v, and the third step."""
    random = torch.Generator().manual_seed(3)
    shapes = {leaf: [int(str(dim)) for dim in leaf.shape or ()] for leaf in LEAVES}
    drawn = {
        leaf: torch.randn(shape, generator=random, dtype=torch.float64)
        for leaf, shape in shapes.items()
    }
    return {**drawn, v: drawn[v].abs(), t: torch.tensor(3)}


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


def test_adam_writes_into_memory_that_is_in_no_order() -> None:
    updates = adam(grad_b, 0.1, 0.01)
    fed = feeds()
    wanted = Evaluator(list(updates.values()), fuse=False).run(feeds())
    for leaf in (b, m, v):
        fed[leaf] = torch.stack([fed[leaf], fed[leaf]], -1)[:, 0]  # every second element
    Evaluator([], updates=updates).run(fed)
    for leaf, new in zip(updates, wanted, strict=True):
        torch.testing.assert_close(fed[leaf], new)
