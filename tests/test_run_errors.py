"""What fails while a program runs points at the text: the line, operands, the chain of calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import dsl
from dsl.failures import place_of
from engine import EngineError, Evaluator, GradientError, KindError, MissingInput, ShapeError, ops
from engine.graph import toposort


def told(run: Callable[[], object], kind: type[EngineError] = EngineError) -> EngineError:
    with pytest.raises(kind) as caught:
        run()
    assert type(caught.value) is kind
    return caught.value


SINGULAR = """
input A : [n, n]
f(x) =
    inv(x) + 1
y = f(2 A)
"""


def test_a_singular_matrix_is_told_with_its_line_and_the_chain_of_calls() -> None:
    error = told(lambda: dsl.compile(SINGULAR.strip()).run("y", {"A": torch.zeros(2, 2)}))
    assert error.message.startswith("inv failed: ")
    first, *rest = str(error).split("\n")
    assert first.startswith("`inv(x)` failed: ")
    assert "singular" in first
    assert "\n".join(rest) == (
        "    operand: 2 A                      [n, n]\n"
        "  cell:3:5\n"
        "    3 |     inv(x) + 1\n"
        "      |     ^^^^^^\n"
        "  in `f`, called at cell:4:5\n"
        "    4 | y = f(2 A)"
    )


def zeros(*shape: int) -> Tensor:
    return torch.zeros(shape)


# A program, what is run, the feeds, the error, and the place that it shows.
FAILS: dict[str, tuple[str, dict[str, Any], type[EngineError], str]] = {
    "a feed that is missing": ("input x, z : [n]\ny = x z^T", {"x": [1.0]}, MissingInput, "1:10"),
    "a feed of another rank": ("input x : [n]\ny = 2 x", {"x": zeros(2, 2)}, ShapeError, "1:7"),
    "a feed of another kind": ("input i : int[n]\ny = 2 i", {"i": [0.5]}, KindError, "1:7"),
    "a feed that is no tensor": ("input x : [n]\ny = 2 x", {"x": "abc"}, KindError, "1:7"),
    "feeds of several precisions": (
        "input x, z : [n]\ny = x + z",
        {"x": zeros(2), "z": zeros(2).double()},
        KindError,
        "1:10",
    ),
    "feeds that disagree about a size": (
        "input x : [n]\ninput z : [n]\ny = x + z",
        {"x": zeros(2), "z": zeros(3)},
        ShapeError,
        "2:7",
    ),
    "a feed that is not the declared size": (
        "dim d = 4\ninput x : [d]\ny = 2 x",
        {"x": zeros(3)},
        ShapeError,
        "2:7",
    ),
    "a size that does not divide": (
        "input x : [B, d]\ny = reshape(x, [B, d/2, 2])",
        {"x": zeros(2, 3)},
        ShapeError,
        "2:5",
    ),
    "a slice that is too long": ("input x : [n]\ny = 2 x[:3]", {"x": zeros(2)}, ShapeError, "2:7"),
    "an index outside": (
        "input E : [V, d]\ninput i : int[n]\nx = 1\ny = exp(E[i]) + 1",
        {"E": zeros(2, 2), "i": [5]},
        EngineError,
        "4:9",
    ),
    "a target outside": (
        "input z : [B, V]\ninput t : int[B]\ny = cross_entropy(z, t)",
        {"z": zeros(2, 3), "t": [0, 7]},
        EngineError,
        "3:5",
    ),
    "a singular matrix in a loop": (
        "input A : [2, 2]\nfor k in range(3):\n    A = inv(A - k A)\ny = A",
        {"A": torch.eye(2)},
        EngineError,
        "3:9",
    ),
}


@pytest.mark.parametrize("what", FAILS)
def test_what_fails_in_a_run_shows_its_place(what: str) -> None:
    text, feeds, kind, place = FAILS[what]
    error = told(lambda: dsl.compile(text).run("y", feeds), kind)
    assert f"\n  cell:{place}\n" in str(error)


def test_a_fused_kernel_points_at_the_line_that_it_stands_for() -> None:
    p = dsl.compile(
        "input t, u : int[n]\nparam W : [5, 5]\nlogits = W[t]\nloss = cross_entropy(logits, u)"
    )
    trainer = p.trainer("loss", "sgd", lr=0.1)
    assert "fused" in trainer.evaluator.source()
    for batch, place in (({"t": [9], "u": [0]}, "3:10"), ({"t": [0], "u": [9]}, "4:8")):
        assert f"\n  cell:{place}\n" in str(told(lambda b=batch: list(trainer.fit([b]))))
        assert f"\n  cell:{place}\n" in str(told(lambda b=batch: trainer.evaluate(p["loss"], b)))


def test_the_pass_of_a_loop_that_fails_is_told() -> None:
    text, feeds, _, _ = FAILS["a singular matrix in a loop"]
    assert "in pass 1, counted from 0, of the loop at cell:2:1\n" in str(
        told(lambda: dsl.compile(text).run("y", feeds))
    )


def test_generation_and_losses_show_the_place_too() -> None:
    p = dsl.compile("input tokens : int[B, T]\nparam W : [3, 3]\nlogits = W[tokens]\n")
    assert "\n  cell:3:10\n" in str(told(lambda: p.generate([7], 1)))
    nan = {"W": torch.full((3, 3), torch.nan)}
    assert "\n  cell:3:10\n" in str(told(lambda: p.generate([1], 1, params=nan)))
    assert "\n  cell:3:10\n" in str(told(lambda: p.grad("logits"), GradientError))


def test_every_node_of_a_training_step_comes_from_a_line_of_the_text() -> None:
    """Of a fused kernel too: it stands for a node of the graph as it was written."""
    p = dsl.load("transformer", V=11, d=8, context=4, layers=2)
    step = p.trainer("loss", "adamw").graph
    low = p._lowering
    for node in toposort([step.loss, *step.updates.values()]):
        assert node.op is ops.const or place_of(low, node) is not None, node


def test_an_error_that_no_line_made_stays_as_it_is() -> None:
    p = dsl.compile("dim n\ny = arange(n)")
    error = told(lambda: p.run("y"), ShapeError)
    assert str(error).startswith("the size `n` is not known from any input")


def test_the_engine_alone_says_what_it_said() -> None:
    p = dsl.compile(SINGULAR)
    error = told(lambda: Evaluator([p["y"]]).run({"A": torch.zeros(2, 2)}))
    assert "cell" not in str(error)
    assert "\n  cell:4:5\n" in str(p.locate(error))


NAN = """
input p : [n]
input S : [n, n]
h = log(p)
entropy = sum(h ⊙ p)
safe = sum(where(p > 0, √p, 0))
masked = softmax(S + where(arange(n) > 0, -inf, 0.0))
inverse = sum(masked) + sum(1 / p)
"""
FEEDS = {"p": torch.tensor([0.0, 1.0, 2.0]), "S": torch.zeros(3, 3)}


@pytest.mark.parametrize(
    "name, gradients, message, place",
    [
        ("entropy", False, "`h ⊙ p` is the first NaN, 1 of 3 elements", "4:15"),
        ("safe", True, "the derivative of `√p` is the first NaN, 1 of 3 elements", "5:25"),
        ("h", False, "`log(p)` is the first infinity, 1 of 3 elements", "3:5"),
        ("inverse", False, "`1 / p` is the first infinity, 1 of 3 elements", "7:29"),
    ],
)
def test_the_first_value_that_is_no_number_is_found(
    name: str, gradients: bool, message: str, place: str
) -> None:
    found = dsl.compile(NAN.strip()).first_nan(name, FEEDS, gradients=gradients)
    assert found is not None
    assert (found.message, found.span.label) == (message, f"cell:{place}")


@pytest.mark.parametrize("name", ["safe", "masked"])
def test_where_everything_is_a_number_nothing_is_found(name: str) -> None:
    """A mask is infinite on purpose."""
    assert dsl.compile(NAN).first_nan(name, FEEDS) is None


def test_a_nan_that_was_fed_is_told_as_such() -> None:
    p = dsl.compile("input x : [n]\nparam w : [] = 1\ny = sum(w x)")
    found = p.first_nan("y", {"x": [float("nan"), 1.0]}, {"w": 1.0})
    assert found is not None
    assert found.message == "`x` was fed with NaN, 1 of 2 elements"
    found = p.first_nan("y", {"x": [1.0]}, {"w": float("nan")})
    assert found is not None
    assert found.message == "`w` was fed with NaN"


def test_the_inputs_of_the_first_nan_are_summed_up() -> None:
    found = str(dsl.compile(NAN).first_nan("entropy", FEEDS))
    assert "    h: 0 … 0.6931 μ=0.3466 σ=0.3466 inf! (1 of 3)\n" in found
    assert "    p: 0 … 2 μ=1 σ=0.8165\n" in found
