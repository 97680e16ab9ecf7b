"""The gradient check: right rules pass, wrong ones are found, kinks are told apart."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from engine import EngineError, Node, Op, check_gradients, ops, var
from engine.errors import GradientError, KindError, MissingInput
from engine.ops.families import pointwise

x, y = var("x", [3]), var("y", [3])
scalar = var("scalar", [])


@pytest.fixture
def planted() -> Iterator[Callable[..., Op]]:
    """Makes an op with the value of exp and a derivative of one's own, for one test."""

    def plant(rule: Callable[..., Node]) -> Op:
        return pointwise("planted", torch.exp, rule, tex="%s")

    yield plant
    Op.table.pop("planted", None)


def test_a_right_rule_passes(planted: Callable[..., Op]) -> None:
    report = check_gradients(planted(lambda g, y, x: g * y)(x), [x], {x: [0.1, -2.0, 3.0]})
    assert report
    assert (report.ok, len(report.checked), report.wrong, report.kinks) == (True, 3, (), ())


@pytest.mark.parametrize(
    "rule, wrong",
    [
        (lambda g, y, x: g * x, [(0,), (1,), (2,)]),
        (lambda g, y, x: -g * y, [(0,), (1,), (2,)]),
        (lambda g, y, x: g * y * 1.0001, [(0,), (1,), (2,)]),
        (lambda g, y, x: g * ops.where(ops.less(0, x), y, 0.0), [(1,)]),
        (lambda g, y, x: g * y / ops.where(ops.less(0, x), 1.0, 0.0), [(1,)]),
        (lambda g, y, x: g * ops.sqrt(x), [(0,), (1,), (2,)]),
    ],
    ids=["other function", "sign", "a little", "masked", "infinite", "not a number"],
)
def test_a_planted_wrong_rule_is_found(
    planted: Callable[..., Op], rule: Callable[..., Node], wrong: list[tuple[int]]
) -> None:
    report = check_gradients(planted(rule)(x), [x], {x: [0.3, -2.0, 3.0]})
    assert not report
    assert [e.index for e in report.wrong] == wrong


def test_a_wrong_rule_deep_in_a_graph_is_found(planted: Callable[..., Op]) -> None:
    W = var("W", [3, 4])
    wrong = planted(lambda g, y, x: g * y * ops.where(ops.less(0, x), 1.01, 1.0))
    feeds = {x: [0.3, -2.0, 3.0], W: torch.linspace(-1, 1, 12).reshape(3, 4)}
    assert not check_gradients(ops.sum(ops.tanh(wrong(x @ W) * 0.01)), [x, W], feeds)
    assert check_gradients(ops.sum(ops.tanh(ops.exp(x @ W) * 0.01)), [x, W], feeds)


def test_a_wrong_rule_is_found_at_large_and_at_small_values(planted: Callable[..., Op]) -> None:
    wrong = planted(lambda g, y, x: g * y * 1.001)
    for scale in (1e-9, 1e9):
        report = check_gradients(wrong(x * scale), [x], {x: [1 / scale, 2 / scale, -1 / scale]})
        assert len(report.wrong) == 3


def test_a_gradient_of_another_shape_than_its_leaf_is_told(planted: Callable[..., Op]) -> None:
    """The engine makes shapes fit that it knows, not those that only the data tell."""
    free, op = var("free"), planted(lambda g, y, x: g * y)
    Op.table.pop("planted")
    wrong = dataclasses.replace(op, vjp=lambda g, y, x: (ops.sum(g * y),))
    with pytest.raises(GradientError, match=r"of `free` \[3\] has the shape \[\]"):
        check_gradients(wrong.node((free,)), [free], {free: [1.0, 2.0, 3.0]})


def test_the_report_names_the_worst_element_with_both_values(planted: Callable[..., Op]) -> None:
    wrong = planted(lambda g, y, x: g * ops.where(ops.less(x, -1), 0.5 * y, y))
    report = check_gradients(ops.sum(wrong(x) * y), [x, y], {x: [0.0, -2.0, 1.0], y: [1.0, 3.0, 1]})
    worst = report.worst
    assert worst is not None
    assert (worst.leaf, worst.index) == ("x", (1,))
    assert worst.analytic == pytest.approx(1.5 * math.exp(-2))
    assert worst.numeric == pytest.approx(3 * math.exp(-2))
    assert worst.error == pytest.approx(1.5 * math.exp(-2))
    assert str(report) == repr(report)
    assert str(report).splitlines()[:2] == [
        "gradient wrong at 1 of 6 elements",
        "  worst x[1]: analytic 0.203002925, numeric 0.40600585, error 2.0e-01",
    ]


