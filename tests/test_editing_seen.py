"""What a person sees while writing in JupyterLab and Notebook 7: colours, Tab, Shift-Tab."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from magics.colours import runs
from tests.chromium import executable, keep
from tests.jupyter import ROOT, Notebook, Server, server

LOAD = "%load_ext magics"
GRAPH = """\
# a line
%%graph --quiet
input X, y : [n, d]
param w : [d] ~ normal(0, 0.02)  # learned
f(t) = "class" if t > 0 else t²
g = f'(0.5) + sum(for_x)
loss = mean((X w - y)^2) where class = 3
"""
MODEL = "%%graph --quiet\ninput X : [n]\nloss = mean(X^2)"
PYTHON = "input = f'{1}'\nclass A: ..."
CODE = ".jp-CodeCell >> nth={} >> .cm-content"


@pytest.fixture(scope="module", params=["lab", "notebook"])
def running(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab, then Notebook 7, each with the extension as the wheel lays it."""
    executable()
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(ROOT / "magics/labextensions", folder / "own/data/labextensions")
    with server(folder, request.param) as found:
        yield found


@pytest.fixture(scope="module")
def seen(running: Server, browser: Any) -> Iterator[Notebook]:
    running.write("a.ipynb", LOAD, MODEL, GRAPH, PYTHON, "%%graph\nz = \\alp", "%graph sh")
    notebook = running.open(browser, "a.ipynb")
    notebook.page.locator(CODE.format(3)).locator("span", has_text="class").first.wait_for()
    yield notebook
    notebook.close()


def pieces(notebook: Notebook, cell: int) -> list[list[str]]:
    """The coloured pieces of a cell: kind, text, and the colours of all that stands in them."""
    script = """each => [...each.querySelectorAll("[class*=cg-]")].map(x => [
        x.className.replace("cg-", ""), x.textContent,
        ...[x, ...x.querySelectorAll("*")].map(y => getComputedStyle(y).color)])"""
    return notebook.page.locator(CODE.format(cell)).evaluate(script)


def test_a_cell_is_coloured_as_in_the_terminal(running: Server, seen: Notebook) -> None:
    told = [(kind, text) for kind, text, *_ in pieces(seen, 2)]
    assert told[0] == ("keyword", "%%graph")
    below = GRAPH.partition("--quiet")[2]
    called = {"normal", "f", "sum", "mean"}
    expected = [(kind, text) for kind, text in runs(below, called) if kind]
    # alone, a function is a name: only a call shows what it is
    expected[[text for _, text in expected].index("'") - 1] = ("name", "f")
    assert told[1:] == expected
    keep(seen.page, f"{running.app}-colours")


def test_the_colours_are_those_of_the_theme_whatever_python_makes_of_a_piece(
    seen: Notebook,
) -> None:
    found = pieces(seen, 2)
    of = {
        kind: {colour for k, _, *all in found if k == kind for colour in all} for kind, *_ in found
    }
    assert all(len(colours) == 1 for colours in of.values()), of
    assert len({*of["keyword"], *of["function"], *of["text"], *of["comment"], *of["name"]}) == 5


def test_a_python_cell_is_left_alone(seen: Notebook) -> None:
    assert pieces(seen, 0) == pieces(seen, 3) == []


def test_a_cell_becomes_one_of_graphs_while_it_is_typed(seen: Notebook) -> None:
    seen.page.locator(CODE.format(3)).click()
    seen.page.keyboard.press("Control+Home")
    seen.page.keyboard.type("%%graph")
    seen.page.keyboard.press("Enter")
    seen.page.locator(CODE.format(3)).locator(".cg-keyword").first.wait_for()
    for _ in range(len("%%graph") + 1):
        seen.page.keyboard.press("Backspace")
    seen.page.wait_for_function(
        "n => !document.querySelectorAll('.jp-CodeCell')[n].querySelector('[class*=cg-]')", arg=3
    )


def test_tab_and_shift_tab_know_the_language(running: Server, seen: Notebook) -> None:
    for cell in (0, 1):
        seen.page.locator(CODE.format(cell)).click()
        seen.page.keyboard.press("Shift+Enter")
    seen.page.locator(".jp-InputPrompt", has_text="[2]").wait_for()
    code = seen.page.locator(CODE.format(4))
    code.click()
    seen.page.keyboard.press("Control+End")
    menu = seen.page.locator(".jp-Completer")
    _tab(seen, menu)
    menu.get_by_text("α", exact=True).click()
    seen.page.keyboard.type(" + lo")
    _tab(seen, menu)
    menu.get_by_text("loss", exact=True).wait_for()
    assert "locals" not in menu.inner_text()
    keep(seen.page, f"{running.app}-tab")
    menu.get_by_text("loss", exact=True).click()
    assert code.inner_text().splitlines()[-1] == "z = α + loss"
    seen.page.keyboard.press("Shift+Tab")
    seen.page.locator(".jp-Tooltip").get_by_text("mean(X^2)").first.wait_for()
    keep(seen.page, f"{running.app}-shift-tab")
    seen.page.keyboard.press("Escape")


def _tab(notebook: Notebook, menu: Any) -> None:
    """Press Tab until the menu is there: JupyterLab gives up on a kernel that is slow to answer."""
    for _ in range(5):
        notebook.page.keyboard.press("Tab")
        notebook.page.wait_for_timeout(2000)
        if menu.is_visible():
            return
