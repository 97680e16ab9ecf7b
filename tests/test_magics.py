"""The magics in a shell of this process: what cells return, sessions remember, wrong cells get."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import dsl
from magics.errors import GraphError
from magics.shown import Graph

LINE = """%%graph line
input X : [n, d], y : [n]
param w : [d] = 0.5
r = X w - y
loss = mean(r^2)
"""
RAILS = """\
●      X     input      [n, d]
│ ●    w     param      [d]
│ │ ●  y     input      [n]
●─┴─╯  r     X @ w - y  [n]
●      loss  mean(r^2)  scalar"""


class Shell(InteractiveShell):
    """A shell that raises what a cell raises, and returns what it returns."""

    def cell(self, text: str) -> Any:
        result = self.run_cell(text, store_history=True)
        result.raise_error()
        return result.result

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """The error is raised instead."""


@pytest.fixture
def shell() -> Iterator[Shell]:
    config = Config()
    config.HistoryManager.enabled = False
    made = Shell(config=config)
    made.run_line_magic("load_ext", "magics")
    yield made
    made.run_line_magic("unload_ext", "magics")


@pytest.fixture
def data(shell: Shell) -> Shell:
    """A shell in which the inputs of the line have values."""
    shell.user_ns.update(X=torch.tensor([[1.0, 2.0], [3.0, 4.0]]), y=np.array([1.0, 2.0]))
    return shell


def fails(shell: Shell, text: str) -> str:
    """What is shown of the error of a cell."""
    with pytest.raises(GraphError) as caught:
        shell.cell(text)
    return "\n".join(caught.value._render_traceback_())


def test_loading_imports_neither_torch_nor_the_language() -> None:
    code = """
