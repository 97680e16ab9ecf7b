"""A trace: the same graph node by node, with every value and its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from engine import (
    EngineError,
    Evaluator,
    KindError,
    MissingInput,
    Node,
    ShapeError,
    gradients,
    ops,
    trace,
    var,
)
from engine.graph import toposort

x, w = var("x", ["n"]), var("w", ["m", "n"])
FEEDS = {x: torch.tensor([1.0, -2.0]), w: torch.tensor([[3.0, 4.0], [5.0, 6.0]])}


def test_every_node_is_traced_once_inputs_first() -> None:
    y = ops.relu(w @ x) + ops.relu(w @ x)
    traced = trace([y, x], FEEDS)
    assert [t.node for t in traced] == toposort([y, x])
    assert [t.node.label() for t in traced] == ["w", "x", "matmul", "relu", "add"]


def test_a_trace_holds_the_values_between() -> None:
    y = ops.sum(ops.exp(x) ** 2)
    found = {t.node.label(): t.value for t in trace([y], FEEDS)}
    torch.testing.assert_close(found["exp"], FEEDS[x].exp())
    torch.testing.assert_close(found["pow"], FEEDS[x].exp() ** 2)
    assert found["sum"].shape == ()


def test_a_fed_leaf_takes_no_time() -> None:
    for t in trace([ops.softmax(w @ x)], FEEDS):
        assert t.seconds == 0 if t.node in FEEDS else t.seconds >= 0


def test_a_trace_of_gradients_is_what_the_evaluator_computes() -> None:
    y = ops.sum(ops.softmax(w @ x) * ops.arange("m") * ops.size("n"))
    outputs = [y, *gradients(y, [x, w])]
    traced = {t.node: t.value for t in trace(outputs, FEEDS)}
    for node, value in zip(outputs, Evaluator(outputs).run(FEEDS), strict=True):
        torch.testing.assert_close(traced[node], value)


def test_values_of_a_trace_keep_what_they_were() -> None:
    """Nothing is written into the memory of another value, and nothing is freed."""
    y = ops.relu(ops.neg(ops.exp(x)))
    first = {t.node: t.value.clone() for t in trace([y], FEEDS)}
    second = {t.node: t.value for t in trace([y], FEEDS)}
    trace([y], {x: torch.zeros(2)})
    assert all(torch.equal(first[node], second[node]) for node in first)


def test_traced_values_need_no_gradient() -> None:
    fed = {x: torch.ones(2, requires_grad=True), w: FEEDS[w]}
    with torch.enable_grad():
        traced = trace([w @ ops.exp(x)], fed)
    assert all(not t.value.requires_grad and t.value.grad_fn is None for t in traced)


@pytest.mark.parametrize(
    "make, feeds, kind",
    [
        (lambda: w @ x, {x: torch.ones(2)}, MissingInput),
        (lambda: w @ x, {**FEEDS, x: torch.ones(3)}, ShapeError),
        (lambda: w @ x, {**FEEDS, x: torch.ones(2, 2)}, ShapeError),
        (lambda: w @ x, {**FEEDS, x: torch.ones(2).long()}, KindError),
        (lambda: w @ x, {**FEEDS, x: torch.ones(2).double()}, KindError),
        (lambda: x[:3], FEEDS, ShapeError),
        (lambda: ops.arange("k") * ops.sum(x), FEEDS, ShapeError),
        (lambda: ops.inv(x[:2, None] * ops.zeros([1, 2])), FEEDS, EngineError),
        (lambda: ops.sum(x) + ops.sum(var("x", [2, 2])), FEEDS, EngineError),
    ],
)
def test_a_trace_raises_what_a_run_raises(
    make: Callable[[], Node], feeds: dict[Node, Any], kind: type[EngineError]
) -> None:
    said: list[str] = []
    for run in (lambda: trace([make()], feeds), lambda: Evaluator([make()]).run(feeds)):
        with pytest.raises(kind) as caught:
            run()
        assert type(caught.value) is kind
        said.append(str(caught.value))
    assert said[0] == said[1]
