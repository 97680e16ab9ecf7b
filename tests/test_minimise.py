"""Minimisers: where they arrive, that they say so only when they did, and what else they say."""

from __future__ import annotations

import copy
import math
import pickle
import signal
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import OptimizeResult, rosen_der

import dsl
from benchmarks import rosenbrock
from dsl.minimisers import METHODS, Interrupted, takes_rate
from dsl.minimisers.newton import direction
from dsl.minimisers.objective import Point
from engine import EngineError, GradientError, KindError, MissingInput, ShapeError, ops, var
from engine.learn import Optimizer
from magics.minimised import Live, Race
from tests.shells import Shell, opened

ROSENBROCK = rosenbrock.F
BOWL = "f(x) = x^T A x / 2 - b^T x where x ∈ ℝ^n, A ∈ ℝ^(n×n), b ∈ ℝ^n"
CONSTS = {"A": [[3.0, 1.0], [1.0, 2.0]], "b": [1.0, 1.0]}


def minimise(f: Any, x0: Any, method: str = "bfgs", lr: float | None = None, **more: Any) -> Any:
    """As `dsl.minimise`; the learning rate goes to the methods that have one."""
    return dsl.minimise(f, x0, method, lr=lr if takes_rate(method) else None, **more)


POINT = Point(7, np.ones(1), 2.5, np.ones(1), 1.0)
STARTS: Mapping[str, tuple[str, Any]] = {
    "a valley": (ROSENBROCK, [-1.2, 1.0]),
    "a bowl": ("f(x) = sum((x - 1)²)", [3.0, -2.0, 0.5]),
    "a matrix": ("f(X) = sum((X - 1)²) + sum(X^T X)", [[1.0, 2.0, 0.0], [3.0, 4.0, 1.0]]),
    "a number": ("f(x) = (x - 1)²", 4.0),
    "nothing": ("f(x) = sum(x²)", []),
    "a kink": ("f(x) = sum(|x|)", [1.3, -0.7]),
    "no floor": ("f(x) = -x²", 1.0),
    "a slope": ("f(x) = x", 1.0),
    "out of the domain": ("f(x) = log(x)²", -1.0),
    "the edge of the domain": ("f(x) = √x", 1.0),
    "a plain": ("f(x) = relu(x)", -1.0),
    "a constant": ("f(x) = 3", 1.0),
    "a saddle": ("f(x, y) = x² - y²", [0.0, 0.0]),
    "a way into a saddle": ("f(x, y) = x² - y²", [1.0, 0.0]),
    "a summit": ("f(x) = -x²", 0.0),
    "a long tail": ("f(x) = exp(x)", 0.0),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("start", STARTS)
def test_every_result_of_every_method_is_whole_and_true(start: str, method: str) -> None:
    f, x0 = STARTS[start]
    found = minimise(f, x0, method, lr=0.01, steps=60)
    shape = np.shape(x0)
    assert OptimizeResult in type(found).__mro__
    assert found.x.shape == found.jac.shape == shape
    assert found.x.dtype == found.path.dtype == found.values.dtype == np.float64
    assert found.path.shape == (found.nit + 1, *shape)
    assert found.values.shape == found.slopes.shape == (found.nit + 1,)
    np.testing.assert_array_equal(found.path[0], np.asarray(x0, dtype=np.float64))
    np.testing.assert_array_equal(found.path[-1], found.x)
    np.testing.assert_equal(found.values[-1], found.fun)
    np.testing.assert_equal(found.slopes[-1], np.linalg.norm(found.jac.ravel()))
    assert found.nit <= 60
    assert found.nfev > 0
    assert found.success == (found.why == "converged") == (found.status == 0)
    assert not found.success or found.slopes[-1] <= 1e-5
    assert found.method in repr(found)
    assert found.message in repr(found)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("start", STARTS)
def test_the_recorded_values_and_slopes_are_those_at_the_recorded_points(
    start: str, method: str
) -> None:
    f, x0 = STARTS[start]
    found = minimise(f, x0, method, lr=0.01, steps=12)
    for step in {0, 1, found.nit // 2, found.nit} & {*range(found.nit + 1)}:
        here = minimise(f, found.path[step], "gd", steps=0)
        np.testing.assert_equal(here.fun, found.values[step])
        np.testing.assert_equal(here.slopes[0], found.slopes[step])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_reaches_the_minimum_of_rosenbrock(method: str) -> None:
    tol = 1e-2 if method == "gd" else 1e-6
    found = rosenbrock.ours(method, tol)
    assert (found.why, found.success) == ("converged", True)
    assert found.slopes[-1] <= tol < found.slopes[-2]
    np.testing.assert_allclose(found.x, [1, 1], atol=3 * tol)  # the smaller curvature is 0.4
    np.testing.assert_allclose(found.jac, rosen_der(found.x), atol=1e-12)


@pytest.mark.parametrize("method", rosenbrock.SCIPY)
@pytest.mark.parametrize("tol", rosenbrock.SMALL)
def test_scipy_takes_as_many_steps_with_its_own_rosenbrock(method: str, tol: float) -> None:
    found, own = rosenbrock.ours(method, tol), rosenbrock.scipys(method, tol)
    assert rosenbrock.counts(found) == rosenbrock.counts(own)
    np.testing.assert_allclose(found.x, own.x, atol=1e-8)
    assert np.linalg.norm(rosen_der(own.x)) <= tol


@pytest.mark.parametrize("method", METHODS)
def test_every_method_solves_the_normal_equations(method: str) -> None:
    found = minimise(BOWL, [0.0, 0.0], method, lr=0.05, consts=CONSTS, tol=1e-9)
    assert found.why == "converged"
    solution = np.linalg.solve(CONSTS["A"], CONSTS["b"])
    np.testing.assert_allclose(found.x, solution, atol=1e-8)
    assert "smallest curvature 1.38" in found.message  # the smaller eigenvalue of A


def test_newton_takes_one_step_in_a_quadratic_however_ill_conditioned() -> None:
    found = minimise("f(x, y) = (x² + 1e9 y²) / 2 + x", [1.0, 1.0], "newton")
    assert (found.nit, found.nhev, found.why) == (1, 1, "converged")
    np.testing.assert_allclose(found.x, [-1, 0], atol=1e-12)


def test_gradient_descent_in_a_quadratic_is_its_own_formula() -> None:
    """x_k = (I - lr A)^k x_0 (Nocedal and Wright, section 3.3)."""
    A = np.diag([1.0, 10.0])
    found = minimise(BOWL, [1.0, 1.0], "gd", 0.1, consts={"A": A, "b": [0, 0]}, steps=20)
    powers = [np.linalg.matrix_power(np.eye(2) - 0.1 * A, k) @ np.ones(2) for k in range(21)]
    np.testing.assert_allclose(found.path, powers, atol=1e-14)


def test_newton_converges_quadratically_and_f_never_rises() -> None:
    found = minimise(ROSENBROCK, [-1.2, 1.0], "newton", tol=1e-9)
    assert (np.diff(found.values) <= 0).all()
    e = np.linalg.norm(found.path - 1, axis=1)[-4:-1]
    assert (e[1:] <= 20 * e[:-1] ** 2).all()


@pytest.mark.parametrize(
    "H", [[[2.0, 0], [0, -1]], [[-3.0, 1], [1, -3]], [[0.0, 1], [1, 0]], [[1e-9, 0], [0, -1e9]]]
)
def test_the_direction_of_newton_leads_down_where_the_hessian_does_not(H: Any) -> None:
    g = np.array([1.0, -2.0])
    p = direction(np.array(H), g)
    assert g @ p < 0
    assert np.isfinite(p).all()


def test_newton_turns_back_where_a_step_leads_out_of_the_domain() -> None:
    found = minimise("f(x) = x - log(x)", 5.0, "newton")  # the full step goes to -15
    assert found.why == "converged"
    assert found.x == pytest.approx(1, abs=1e-5)
    assert found.nfev > found.nit + 1


# start, method, lr, why, what is said
SAID = [
    ("f(x, y) = x² + 1e6 y²", [1.0, 1.0], "gd", 0.01, "diverged", "a smaller lr"),
    ("f(x) = -x²", 1.0, "gd", 0.1, "unbounded", "f fell from -1 to"),
    ("f(x) = -x²", 1.0, "newton", None, "unbounded", "unbounded below"),
    ("f(x) = -x²", 1.0, "l-bfgs", None, "unbounded", "unbounded below"),
    ("f(x) = x", 1.0, "gd", 0.1, "steps", "perhaps it has no minimum"),
    ("f(x) = x", 1.0, "newton", None, "steps", "perhaps it has no minimum"),
    ("f(x) = x", 1.0, "bfgs", None, "unbounded", "unbounded below"),
    ("f(x) = exp(x)", 0.0, "gd", 0.01, "steps", "200 steps used up"),
    ("f(x) = exp(x)", 0.0, "gd", 0.01, "steps", "more steps, another lr"),
    ("f(x) = sum(|x|)", [1.3, -0.7], "gd", 0.1, "steps", "f does not fall any more"),
    ("f(x) = sum(|x|)", [1.3, -0.7], "adam", 0.1, "steps", "f has a kink there"),
    ("f(x) = sum(|x|)", [1.3, -0.7], "bfgs", None, "stuck", "f may have a kink there"),
    ("f(x) = sum(|x|)", [1.3, -0.7], "newton-cg", None, "stuck", "SciPy: Optimization terminated"),
    ("f(x) = log(x)²", -1.0, "bfgs", None, "not finite", "f is NaN at x0; f is not defined there"),
    ("f(x) = 1 / x", 0.0, "gd", 0.1, "not finite", "f is inf at x0"),
    ("f(x) = √x", 0.0, "newton", None, "not finite", "∇f is infinite at x0, where f = 0"),
    ("f(x) = √x", 1.0, "gd", 0.01, "not finite", "led out of where f is defined"),
    ("f(x) = relu(x)", -1.0, "gd", 0.1, "flat", "∇f is exactly 0 at x0"),
    ("f(x) = x⁴", 0.0, "bfgs", None, "flat", "smallest curvature 0"),
    ("f(x) = 3", 1.0, "bfgs", None, "flat", "whether f depends on x at all"),
    ("f(x) = sum(relu(x - 1))", np.zeros(101), "gd", 0.1, "flat", "too many variables"),
    ("f(x, y) = x² - y²", [0.0, 0.0], "bfgs", None, "saddle", "smallest curvature -2"),
    ("f(x, y) = x² - y²", [1.0, 0.0], "newton", None, "saddle", "off the ridge"),
    ("f(x, y) = x² - y²", [1.0, 0.0], "gd", 0.1, "saddle", "a saddle, not a minimum"),
    ("f(x) = -x²", 0.0, "bfgs", None, "maximum", "a maximum, not a minimum"),
    ("f(x) = -exp(-x²)", 5.0, "newton", None, "flat", "a plain, not a minimum"),
    ("f(x, y) = x² + 1e9 y²", [0.0, 0.0], "gd", 0.1, "converged", "smallest curvature 2"),
    ("f(x, y, z) = x² + y z", [0.0, 0.0, 1e-9], "gd", 0.1, "saddle", "smallest curvature -1"),
    ("f(x) = x²", 0.0, "bfgs", None, "converged", "smallest curvature 2"),
    ("f(x) = sum(x²)", [], "bfgs", None, "converged", "|∇f| = 0"),
]


@pytest.mark.parametrize("f, x0, method, lr, why, words", SAID)
def test_why_it_stopped_is_said_in_words(
    f: str, x0: Any, method: str, lr: float | None, why: str, words: str
) -> None:
    found = minimise(f, x0, method, lr, steps=200)
    assert found.why == why, found.message
    assert words in found.message
    assert found.success == (why == "converged")


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_called_converged_because_the_method_or_scipy_says_so(method: str) -> None:
    """A kink, whose slopes are -½ and 1½, and beside its constant f seems not to change."""
    found = minimise("f(x) = 1e12 + |x - 1| + x / 2", 3.3, method, lr=1e-3, steps=30)
    assert not found.success
    assert found.slopes[-1] > 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_where_the_slope_is_small_already_no_step_is_made(method: str) -> None:
    found = minimise(ROSENBROCK, [1.0, 1.0], method)
    assert (found.nit, found.nfev, found.njev, found.why) == (0, 1, 1, "converged")


@pytest.mark.parametrize("method", METHODS)
def test_no_more_steps_are_made_than_asked_for(method: str) -> None:
    for steps in (0, 1, 3):
        found = minimise(ROSENBROCK, [-1.2, 1.0], method, steps=steps)
        assert (found.nit, found.why, found.status) == (steps, "steps", 1)


def test_x0_may_be_anything_of_numbers_and_is_left_alone() -> None:
    f, wanted = "f(x) = sum((x - 2)²)", [2.0, 2.0]
    for x0 in ([1, 5], (1, 5), np.array([1, 5]), torch.tensor([1.0, 5.0]), [1.0, 5.0]):
        np.testing.assert_allclose(minimise(f, x0).x, wanted)
    given = np.array([1.0, 5.0])
    given.flags.writeable = False
    minimise(f, given, "gd", 0.1)
    assert given.tolist() == [1.0, 5.0]
    assert minimise("f(x) = (x - 2)²", 7).x.shape == ()


def test_several_arguments_take_a_row_of_x0_each_or_their_values_by_name() -> None:
    rows = minimise("f(u, v) = sum((u - 1)²) + sum((v - u)²)", [[0.0, 5.0], [2.0, 2.0]])
    np.testing.assert_allclose(rows.x, np.ones((2, 2)), atol=1e-5)
    named = minimise("f(W, b) = sum((W - 1)²) + (b - 2)²", {"W": np.zeros((2, 3)), "b": 0.0})
    assert named.x.shape == (7,)
    np.testing.assert_allclose(named.named["W"], np.ones((2, 3)))
    np.testing.assert_allclose(named.named["b"], 2)
    assert list(minimise(ROSENBROCK, [1.0, 1.0]).named) == ["x", "y"]


def test_arguments_with_a_value_are_held() -> None:
    assert minimise("f(x, a) = (x - a)²", 0.0, consts={"a": 3}).x == pytest.approx(3)
    assert minimise("f(x, a=2) = (x - a)²", 0.0).x == pytest.approx(2)
    both = minimise("f(x, a=2) = (x - a)² + a²", {"x": 3.0, "a": 3.0})
    np.testing.assert_allclose(both.x, [0, 0], atol=1e-5)
    assert minimise("const c\nf(x) = (x - c)²", 0.0, consts={"c": 0.1}).x == pytest.approx(
        0.1, abs=1e-12
    )


def test_a_value_is_minimised_by_its_inputs_or_by_those_that_are_named() -> None:
    program = dsl.compile("input x, y : []\nparam w : [2]\nz = (x - 1)² + (y - 2)² + sum(w²)")
    by = program.minimise("z", {"y": 0.0, "x": 0.0}, consts={"w": [0.0, 1.0]})
    np.testing.assert_allclose(by.x, [2, 1])
    assert by.fun == pytest.approx(1)
    np.testing.assert_allclose(
        program.minimise("z", [1, 1], wrt="w", consts={"x": 1, "y": 2}).x, [0, 0], atol=1e-6
    )
    ordered = program.minimise("z", [0, 0], consts={"w": [0, 0]})
    assert list(ordered.named) == ["x", "y"]
    assert dict(program.inputs).keys() == {"x", "y"}


def test_a_node_is_minimised_by_its_leaf() -> None:
    x, a = var("x", ["n"]), var("a", [])
    found = dsl.minimise(ops.sum((x - a) ** 2), [1.0, 5.0], "newton", wrt=x, consts={a: 2.0})
    np.testing.assert_allclose(found.x, [2, 2])
    assert dsl.minimise(ops.sum(x**2), [1.0, 5.0]).why == "converged"


def test_calling_a_function_leaves_the_program_as_it_was() -> None:
    program = dsl.compile(BOWL)
    program.minimise("f", [0.0, 0.0], consts=CONSTS)
    assert dict(program.inputs) == dict(program.params) == {}


MINE = """
f(x, y) = (1 - x)² + 100 (y - x²)²
signed(θ, g, lr, shrink=1) = θ - shrink lr sign(g)
"""


def test_a_rule_of_the_users_own_is_a_method() -> None:
    program = dsl.compile(MINE)
    found = program.minimise("f", [-1.2, 1.0], "signed", lr=0.5, steps=1)
    np.testing.assert_allclose(
        found.x, np.array([-1.2, 1.0]) - 0.5 * np.sign(rosen_der(found.path[0]))
    )
    halved = program.minimise("f", [-1.2, 1.0], "signed", lr=0.5, steps=1, shrink=0.5)
    np.testing.assert_allclose(halved.x - [-1.2, 1], (found.x - [-1.2, 1]) / 2)
    itself = program.minimise("f", [-1.2, 1.0], program.functions["signed"], lr=0.5, steps=1)
    np.testing.assert_array_equal(itself.x, found.x)
    plain = Optimizer(lambda θ, g, states, t, lr: (θ - lr * ops.sign(g),))
    np.testing.assert_array_equal(
        program.minimise("f", [-1.2, 1.0], plain, lr=0.5, steps=1).x, found.x
    )


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adamw", "lion"])
def test_every_optimiser_of_the_language_is_a_method(name: str) -> None:
    found = minimise("f(x) = sum((x - 1)²)", [3.0, -2.0], name, lr=0.01, steps=900)
    assert found.fun < 0.01


def test_the_rules_are_those_by_which_a_program_trains() -> None:
    program = dsl.compile("param w : [2]\nloss = sum((w - 1)²) + w[0]⁴")
    for name in ("momentum", "nesterov", "adam"):
        trainer = program.trainer("loss", name, 0.05, {"w": torch.tensor([2.0, -1.0]).double()})
        for _ in trainer.fit([{}] * 20):
            pass
        found = program.minimise("loss", [2.0, -1.0], name, lr=0.05, steps=20)
        np.testing.assert_allclose(found.x, trainer.state["w"].numpy(), rtol=1e-12)


def test_names_of_methods_are_read_as_scipy_writes_them() -> None:
    for name in ("BFGS", "L-BFGS-B", "Newton-CG", "trust-ncg", "GD"):
        assert minimise(ROSENBROCK, [1.0, 1.0], name).method in METHODS


def test_options_go_to_scipys_method() -> None:
    plain = minimise(ROSENBROCK, [-1.2, 1.0], "l-bfgs")
    assert minimise(ROSENBROCK, [-1.2, 1.0], "l-bfgs", maxcor=1).nit != plain.nit
    assert minimise(ROSENBROCK, [-1.2, 1.0], "bfgs").hess_inv.shape == (2, 2)


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"method": "bfsg"}, LookupError, "there is no method `bfsg`; did you mean `bfgs`?"),
    ({"method": "newton", "lr": 0.1}, KindError, "takes no lr"),
    ({"method": "newton", "maxcor": 3}, KindError, "newton takes no maxcor"),
    ({"method": "bfgs", "maxcor": 3}, EngineError, "Unknown solver options: maxcor"),
    ({"method": "gd", "μ": 0.5}, dsl.DslError, "it has no parameter `μ`"),
    ({"method": "gd", "lr": math.nan}, KindError, "a learning rate is a finite number"),
    ({"tol": -1}, KindError, "a tolerance is a number from 0 on, not -1"),
    ({"steps": -1}, KindError, "steps are a whole number from 0 on, not -1"),
    ({"steps": 2.5}, KindError, "steps are a whole number"),
    ({"x0": [1, 2, 3]}, ShapeError, r"varies with 2 values, and x0 has the shape \[3\]"),
    ({"x0": {"z": 1}}, ShapeError, "varies with x, y, x0 has z"),
    ({"x0": ["a", "b"]}, KindError, "`x0` is of <U1, not of numbers"),
    ({"x0": [[1], [2, 3]]}, KindError, "`x0` is no array"),
    ({"x0": [True, False]}, KindError, "`x0` is of bool"),
    ({"x0": torch.ones(2) * 1j}, KindError, "`x0` is of torch.complex64"),
    ({"f": "f(x) = 2 x", "x0": [1, 2]}, GradientError, "a minimum is of a number, not of"),
    ({"f": BOWL, "x0": [1, 2]}, MissingInput, "no value was fed for `A`"),
    ({"f": "f(x = 1) = x", "x0": 1}, ShapeError, "varies with 0 values"),
    ({"f": "f(x : [3]) = sum(x)", "x0": [1, 2]}, dsl.DslError, "3"),
    ({"f": "dim n"}, LookupError, "defines no function and no value"),
    (
        {"f": dsl.compile("input i : int\ny = 2 i"), "x0": 1, "wrt": "i"},
        KindError,
        "float variable",
    ),
]


