"""The colours of a text: what each piece of it is, by the language's own tokens."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from dsl.tokens import tokens

_COMMAND = re.compile(r"\s*:\w*")


def runs(text: str, functions: Container[str]) -> Iterator[tuple[str, str]]:
    """The pieces of a text in order, each after its kind: that of a token, `function`, or "".

    >>> list(runs("exp(x)", {"exp"}))
    [('function', 'exp'), ('bracket', '('), ('name', 'x'), ('bracket', ')')]
    >>> list(runs(":run x", ()))
    [('keyword', ':run'), ('', ' x')]
    """
    command = _COMMAND.match(text)
    end = command.end() if command else 0
    if command:
        yield "keyword", command[0]
    for token in () if command else tokens(text):
        if token.start > end:
            yield "", text[end : token.start]
        word, end = text[token.start : token.end], token.end
        yield "function" if token.kind == "name" and word in functions else token.kind, word
    if end < len(text):
        yield "", text[end:]
