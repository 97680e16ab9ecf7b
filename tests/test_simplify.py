"""The simplifier: text before, text after; the value stays."""

import pytest
import torch

from engine import Evaluator, Node, gradients, ops, var
from engine.graph import toposort
from engine.passes.simplify import tidy
from engine.show import formula

A, B = var("A", [2, 3]), var("B", [3, 4])
x, y = var("x", [3]), var("y", [3])
a, b = var("a", []), var("b", [])

REWRITES = [
    (x + ops.zeros([3]), "x + zeros([3])", "x"),
    (x * ops.ones([3]), "x * ones([3])", "x"),
    (a * ops.zeros([]), "a * zeros([])", "zeros([])"),
    (ops.neg(-x), "-(-x)", "x"),
    (A.T.T, "(A^T)^T", "A"),
    ((B.T @ A.T).T, "(B^T @ A^T)^T", "A @ B"),
    (x + -y, "x + -y", "x - y"),
    (ops.const(2.0) * 3.0 * x, "2 * 3 * x", "6 * x"),
    (ops.expand(a, [3]) * x, "expand(a, [3]) * x", "a * x"),
    (x / ops.expand(a, [3]), "x / expand(a, [3])", "x / a"),
    (ops.expand(a, [3]) / b, "expand(a, [3]) / b", "expand(a / b, [3])"),
    (b - ops.expand(a, [3]), "b - expand(a, [3])", "expand(b - a, [3])"),
    (1.0 / a * x, "1 / a * x", "x / a"),
    (x * (ops.ones([]) / a), "x * (ones([]) / a)", "x / a"),
    ((A @ x[..., None])[..., 0], "(A @ x[..., None])[..., 0]", "A @ x"),
    ((x[..., None, :] @ B)[..., 0, :], "(x[..., None, :] @ B)[..., 0, :]", "x @ B"),
]
KEPT = [
    ops.expand(a, [2, 3]) * x,  # x has fewer axes: the product must be repeated
    (A @ B[:, :1])[..., 0],  # a column of a matrix
    (x[..., None, :] @ B)[..., 0],  # a number of the row
]


def values(node: Node) -> torch.Tensor:
    leaves = sorted((n for n in toposort([node]) if n.op.name == "variable"), key=Node.label)
    random = torch.Generator().manual_seed(1)
    feeds = {
        n: torch.rand([int(dim) for dim in n.shape or ()], generator=random).double() + 0.5  # type: ignore[arg-type]
        for n in leaves
    }
    return Evaluator([node], fuse=False).run(feeds)[0]


@pytest.mark.parametrize("node, before, after", REWRITES, ids=[row[1] for row in REWRITES])
def test_text_before_text_after_and_the_same_value(node: Node, before: str, after: str) -> None:
    [simpler] = tidy([node])
    assert (formula(node), formula(simpler)) == (before, after)
    assert simpler.shape == node.shape
    torch.testing.assert_close(values(simpler), values(node), check_dtype=False)


@pytest.mark.parametrize("node", KEPT, ids=formula)
def test_what_only_looks_alike_keeps_its_value(node: Node) -> None:
    [simpler] = tidy([node])
    torch.testing.assert_close(values(simpler), values(node), check_dtype=False)


def test_the_gradient_of_a_mean_of_squares_is_as_on_the_board() -> None:
    X, w, t = var("X", ["n", "d"]), var("w", ["d"]), var("t", ["n"])
    r = X @ w - t
    (g,) = gradients(ops.mean(r**2), [w])
    assert formula(g, {r: "r"}) == "X^T @ (2 * r / n)"