@pytest.mark.parametrize("wrong, error, words", WRONG)
def test_a_wrong_call_is_told(wrong: dict[str, Any], error: type[Exception], words: str) -> None:
    call: dict[str, Any] = {"f": ROSENBROCK, "x0": [-1.2, 1.0], **wrong}
    with pytest.raises(error, match=words):
        dsl.minimise(**call)


def test_the_callback_sees_every_point_and_may_end_it() -> None:
    for method in METHODS:
        seen: list[Any] = []

        def look(point: Any, seen: list[Any] = seen) -> None:
            seen.append(point)
            if point.step == 4:
                raise StopIteration

        found = minimise(ROSENBROCK, [-1.2, 1.0], method, callback=look)
        assert (found.why, found.nit, found.status) == ("stopped", 4, 99)
        assert "stopped by the callback after step 4" in found.message
        assert [point.step for point in seen] == [0, 1, 2, 3, 4]
        np.testing.assert_array_equal([point.x for point in seen], found.path)


def interrupt(point: Any) -> None:
    """Ctrl-C at the third step."""
    if point.step == 3:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("method", METHODS)
def test_ctrl_c_leaves_the_path_so_far(method: str) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        minimise(ROSENBROCK, [-1.2, 1.0], method, callback=interrupt)
    assert isinstance(caught.value, Interrupted)
    found = caught.value.result
    assert (found.why, found.nit, found.success) == ("stopped", 3, False)
    np.testing.assert_array_equal(found.path[-1], found.x)
    assert "stopped by Ctrl-C after step 3" in str(caught.value)


