"""The cells of one notebook: what they share, where values come from, what a wrong one gets."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch

import dsl
from tests.shells import LINE, Shell, fails, keyed, opened


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        yield made


@pytest.fixture
def data(shell: Shell) -> Shell:
    """A shell in which the inputs of the line have values."""
    shell.user_ns.update(X=torch.tensor([[1.0, 2.0], [3.0, 4.0]]), y=np.array([1.0, 2.0]))
    return shell


def test_a_cell_run_again_replaces_its_definitions_in_its_place(shell: Shell) -> None:
    keyed(shell, "a", "%%graph\ninput x : []\ny = x^2")
    keyed(shell, "b", "%%graph\nz = y + 1")
    keyed(shell, "a", "%%graph\ninput x : []\ny = x^3")
    shell.user_ns["x"] = 2.0
    assert shell.cell("%graph run z").item() == 9
    assert "input x" not in repr(keyed(shell, "c", "%%graph\nu = z"))


def test_what_no_longer_compiles_is_set_aside_and_said(shell: Shell) -> None:
    keyed(shell, "a", "%%graph\ninput x : []\ny = x^2")
    keyed(shell, "b", "%%graph\nz = y + 1")
    shown = keyed(shell, "a", "%%graph\ninput x : []\nu = x^2")
    assert "Cell In[2] was set aside: it no longer compiles" in repr(shown)
    assert "`z` is no value" in fails(shell, "%graph run z")


def test_what_hangs_on_a_size_without_a_value_is_a_formula(data: Shell) -> None:
    data.cell(LINE)
    assert "n + 1 = 3" in repr(data.cell("%%graph --show none\nn + 1"))
    assert "T + 1 : int[] = T + 1" in repr(data.cell("%%graph --show none\ndim T\nT + 1"))


def test_an_input_that_does_not_fit_spoils_only_what_is_made_of_it(shell: Shell) -> None:
    shell.cell("%%graph\ninput x : [n]\ny = sum(x)")
    shell.user_ns["x"] = torch.zeros(2, 3)
    assert "1 + 1 = 2" in repr(shell.cell("%%graph --show none\n1 + 1"))
    assert "`x` is declared [n] but was fed [2, 3]" in fails(shell, "%%graph --show none\nx + 1")


def test_the_formula_of_a_function_needs_no_values(data: Shell) -> None:
    shown = data.cell("%%graph\nf(x) = x^T A x where x ∈ ℝ^n, A ∈ ℝ^(n×n)\n∇f")
    assert "∇f = (A + A^T) x   [n]" in repr(shown)


def test_in_a_terminal_a_declaration_again_takes_the_place_of_the_first(shell: Shell) -> None:
    shell.cell("%%graph\ndim d = 3\ninput x : [d]\ny = sum(x)")
    shell.cell("%%graph\ndim d = 4\ninput x : [d]\ny = sum(x^2)")
    shell.user_ns["x"] = torch.ones(4)
    assert shell.cell("%graph run y").item() == 4


def test_of_two_readings_of_a_wrong_cell_the_one_with_fewer_errors_is_told(shell: Shell) -> None:
    shell.cell("%%graph\ninput x : [n]\ny = sum(x)")
    told = fails(shell, "%%graph\ninput x : [n, m]\nz = nothing")
    assert "`nothing` is not defined" in told
    assert "already" not in told


def test_a_cell_that_loses_its_place_to_another_is_named(shell: Shell) -> None:
    shell.cell("%%graph\ninput x : [n]\ny = sum(x)")
    shown = shell.cell("%%graph\ninput x : [n, m]")
    assert repr(shown).splitlines() == [
        "●  x  input  [n, m]",
        "Cell In[1] was set aside: `x` is defined anew here",
    ]


def test_a_wrong_cell_leaves_the_session_as_it_was(data: Shell) -> None:
    data.cell(LINE)
    fails(data, "%%graph\nloss = mean(X @ y @ w)\nq = nothing")
    assert data.cell("%graph run loss").item() == 1.25


def test_parameters_are_drawn_once_and_again_when_their_shape_changes(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws: list[object] = []
    init = dsl.Program.init
    monkeypatch.setattr(dsl.Program, "init", lambda *a, **k: draws.append(a) or init(*a, **k))
    cell = "%%graph\ndim d = {}\nparam w : [d] ~ normal(0, 1)\ns = sum(w)"
    keyed(shell, "a", cell.format(3))
    assert torch.equal(shell.cell("%graph run w"), shell.cell("%graph run w"))
    assert len(draws) == 1
    keyed(shell, "a", cell.format(5))
    assert shell.cell("%graph run w").shape == (5,)
    assert len(draws) == 2


class Spy(torch.Tensor):
    """A tensor whose class would run code of its own."""


@pytest.mark.parametrize("value", [[1.0, 2.0], "text", object(), Spy([1.0, 2.0])])
def test_inputs_are_exactly_tensors_arrays_or_numbers(shell: Shell, value: object) -> None:
    shell.cell("%%graph\ninput x : [n]\ny = sum(x)")
    shell.user_ns["x"] = value
    told = fails(shell, "%graph run y")
    assert f"the input `x` [n] cannot take a {type(value).__name__}" in told


@pytest.mark.parametrize("value", [3, 3.0, np.float64(3), np.array(3.0), torch.tensor(3.0)])
def test_numbers_of_python_and_numpy_are_inputs(shell: Shell, value: object) -> None:
    shell.cell("%%graph\ninput x : []\ny = 2 x")
    shell.user_ns["x"] = value
    assert shell.cell("%graph run y").item() == 2 * float(value)  # type: ignore[arg-type]


def test_constants_are_taken_by_name_when_the_cell_is_compiled(shell: Shell) -> None:
    shell.user_ns["A"] = np.eye(2)
    shell.cell("%%graph\nconst A : [n, n]\ntrace = sum(A)")
    assert shell.cell("%graph run trace").item() == 2


def test_an_input_without_a_value_is_named_with_its_shape(shell: Shell) -> None:
    shell.cell(LINE)
    assert (
        fails(shell, "%graph run loss")
        .splitlines()[0]
        .endswith("the input `X` [n, d] has no value")
    )


def test_an_interrupt_passes(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dsl, "lower", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shell.cell(LINE)


def test_a_bug_keeps_its_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(dsl, "lower", broken)
    with pytest.raises(KeyError, match="a bug"):
        shell.cell(LINE)


WRONG = {
    "%%graph\ninput Q, K : [T, d]\ns = softmax(Q @ K / √d)": """\
