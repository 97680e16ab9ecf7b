"""Where an entry ends: what is typed at a prompt line by line, or comes in one piece."""

from __future__ import annotations

import re
from collections.abc import Iterator

import dsl
from dsl import DslError
from dsl.glyphs import normalise
from dsl.lines import chunks

INDENT = 4
_OPENS = re.compile(r"(?:[=:]|\bwhere)[ \t]*(?:#.*)?$", re.MULTILINE)


def is_complete(text: str) -> bool:
    r"""Whether Enter runs the text; else it goes on with another line.

    A text goes on while it only ends too early, and while a block is open, which an empty line
    ends. An empty line ends everything else too, so that an error can be seen.

    >>> is_complete("softmax("), is_complete("f(x) =\n    x^2"), is_complete("f(x) =\n    x^2\n")
    (False, False, True)
    """
    *above, last = text.split("\n")
    if not text.strip() or (above and not last.strip()) or text.lstrip().startswith(":"):
        return True
    try:
        dsl.parse(text)
    except DslError as error:
        return error.code != "incomplete"
    block = chunks(normalise(text))[-1:]
    return not any(_OPENS.search(text[each.start : each.end]) for each in block)


def indentation(text: str) -> str:
    """The blanks with which a line after this text begins: deeper after what opens something."""
    last = text.rpartition("\n")[2]
    before = len(last) - len(last.lstrip(" "))
    deeper = _OPENS.search(last) or not (before or is_complete(text))
    return " " * (before + INDENT * bool(deeper))


def entries(text: str) -> Iterator[str]:
    r"""The statements and commands of a whole text, each on its own lines of it.

    >>> list(entries("1 + 1\nf(x) =\n  x^2\n:run y"))
    ['1 + 1', '\nf(x) =\n  x^2', '\n\n\n:run y']
    """
    for each in chunks(normalise(text)):
        yield "\n" * text.count("\n", 0, each.start) + text[each.start : each.end]