def test_a_result_is_escaped_and_short_whatever_is_in_it() -> None:
    found = minimise("f(x) = sum(x²)", np.ones(100_000), "gd", steps=1)
    assert len(repr(found)) < 500
    assert "of shape [100000]" in repr(found)
    found.message = "<script>"
    assert "<script>" not in found._repr_html_()
    assert "&lt;script&gt;" in found._repr_html_()


@pytest.fixture
def shell() -> Any:
    with opened() as made:
        made.cell(
            "%%graph\nf(x, y) = (1 - x)² + 100 (y - x²)²\ninput p : [2]\nloss = sum((p - 3)²)"
        )
        yield made


def test_the_verb_begins_where_it_is_told(shell: Shell) -> None:
    for start in ('"-1.2, 1"', "-1.2,1", "[-1.2,1]", "begin"):
        shell.user_ns["begin"] = np.array([-1.2, 1.0])
        found = shell.cell(f"%graph minimise f --from {start} --method newton --tol 1e-6")
        np.testing.assert_allclose(found.x, [1, 1])
        assert found.path[0].tolist() == [-1.2, 1.0]
    shell.user_ns["p"] = torch.zeros(2)
    assert shell.cell("%graph minimise loss").x.tolist() == pytest.approx([3, 3])
    assert shell.cell("%graph minimise loss p --from 7,8").path[0].tolist() == [7, 8]


