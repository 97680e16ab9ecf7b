"""The tokens of a text for colours and completion: of any text, finished or not, right or wrong.

The patterns are the terminals of the grammar. The parser picks among them by its state; here the
longer sign wins, and what starts no token is a token of kind `wrong`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from lark.lexer import PatternStr

from .glyphs import normalise
from .parse import parser

Kind: TypeAlias = Literal[
    "name", "keyword", "number", "text", "comment", "operator", "bracket", "wrong"
]

_BEFORE = r"(?P<_END>\n)|(?P<_COMMENT>\#[^\n]*)|(?P<_OPEN_TEXT>\"[^\"\n]*$)"
_UNUSED = ("_NEWLINE", "DIGITS", "__IGNORE_0", "__IGNORE_1")
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("LPAR", "RPAR", "LSQB", "RSQB"), "bracket"),
    "NAME": "name",
    "NUMBER": "number",
    "TEXT": "text",
    "_OPEN_TEXT": "text",
    "_COMMENT": "comment",
    "_WRONG": "wrong",
}


@dataclass(frozen=True)
class Token:
    """`text[start:end]` and what it is."""

    kind: Kind
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The tokens of a text in order; blanks belong to none. Raises nothing.

    >>> [token.kind for token in tokens("dim n  # size")]
    ['keyword', 'name', 'comment']
    """
    return list(_tokens(normalise(text)))


@cache
def statement_words() -> tuple[str, ...]:
    """The words that are reserved only where a statement starts: `dim`, `input`, …"""
    return tuple(word for word in _words() if _name().fullmatch(word))


@cache
def reserved_words() -> tuple[str, ...]:
    """The words that are never names: `for`, `in`, `if`, …"""
    return tuple(word for word in _words() if not _name().fullmatch(word))


def _tokens(text: str) -> Iterator[Token]:
    first, depth = "", 0  # the first word of the line, the brackets that are open
    for match in _pattern().finditer(text):
        name, word = str(match.lastgroup), match[0]
        if name == "_END":
            first = ""
            continue
        kind: Kind = _KINDS.get(name, "operator")
        if name == "NAME":
            opens_statement = not first and not depth and word in statement_words()
            kind = "keyword" if opens_statement or (first, word) == ("from", "import") else "name"
        elif word in reserved_words():
            kind = "keyword"
        depth = max(0, depth + (word in "([") - (word in ")]")) if kind == "bracket" else depth
        first = first or word
        yield Token(kind, match.start(), match.end())


@cache
def _pattern() -> re.Pattern[str]:
    """Patterns before fixed signs, a longer sign before one that it begins with."""
    found = [t for t in parser().terminals if t.name not in _UNUSED]
    found.sort(key=lambda t: (isinstance(t.pattern, PatternStr), -len(t.pattern.value)))
    each = "|".join(f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in found)
    return re.compile(rf"{_BEFORE}|{each}|(?P<_WRONG>[^\s])", re.MULTILINE)


def _words() -> list[str]:
    fixed = (t.pattern.value for t in parser().terminals if isinstance(t.pattern, PatternStr))
    return [word for word in fixed if word.isalpha() and word.isascii()]


def _name() -> re.Pattern[str]:
    return re.compile(next(t.pattern.to_regexp() for t in parser().terminals if t.name == "NAME"))
