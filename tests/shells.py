"""A shell of this process that raises what a cell raises, for the tests of the magics."""

from __future__ import annotations

import atexit
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from magics.errors import GraphError

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


@contextmanager
def opened() -> Generator[Shell]:
    """A shell with the magics, taken away again at the end."""
    config = Config()
    config.HistoryManager.enabled = False
    shell = Shell(config=config)
    shell.run_line_magic("load_ext", "magics")
    yield shell
    shell.run_line_magic("unload_ext", "magics")
    atexit.unregister(shell.atexit_operations)  # it collects garbage, for each shell anew


def fails(shell: Shell, text: str) -> str:
    """What is shown of the error of a cell."""
    with pytest.raises(GraphError) as caught:
        shell.cell(text)
    return "\n".join(caught.value._render_traceback_())


def keyed(shell: Shell, key: str, text: str) -> Any:
    """A cell that the notebook knows by a key."""
    shell.get_parent = lambda: {"metadata": {"cellId": key}}  # type: ignore[attr-defined]
    return shell.cell(text)
