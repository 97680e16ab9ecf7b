"""What is fed to a graph: matched, checked and converted before anything runs; sizes are bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
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
from engine.dims import size

x, w = var("x", [3]), var("w", ["d", 3])
i = var("i", ["B"], "int")


def told(call: Callable[[], Any], kind: type[EngineError]) -> EngineError:
    with pytest.raises(kind) as caught:
        call()
    return caught.value


def test_a_missing_leaf_is_named_with_its_shape_and_with_what_was_fed() -> None:
    error = told(lambda: Evaluator([w @ x, i]).run({x: torch.ones(3), "typo": 1}), MissingInput)
    assert error.message == "no value was fed for `w` [d, 3], `i` int[B]"
    assert error.hint == "fed were `x`, `typo`"
    assert told(lambda: Evaluator([x]).run({}), MissingInput).hint == "nothing was fed"


def test_leaves_are_fed_by_node_or_by_name() -> None:
    both = Evaluator([w @ x])
    data = {"x": torch.arange(3.0), "w": torch.ones(2, 3)}
    assert both.run(data)[0].tolist() == [3, 3]
    assert both.run({x: data["x"], w: data["w"]})[0].tolist() == [3, 3]
    assert both.run({x: data["x"], "w": data["w"]})[0].tolist() == [3, 3]


def test_extra_feeds_are_ignored() -> None:
    feeds = {x: torch.ones(3), w: "nothing of use", "other": None, 7: object()}
    assert Evaluator([ops.sum(x)]).run(feeds)[0].item() == 3


@pytest.mark.parametrize(
    "fed, message",
    [
        (torch.ones(4), "`x` is declared [3] but was fed [4]"),
        (torch.ones(3, 1), "`x` is declared [3] but was fed [3, 1]"),
        (torch.ones(()), "`x` is declared [3] but was fed []"),
        ([1.0], "`x` is declared [3] but was fed [1]"),
        (torch.ones(0), "`x` is declared [3] but was fed [0]"),
    ],
)
def test_a_wrong_shape_is_told_with_both_shapes(fed: Any, message: str) -> None:
    assert told(lambda: Evaluator([ops.exp(x)]).run({x: fed}), ShapeError).message == message


def test_a_named_size_has_one_value() -> None:
    tokens, targets = var("tokens", ["B", "T"], "int"), var("targets", ["B", "T"], "int")
    feeds = {tokens: torch.zeros(4, 12).long(), targets: torch.zeros(4, 11).long()}
    error = told(lambda: Evaluator([tokens + targets]).run(feeds), ShapeError)
    assert error.message == (
        "T = 12 from `tokens` [4, 12], but `targets` is [4, 11]; both are declared [B, T]"
    )
    mask = var("mask", ["T", "T"])
    feeds = {tokens: torch.zeros(4, 12).long(), mask: torch.zeros(11, 11)}
    error = told(lambda: Evaluator([tokens + mask[0]]).run(feeds), ShapeError)
    assert error.message == (
        "T = 12 from `tokens` [4, 12], but `mask` is [11, 11]; they are declared [B, T] and [T, T]"
    )
    error = told(lambda: Evaluator([mask]).run({mask: torch.zeros(2, 3)}), ShapeError)
    assert error.message == "`mask` is declared [T, T] but was fed [2, 3]"


def test_a_fixed_size_is_checked_against_its_value() -> None:
    fixed = var("fixed", [size("d", 64), 4 * size("d", 64)])
    assert Evaluator([ops.sum(fixed)]).run({fixed: torch.zeros(64, 256)})[0].item() == 0
    error = told(lambda: Evaluator([fixed]).run({fixed: torch.zeros(64, 255)}), ShapeError)
    assert error.message == "`fixed` is declared [d, 4d] but was fed [64, 255]: 4d is 256"


def test_a_polynomial_tells_its_one_unknown_size() -> None:
    d, T = size("d"), size("T")
    hidden = var("hidden", [4 * d])
    reshaped = ops.reshape(hidden, (4, d))
    assert Evaluator([reshaped]).run({hidden: torch.zeros(12)})[0].shape == (4, 3)
    assert Evaluator([reshaped]).run({hidden: torch.zeros(0)})[0].shape == (4, 0)
    error = told(lambda: Evaluator([reshaped]).run({hidden: torch.zeros(13)}), ShapeError)
    assert error.message == "`hidden` is declared [4d] but was fed [13]: 4d cannot be 13"
    later, first = var("later", [T + 1]), var("first", [d * T])
    flat = ops.sum(first) * ops.arange(d) * ops.sum(later)
    feeds = {later: torch.ones(4), first: torch.ones(6)}
    assert Evaluator([flat]).run(feeds)[0].shape == (2,)
    feeds = {later: torch.ones(4), first: torch.ones(7)}
    error = told(lambda: Evaluator([flat]).run(feeds), ShapeError)
    assert error.message == "`first` is declared [T*d] but was fed [7]: T*d cannot be 7"


def test_a_polynomial_is_checked_when_its_sizes_are_known() -> None:
    a, b = var("a", ["d"]), var("b", [4 * size("d")])
    error = told(
        lambda: Evaluator([ops.sum(a) * b]).run({a: torch.ones(3), b: torch.ones(13)}), ShapeError
    )
    assert error.message == "`b` is declared [4d] but was fed [13]: 4d is 12"


def test_a_size_that_no_feed_tells_is_named() -> None:
    ramp = ops.arange("T") * ops.sum(x)
    error = told(lambda: Evaluator([ramp]).run({x: torch.ones(3)}), ShapeError)
    assert error.message == "the size `T` is not known from any input"


def test_a_leaf_outside_of_the_graph_still_tells_its_sizes() -> None:
    ramp = ops.arange("T") * ops.sum(x)
    mask = var("mask", ["T", "T"])
    for run in (Evaluator([ramp]).run, lambda feeds: [trace([ramp], feeds)[-1].value]):
        (found,) = run({x: torch.ones(3), mask: torch.zeros(2, 2)})
        assert found.tolist() == [0, 3]


def test_two_sizes_of_one_name_with_values_of_their_own_live_together() -> None:
    """Each module has its own scope of sizes."""
    here, there = size("d", 2), size("d", 3)
    a, b, c = var("a", [here]), var("b", [there]), var("c", ["d"])
    y = ops.sum(ops.ones([here, there])) * ops.sum(a) * ops.sum(b) * ops.arange("d") * c
    feeds = {a: torch.ones(2), b: torch.ones(3), c: torch.ones(4)}
    assert Evaluator([y]).run(feeds)[0].tolist() == [0, 36, 72, 108]
    assert trace([y], feeds)[-1].value.tolist() == [0, 36, 72, 108]


def runs(node: Node, feeds: dict[Node, Any]) -> tuple[Callable[[], Any], Callable[[], Any]]:
    return (lambda: Evaluator([node]).run(feeds)), (lambda: trace([node], feeds))


def test_a_size_that_is_no_whole_number_is_told_before_anything_runs() -> None:
    d, H = size("d"), size("H")
    heads, weights = var("heads", ["H"]), var("weights", ["d"])
    never = ops.sum(ops.inv(x[:, None] * x * 0))
    split = ops.reshape(ops.expand(weights, (H, d)), (H, H, d / H)) * never
    feeds = {heads: torch.ones(4), weights: torch.ones(10), x: torch.ones(3)}
    for run in runs(split * ops.sum(heads), feeds):
        assert told(run, ShapeError).message == (
            "the size d/H is not a whole number of elements: H = 4, d = 10"
        )


def test_a_slice_that_finds_too_few_elements_is_told_before_anything_runs() -> None:
    t = var("t", ["T", 2])
    for short in (t[:3], t[-3:], t[1:4]):
        assert short.shape == (3, 2)
        for run in runs(short, {t: torch.ones(2, 2)}):
            error = told(run, ShapeError)
            assert error.message.startswith("[T, 2] is [2, 2]: a slice of it is [")
            assert error.message.endswith("instead of [3, 2]")
            assert error.op is ops.index
    assert Evaluator([t[:3]]).run({t: torch.ones(5, 2)})[0].shape == (3, 2)
    for run in runs(t[2:], {t: torch.ones(1, 2)}):
        assert told(run, ShapeError).message == (
            "the size T - 2 is not a whole number of elements: T = 1"
        )


@pytest.mark.parametrize(
    "leaf, fed, message",
    [
        (x, torch.ones(3).long(), "`x` is [3] and takes floats, not torch.int64"),
        (x, np.ones(3, int), "`x` is [3] and takes floats, not torch.int64"),
        (x, torch.ones(3).bool(), "`x` is [3] and takes floats, not torch.bool"),
        (x, [True, False, True], "`x` is [3] and takes floats, not torch.bool"),
        (i, torch.ones(3), "`i` is int[B] and takes ints, not torch.float32"),
        (i, [1.0, 2.0], "`i` is int[B] and takes ints, not torch.float32"),
        (i, torch.ones(3).bool(), "`i` is int[B] and takes ints, not torch.bool"),
        (x, "abc", "`x` cannot take a str:"),
        (x, None, "`x` cannot take a NoneType:"),
        (x, [[1.0], [2.0, 3.0]], "`x` cannot take a list:"),
        (x, 1j, "`x` is [3] and takes floats, not torch.complex64"),
    ],
)
def test_a_wrong_kind_is_told(leaf: Node, fed: Any, message: str) -> None:
    error = told(lambda: Evaluator([leaf * 2]).run({leaf: fed}), KindError)
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    "fed",
    [
        [1, 2, 3],
        (1.0, 2.0, 3.0),
        np.array([1.0, 2.0, 3.0]),
        np.array([1.0, 2.0, 3.0], np.float32),
        np.array([3.0, 2.0, 1.0])[::-1],
        np.broadcast_to(np.array([1.0, 2.0, 3.0]), (3,)),
        torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64),
        torch.tensor([1.0, 2.0, 3.0], dtype=torch.bfloat16),
        torch.arange(1.0, 7.0)[:3],
    ],
)
def test_numbers_lists_arrays_and_tensors_are_fed(fed: Any) -> None:
    assert Evaluator([x * 2]).run({x: fed})[0].tolist() == [2, 4, 6]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_whole_numbers_of_any_width_are_whole_numbers(dtype: torch.dtype) -> None:
    E = var("E", [300, 2])
    fed = {i: torch.tensor([200, 100], dtype=dtype), E: torch.ones(300, 2)}
    rows, total = Evaluator([E[i], i + i]).run(fed)
    assert rows.shape == (2, 2)
    assert total.tolist() == [2 * n for n in fed[i].tolist()]


def test_an_empty_list_is_a_float_tensor() -> None:
    assert Evaluator([var("e", ["n"]) * 2]).run({"e": []})[0].shape == (0,)


@pytest.mark.parametrize(
    "others, dtype",
    [
        ({}, torch.float32),
        ({"w": torch.ones(2, 3, dtype=torch.float64)}, torch.float64),
        ({"w": torch.ones(2, 3, dtype=torch.bfloat16)}, torch.bfloat16),
        ({"w": np.ones((2, 3))}, torch.float64),
        ({"w": np.ones((2, 3), np.float32)}, torch.float32),
    ],
)
def test_numbers_take_the_precision_of_what_is_beside_them(
    others: dict[str, Any], dtype: torch.dtype
) -> None:
    node = x * 0.1 if not others else w @ (x * 0.1)
    (found,) = Evaluator([node]).run({x: [1, 2, 3], **others})
    assert found.dtype is dtype
    exact = torch.tensor([0.1, 0.2, 0.3], dtype=dtype)
    torch.testing.assert_close(found, exact if not others else exact.sum().expand(2))


def test_a_constant_is_exact_in_double_precision() -> None:
    (found,) = Evaluator([x * 0 + 0.1]).run({x: torch.zeros(3, dtype=torch.float64)})
    assert found.tolist() == [0.1, 0.1, 0.1]


def test_tensors_of_two_precisions_are_refused() -> None:
    feeds = {x: torch.ones(3), w: torch.ones(2, 3, dtype=torch.float64)}
    error = told(lambda: Evaluator([w @ x]).run(feeds), KindError)
    assert error.message == "`x` is torch.float32, but `w` is torch.float64"
    assert error.hint == "feed all tensors in one precision, on one device"


def test_the_precision_of_a_graph_without_floats_comes_from_the_other_feeds() -> None:
    (g,) = gradients(ops.sum(x * 3), [x])
    assert Evaluator([g]).run({x: torch.ones(3, dtype=torch.float64)})[0].dtype is torch.float64
    assert Evaluator([g]).run({})[0].dtype is torch.float32
    assert trace([g], {x: torch.ones(3).double()})[-1].value.dtype is torch.float64
