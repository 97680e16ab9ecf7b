"""Shift-Tab in a `%%graph` cell and a `%graph` line: help of the word at the cursor."""

from __future__ import annotations

import html
import re
from typing import Any

from magics.editing.place import Place, is_cell, place
from magics.verbs import VERBS, find

_NAME = re.compile(r"\\?[\w\u0300-\u036f.]*$"), re.compile(r"[\w\u0300-\u036f]*")
_WORD = re.compile(r"\S*$"), re.compile(r"\S*")
_CALL = re.compile(r"([\w\u0300-\u036f.]+)\($")


def is_ours(code: str, cursor: int) -> bool:
    """Whether the cursor is in a `%%graph` cell or behind `%graph`."""
    return is_cell(code) or place(code, cursor) is not None


def reply(text: str | None) -> dict[str, Any]:
    """The text as a kernel answers it; None as not found."""
    data = {"text/plain": text, "text/html": f"<pre>{html.escape(text)}</pre>"} if text else {}
    return {"status": "ok", "found": bool(text), "data": data, "metadata": {}}


def help_at(magics: Any, code: str, cursor: int) -> str | None:
    """The help of the word at the cursor, or of the call around it. Raises nothing."""
    at = place(code, cursor)
    try:
        if at is None:
            return magics.build.__doc__
        return _in_cell(magics, at) if at.kind == "cell" else _in_line(magics, at)
    except Exception:  # noqa: BLE001  no help is better than a traceback in its place
        return None


def _in_cell(magics: Any, at: Place) -> str | None:
    from magics.editing.about import about

    word, start = word_at(at.text, at.cursor, _NAME)
    line = at.text[at.text.rfind("\n", 0, start) + 1 : start]
    found = about(word, magics.program, at.text, opens=not line.strip())
    call = call_around(at.text, start)
    return found or (about(call, magics.program, at.text) if call else None)


def _in_line(magics: Any, at: Place) -> str | None:
    from magics.editing.about import about, options_help

    word, _ = word_at(at.text, at.cursor, _WORD)
    verb = (at.text.split() or ["help"])[0]
    if at.kind == "line" and (word == verb or verb == "help"):
        return find(word or "help").__doc__ if word in ("", *VERBS) else None
    function: Any = magics.build if at.kind == "head" else find(verb)
    return options_help(function.parser, word) or about(word, magics.program) or function.__doc__


def word_at(text: str, cursor: int, kind: tuple[re.Pattern[str], ...] = _NAME) -> tuple[str, int]:
    """The word that the cursor is in or at, and where it begins.

    >>> word_at("y = softmax(x)", 7)
    ('softmax', 4)
    """
    left, right = kind[0].search(text, 0, cursor), kind[1].match(text, cursor)
    assert left is not None  # both match the empty word
    assert right is not None
    return (left[0] + right[0]).strip("."), left.start()


def call_around(text: str, cursor: int) -> str | None:
    """The function in whose brackets the cursor is.

    >>> call_around("y = softmax((x + 1), ", 21)
    'softmax'
    """
    depth = 0
    for at in range(cursor - 1, -1, -1):
        depth += (text[at] in ")]") - (text[at] in "([")
        if depth < 0:
            call = _CALL.search(text, 0, at + 1)
            return call[1] if call else None
    return None