def test_several_methods_stand_in_a_table(shell: Shell) -> None:
    race = shell.cell(
        '%graph minimise f --from "-1.2, 1" --method gd,newton,bfgs --lr 1e-4 --steps 50'
    )
    assert isinstance(race, Race)
    head, *rows = repr(race).splitlines()
    assert head.split()[:3] == ["method", "steps", "f"]
    assert [row.split()[0] for row in rows] == ["gd", "newton", "bfgs"]
    assert [row.split()[-1] for row in (head, *rows)] == ["why", "steps", "converged", "converged"]
    units = {row.index(row.split()[1]) + len(row.split()[1]) for row in rows}
    assert units == {head.index("steps") + len("steps")}
    assert rows[1].split()[1] == str(race["newton"].nit)
    assert "<pre" in race._repr_mimebundle_()["text/html"]


def test_the_verb_takes_rules_and_values_of_the_session(shell: Shell) -> None:
    shell.user_ns.update(x=99.0, c=torch.tensor(4.0))
    shell.cell("%%graph\nmine(θ, g, lr) = θ - lr g / 2\ng(x) = (x - c)² where c : []")
    found = shell.cell("%graph minimise g --from 0 --method mine --lr 1")
    assert (found.why, found.nit) == ("converged", 1)
    assert found.x == pytest.approx(4)


