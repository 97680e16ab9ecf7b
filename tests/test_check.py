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
        "  worst x[1]: closed form 0.203002925, autodiff 0.203002925, difference 0.40600585, "
        "error 2.0e-01",
    ]


def test_a_right_report_is_one_sentence_and_the_worst_of_the_right() -> None:
    report = check_gradients(2 * scalar, [scalar], {scalar: 0.5})
    first, second, *_ = str(report).splitlines()
    assert first == "gradient right at 1 element"
    assert second.startswith("  worst scalar: closed form 2, autodiff 2, difference 2, error ")


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
    assert "1 more at a kink, the first x[1]: closed form 0, autodiff 0, difference 0.5" in text


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


A, b = var("A", [3, 2]), var("b", [3])
w = var("w", [2])
r = A @ w - b
FITTED = {A: [[1.0, 2.0], [0.5, -1.0], [3.0, 1.0]], w: [0.3, -0.7], b: [1.0, -2.0, 0.5]}


def test_the_closed_form_autodiff_and_difference_stand_side_by_side() -> None:
    report = check_gradients(ops.sum(r**2), [w, A], FITTED)
    assert report.ok
    for element in report.elements:
        assert element.closed == pytest.approx(element.analytic, rel=1e-14)
        assert element.numeric == pytest.approx(element.analytic, rel=1e-14)
        assert element.method == "complex step"
    by_w, by_A = report.rows
    assert (by_w.leaf, by_w.shape, by_w.reduced, by_w.verdict) == (w, (2,), True, "right at 2")
    assert (by_A.total, by_A.refused, by_w.formula) == (6, None, "2 A^T (A w - b)")
    told = str(report)
    assert "by w: 2 A^T (A w - b)" in told
    for head in ("closed form", "autodiff", "difference", "closed - autodiff", "complex step ± "):
        assert head in told


def test_one_s_own_formula_takes_the_place_of_the_closed_form() -> None:
    own = [2 * r @ A, 2 * r[:, None] * w]
    report = check_gradients(ops.sum(r**2), [w, A], FITTED, closed=own)
    assert report.ok
    assert [row.closed for row in report.rows] == own


def test_values_with_names_stand_in_the_closed_form_by_their_names() -> None:
    report = check_gradients(ops.sum(r**2), [w], FITTED, names={r: "r"})
    assert report.rows[0].formula == "2 A^T r"


def test_a_gradient_without_a_closed_form_is_right_and_told_as_not_reduced() -> None:
    report = check_gradients(ops.sum(ops.cumsum(x) ** 2), [x], {x: [1.0, 2.0, 3.0]})
    assert report.ok
    assert not report.rows[0].reduced
    assert "(not reduced)" in str(report)


def test_a_wrong_closed_form_is_found_though_autodiff_and_difference_agree() -> None:
    report = check_gradients(ops.sum(r**2), [w, A], FITTED, closed=[A.T @ r, 2 * r[:, None] * w])
    assert [(e.leaf, e.index) for e in report.wrong] == [("w", (0,)), ("w", (1,))]
    assert [row.verdict for row in report.rows] == ["wrong at 2 of 2", "right at 6"]
    assert report.rows[0].closed_error == pytest.approx(
        max(abs(e.analytic / 2) for e in report.wrong)
    )
    assert report.rows[0].error < 1e-13


@pytest.mark.parametrize("closed", [ops.log(x), 1 / ops.zeros(x)], ids=["NaN", "infinite"])
def test_a_closed_form_that_is_no_number_is_wrong(closed: Node) -> None:
    report = check_gradients(ops.sum(x), [x], {x: [-1.0, -2.0, -3.0]}, closed=[closed])
    assert len(report.wrong) == 3
    assert report.worst is not None
    assert report.worst.excess == math.inf


def test_of_a_large_leaf_the_element_where_the_closed_form_is_off_is_among_the_drawn() -> None:
    big = var("big", [100, 100])
    value = torch.zeros(100, 100)
    value[70, 7] = 1.0
    report = check_gradients(
        ops.sum(big**2), [big], {big: value}, closed=[2.001 * big], max_elements=5
    )
    assert [e.index for e in report.wrong] == [(70, 7)]


@pytest.mark.parametrize("feed", [[-1.4, -1.2], [0.7, 0.3, 0.1], [1.0, 2.5, -3.0]])
def test_a_gradient_that_vanishes_in_the_sum_is_right_in_every_form(feed: list[float]) -> None:
    """The softmax sums to 1: autodiff leaves the last digits, the other two perhaps nothing."""
    n = var("n", ["n"])
    report = check_gradients(ops.sum(ops.softmax(n)), [n], {n: feed}, closed=[ops.zeros(n)])
    assert report.ok, report


