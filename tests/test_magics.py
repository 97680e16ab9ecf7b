"""The magics in a shell of this process: loading, what cells return, what the verbs do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from IPython.core.error import UsageError

import dsl
from magics.shown import Graph
from magics.verbs import VERBS
from tests.shells import LINE, RAILS, Shell, fails, opened


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        yield made


@pytest.fixture
def data(shell: Shell) -> Shell:
    """A shell in which the inputs of the line have values."""
    shell.user_ns.update(X=torch.tensor([[1.0, 2.0], [3.0, 4.0]]), y=np.array([1.0, 2.0]))
    return shell


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
    assert bundle["text/html"].startswith('<div class="cg"><img src="data:image/svg+xml;base64,')
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
    assert repr(found) == "∂f/∂x = 2 x   [n]"
    assert found._repr_mimebundle_()["text/latex"] == (
        r"$$\displaystyle \frac{\partial f}{\partial x} = 2 x$$"
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


def test_check_shows_closed_form_autodiff_and_difference_in_text_and_html(shell: Shell) -> None:
    shell.user_ns.update(A=torch.eye(3) * 2, b=torch.ones(3), x=torch.ones(3))
    shell.cell("%%graph\ninput A : [n, n], b : [n], x : [n]\nr = A x - b\nf = r^T r")
    report = shell.cell("%graph check f x")
    assert report
    for shown in (repr(report), report._repr_html_()):
        assert "2 A^T r" in shown
        assert "complex step ± " in shown
        assert all(head in shown for head in ("closed form", "autodiff", "difference"))
    shell.cell("%%graph\nown = 2 A^T r\nhalf = A^T r")
    assert shell.cell("%graph check f x --closed own")
    assert not shell.cell("%graph check f x --closed half")
    assert shell.cell("%graph check f x --closed half --rtol 0.9")
    assert "central differences ± " in repr(shell.cell("%graph check f x --method central"))
    assert repr(shell.cell("%graph check f A --order 2 --elements 4")).startswith(
        "second derivative right at 4 elements, sampled from 9\n"
    )


def test_help_lists_every_verb(shell: Shell) -> None:
    told = repr(shell.cell("%graph help"))
    assert repr(shell.cell("%graph")) == told
    for usage in VERBS.values():
        assert f"%graph {usage.written}" in told
    with pytest.raises(UsageError, match="no verb 'draw'"):
        shell.cell("%graph draw")
    with pytest.raises(UsageError, match=r"required: NAME; it is `%graph run NAME …`"):
        shell.cell("%graph run")


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_has_an_example_and_exactly_the_options_it_is_listed_with(
    shell: Shell, verb: str
) -> None:
    told = repr(shell.cell(f"%graph help {verb}"))
    assert f"`%graph {verb}" in told
    options = set(re.findall(r"--[a-z-]+", VERBS[verb].written))
    assert options == set(re.findall(r"^  (--[a-z-]+)", told, flags=re.MULTILINE))


def test_settings_are_listed_by_config_and_used(shell: Shell) -> None:
    shell.run_line_magic("config", "GraphMagics.show = 'rails'")
    assert "text/html" not in shell.cell(LINE)._repr_mimebundle_()
    shell.run_line_magic("config", "GraphMagics.depth = 0")
    shell.cell("%%graph\nf(x) = exp(x) + 1\nz = f(r)")
    assert "2 values" in shell.cell("%graph show z").dot
    assert "2 values" not in shell.cell("%graph show z --depth 1").dot


@pytest.mark.parametrize("kind, usage", [("cell", "%%graph [--show"), ("line", "%graph show")])
def test_the_help_of_a_magic_shows_options_and_examples(
    shell: Shell, kind: str, usage: str
) -> None:
    told = shell.magics_manager.magics[kind]["graph"].__doc__
    assert f"  {usage}" in told
    assert "loss" in told


def test_a_graph_without_a_picture_still_shows_itself(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("magics.layout.drawing_programs", lambda: iter(()))
    shown = shell.cell(LINE)
    assert isinstance(shown, Graph)
    assert shown._repr_mimebundle_() == {"text/plain": RAILS}
