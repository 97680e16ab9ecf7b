"""What is wrong, where, and the way out: errors as data, worded once by the layer that knows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .span import Span

MOST_REPORTED = 5
LONGEST_QUOTE = 100
LONGEST_LINE = 200
LONGEST_MESSAGE = 2_000


@dataclass(frozen=True)
class Operand:
    """One side of what failed: `left : Q   [B, T, d]`."""

    role: str
    text: str
    shape: str


@dataclass(frozen=True)
class CallSite:
    """A link of the call chain: the function and where it was called."""

    function: str
    span: Span

    @property
    def words(self) -> str:
        """As the chain tells it."""
        return f"in `{self.function}`, called at {self.span.label}"


@dataclass(frozen=True)
class Pass:
    """A link of the call chain: a pass of the loop that stands at `span`, the first being 0."""

    number: int
    span: Span

    @property
    def words(self) -> str:
        """As the chain tells it."""
        return f"in pass {self.number}, counted from 0, of the loop at {self.span.label}"


Link = CallSite | Pass


@dataclass(frozen=True)
class Diagnostic:
    """One error or lint: the fact, the place, the way out.

    `code` is a stable word for programs (`incomplete`: the text ends too early), of a lint its
    number (`W1`). `calls` is the chain of calls, and of passes of loops, that led here, innermost
    first.
    """

    message: str
    span: Span
    hint: str = ""
    code: str = "syntax"
    operands: tuple[Operand, ...] = ()
    notes: tuple[str, ...] = ()
    calls: tuple[Link, ...] = ()

    @property
    def title(self) -> str:
        """What its first line begins with: `error`, or `warning W1`."""
        return f"warning {self.code}" if self.code.startswith("W") else "error"

    def __str__(self) -> str:
        return render(self)


class DslError(Exception):
    """One or more errors of a program; the attributes speak of the first, `str` shows all."""

    def __init__(self, first: Diagnostic, *others: Diagnostic) -> None:
        super().__init__(first, *others)
        self.diagnostics = (first, *others)

    @property
    def message(self) -> str:
        """What is wrong, in one line."""
        return self.diagnostics[0].message

    @property
    def span(self) -> Span:
        """Where, in the text as typed."""
        return self.diagnostics[0].span

    @property
    def hint(self) -> str:
        """The way out, or an empty string."""
        return self.diagnostics[0].hint

    @property
    def code(self) -> str:
        """A stable word for the kind of error."""
        return self.diagnostics[0].code

    def within(self, link: Link) -> DslError:
        """The same errors with one more link of the chain that led to them."""
        return DslError(*(replace(d, calls=(*d.calls, link)) for d in self.diagnostics))

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.diagnostics))


def refuse(message: str, span: Span, hint: str = "", code: str = "syntax") -> DslError:
    """An error with one diagnostic, to be raised."""
    return DslError(Diagnostic(message, span, hint, code))


def join(errors: Iterable[DslError]) -> DslError:
    """Several errors as one, in the order of the text, at most five of them."""
    found = [each for error in errors for each in error.diagnostics]
    found.sort(key=lambda each: each.span.start)
    return DslError(*found[:MOST_REPORTED])


def two_readings(span: Span, rewrites: tuple[str, str]) -> DslError:
    """The error for a form that two people read differently; each rewrite says one reading."""
    first, second = rewrites
    message = f"`{one_line(span.text)}` can be read two ways"
    return refuse(message, span, f"write `{first}` or `{second}`", "ambiguous")


def one_line(text: str) -> str:
    """The text on one line, without comments, and without the middle if it is long."""
    line = " ".join(" ".join(part.partition("#")[0] for part in text.split("\n")).split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:50]} … {line[-40:]}"


def render(error: Diagnostic) -> str:
    """The error as plain text: fact, operands, place with a caret line, calls, notes, way out."""
    return "\n".join(_lines(error))


def display_width(text: str) -> int:
    """How many columns a text takes: 0 for combining accents, 2 for wide characters."""
    return sum(_char_width(char) for char in text)


def _lines(error: Diagnostic) -> Iterator[str]:
    yield f"{error.title}: {_cut(error.message)}"
    yield from _operand_lines(error.operands)
    yield f"  {error.span.label}"
    yield from _source_lines(error.span)
    yield from _call_lines(error.calls)
    yield from (f"  note: {_cut(note)}" for note in error.notes)
    if error.hint:
        yield f"  help: {_cut(error.hint)}"


def _cut(text: str) -> str:
    """The text, of one that nobody would read to its end the beginning."""
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} …"


def _call_lines(calls: tuple[Link, ...]) -> Iterator[str]:
    """The chain of calls, of a long one its ends."""
    for place, call in enumerate(calls):
        if 3 <= place < len(calls) - 3:
            if place == 3:
                yield f"  … {len(calls) - 6} more calls …"
            continue
        yield f"  {call.words}"
        yield f"    {call.span.line} | {_line_of(call.span)[0]}"


def _operand_lines(operands: tuple[Operand, ...]) -> Iterator[str]:
    roles = max((display_width(each.role) for each in operands), default=0)
    texts = max((display_width(one_line(each.text)) for each in operands), default=0)
    for each in operands:
        role, text = _pad(each.role, roles), _pad(one_line(each.text), max(texts, 23))
        yield f"    {role}: {text}  {each.shape}".rstrip()


def _source_lines(span: Span) -> Iterator[str]:
    """The first line of the span, and carets under the part of it that the span covers."""
    number, (line, start) = str(span.line), _line_of(span)
    before, inside = line[:start], line[start:][: span.end - span.start]
    padding = "".join(c if c == "\t" else " " * _char_width(c) for c in before)
    yield f"    {number} | {line}".rstrip()
    yield f"    {' ' * len(number)} | {padding}{'^' * max(1, display_width(inside))}"


def _line_of(span: Span) -> tuple[str, int]:
    """The source line, of a long one the part around the span, and where the span begins in it.

    Characters that no terminal can show are replaced one for one.
    """
    line, start = span.source.line(span.line), span.column - 1
    cut = max(0, start - LONGEST_LINE // 2) if len(line) > LONGEST_LINE else 0
    part = line[cut : cut + LONGEST_LINE]
    shown = "".join(c if c == "\t" or _is_visible(c) else "\ufffd" for c in part)
    return shown, start - cut


def _is_visible(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


def _char_width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _pad(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))
