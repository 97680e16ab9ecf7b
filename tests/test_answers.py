"""A learner's answer is held against the right one: not given, right, and wrong in known ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from IPython.core.error import UsageError

from tests.shells import LINE, Shell, fails, opened

RIGHT = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
PLANTED = """%%graph
input A : [k, k], x : [T, d]
s = sum(A * A) / 2
y = x @ x^T
"""


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    with opened() as made:
        made.cell(PLANTED)
        yield made


@pytest.fixture
def asked(shell: Shell) -> Any:
    """What is said of an answer to: the gradient of s by A, which is A."""

    def ask(mine: Any, question: str = "grad s A") -> str:
        shell.user_ns.update(A=RIGHT, x=torch.ones(3, 2), mine=mine)
        return repr(shell.cell(f"%graph answer mine {question}"))

    return ask


@pytest.mark.parametrize("mine", [RIGHT, RIGHT.numpy(), RIGHT.tolist(), [[1, 2.004], [3, 5]]])
def test_a_right_answer_may_be_of_any_kind(asked: Any, mine: Any) -> None:
    assert asked(mine) == "✓ right: `mine` is ∂s/∂A"


def test_what_was_computed_is_held_to_more_digits_than_what_was_typed(asked: Any) -> None:
    assert "✓" not in asked(torch.tensor([[1, 2.004], [3, 5]]))


@pytest.mark.parametrize("mine", [None, ...])
@pytest.mark.parametrize("question", ["grad s A", "run s", "cost y"])
def test_what_is_not_answered_yet_is_no_mistake(asked: Any, mine: Any, question: str) -> None:
    assert asked(mine, question).startswith("… `mine` is not answered yet")


def test_a_name_that_is_not_defined_is_not_answered_yet(shell: Shell, asked: Any) -> None:
    asked(None)
    del shell.user_ns["mine"]
    verdict = shell.cell("%graph answer mine grad s A")
    assert verdict.right is None
    assert not verdict


@pytest.mark.parametrize(
    "mine, told",
    [
        (RIGHT.T, "is the transpose of ∂s/∂A"),
        (-RIGHT, "has the wrong sign: it is -∂s/∂A"),
        (2 * RIGHT, "is 2 times ∂s/∂A, at every element"),
        (-RIGHT / 3, "is -0.333 times ∂s/∂A, at every element"),
        (torch.ones(3), "has the shape [3], and ∂s/∂A has [2, 2]"),
        (1, "has the shape [], and ∂s/∂A has [2, 2]"),
        ([[1, 2], [3, 7]], "is off at 1 of 4 elements, most at [1, 1]: 7 is too large"),
        ([[1, 0], [2, 5]], "is off at 2 of 4 elements, most at [0, 1]: 0 is too small"),
        (
            [[1, float("nan")], [3, 5]],
            "is off at 1 of 4 elements, most at [0, 1]: nan is no number",
        ),
    ],
)
def test_of_a_wrong_answer_the_mistake_is_told(asked: Any, mine: Any, told: str) -> None:
    assert asked(mine) == f"✗ not yet: `mine` {told}"


@pytest.mark.parametrize(
    "mine, told",
    [
        (19.5, "✓ right: `mine` is s"),
        (19, "✗ not yet: `mine` is too small"),
        (39, "✗ not yet: `mine` is too large"),
    ],
)
def test_a_number_is_told_the_side_on_which_it_is_off(asked: Any, mine: float, told: str) -> None:
    """Of a single number every other is a multiple."""
    assert asked(mine, "run s") == told


def test_a_formula_of_the_language_is_an_answer(data: Shell) -> None:
    said = {}
    for formula in ("2 X^T r / n", "X^T r / n", "-2 X^T r / n", "2 X^T y / n", "∇_w loss"):
        data.cell(f"%%graph\ng = {formula}")
        said[formula] = repr(data.cell("%graph answer g grad loss w"))
    assert said["2 X^T r / n"] == said["∇_w loss"] == "✓ right: `g` is ∂loss/∂w"
    assert said["X^T r / n"] == "✗ not yet: `g` is 0.5 times ∂loss/∂w, at every element"
    assert said["-2 X^T r / n"] == "✗ not yet: `g` has the wrong sign: it is -∂loss/∂w"
    assert "is off at" in said["2 X^T y / n"]


@pytest.fixture
def data() -> Iterator[Shell]:
    with opened() as made:
        made.user_ns.update(X=torch.tensor([[1.0, 2.0], [3.0, 4.0]]), y=np.array([1.0, 2.0]))
        made.cell(LINE)
        yield made


@pytest.mark.parametrize("mine", ["T^2", "T²", "O(T^2)", "O(T²)", "T**2", " O( T ^ 2 ) "])
def test_an_order_is_a_power_of_a_size(asked: Any, mine: str) -> None:
    assert asked(mine, "cost y") == "✓ right: with T, the cost of y, forward, grows as T^2"


@pytest.mark.parametrize("mine, than", [("T", "faster"), ("T^3", "slower"), ("d²", "slower")])
def test_of_a_wrong_order_the_side_is_told(asked: Any, mine: str, than: str) -> None:
    assert f"grows {than} than" in asked(mine, "cost y")


def test_what_cannot_be_an_answer_is_refused_in_words(shell: Shell, asked: Any) -> None:
    for mine in ("T^2", {}, [[1], [1, 2]], ["<img onerror>"], [10**400], [10**30], np.array([{}])):
        shell.user_ns["mine"] = mine
        assert "no tensor can be made of it" in fails(shell, "%graph answer mine run s")
    for mine in ("much", "q^2", 2, "T^2 d"):
        shell.user_ns["mine"] = mine
        assert "is no power of a size" in fails(shell, "%graph answer mine cost y")
    assert "there are forward" in fails(shell, "%graph answer mine --row text cost y")
    assert "one value" in fails(shell, "%graph answer mine run s y")
    assert "one gradient" in fails(shell, "%graph answer mine grad s A x")
    with pytest.raises(UsageError, match="invalid choice"):
        shell.cell("%graph answer mine draw s")
    with pytest.raises(UsageError, match=r"required: NAME; it is `%graph run NAME …`"):
        shell.cell("%graph answer mine run")