GraphError: cannot multiply [T, d] by [T, d]: the inner sizes are d and T
    left : Q                        [T, d]
    right: K                        [T, d]
Cell In[1], line 3
    3 | s = softmax(Q @ K / √d)
      |             ^^^^^
  help: the last axes agree: did you mean `Q @ K^T`?""",
    "# a comment\n%%graph\ny = nothing + 1": """\
GraphError: `nothing` is not defined
Cell In[1], line 3
    3 | y = nothing + 1
      |     ^^^^^^^
  help: define it above, or declare it: `input nothing : [n]`""",
    "%graph run y": """\
GraphError: there is no graph yet
  help: write one in a cell that starts `%%graph`""",
}


@pytest.mark.parametrize("cell, told", WRONG.items())
def test_a_wrong_cell_gets_the_place_and_the_way_out(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, cell: str, told: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert fails(shell, cell) == told


def test_every_error_of_a_cell_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    told = fails(shell, "%%graph\na = one\nb = two")
    assert told.count("GraphError: ") == 2
    assert told.count("Cell In[1], line ") == 2


def test_an_error_in_a_function_names_both_cells(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shell.cell("%%graph\nf(a, b) = a @ b")
    told = fails(shell, "%%graph\ninput x : [n], y : [m]\nz = f(x, y)")
    assert "Cell In[1], line 2" in told
    assert "in `f`, called at Cell In[2], line 3" in told


def test_colours_are_the_basic_ones(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    told = fails(shell, "%%graph\ny = nothing")
    codes = set(re.findall(r"\x1b\[(\d+)m", told))
    assert codes
    assert codes <= {"0", "1", *map(str, range(30, 38))}


def test_what_fails_in_a_run_is_told_by_the_users_names(data: Shell) -> None:
    data.cell(LINE)
    data.user_ns["y"] = torch.zeros(3)
    told = fails(data, "%graph run loss")
    assert "n = 2 from `X` [2, 2], but `y` is [3]" in told
    assert isinstance(data.cell("%graph show"), object)


def test_what_fails_in_a_run_shows_the_line_of_its_cell(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shell.cell("%%graph\ninput A : [n, n]\nf(x) = inv(x)")
    shell.cell("%%graph\ny = sum(f(2 A))")
    shell.user_ns["A"] = torch.zeros(2, 2)
    for line in ("%graph run y", "%graph check y"):
        first, *rest = fails(shell, line).split("\n")
        assert first.startswith("GraphError: `inv(x)` failed: ")
        assert (
            "\n".join(rest)
            == """\
    operand: 2 A                      [n, n]
Cell In[1], line 3
    3 | f(x) = inv(x)
      |        ^^^^^^
  in `f`, called at Cell In[2], line 2
    2 | y = sum(f(2 A))"""
        )


def test_a_form_and_a_name_are_told_together(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    told = fails(shell, "%%graph\na = 2**3\nb = a + 1\nc = nothing")
    assert re.findall(r"GraphError: (.*)", told) == [
        "`**` is not a sign of the language",
        "`nothing` is not defined",
    ]
