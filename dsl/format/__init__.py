"""The canonical form of a text: the same signs, with the blanks and line ends where they belong.

Nothing but white space changes. The author's line ends stay where they are; a line of more than
100 columns is broken further, and at most one blank line in a row is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..parse import parse
from .lines import Line, read
from .margin import STEP, Margin
from .widths import pieces
from .words import written


def format(text: str, name: str = "cell") -> str:
    r"""The text in canonical form; `name` is what error messages call it.

    The result says the same (it parses to an equal tree) and is its own canonical form.

    >>> format("f(x)=\n  y=x ^ 2   # a square\n\n\n  -y+1")
    'f(x) =\n    y = x^2  # a square\n\n    -y + 1\n'

    Raises DslError with up to five errors if the text has one.
    """
    source = parse(text, name).span.source
    return "".join(f"{line}\n" for line in _lines(read(source)))


def _lines(lines: list[Line]) -> Iterator[str]:
    margin, may_skip = Margin(), False
    for at, line in enumerate(lines):
        if line.blank and may_skip:
            yield ""
        if line.words:
            *broken, (indent, words) = pieces(line, margin)
            yield from (f"{' ' * before}{written(part)}" for before, part in broken)
            yield f"{' ' * indent}{written(words)}{f'  {line.comment}' * bool(line.comment)}"
            may_skip = not line.opens
        else:
            follower = next((each for each in lines[at:] if each.words), line)
            inside = follower if line.depth is None else None
            indent = margin.indent(inside.words) if inside else STEP * (line.depth or 0)
            yield f"{' ' * indent}{line.comment}"
            may_skip = True
