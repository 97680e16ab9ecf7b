"""IPython 7.34, the oldest that a large host still ships: the same tests of the magics pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
OLD = ROOT / "build" / "ipython-7.34"
TESTS = ("test_magics.py", "test_session.py", "test_train.py", "test_function_verbs.py")
CELLS = [
    "import IPython; IPython.__version__",
    "%load_ext magics",
    "# above\n%%graph\ninput x : [n]\nloss = sum(x^2)",
    "import torch; x = torch.tensor([1.0, 2.0])",
    "%graph run loss",
    "%graph show loss --backward",
]

pytestmark = pytest.mark.skipif(
    not (OLD / "IPython").is_dir(), reason="IPython 7.34 is not laid beside: `make test` does it"
)


def old_first() -> dict[str, str]:
    """The environment in which the old IPython is found first."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(OLD), str(ROOT)]), "NO_COLOR": "1"}


def test_the_magics_pass_their_tests_under_it() -> None:
    version = "import IPython; assert IPython.__version__ == '7.34.0'"
    subprocess.run([sys.executable, "-c", version], env=old_first(), check=True)
    tests = [str(ROOT / "tests" / name) for name in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command, env=old_first(), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout


def test_a_kernel_with_it_runs_cells_and_shows_pictures(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute(
        env=old_first()
    )
    version, _, cell, _, value, picture = (each.outputs for each in notebook.cells)
    assert version[0].data["text/plain"] == "'7.34.0'"
    assert cell[0].data["text/html"].startswith('<div class="cg">')
    assert "5" in value[0].data["text/plain"]
    assert "∂loss/∂x" in picture[0].data["text/plain"]
