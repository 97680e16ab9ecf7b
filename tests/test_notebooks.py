"""The example notebooks in a real kernel: each runs, shows what it says, and ends in a picture."""

from __future__ import annotations

import os
import re
from base64 import b64decode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
import torch
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.ipynb"))
INLINE = "module://matplotlib_inline.backend_inline"


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def execute(notebook: Any, folder: Path, stop: bool = True) -> list[Any]:
    """The code cells with their outputs, run by a kernel of its own that sees this tree."""
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        allow_errors=not stop,
        resources={"metadata": {"path": str(folder)}},
    )
    settings = {"PYTHONPATH": str(ROOT), "MPLBACKEND": INLINE, "NO_COLOR": "1"}
    client.execute(env={**os.environ, **settings})
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cells: list[Any], beginning: str) -> Any:
    """What the cell that begins like this returned."""
    (cell,) = [cell for cell in cells if cell.source.startswith(beginning)]
    return cell.outputs[-1].data


def svg(data: Any) -> ElementTree.Element:
    """The picture in an output, parsed."""
    found = re.search(r"data:image/svg\+xml;base64,([^\"]+)", data["text/html"])
    assert found
    return ElementTree.fromstring(b64decode(found[1]))


def words(picture: ElementTree.Element) -> set[str]:
    return {text.strip() for text in picture.itertext()}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    folder = tmp_path_factory.mktemp("notebooks")
    return {path.stem: execute(read(path), folder) for path in EXAMPLES}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    for cell in read(path).cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_notebook_begins_with_a_title_and_ends_in_a_picture(
    path: Path, run: dict[str, list[Any]]
) -> None:
    assert read(path).cells[0].source.startswith("# ")
    last = run[path.stem][-1].outputs[-1].data
    assert "image/png" in last or svg(last) is not None


def test_the_first_graph_is_seen_run_differentiated_and_checked(run: dict[str, list[Any]]) -> None:
    cells = run["01_first_graph"]
    drawn = words(svg(shown(cells, "# a line")))
    assert {"X", "w", "X @ w", "y", "r", "· - y", "loss", "mean", "[n]"} <= drawn
    assert shown(cells, "%graph run loss")["text/plain"] == "11.6667"
    gradient = shown(cells, "%graph grad loss")
    assert gradient["text/plain"].startswith("∂loss/∂w = ")
    assert gradient["text/latex"].startswith(r"$$\displaystyle \frac{\partial \mathrm{loss}}")
    assert shown(cells, "%graph check loss")["text/plain"].startswith("gradient right")
    assert shown(cells, "from engine import")["text/plain"] == "tensor([1.0000, 2.0000])"
    assert shown(cells, "%%graph\ng = ")["text/plain"].endswith("‖g‖ = 10.5409")
    assert {"loss", "g", "2 * r"} <= words(svg(shown(cells, "%graph show loss --backward")))


def test_the_transformer_is_drawn_checked_trained_and_writes_on(run: dict[str, list[Any]]) -> None:
    cells = run["02_transformer"]
    drawn = words(svg(shown(cells, "%%graph model")))
    assert {"block", "attention", "ffn", "Q", "K", "V", "weights", "softmax", "logits"} <= drawn
    assert shown(cells, "%%graph\nattention")["text/plain"].startswith("attention(X : [B, T, d])")
    first = float(re.findall(r"[\d.]+", shown(cells, "%graph run loss")["text/plain"])[0])
    assert abs(first - torch.tensor(24.0).log().item()) < 0.3
    assert shown(cells, "%graph check loss")["text/plain"].startswith("gradient right")
    before, after = map(float, shown(cells, "trainer = ")["text/plain"].strip("()").split(", "))
    assert before == pytest.approx(first, abs=1e-3)
    assert after < 0.3
    written = shown(cells, "prompt = ")["text/plain"]
    assert written.strip("'").startswith("twas brillig and the slithy toves")


def test_a_wrong_cell_fails_without_a_traceback_and_stops_the_run(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook()
    texts = ["%load_ext magics", "%%graph\ninput Q, K : [T, d]\ns = softmax(Q @ K)", "1 + 1"]
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in texts]
    _, wrong, _ = execute(notebook, tmp_path, stop=False)
    (error,) = wrong.outputs
    assert error.ename == "GraphError"
    assert error.traceback[0].startswith("GraphError: cannot multiply [T, d] by [T, d]")
    assert "Cell In[2], line 3" in error.traceback
    assert not any("Traceback" in line or "magics/" in line for line in error.traceback)
