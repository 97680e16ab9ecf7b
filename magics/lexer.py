"""The language for Pygments: Sphinx, `pygmentize`, the terminal, and notebooks exported to HTML.

In an exported notebook `%%graph` cells are coloured if nbconvert is told of them:
`jupyter nbconvert --to html --HighlightMagicsPreprocessor.languages "%%graph=graph" FILE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pygments.lexer import Lexer
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
)

from magics.editing.place import head

KINDS: dict[str, Any] = {
    "name": Name,
    "function": Name.Function,
    "keyword": Keyword,
    "number": Number,
    "text": String,
    "comment": Comment.Single,
    "operator": Operator,
    "bracket": Punctuation,
    "wrong": Error,
    "": Text,
}


class GraphLexer(Lexer):
    """A text of the language, or a whole `%%graph` cell.

    >>> [(str(kind), piece) for kind, piece in GraphLexer().get_tokens("exp(x)")][:2]
    [('Token.Name.Function', 'exp'), ('Token.Punctuation', '(')]
    """

    name = "chalkgrad"
    aliases: ClassVar[Sequence[str]] = ["graph", "chalkgrad"]
    filenames: ClassVar[Sequence[str]] = ["*.graph"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """Each piece with its offset and its kind."""
        from dsl.vocabulary import functions
        from magics.colours import runs

        at = 0
        for kind, piece in [*_head(text), *runs(text[head(text) :], functions())]:
            yield at, KINDS[kind], piece
            at += len(piece)


def _head(text: str) -> Iterator[tuple[str, str]]:
    """The comments above `%%graph`, the magic itself and its options."""
    above, magic, options = text[: head(text)].partition("%%graph")
    pieces = [("comment", above), ("keyword", magic), ("", options)]
    return (each for each in pieces if each[1])
