"""Parsing: text to syntax tree, or a DslError that names every independent error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice

from lark import UnexpectedCharacters, UnexpectedToken

from .diagnose import diagnose
from .errors import MOST_REPORTED, DslError, join, refuse
from .glyphs import character_name, is_invisible, normalise
from .grammar import parser
from .lines import Chunk, chunks
from .rules import build
from .span import Source
from .syntax import Program, Show, Statement, Wrong
from .unread import wrong

MOST_CHARACTERS = 1_000_000
MOST_WORDS = 50_000

_WORD = re.compile(r"#[^\n]*|(\"[^\"\n]*\"?|\w+|[^\w\s#])")
_SUSPECT = re.compile(r"(?m:^ *(\t)[ \t]*(?=\S))|[^\n -~]")


def parse(text: str, name: str = "cell") -> Program:
    """The syntax tree of a program; `name` is what error messages call the text.

    >>> parse("y = x²").statements[0].targets[0].text
    'y'

    Raises DslError with up to five errors. Its code is `incomplete` if the text is the beginning
    of a program that only ends too early.
    """
    tree = _tree(_source(text, name))
    if errors := errors_of(tree):
        raise join(errors)
    return tree


def read(text: str, name: str = "cell") -> Program:
    """As `parse`, but a statement that cannot be read stands in the tree as `Wrong`.

    Whoever lowers the tree then tells the errors of the other statements too. Raises DslError for
    a text that only ends too early.
    """
    tree = _tree(_source(text, name))
    if any(error.code == "incomplete" for error in errors_of(tree)):
        raise join(errors_of(tree))
    return tree


def errors_of(tree: Program) -> list[DslError]:
    """The errors of the statements that could not be read."""
    return [each.error for each in tree.statements if isinstance(each, Wrong) and each.error]


@cache
def _name() -> re.Pattern[str]:
    return re.compile(parser().get_terminal("NAME").pattern.to_regexp())


def is_name(text: str) -> bool:
    """Whether a program can call something so.

    >>> is_name("W_q"), is_name("2d"), is_name("for")
    (True, False, False)
    """
    return _name().fullmatch(text) is not None


def is_path(text: str) -> bool:
    """Whether a parameter can be called so: names and numbers with dots between them."""
    return all((part.isdecimal() and part.isascii()) or is_name(part) for part in text.split("."))


def _source(text: str, name: str) -> Source:
    source = Source.of(text, name)
    if len(source.text) > MOST_CHARACTERS:
        hint = "a program may have a million characters"
        raise refuse("this text is too long", source.span(0, 0), hint, "limit")
    words = (match for match in _WORD.finditer(source.text) if match[1])
    if last := next(islice(words, MOST_WORDS, None), None):
        hint = f"a program may have {MOST_WORDS:,} words and signs; put parts into modules"
        raise refuse("this text is too long", source.span(*last.span()), hint, "limit")
    return source


def _tree(source: Source) -> Program:
    """The statements of a source, those that cannot be read as their errors."""
    unseen = list(islice(_unseen(source), MOST_REPORTED))
    found: list[Statement] = [wrong("", error.span, error) for error in unseen]
    count = len(unseen)
    text = normalise(source.text)
    pieces = chunks(text)
    open_above = False
    for at, chunk in enumerate(pieces):
        if count >= MOST_REPORTED:
            break
        span = source.span(chunk.start, chunk.end)
        if any(span.start <= error.span.start < span.end for error in unseen):
            found.append(wrong(span.text, span, None))
            continue
        try:
            read = _statement(source, text, chunk, pieces[0].indent)
            open_above = open_above and isinstance(read[0], Show)
            found += [wrong("", span, None)] if open_above else read
        except DslError as error:  # what follows an open bracket was perhaps meant to be inside it
            told = None if open_above else _with_its_code(error, source, text, pieces[at:])
            found.append(wrong(span.text, span, told))
            count += told is not None
            open_above = open_above or error.code == "unclosed"
    found.sort(key=lambda each: each.span.start)
    return Program(tuple(found), span=source.span(0, len(source.text)))


def _statement(source: Source, text: str, chunk: Chunk, indent: int) -> tuple[Statement, ...]:
    if chunk.indent < indent:
        span = source.span(chunk.start, chunk.start + chunk.indent + 1)
        hint = "all statements begin in the same column"
        raise refuse("this line is indented less than the first", span, hint, "indent")
    try:
        tree = parser().parse(text[chunk.start : chunk.end])
    except (UnexpectedToken, UnexpectedCharacters) as stop:
        raise diagnose(stop, source, text, chunk) from None
    return build(source, chunk.start, tree)


def _with_its_code(error: DslError, source: Source, text: str, pieces: list[Chunk]) -> DslError:
    """The error of the first piece; only what ends with the text can be incomplete."""
    first, last = pieces[0], pieces[-1]
    if error.code == "unclosed":
        rest = Chunk(first.start, last.end, first.indent)
        return _coded(error, "incomplete" if _is_open(source, text, rest) else "bracket")
    return _coded(error, "syntax") if error.code == "incomplete" and first != last else error


def _is_open(source: Source, text: str, chunk: Chunk) -> bool:
    """Whether the text ends inside a bracket and everything in it may stand there."""
    try:
        _statement(source, text, chunk, chunk.indent)
    except DslError as error:
        return error.code == "unclosed"
    return False


def _coded(error: DslError, code: str) -> DslError:
    return DslError(*(replace(each, code=code) for each in error.diagnostics))


def _unseen(source: Source) -> Iterator[DslError]:
    """Tabs in the indentation and characters that nobody sees, comments included."""
    for match in _SUSPECT.finditer(source.text):
        if match[1]:
            span = source.span(match.start(1), match.end(1))
            yield refuse("a tab in the indentation", span, "indent with spaces", "character")
        elif is_invisible(match[0]) and match[0] != "\t":
            span = source.span(match.start(), match.end())
            message = f"an invisible character: {character_name(match[0])}"
            yield refuse(message, span, "delete it", "character")
