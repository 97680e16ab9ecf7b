"""Layout: what line ends, deeper indentation and bars mean, decided token by token.

A line goes on inside `( ) [ ]` and over every following line that is indented deeper. After a line
that ends in `=` or `:` the deeper lines are a block. A bar closes the bar that is open if an
operand stands before it, else it opens one. The parser runs in step with this pass (its state
picks the terminals), so nothing here looks ahead.
"""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token
from lark.lark import PostLex

from .limits import DEEPEST

# Tokens that no rule takes: the parser stops at them and `diagnose` words the error.
MISINDENT, NO_BLOCK, TOO_DEEP = "MISINDENT", "NO_BLOCK", "TOO_DEEP"

_OPENING = {"LPAR": "RPAR", "LSQB": "RSQB"}
_CLOSING = frozenset(_OPENING.values())
ENDS_OPERAND = frozenset(
    {"NAME", "NUMBER", "DIGITS", "TEXT", "INFINITY", "TRANSPOSE", "SUPERSCRIPT", "PRIME"}
    | {"NORM_ORDER", "RPAR", "RSQB", "_ABS_CLOSE", "_NORM_CLOSE"}
)


class Layout(PostLex):
    """The post-lexer: a fresh reading for each text, so one parser serves several threads."""

    always_accept = ("_NEWLINE", "BAR")

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens of one statement, with _NEWLINE, _INDENT, _DEDENT and decided bars."""
        return _Reading().tokens(stream)


class _Reading:
    """One pass over the tokens of a text."""

    def __init__(self) -> None:
        self.indents: list[int] = []
        self.open: list[str] = []  # types of the closing tokens awaited, innermost last
        self.list_indent: int | None = None  # of the lines after a line that ends in `where`
        self.previous: Token | None = None

    def tokens(self, stream: Iterator[Token]) -> Iterator[Token]:
        for token in stream:
            if not self.indents:
                self.indents.append((token.column or 1) - 1)
            for sent in self.read(token):
                self.previous = sent
                yield sent
        yield from self.end()

    def read(self, token: Token) -> Iterator[Token]:
        match token.type:
            case "_NEWLINE":
                yield from self.line_end(token)
            case "BAR":
                yield from self.bars(token)
            case "LPAR" | "LSQB":
                self.open.append(_OPENING[token.type])
                yield token if len(self.open) <= DEEPEST else _retyped(token, TOO_DEEP)
            case _:
                if token.type in _CLOSING and self.open and self.open[-1] == token.type:
                    self.open.pop()
                yield token

    def line_end(self, token: Token) -> Iterator[Token]:
        if not _CLOSING.isdisjoint(self.open):
            return
        assert self.previous is not None  # a text begins with a token, not with a line end
        indent = len(token) - token.rindex("\n") - 1
        if self.previous.type in ("EQUAL", "COLON"):
            yield self.block_start(token, indent)
        elif indent > self.indents[-1]:
            yield from self.continuation(indent)
        else:
            yield from self.statement_end(token, indent)

    def block_start(self, token: Token, indent: int) -> Token:
        if indent <= self.indents[-1]:
            return self.mark(NO_BLOCK)
        if len(self.indents) > DEEPEST:
            return _retyped(token, TOO_DEEP)
        self.indents.append(indent)
        return self.mark("_INDENT")

    def continuation(self, indent: int) -> Iterator[Token]:
        """A deeper line goes on; after `where` at a line's end, each line is an item of a list."""
        assert self.previous is not None
        if self.previous.type == "_WHERE":
            self.list_indent = indent
        elif indent == self.list_indent and self.previous.type != "COMMA":
            yield self.mark("COMMA")

    def statement_end(self, token: Token, indent: int) -> Iterator[Token]:
        self.open.clear()
        self.list_indent = None
        yield self.mark("_NEWLINE")
        while indent < self.indents[-1] and len(self.indents) > 1:
            self.indents.pop()
            yield self.mark("_DEDENT")
        if indent != self.indents[-1]:
            yield _retyped(token, MISINDENT)

    def bars(self, token: Token) -> Iterator[Token]:
        """One bar, or the two that `||` is when a single bar is open: `|x||y|`."""
        if token == "||" and self.open[-1:] == ["_ABS_CLOSE"] and self.after_operand():
            for start in (0, 1):
                self.previous = self.bar(_part(token, start), "ABS")
                yield self.previous
        else:
            yield self.bar(token, "ABS" if token == "|" else "NORM")

    def bar(self, token: Token, kind: str) -> Token:
        closing = f"_{kind}_CLOSE"
        if self.open[-1:] == [closing] and self.after_operand():
            self.open.pop()
            return _retyped(token, closing)
        self.open.append(closing)
        return _retyped(token, f"_{kind}_OPEN")

    def after_operand(self) -> bool:
        return self.previous is not None and self.previous.type in ENDS_OPERAND

    def end(self) -> Iterator[Token]:
        if self.previous is None or not _CLOSING.isdisjoint(self.open):
            return
        if self.previous.type in ("EQUAL", "COLON"):
            yield self.mark(NO_BLOCK)
        yield self.mark("_NEWLINE")
        for _ in self.indents[1:]:
            yield self.mark("_DEDENT")

    def mark(self, kind: str) -> Token:
        """A token without text, placed at the last token so that spans end where the code ends."""
        assert self.previous is not None
        return Token.new_borrow_pos(kind, "", self.previous)


def _retyped(token: Token, kind: str) -> Token:
    return Token.new_borrow_pos(kind, str(token), token)


def _part(token: Token, start: int) -> Token:
    """One character of a token, at its own place."""
    at = (token.start_pos or 0) + start
    return Token(token.type, token[start], start_pos=at, end_pos=at + 1)
