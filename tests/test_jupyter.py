"""What a person sees in JupyterLab and Notebook 7: pictures, errors, reopening, training."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from tests.chromium import executable, keep
from tests.jupyter import ROOT, Notebook, Server, server

LOAD = "%load_ext magics\nimport torch\nx = torch.tensor([1.0, 2.0])"
GRAPH = "%%graph\ninput x : [n]\nparam w : [n] = 0.5\nr = w ⊙ x - 1\nloss = sum(r^2)"
STEP = "%graph step loss"
LONG = "%graph train loss --steps 200000 --lr 0.0001"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    executable()
    with server(tmp_path_factory.mktemp("lab"), "lab") as running:
        yield running


@pytest.fixture(scope="module")
def seen(lab: Server, browser: Any) -> Iterator[Notebook]:
    """A notebook in JupyterLab, with an error in its middle, run as far as that."""
    lab.write("first.ipynb", LOAD, GRAPH, STEP, "%%graph\ny = softmaks(x)", "after = 1")
    notebook = lab.open(browser, "first.ipynb")
    notebook.run_all(wait=4)
    yield notebook
    notebook.close()


def test_run_all_shows_a_live_picture_that_answers_to_hovering(seen: Notebook) -> None:
    output = seen.output(1)
    output.locator(".cg[data-on] svg").wait_for()
    assert output.locator(".cg svg").bounding_box()["width"] > 50
    output.locator("g.node", has_text="loss").hover()
    told = output.locator("[aria-live]").inner_text()
    assert "sum(r^2)" in told
    assert "Cell In[2], line 5: loss = sum(r^2)" in told
    keep(seen.page, "lab-hover")


def test_the_slider_steps_in_the_notebook(seen: Notebook) -> None:
    output = seen.output(2)
    output.get_by_label("one step on").click()
    assert " 2/" in output.inner_text()
    output.locator("g.node").first.focus()
    seen.page.keyboard.press("ArrowDown")
    assert "value" in output.locator("[aria-live]").inner_text()
    keep(seen.page, "lab-step")


def test_an_error_stops_run_all_and_shows_its_place_without_a_traceback(seen: Notebook) -> None:
    told = seen.output(3).inner_text()
    assert "GraphError: `softmaks` is not defined" in told
    assert "Cell In[4], line 2" in told
    assert "softmax" in told
    assert "Traceback" not in told
    prompts = seen.page.locator(".jp-CodeCell .jp-InputArea-prompt").all_inner_texts()
    assert not re.search(r"\d", prompts[4])
    keep(seen.page, "lab-error")


def test_dark_is_readable(seen: Notebook) -> None:
    seen.command("apputils:change-theme", theme="JupyterLab Dark")
    seen.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    panel = seen.output(1).locator("[aria-live]")
    colour = panel.evaluate("each => getComputedStyle(each).color")
    assert min(map(int, re.findall(r"\d+", colour)[:3])) > 150
    assert seen.output(1).locator("svg g.graph > polygon[fill='white']").count() == 0
    keep(seen.page, "lab-dark")
    seen.command("apputils:change-theme", theme="JupyterLab Light")


def test_saved_and_reopened_without_a_kernel_it_is_live_again(
    lab: Server, browser: Any, seen: Notebook
) -> None:
    seen.save()
    saved = lab.read("first.ipynb")
    saved.cells[0].source += "  # written by another hand, so it is not trusted"
    nbformat.write(saved, lab.folder / "reopened.ipynb")
    notebook = lab.open(browser, "reopened.ipynb", kernel=False)
    notebook.output(1).locator("img").wait_for()
    keep(notebook.page, "lab-untrusted")
    assert notebook.output(1).locator(".cg script, .cg svg").count() == 0
    width = "each => each.naturalWidth"
    assert notebook.output(1).locator("img").evaluate(width) > 50
    notebook.close()
    lab.trust("reopened.ipynb")
    notebook = lab.open(browser, "reopened.ipynb", kernel=False)
    notebook.output(1).locator(".cg[data-on] svg").wait_for()
    loss = notebook.output(1).locator("g.node", has_text="loss")
    loss.dispatch_event("mouseenter")  # by hand one would first close what Jupyter says of kernels
    assert "sum(r^2)" in notebook.output(1).locator("[aria-live]").inner_text()
    keep(notebook.page, "lab-reopened")
    notebook.close()


def test_training_is_live_and_can_be_interrupted_and_goes_on(lab: Server, browser: Any) -> None:
    lab.write("train.ipynb", LOAD, GRAPH, LONG, "%graph train loss --steps 3 --lr 0.0001")
    notebook = lab.open(browser, "train.ipynb")
    for cell in range(3):
        notebook.run(cell)
    output = notebook.output(2)
    output.locator("img").wait_for()
    first = output.inner_text()
    notebook.page.wait_for_function(
        "was => document.querySelectorAll('.jp-Cell-outputWrapper')[2].innerText !== was", arg=first
    )
    keep(notebook.page, "lab-training")
    assert "a second" in output.inner_text()
    notebook.command("notebook:interrupt-kernel")
    output.get_by_text("interrupted after step").wait_for()
    step = int(re.findall(r"interrupted after step (\d+)", output.inner_text())[0])
    notebook.wait()
    notebook.run(3)
    notebook.output(3).locator("pre", has_text=f"step {step + 3} in all").wait_for()
    notebook.save()
    kept = lab.read("train.ipynb").cells[2].outputs
    assert "svg+xml" in kept[0].data["text/html"]
    assert "interrupted" in kept[0].data["text/html"]
    keep(notebook.page, "lab-interrupted")
    notebook.close()


def test_notebook_7_shows_the_same(tmp_path: Any, browser: Any) -> None:
    executable()
    with server(tmp_path, "notebook") as running:
        running.write("first.ipynb", LOAD, GRAPH, STEP)
        notebook = running.open(browser, "first.ipynb")
        notebook.run_all()
        notebook.output(1).locator(".cg[data-on] svg").wait_for()
        notebook.output(1).locator("g.node", has_text="loss").hover()
        assert "sum(r^2)" in notebook.output(1).locator("[aria-live]").inner_text()
        keep(notebook.page, "notebook7")
        notebook.close()


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A notebook with its outputs."""
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in (LOAD, GRAPH, STEP)]
    folder = tmp_path_factory.mktemp("executed")
    client = NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute(env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})
    return notebook


@pytest.mark.parametrize("scripts", [True, False])
def test_converted_to_a_page_it_is_live_and_without_scripts_it_is_still(
    executed: Any, browser: Any, scripts: bool
) -> None:
    text, _ = HTMLExporter().from_notebook_node(executed)
    if not scripts:
        text = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    page = browser.new_context(viewport={"width": 1000, "height": 900}, offline=True).new_page()
    page.set_content(text, wait_until="domcontentloaded")
    if not scripts:
        assert page.locator(".cg[data-on]").count() == 0
        assert page.locator("img[alt^='●']").first.evaluate("each => each.naturalWidth") > 50
    else:
        page.locator(".cg[data-on] svg").first.wait_for()
        page.locator("g.node", has_text="loss").first.hover()
        assert "sum(r^2)" in page.locator("[aria-live]").first.inner_text()
    keep(page, f"nbconvert-{'live' if scripts else 'still'}")
    page.context.close()
