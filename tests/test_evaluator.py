"""Running a graph: autograd stays off, updates are in place, the source is readable."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine import (
    EngineError,
    Evaluator,
    KindError,
    ShapeError,
    const,
    gradients,
    ops,
    trace,
    var,
)
from engine.dims import size
from tests.test_feeds import told

x, w = var("x", [3]), var("w", ["d", 3])


def test_autograd_is_off() -> None:
    """Not one tensor of ours has a grad_fn, whatever is fed."""
    fed = {
        x: torch.ones(3, requires_grad=True),
        w: torch.ones(2, 3, requires_grad=True) * 2,
    }
    y = ops.sum(ops.softmax(w @ x))
    outputs = [y, w, w @ x, w.T, *gradients(y, [x, w])]
    with torch.enable_grad():
        for found in (
            Evaluator(outputs).run(fed),
            Evaluator(outputs, fuse=False).run(fed),
            [t.value for t in trace(outputs, fed)],
        ):
            assert all(t.grad_fn is None and not t.requires_grad for t in found)
    assert torch.is_grad_enabled()
    assert fed[x].grad is None


def test_what_fails_inside_an_op_names_the_op() -> None:
    E, index = var("E", [5, 2]), var("index", ["n"], "int")
    feeds = {E: torch.ones(5, 2), index: torch.tensor([5])}
    error = told(lambda: Evaluator([ops.exp(E[index])]).run(feeds), EngineError)
    assert error.message.startswith("gather failed: ")
    assert error.op is ops.gather
    assert error.nodes == (E, index)
    matrix = var("matrix", [2, 2])
    error = told(lambda: Evaluator([ops.inv(matrix)]).run({matrix: torch.zeros(2, 2)}), EngineError)
    assert error.message.startswith("inv failed: ")
    a, b = var("a"), var("b")
    error = told(
        lambda: Evaluator([ops.exp(a @ b)]).run({a: torch.ones(2), b: torch.ones(3)}), EngineError
    )
    assert error.op is ops.matmul


def test_two_variables_of_one_name_are_refused() -> None:
    y = ops.sum(var("v", [2])) + ops.sum(var("v", [3]))
    error = told(lambda: Evaluator([y]).run({"v": torch.ones(2)}), EngineError)
    assert error.message == "two variables are called `v`: [2] and [3]"


def test_updates_are_written_in_place_when_everything_is_known() -> None:
    a, b = var("a", [2]), var("b", [2])
    swap = Evaluator([a + b, a, a.T], updates={a: b, b: a})
    fed = {a: torch.tensor([1.0, 2.0]), b: torch.tensor([3.0, 4.0])}
    total, before, view = swap.run(fed)
    assert fed[a].tolist() == [3, 4]
    assert fed[b].tolist() == [1, 2]
    assert total.tolist() == [4, 6]
    assert before.tolist() == view.tolist() == [1, 2]


def test_a_step_of_gradient_descent_is_one_graph() -> None:
    y = ops.sum((w @ x - 1) ** 2)
    (g,) = gradients(y, [w])
    step = Evaluator([y], updates={w: w - 0.1 * g})
    weight = torch.zeros(2, 3, requires_grad=True)
    losses = [step.run({w: weight, x: torch.ones(3)})[0].item() for _ in range(20)]
    assert losses[0] == 2
    assert losses[-1] < 1e-3
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("fed", [[0.0, 0.0], np.zeros(2), 0])
def test_what_is_updated_must_be_a_tensor(fed: Any) -> None:
    a = var("a", [2] if fed != 0 else []) if not isinstance(fed, np.ndarray) else var("a", [2])
    error = told(lambda: Evaluator([a], updates={a: a + 1}).run({a: fed}), KindError)
    assert error.message.startswith("`a` is updated in place")


def test_only_variables_are_updated_by_values_of_their_shape_and_kind() -> None:
    a, n = var("a", [2]), var("n", [2], "int")
    assert told(lambda: Evaluator([a], updates={a + 1: a}), EngineError).message == (
        "only variables are updated, not <add [2]>"
    )
    assert told(lambda: Evaluator([a], updates={a: ops.sum(a)}), ShapeError).message == (
        "`a` is [2] and cannot be updated by []"
    )
    assert told(lambda: Evaluator([a], updates={n: a}), KindError).message == (
        "`n` is int[2] and cannot be updated by [2]"
    )


def test_results_stay_when_the_evaluator_runs_again() -> None:
    y = ops.exp(w @ x)
    several = Evaluator([y, ops.sum(y), y.T, ops.zeros([3])])
    data = [{w: torch.randn(4, 3), x: torch.randn(3)} for _ in range(5)]
    first = [
        [t.clone() for t in Evaluator([y, ops.sum(y), y.T, ops.zeros([3])]).run(d)] for d in data
    ]
    again = [several.run(d) for d in data]
    for one, other in zip(first, again, strict=True):
        for a, b in zip(one, other, strict=True):
            torch.testing.assert_close(a, b)


def test_fed_tensors_are_not_written_to() -> None:
    y = ops.relu(-(ops.exp(x) - 3) * 2) + x
    fed = torch.tensor([0.5, 1.0, -1.0])
    for _ in range(3):
        Evaluator([y, *gradients(ops.sum(y * y), [x])]).run({x: fed})
        assert fed.tolist() == [0.5, 1.0, -1.0]


def test_one_evaluator_runs_with_many_shapes() -> None:
    several = Evaluator([ops.sum(w @ x) * ops.size("d")])
    for d in [1, 2, 5, 0, 2, 1, 30, *range(40)]:
        (found,) = several.run({w: torch.ones(d, 3), x: torch.ones(3)})
        assert found.item() == 3 * d * d


def test_the_source_is_one_readable_line_a_node() -> None:
    Q, K = var("Q", ["T", "d"]), var("K", ["T", "d"])
    scores = Q @ K.T
    source = Evaluator([ops.softmax(scores)], names={scores: "scores"}, fuse=False).source()
    lines = [line.strip() for line in source.splitlines()]
    ast.parse(source)
    assert lines[0].startswith("def bind(T, d")
    assert "def step(Q, K):" in lines
    assert any(line.startswith("scores = torch.") for line in lines)
    assert any(line.startswith("softmax = torch.softmax(scores, ") for line in lines)
    assert lines[-1] == "return step"
    assert len(lines) < 12


@pytest.mark.parametrize(
    "name",
    ["x₁", "W'", "λ", "lambda", "results", "float", "torch", "F", "step", "1", "a b", "'", "_",
     "memory", "None", "kernels", "W_q.h[0]", "Ellipsis", "ŷ", "x̂"],
)  # fmt: skip
def test_a_variable_or_size_may_have_any_name(name: str) -> None:
    a = var(name, [size(name)])
    y = a * ops.arange(size(name)) + math.inf * ops.exp(-a) * 0.5
    assert Evaluator([y[..., None]]).run({name: torch.ones(2)})[0].shape == (2, 1)
    stepped = Evaluator([y], updates={a: a - y * 0}, names={y: name})
    assert len(stepped.run({a: torch.ones(2)})) == 1


def test_names_that_python_takes_for_one_are_two() -> None:
    """Python normalises identifiers: ϕ is φ, x₁ is x1."""
    a, b, c, d = var("ϕ", [size("ℓ")]), var("φ", [size("l")]), var("x₁", []), var("x1", [])
    y = ops.sum(a) - ops.sum(b) + 10 * c - d + ops.sum(ops.arange("l")) * ops.sum(ops.arange("ℓ"))
    feeds = {a: torch.ones(4), b: torch.ones(3), c: 1.0, d: 2.0}
    assert Evaluator([y]).run(feeds)[0].item() == 4 - 3 + 10 - 2 + 3 * 6


def test_every_output_that_is_asked_for_comes_back_in_its_place() -> None:
    y = ops.exp(x)
    found = Evaluator([y, x, y, const(2.0), x]).run({x: torch.zeros(3)})
    assert [t.tolist() for t in found] == [[1, 1, 1], [0, 0, 0], [1, 1, 1], 2, [0, 0, 0]]
    assert Evaluator([]).run({}) == []
    assert Evaluator(y).run({x: torch.zeros(3)})[0].tolist() == [1, 1, 1]


def test_a_random_node_is_the_same_in_every_run() -> None:
    node = ops.normal([2], 1) + ops.sum(x) * 0
    first, second = (Evaluator([node]).run({x: torch.zeros(3)})[0] for _ in range(2))
    assert first.tolist() == second.tolist()


def test_a_key_that_is_fed_draws_anew() -> None:
    key = var("key", [], "int")
    draw = Evaluator([ops.uniform([2], key)])
    a, b, c = (draw.run({key: torch.tensor(k)})[0] for k in (1, 2, 1))
    assert a.tolist() == c.tolist() != b.tolist()


def test_values_are_freed_at_their_last_use() -> None:
    """A long chain of large values never holds more than a few of them."""
    seen: list[int] = []
    big = var("big", [1000])
    y = big
    for _ in range(20):
        y = ops.sin(y) + 1
    source = Evaluator([ops.sum(y)], fuse=False).source()
    body = [line for line in source.splitlines() if " = " in line]
    alive: set[str] = set()
    for line in body:
        made, _, rest = line.strip().partition(" = ")
        alive.add(made)
        if "; del " in rest:
            alive -= set(rest.partition("; del ")[2].split(", "))
        seen.append(len(alive))
    assert max(seen) <= 4


def test_results_are_lists_of_tensors() -> None:
    found = Evaluator([ops.sum(x)]).run({x: [1.0, 2.0, 3.0]})
    assert isinstance(found, list)
    assert isinstance(found[0], Tensor)


def test_only_nodes_are_computed() -> None:
    for wrong in ("loss", [1.0], [x, None]):
        error = told(lambda wrong=wrong: Evaluator(wrong), KindError)  # pyright: ignore[reportArgumentType]
        assert error.message.startswith("an evaluator computes nodes, not a ")
