"""What was typed at the prompt, kept in a file of the user's state folder where one can be."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory


def history() -> History:
    """The entries of earlier sessions and of this one, of this one alone without a place to keep.

    The file is `$XDG_STATE_HOME/chalkgrad/history`, by default below `~/.local/state`.
    """
    try:
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        file = Path(home) / "chalkgrad" / "history"
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.open("a").close()
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return InMemoryHistory()
    return _OnDisk(file)


class _OnDisk(FileHistory):
    """A file whose disk may be full, or which may go while the session lasts."""

    def load_history_strings(self) -> Iterable[str]:
        with suppress(OSError):
            return list(super().load_history_strings())
        return []

    def store_string(self, string: str) -> None:
        with suppress(OSError):
            super().store_string(string)
