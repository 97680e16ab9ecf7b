"""Where the parser stopped, and what stood around that place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lark import Token

from ..errors import DslError, refuse
from ..lines import Chunk
from ..span import Source, Span

OPENING = ("LPAR", "LSQB")
OPENING_BARS = ("_ABS_OPEN", "_NORM_OPEN")
CLOSING = ("RPAR", "RSQB", "_ABS_CLOSE", "_NORM_CLOSE")
_CODE = re.compile(r"^[ \t]*[^\s#]", re.MULTILINE)
_WORD = r"(?:[^\W\d][\w\u0300-\u036f]*|[0-9.]+)"
_WORD_BEFORE, _WORD_AFTER = re.compile(rf"{_WORD}$"), re.compile(rf"-?{_WORD}")
_PAIRS = {"(": ")", "[": "]"}


@dataclass(frozen=True)
class Failure:
    """The token that no rule takes (`kind` is empty for a character that starts no token).

    `text` is the source with look-alikes replaced, `at` the offset of the token, `stack` what
    the parser has read of the statement and not finished.
    """

    source: Source
    text: str
    chunk: Chunk
    kind: str
    at: int
    length: int
    stack: Sequence[object]

    @property
    def token(self) -> str:
        """The text of the token; one character if it starts none."""
        return self.text[self.at : self.at + self.length]

    @property
    def before(self) -> str:
        """The text of the statement before the token."""
        return self.text[self.chunk.start : self.at]

    @property
    def line_before(self) -> str:
        """The text of the line before the token."""
        return self.text[self.text.rfind("\n", 0, self.at) + 1 : self.at]

    @property
    def line_after(self) -> str:
        """The text of the line after the token, without a comment."""
        return re.split(r"[#\n]", self.text[self.at + self.length :], maxsplit=1)[0]

    @property
    def starts_line(self) -> bool:
        """Whether the token is the first of its line."""
        return not self.line_before.strip()

    @property
    def ends(self) -> bool:
        """Whether the line or the text ended where something else was due."""
        return self.length == 0 and self.kind != "_INDENT"

    @property
    def is_at_end(self) -> bool:
        """Whether the statement ended there, so that more of it may follow."""
        return self.ends and not _CODE.search(self.text, self.at, self.chunk.end)

    @property
    def open(self) -> list[Token]:
        """The brackets and bars that are open, outermost first."""
        found: list[Token] = []
        for token in self.tokens:
            if token.type in (*OPENING, *OPENING_BARS):
                found.append(token)
            elif token.type in CLOSING:  # read, and not yet put together with what it closes
                found.pop()
        return found

    @property
    def tokens(self) -> list[Token]:
        """The tokens on the stack."""
        return [item for item in self.stack if isinstance(item, Token)]

    def waiting_for(self, kind: str) -> bool:
        """Whether a token of this kind is on the stack, inside the innermost bracket."""
        kinds = [token.type for token in self.tokens]
        inner = max((i for i, each in enumerate(kinds) if each in OPENING), default=-1)
        return kind in kinds[inner + 1 :]

    @property
    def operand_before(self) -> str:
        """The operand right before the token, or `x`."""
        return operand_at_end(self.line_before) or "x"

    @property
    def operand_after(self) -> str:
        """The operand right after the token, or an empty string."""
        return operand_at_start(self.line_after)

    def span(self, start: int, end: int) -> Span:
        """The span of `text[start:end]`."""
        return self.source.span(start, end)

    def of(self, token: Token) -> Span:
        """The span of a token on the stack."""
        start = self.chunk.start + (token.start_pos or 0)
        return self.span(start, start + len(token))

    def refuse(self, message: str, hint: str = "", code: str = "syntax") -> DslError:
        """An error at the token."""
        return refuse(message, self.span(self.at, self.at + self.length), hint, code)


def operand_at_end(text: str) -> str:
    """The name, number, call or bracket in which a text ends, or an empty string.

    >>> operand_at_end("a + f(x)[0] "), operand_at_end("2 (a + b)"), operand_at_end("a +")
    ('f(x)[0]', '(a + b)', '')
    """
    text = text.rstrip()
    start, partner = len(text), _partners(text)
    while start - 1 in partner and text[start - 1] not in _PAIRS:
        start = partner[start - 1]
    word = _WORD_BEFORE.search(text[:start])
    return text[word.start() if word else start :]


def operand_at_start(text: str) -> str:
    """The name, number, call or bracket with which a text begins, or an empty string.

    >>> operand_at_start(" -f(x)[0] + 1"), operand_at_start("(a + b) c"), operand_at_start("+ a")
    ('-f(x)[0]', '(a + b)', '')
    """
    text = text.lstrip()
    word, partner = _WORD_AFTER.match(text), _partners(text)
    end = word.end() if word else 0
    while end in partner and text[end] in _PAIRS:
        end = partner[end] + 1
    return text[:end]


def _partners(text: str) -> dict[int, int]:
    """Where the other bracket of a pair is, for every bracket that belongs to one."""
    found, waiting = dict[int, int](), list[int]()
    for at, char in enumerate(text):
        if char in _PAIRS:
            waiting.append(at)
        elif waiting and char == _PAIRS[text[waiting[-1]]]:
            found[at] = waiting[-1]
            found[waiting.pop()] = at
    return found