def test_a_right_report_is_one_sentence_and_the_worst_of_the_right() -> None:
    report = check_gradients(2 * scalar, [scalar], {scalar: 0.5})
    first, second, *_ = str(report).splitlines()
    assert first == "gradient right at 1 element"
    assert second.startswith("  worst scalar: analytic 2, numeric 2, error ")


@pytest.mark.parametrize(
    "build, feed, kinks",
    [
        (ops.relu, [0.0, 1.0, -1.0], [0]),
        (ops.abs, [0.0, 1.0, -1.0], [0]),
        (lambda x: x + 0.01 * ops.abs(x), [0.0, 1.0, -1.0], [0]),
        (lambda x: ops.relu(x) * 1e-6, [0.0, 1.0, -1.0], [0]),
        (lambda x: ops.relu(x) * 1e6, [0.0, 1.0, -1.0], [0]),
        (lambda x: 1000 + ops.relu(x) * 1e-3, [0.0, 1.0, -1.0], [0]),
        (ops.max, [2.0, 2.0, 1.0], [0, 1]),
        (ops.min, [2.0, 2.0, 1.0], []),
        (lambda x: ops.maximum(x, 1.0), [1.0, 2.0, 0.0], [0]),
        (lambda x: ops.minimum(x, -x), [1.0, 0.0, 3.0], [1]),
        (ops.norm, [0.0, 0.0, 0.0], [0, 1, 2]),
        (ops.sign, [0.0, 1.0, -1.0], [0]),
        (lambda x: ops.where(ops.less(x, 1.0), 0.0, 5.0), [1.0, 2.0, 0.0], [0]),
        (lambda x: x**1.5, [0.0, 1.0, 2.0], [0]),
        (ops.sqrt, [0.0, 1.0, 2.0], [0]),
    ],
)
def test_kinks_are_told_apart_and_are_not_wrong(
    build: Callable[[Node], Node], feed: list[float], kinks: list[int]
) -> None:
    report = check_gradients(build(x), [x], {x: feed})
    assert report.ok
    assert [e.index[0] for e in report.kinks] == kinks
    assert len(report.checked) == 3 - len(kinks)


def test_a_smooth_sum_of_kinks_shows_what_the_convention_at_them_costs() -> None:
    """relu(x) - relu(-x) = x has the slope 1 at 0 too, where the rules say 0 + 0."""
    report = check_gradients(ops.relu(x) - ops.relu(-x), [x], {x: [0.0, 1.0, -1.0]})
    assert [(e.index, e.analytic, e.numeric) for e in report.wrong] == [((0,), 0.0, 1.0)]


def test_a_kink_is_named_in_the_report() -> None:
    text = str(check_gradients(ops.relu(x), [x], {x: [1.0, 0.0, 2.0]}))
    assert "right at 2 elements" in text
    assert "1 more at a kink, the first x[1]: analytic 0, numeric 0.5" in text


@pytest.mark.parametrize("distance", [1e-2, 1e-5, 1e-6, 3e-7, 1e-8])
def test_an_element_near_a_kink_is_compared_on_its_side(distance: float) -> None:
    report = check_gradients(ops.relu(x), [x], {x: [distance, -distance, 1.0]})
    assert report.ok
    assert len(report.checked) == 3


@pytest.mark.parametrize(
    "build, feed",
    [
        (lambda x: x**2, [0.0, 1e-9, -1e-9]),
        (lambda x: 4 + x**2, [0.0, 1e-9, 5.0]),
        (lambda x: x**3, [0.0, 1e-5, -1e-3]),
        (ops.log, [1e-9, 1e-4, 1e9]),
        (lambda x: 1 / x, [1e-6, -1e-4, 1e7]),
        (ops.sqrt, [1e-8, 1.0, 1e8]),
        (ops.exp, [-700.0, 0.0, 709.78]),
        (lambda x: ops.exp(-(x**2) * 1e4), [1e-2, 2e-2, -1e-3]),
        (lambda x: ops.sin(100 * x), [0.0, 1.0, -3.0]),
        (lambda x: x * 1e-12, [1.0, 2.0, 3.0]),
        (lambda x: x * 1e12, [1.0, 2.0, 3.0]),
        (lambda x: (x - 1) * (x - 1), [1.0, 1.0 + 1e-9, 2.0]),
        (ops.softmax, [0.0, 30.0, -30.0]),
        (ops.logsumexp, [0.0, 30.0, -30.0]),
        (lambda x: ops.layer_norm(x) @ y, [1e-3, 2e-3, -1e-3]),
        (ops.prod, [0.0, 0.0, 3.0]),
        (ops.zeros, [1.0, 2.0, 3.0]),
    ],
)
def test_smooth_functions_at_hard_points_are_neither_wrong_nor_kinks(
    build: Callable[[Node], Node], feed: list[float]
) -> None:
    report = check_gradients(build(x), [x], {x: feed, y: [1.0, -2.0, 0.5]})
    assert (report.ok, report.kinks) == (True, ()), report


