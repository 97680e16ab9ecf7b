"""What `%graph run` returns: shown as cards, and tensors like any other in Python and in cells."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import dsl
from magics.cards import card
from magics.results import Result, result
from tests.shells import Shell, opened

OPERATIONS: list[Callable[[Tensor], Any]] = [
    torch.relu,
    torch.clone,
    torch.exp,
    lambda x: x + 1,
    lambda x: x @ x.T,
    lambda x: torch.stack([x, x]),
    lambda x: x[0],
    lambda x: x.detach(),
    copy.deepcopy,
]


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        made.cell("%%graph --quiet\ninput x : [n, n]\ny = x^2\nm = mean(y)")
        made.user_ns["x"] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        yield made


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_made_of_a_computed_tensor_is_a_plain_tensor(
    operation: Callable[[Tensor], Any],
) -> None:
    value = torch.randn(3, 3)
    made = operation(result(value))
    assert type(made) is Tensor
    assert torch.equal(made, operation(value))


def test_a_computed_tensor_is_kept_copied_and_read_as_its_elements() -> None:
    value = torch.randn(3, 3)
    kept = result(value)
    assert torch.equal(pickle.loads(pickle.dumps(kept)), value)
    assert torch.equal(copy.copy(kept), value)
    assert np.array_equal(np.asarray(kept), value.numpy())
    assert f"{result(torch.tensor(2.5)):.2f}" == "2.50"
    assert kept.tolist() == value.tolist()


def test_run_shows_a_card_and_a_number_as_the_number(shell: Shell) -> None:
    found = shell.cell("%graph run y")
    assert isinstance(found, Result)
    assert repr(found) == card(torch.tensor([[1.0, 4.0], [9.0, 16.0]])).text
    assert found._repr_mimebundle_()["text/html"].startswith("<div")
    assert repr(shell.cell("%graph run m")) == "7.5"


def test_several_names_are_cards_one_below_the_other(shell: Shell) -> None:
    found = shell.cell("%graph run y m")
    lines = repr(found).splitlines()
    assert lines[0].startswith("y = tensor[2, 2] float32")
    assert lines[-1] == "m = 7.5"
    assert type(found["y"] + 1) is Tensor
    shown = found._repr_mimebundle_()
    assert shown["text/plain"] == repr(found)
    assert shown["text/html"].count("<pre") == 2


def test_what_was_run_is_an_input_and_a_constant_of_later_cells(shell: Shell) -> None:
    shell.user_ns["x"] = shell.cell("%graph run y")
    assert shell.cell("%graph run m").item() == 88.5
    shell.user_ns["C"] = shell.cell("%graph run y")
    shell.cell("%%graph\nconst C : [n, n]\ntotal = sum(C)")
    assert shell.cell("%graph run total").item() == 1 + 16 + 81 + 256
    assert dsl.compile("input x : [n, n]\ns = sum(x)").run("s", {"x": shell.user_ns["x"]}) == 30
