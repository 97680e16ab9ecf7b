"""Long lines of text as several, at blanks, the further ones indented."""

from __future__ import annotations

import textwrap

from engine.show.names import display_width

WIDTH = 110  # columns of a terminal


def fold(text: str, width: int = WIDTH) -> list[str]:
    """The text if it fits, else lines of it; a word that is too long is broken.

    >>> fold("a + b + c", 6)
    ['a + b', '    +', '    c']
    """
    if display_width(text) <= width:
        return [text]
    return textwrap.wrap(text, width, subsequent_indent="    ", break_on_hyphens=False)