def test_a_closed_form_is_held_against_autodiff_where_differences_see_nothing() -> None:
    f = 1e6 + 1e-6 * ops.erf(scalar)
    own = [2e-6 * 2 / math.sqrt(math.pi) * ops.exp(-(scalar**2))]
    assert check_gradients(f, [scalar], {scalar: 0.3})
    assert not check_gradients(f, [scalar], {scalar: 0.3}, closed=own)


def test_a_wrong_second_derivative_is_found_where_the_first_is_right(
    planted: Callable[..., Op],
) -> None:
    flat = planted(lambda g, y, x: g * ops.stop(y))
    feeds = {x: [0.1, -2.0, 1.0]}
    assert check_gradients(ops.sum(flat(x)), [x], feeds)
    report = check_gradients(ops.sum(flat(x)), [x], feeds, order=2)
    assert len(report.wrong) == 3
    assert str(report).startswith("second derivative wrong at 3 of 3 elements")
    assert check_gradients(ops.sum(ops.exp(x)), [x], feeds, order=2)


def test_second_derivatives_where_sizes_are_names() -> None:
    n = var("n", ["n"])
    assert check_gradients(ops.sum(ops.tanh(n)), [n], {n: [0.1, -2.0]}, order=2)


def test_second_derivatives_by_several_leaves_are_the_hessian_times_a_direction() -> None:
    report = check_gradients(ops.sum(ops.tanh(r)), [w, A], FITTED, order=2, seed=3)
    assert report.ok
    assert len(report.elements) == 8
    other = check_gradients(ops.sum(ops.tanh(r)), [w, A], FITTED, order=2, seed=4)
    assert report.elements[0].analytic != other.elements[0].analytic


def test_the_methods_own_estimate_bounds_its_error() -> None:
    """In the digits that rounding leaves, of functions whose derivative is known."""
    for function, slope in [
        (ops.sin, ops.cos),
        (ops.exp, ops.exp),
        (lambda x: x**7, lambda x: 7 * x**6),
        (lambda x: 1 / x, lambda x: -1 / (x * x)),
        (lambda x: ops.sin(30 * x), lambda x: 30 * ops.cos(30 * x)),
    ]:
        for method in ("complex", "central"):
            for at in (0.3, -2.0, 5.0):
                (e,) = check_gradients(
                    function(scalar),
                    [scalar],
                    {scalar: at},
                    closed=[slope(scalar)],
                    method=method,
                ).elements
                assert e.closed is not None
                assert abs(e.numeric - e.closed) <= 4 * e.estimate + 1e-10 * abs(e.closed), e
                assert e.estimate <= 1e-7 * abs(e.closed), e


def test_extrapolation_leaves_less_than_a_central_difference_could() -> None:
    """The error of (f(x + h) - f(x - h)) / 2h is 1e-11 at the best step, as ε^⅔ is."""
    report = check_gradients(ops.sin(x), [x], {x: [1.0, 2.0, 3.0]}, method="central")
    assert max(e.error for e in report.elements) < 2e-12


@pytest.mark.parametrize(
    "build, refused",
    [
        (ops.relu, "relu"),
        (lambda x: ops.exp(ops.norm(x)), "norm"),
        (lambda x: ops.where(ops.less(x, 0), x, 2 * x), "less"),
        (ops.max, "max"),
    ],
)
def test_a_complex_step_is_refused_where_something_is_not_analytic(
    build: Callable[[Node], Node], refused: str
) -> None:
    feeds = {x: [1.0, 2.0, 3.0]}
    with pytest.raises(GradientError, match=f"no complex step by `x`: {refused} is not analytic"):
        check_gradients(build(x), [x], feeds, method="complex")
    report = check_gradients(build(x), [x], feeds)
    assert report.ok
    assert {e.method for e in report.elements} == {"central differences"}
    assert f"{refused} is not analytic" in str(report)


def test_what_is_not_analytic_beside_a_leaf_leaves_its_complex_step_alone() -> None:
    report = check_gradients(ops.sum(x * ops.relu(y)), [x, y], {x: [1, 2, 3], y: [1, -2, 3]})
    assert [row.methods.split(" ±")[0] for row in report.rows] == [
        "complex step",
        "central differences",
    ]


@pytest.mark.parametrize("build", [ops.sqrt, lambda x: x**1.5, lambda x: ops.exp(ops.sqrt(x))])
def test_a_branch_point_is_no_place_for_a_complex_step(build: Callable[[Node], Node]) -> None:
    feeds = {x: [0.0, 1.0, 2.0]}
    with pytest.raises(GradientError, match="here nothing is analytic"):
        check_gradients(build(x), [x], feeds, method="complex")
    methods = [e.method for e in check_gradients(build(x), [x], feeds).elements]
    assert methods == ["central differences", "complex step", "complex step"]