def test_the_gradient_of_an_output_that_is_no_scalar_is_that_of_its_sum() -> None:
    W = var("W", [3, 2])
    report = check_gradients(x @ W, [W], {x: [1.0, 2.0, 3.0], W: torch.ones(3, 2)})
    assert [e.analytic for e in report.elements] == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    assert report.ok


def test_a_large_leaf_is_sampled_by_its_seed_and_a_small_one_is_not() -> None:
    big = var("big", [50, 40])

    def places(seed: int) -> list[tuple[int, ...]]:
        feeds = {big: torch.linspace(0, 1, 2000).reshape(50, 40), x: torch.ones(3)}
        report = check_gradients(
            ops.sum(big**2) * ops.sum(x), [big, x], feeds, max_elements=10, seed=seed
        )
        assert report.ok
        assert f"right at 13 elements, sampled from {2003}" in str(report)
        assert [e.index for e in report.elements if e.leaf == "x"] == [(0,), (1,), (2,)]
        return [e.index for e in report.elements if e.leaf == "big"]

    assert len(set(places(0))) == 10
    assert places(0) == places(0) != places(1)
    assert all(0 <= i < 50 and 0 <= j < 40 for i, j in places(0))


def test_the_feeds_stay_as_they_were_and_precision_is_double() -> None:
    given = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    fixed = torch.eye(3).T.expand(2, 3, 3)
    report = check_gradients(var("A", [2, 3, 3]) @ x, [x], {x: given, "A": fixed})
    assert report.ok
    assert max(e.error for e in report.elements) < 1e-9
    assert given.tolist() == [1.0, 2.0, 3.0]
    assert given.dtype == torch.float32
    with torch.inference_mode():
        inside = torch.ones(3, dtype=torch.float64)
    assert check_gradients(ops.exp(x), [x], {x: inside}).ok
    third = check_gradients(scalar**2, [scalar], {scalar: 1 / 3})
    assert third.elements[0].analytic == 2 / 3


def test_an_output_that_is_a_view_of_the_leaf_is_checked_right() -> None:
    for build in (lambda x: x, lambda x: x[None], lambda x: ops.flip(x)[::2]):
        assert check_gradients(build(x), [x], {x: [1.0, 2.0, 3.0]}).ok


def test_whole_numbers_truth_values_and_named_sizes_are_fed_as_ever() -> None:
    table, ids, keep = var("table", ["V", 2]), var("ids", ["n"], "int"), var("keep", ["n"], "bool")
    out = ops.where(keep[:, None], table[ids], 0.0) * ops.size("V") * ops.size("m")
    feeds = {"table": torch.ones(4, 2), "ids": [0, 3, 3], "keep": [True, False, True]}
    unused = {var("unused", ["m"]): [0.0]}
    report = check_gradients(out, [table], {**feeds, **unused})
    assert report.ok
    assert [e.analytic for e in report.elements] == [4.0, 4.0, 0.0, 0.0, 0.0, 0.0, 4.0, 4.0]


def test_a_leaf_that_the_output_does_not_reach_has_no_gradient() -> None:
    report = check_gradients(ops.sum(x), [y], {x: [1.0, 2.0, 3.0], y: [1.0, 2.0, 3.0]})
    assert [(e.analytic, e.numeric) for e in report.elements] == [(0.0, 0.0)] * 3


@pytest.mark.parametrize(
    "output, wrt, feeds, error, words",
    [
        (x * 2, [x * 2], {x: [1, 2, 3]}, KindError, "only the value of a variable"),
        (ops.argmax(x), [x], {x: [1, 2, 3]}, GradientError, "no gradient of int"),
        (x * 2, [var("n", [], "int")], {x: [1, 2, 3], "n": 1}, GradientError, "respect to int"),
        (x * y, [x], {x: [1, 2, 3]}, MissingInput, "`y`"),
        (x * 2, [x, y], {x: [1, 2, 3]}, MissingInput, "`y`"),
        (ops.log(x), [x], {x: [1.0, -1.0, 2.0]}, GradientError, "not finite"),
    ],
)
def test_a_wrong_call_is_told(
    output: Node, wrt: list[Node], feeds: Any, error: type[EngineError], words: str
) -> None:
    with pytest.raises(error, match=words):
        check_gradients(output, wrt, feeds)
