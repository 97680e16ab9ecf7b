"""What `%load_ext magics` adds to a shell, and how it is taken away; torch is not imported."""

from __future__ import annotations

import re
from typing import Any

from magics.editing import attached
from magics.graph_magic import GraphMagics

KINDS = ("cell", "line")


def load(shell: Any) -> None:
    """Register the magics, let comments stand above `%%graph`, help while one is written."""
    if is_loaded(shell):
        return
    magics = GraphMagics(shell)  # which also adds itself to what `%config` knows
    shell.register_magics(magics)
    shell.input_transformers_cleanup.insert(0, comments_below)
    magics.editing = attached(shell, magics)


def unload(shell: Any) -> None:
    """Take back what `load` did; the session is forgotten."""
    if not is_loaded(shell):
        return
    for kind in KINDS:
        del shell.magics_manager.magics[kind]["graph"]
    magics = shell.magics_manager.registry.pop(GraphMagics.__name__)
    shell.configurables.remove(magics)
    magics.editing.close()
    shell.input_transformers_cleanup.remove(comments_below)


def is_loaded(shell: Any) -> bool:
    """Whether the magics are registered in this shell."""
    return GraphMagics.__name__ in shell.magics_manager.registry


def comments_below(lines: list[str]) -> list[str]:
    r"""Move comments that stand above `%%graph` below it, where the language takes them.

    >>> comments_below(["# the loss\n", "%%graph\n", "y = 1\n"])
    ['%%graph\n', '# the loss\n', 'y = 1\n']
    """
    first = next((i for i, line in enumerate(lines) if line.strip() and line[0] != "#"), 0)
    if not re.match(r"%%graph\b", lines[first] if lines else ""):
        return lines
    return [lines[first], *lines[:first], *lines[first + 1 :]]
