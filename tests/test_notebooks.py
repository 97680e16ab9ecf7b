"""What becomes of a notebook in a real kernel when a cell is wrong."""

from __future__ import annotations

from pathlib import Path

import nbformat

from tests.notebooks import execute


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
