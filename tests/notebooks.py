"""Notebooks in a real kernel, and what their cells show, for tests."""

from __future__ import annotations

import os
import re
from base64 import b64decode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
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
    return code(notebook)


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cells: list[Any], beginning: str) -> Any:
    """What the cell that begins like this returned."""
    (cell,) = [cell for cell in cells if cell.source.startswith(beginning)]
    return cell.outputs[-1].data


def text(cells: list[Any], beginning: str) -> str:
    """The same as plain text."""
    return shown(cells, beginning)["text/plain"]


def picture(data: Any) -> ElementTree.Element:
    """The picture in an output, parsed."""
    found = re.search(r"data:image/svg\+xml;base64,([^\"]+)", data["text/html"])
    assert found
    return ElementTree.fromstring(b64decode(found[1]))


def words(data: Any) -> set[str]:
    """The texts in the picture of an output."""
    return {each.strip() for each in picture(data).itertext()}