def test_an_interrupted_verb_shows_the_path_so_far(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("magics.minimised.Live.__call__", lambda self, point: interrupt(point))
    with pytest.raises(KeyboardInterrupt):
        shell.cell('%graph minimise f --from "-1.2, 1"')
    assert "bfgs: stopped by Ctrl-C after step 3" in capsys.readouterr().err


class Shown(list[str]):
    """Progress that notes what it shows."""

    def show(self, record: Any, state: Any) -> None:
        self.append(repr(state))

    def end(self, last: Any = None) -> None:
        self.append("" if last is None else repr(last))


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Shown]:
    """What the progress shows, without a second of patience."""
    begun: list[Shown] = []
    monkeypatch.setattr("magics.minimised.PATIENCE", 0)
    monkeypatch.setattr(
        "magics.minimised.progress", lambda *_: (begun.append(Shown()), begun[-1])[1]
    )
    return begun


def test_several_methods_have_one_progress(shell: Shell, shown: list[Shown]) -> None:
    race = shell.cell('%graph minimise f --from "-1.2, 1" --method newton,bfgs')
    [told] = shown
    assert len(told) == sum(found.nit + 1 for found in race.values()) + 1
    assert told[-1] == ""


def test_what_an_interrupted_verb_found_stays(
    shell: Shell, shown: list[Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("magics.minimised.Live.__call__", lambda self, point: interrupt(point))
    with pytest.raises(KeyboardInterrupt):
        shell.cell('%graph minimise f --from "-1.2, 1"')
    [told] = shown
    assert "bfgs: stopped by Ctrl-C after step 3" in told[-1]


def test_progress_is_shown_once_a_second_has_passed(capsys: pytest.CaptureFixture[str]) -> None:
    time = iter([0.0, 0.5, 0.9, 1.1, 1.2, 1.3])
    live = Live(None, lambda: next(time))
    live(POINT)
    live(POINT)
    live(POINT)
    assert capsys.readouterr().err == ""
    live(POINT)
    assert "step" in capsys.readouterr().err
    live.end()


def test_a_quick_run_shows_nothing_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    live = Live(None, lambda: 0.0)
    live(POINT)
    live.end()
    assert capsys.readouterr().err == ""


def test_a_result_can_be_copied_and_stored() -> None:
    found = minimise("f(x) = sum(x²)", [1.0, 2.0])
    for again in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert repr(again) == repr(found)
        np.testing.assert_array_equal(again.values, found.values)
