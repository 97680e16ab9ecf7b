"""Texts of the language on the disk and in a pipe."""

from __future__ import annotations

import sys
from pathlib import Path

import dsl
from magics.errors import GraphError

STDIN = "-"


def source(file: str) -> tuple[str, str]:
    """The text of a file, or what is piped in for `-`, and what errors call it."""
    return (piped(), "stdin") if file == STDIN else (text_of(Path(file)), file)


def text_of(file: Path) -> str:
    """The text of a file, which from now on can import its neighbours.

    Raises GraphError where there is no file, or no text in UTF-8.
    """
    try:
        text = _decoded(file.read_bytes(), str(file))
    except FileNotFoundError:
        raise GraphError(f"there is no file `{file}`") from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise GraphError(f"`{file}` cannot be read: {getattr(error, 'strerror', error)}") from None
    dsl.register(file.parent)
    return text


def piped() -> str:
    """All that comes through stdin. Raises GraphError for what is not in UTF-8."""
    return _decoded(sys.stdin.buffer.read(), "stdin")


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise GraphError(f"`{name}` is not in UTF-8: see byte {error.start}") from None