@pytest.mark.parametrize("value", [1e-12, 1.0, 1e12, 1e150])
@pytest.mark.parametrize("method", ["complex", "central", "best"])
def test_values_of_every_size(value: float, method: Any) -> None:
    feeds = {x: [value, -value, 2 * value]}
    for build in (lambda x: 3 * x, lambda x: x / value, lambda x: ops.sin(x / value)):
        report = check_gradients(build(x), [x], feeds, method=method)
        assert (report.ok, report.kinks) == (True, ()), report


def test_a_slope_that_is_off_is_found_at_every_size(planted: Callable[..., Op]) -> None:
    wrong = planted(lambda g, y, x: g * y * 1.001)
    for value in (1e-12, 1e-6, 1e6, 1e12):
        for output in (wrong(x / value), value * wrong(x / value)):
            report = check_gradients(output, [x], {x: [value, -value, 2 * value]})
            assert len(report.wrong) == 3, report


def test_what_cancels_within_is_told_as_noise_and_not_as_wrong() -> None:
    """(1e8 eˣ + erf x) - 1e8 eˣ has 8 digits fewer than its size tells."""
    large = 1e8 * ops.exp(x)
    report = check_gradients((large + ops.erf(x)) - large, [x], {x: [0.1, 0.2, 0.3]}, rtol=1e-7)
    assert report.ok, report
    assert report.kinks == ()
    assert 1e-8 < max(e.error for e in report.elements) < 1e-3


def test_random_values_are_the_same_at_each_evaluation() -> None:
    noisy = ops.sum(ops.relu(x) * ops.normal((3,), 5)) * ops.uniform((), 6)
    assert check_gradients(noisy, [x], {x: [1.0, 2.0, 3.0]}).ok
    assert check_gradients(x @ ops.normal((3,), 5), [x], {x: [1, 2, 3]}, method="complex").ok


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (0,), (0, 3)])
@pytest.mark.parametrize("method", ["complex", "central"])
def test_leaves_of_one_element_and_of_none(shape: tuple[int, ...], method: Any) -> None:
    leaf = var("leaf", shape)
    feeds = {leaf: torch.full(shape, 0.5)}
    report = check_gradients(ops.sum(leaf**3), [leaf], feeds, closed=[3 * leaf**2], method=method)
    assert report.ok
    assert len(report.elements) == math.prod(shape)
    assert report.rows[0].verdict == f"right at {math.prod(shape)}"
    assert str(report)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"rtol": -1e-5}, "between 0 and 1, not at -1e-05"),
        ({"rtol": math.nan}, "between 0 and 1, not at nan"),
        ({"closed": []}, "there are 0 formulas for 1 gradients"),
        ({"max_elements": 0}, "cannot compare 0 elements"),
        ({"closed": [ops.sum(x)]}, r"gradient of `x` \[3\] has the shape \[\]"),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], words: str) -> None:
    with pytest.raises(GradientError, match=words):
        check_gradients(ops.sum(x**2), [x], {x: [1.0, 2.0, 3.0]}, **options)


def test_a_report_of_many_leaves_shows_the_wrong_ones(planted: Callable[..., Op]) -> None:
    wrong = planted(lambda g, y, x: 2 * g * y)
    leaves = [var(f"leaf{i}", []) for i in range(60)]
    output = sum((leaf * leaf for leaf in leaves[:-1]), wrong(leaves[-1]))
    report = check_gradients(output, leaves, dict.fromkeys(leaves, 1.0))
    assert next(row.leaf for row in report.shown) is leaves[-1]
    assert len(report.shown) == 40
    assert "… 20 more leaves" in str(report)
    assert report._repr_html_().count("<tr>") == 41


def test_names_are_escaped_in_html_and_visible_in_text() -> None:
    leaf = var("<img src=x onerror=alert(1)>\x1b[31m", [])
    report = check_gradients(leaf * leaf, [leaf], {leaf: 1.0}, closed=[2 * leaf])
    assert "<img" not in report._repr_html_()
    assert "\x1b" not in report._repr_html_() + str(report)


@pytest.mark.parametrize("order, title", [(1, "gradient"), (2, "second derivative")])
def test_a_report_of_no_leaves_shows_itself(order: Any, title: str) -> None:
    report = check_gradients(ops.sum(x), [], {x: [1.0, 2.0, 3.0]}, order=order)
    assert report.ok
    assert str(report) == f"{title} right at 0 elements"
    assert str(report) in report._repr_html_()
