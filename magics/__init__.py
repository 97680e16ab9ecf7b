"""The notebook and the terminal: magics, pictures of graphs, and the command `chalkgrad`.

`%load_ext magics` in IPython or Jupyter; `%graph help` says what there is.
"""

from __future__ import annotations

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Register `%%graph` and `%graph`; a second time changes nothing."""
    from magics.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Leave the shell as it was before."""
    from magics.extension import unload

    unload(shell)