import sys
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell().run_line_magic("load_ext", "magics")
print(sorted({"torch", "engine", "dsl", "sympy", "lark", "graphviz", "numpy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_loading_twice_is_loading_once_and_unloading_undoes_it(shell: Shell) -> None:
    before = list(shell.input_transformers_cleanup)
    shell.run_line_magic("load_ext", "magics")
    shell.run_line_magic("reload_ext", "magics")
    assert len(shell.input_transformers_cleanup) == len(before)
    shell.run_line_magic("unload_ext", "magics")
    assert len(shell.input_transformers_cleanup) == len(before) - 1
    assert "graph" not in shell.magics_manager.magics["cell"]
    assert "graph" not in shell.magics_manager.magics["line"]
    shell.run_line_magic("load_ext", "magics")


def test_a_cell_returns_its_graph_binds_its_program_and_prints_nothing(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = shell.cell(LINE)
    assert repr(shown) == RAILS
    assert shell.user_ns["_"] is shown
    assert isinstance(shell.user_ns["line"], dsl.Program)
    assert capsys.readouterr().out.split("\n", 1) == ["Out[1]: ", f"{RAILS}\n"]


def test_a_notebook_gets_an_image_whose_alt_text_are_the_rails(shell: Shell) -> None:
    bundle = shell.cell(LINE)._repr_mimebundle_()
    assert bundle["text/plain"] == RAILS
    assert bundle["text/html"].startswith('<img src="data:image/svg+xml;base64,')
    assert 'alt="●      X     input' in bundle["text/html"]


def test_comments_may_stand_above_the_magic(shell: Shell) -> None:
    assert repr(shell.cell("# the loss\n\n# of a line\n" + LINE)) == RAILS


def test_braces_in_a_line_are_not_run_as_python(shell: Shell) -> None:
    shell.cell(LINE)
    ran: list[int] = []
    shell.user_ns["run"] = lambda: ran.append(1)
    assert "`{run()}` is no value" in fails(shell, "%graph show {run()}")
    with pytest.raises(UsageError, match="no name of Python"):
        shell.cell("%%graph {run()}\ny = 1")
    assert ran == []


def test_options_say_how_to_show_a_cell(shell: Shell) -> None:
    rails = shell.cell(LINE.replace("line", "line --show rails"))
    assert rails._repr_mimebundle_() == {"text/plain": RAILS}
    assert repr(shell.cell(LINE.replace("line", "line --show none"))) == ""
    assert shell.cell(LINE.replace("line", "line --quiet")) is None


def test_values_and_slopes_stand_beside_the_rails(data: Shell) -> None:
    shown = data.cell(LINE.replace("line", "--eval --grad loss"))
    rows = repr(shown).splitlines()
    assert rows[1].split()[2:5] == ["w", "param", "[d]"]
    assert rows[4].split()[-4:] == ["scalar", "=", "1.25", "∂=1"]
    assert "∂loss/∂w" in rows[5]
    assert "<pre>●" in shown._repr_mimebundle_()["text/html"]


def test_a_bare_line_shows_its_value_or_else_its_shape_and_formula(data: Shell) -> None:
    assert repr(data.cell(LINE + "loss\n")).splitlines()[-1] == "loss = 1.25"
    del data.user_ns["y"]
    assert repr(data.cell("%%graph\nr^2")).splitlines()[-1] == "r^2 : [n] = r^2"


def test_words_below_a_picture_are_escaped(shell: Shell) -> None:
    html = shell.cell("%%graph\ninput x : [n]\nx < 1")._repr_mimebundle_()["text/html"]
    assert html.endswith("<pre>x &lt; 1 : bool[n] = x &lt; 1</pre>")


def test_a_cell_of_functions_shows_their_heads(shell: Shell) -> None:
    assert repr(shell.cell("%%graph\nf(x : [n]) = x^T x")) == "f(x : [n])"


def test_later_cells_see_earlier_names(data: Shell) -> None:
    data.cell(LINE)
    data.cell("%%graph\ntwice = 2 loss")
    assert data.cell("%graph run twice").item() == 2.5


def test_run_returns_tensors_by_name(data: Shell) -> None:
    data.cell(LINE)
    assert torch.equal(data.cell("%graph run r"), torch.tensor([0.5, 1.5]))
    both = data.cell("%graph run r loss")
    assert list(both) == ["r", "loss"]
    assert torch.equal(data.cell("%graph run w"), torch.tensor([0.5, 0.5]))


def test_grad_returns_formulas_and_nodes(data: Shell) -> None:
    data.cell("%%graph\ninput x : [n]\nf = sum(x^2)")
    found = data.cell("%graph grad f")
    assert repr(found) == "∂f/∂x = 2 * x   [n]"
    assert found._repr_mimebundle_()["text/latex"] == (
        r"$$\displaystyle \frac{\partial f}{\partial x} = 2 \cdot x$$"
    )
    assert found["x"].shape == data.user_ns.get("f", found["x"]).shape


def test_show_closes_functions_and_lays_gradients_over_the_graph(shell: Shell) -> None:
    shell.cell("%%graph\nf(x) = exp(sin(x))\ninput x : []\ny = f(x)")
    assert "function" not in shell.cell("%graph show y").dot
    assert "values" in shell.cell("%graph show y --depth 0").dot
    assert "∂y/∂x" in repr(shell.cell("%graph show y --backward"))
    assert "∂y/∂x" in repr(shell.cell("%graph show --backward"))


def test_check_holds_the_gradient_against_differences(data: Shell) -> None:
    data.cell(LINE)
    report = data.cell("%graph check loss")
    assert report
    assert {element.leaf for element in report.elements} == {"w"}


def test_help_lists_every_verb(shell: Shell) -> None:
    told = repr(shell.cell("%graph help"))
    assert repr(shell.cell("%graph")) == told
    for verb in ("show", "run", "grad", "check"):
        assert f"%graph {verb}" in told
    with pytest.raises(UsageError, match="no verb 'draw'"):
        shell.cell("%graph draw")
    with pytest.raises(UsageError, match="say of which value"):
        shell.cell("%graph run")


@pytest.mark.parametrize("kind, usage", [("cell", "%%graph [--show"), ("line", "%graph [--depth")])
def test_the_help_of_a_magic_shows_options_and_examples(
    shell: Shell, kind: str, usage: str
) -> None:
    told = shell.magics_manager.magics[kind]["graph"].__doc__
    assert f"  {usage}" in told
    assert "loss" in told


def keyed(shell: Shell, key: str, text: str) -> Any:
    """A cell that the notebook knows by a key."""
    shell.get_parent = lambda: {"metadata": {"cellId": key}}  # type: ignore[attr-defined]
    return shell.cell(text)


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


def test_a_graph_without_a_picture_still_shows_itself(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("magics.display.drawing_programs", lambda: iter(()))
    shown = shell.cell(LINE)
    assert isinstance(shown, Graph)
    assert shown._repr_mimebundle_() == {"text/plain": RAILS}
