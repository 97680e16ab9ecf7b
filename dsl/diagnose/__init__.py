"""Words for the place where the parser stopped: what is wrong there and what would be right."""

from __future__ import annotations

from lark import Token, UnexpectedCharacters, UnexpectedToken

from .. import layout
from ..errors import DslError, one_line, refuse
from ..limits import too_deep
from ..lines import Chunk
from ..span import Source
from .characters import wrong_character
from .failure import OPENING, Failure
from .habits import habit

_OPERATORS = ("PLUS", "TIMES", "SLASH", "COMPARE", "AND", "OR", "EQUAL", "CIRCUMFLEX", "DOT")
_STATEMENT_WORDS = ("DIM", "INPUT", "PARAM", "CONST", "REPEAT", "FROM", "IMPORT", "RETURN")
_RESERVED = ("FOR", "IN", "IF", "ELSE", "AND", "OR", "NOT", "_WHERE")
_STATEMENT_SIGNS = ("=", ":", "∈", "~")
_AFTER_OPERAND = frozenset(
    {"COMMA", "PLUS", "TIMES", "SLASH", "COMPARE", "PRIME", "CIRCUMFLEX", "SUPERSCRIPT"}
    | {"TRANSPOSE", "DOT"}
)
_PLACES = {
    "ℝ": "stands only in a shape: `x ∈ ℝ^n`",
    "∈": "says the shape of a name, in a declaration or after `where`",
    ":": "belongs to a declaration, an index or a loop",
    "~": "stands only in a `param`",
    "...": "stands only in an index or a shape",
    "_": "stands only in a shape",
}
_CLOSED_BY = {"(": ")", "[": "]"}


def diagnose(
    stop: UnexpectedToken | UnexpectedCharacters, source: Source, text: str, chunk: Chunk
) -> DslError:
    """The error for where the parser stopped.

    Its code is `incomplete` if the statement only ends too early, `unclosed` if a bracket is open
    at its end.
    """
    failure = _failure(stop, source, text, chunk)
    if not failure.kind:
        return wrong_character(failure)
    for rule in (
        _layout,
        _continuation,
        _open_above,
        _partial,
        habit,
        _closing,
        _line_start,
        _block,
        _too_early,
        _exponent,
        _word,
    ):
        if error := rule(failure):
            return error
    return failure.refuse(f"`{failure.token}` does not fit here")


def _failure(
    stop: UnexpectedToken | UnexpectedCharacters, source: Source, text: str, chunk: Chunk
) -> Failure:
    stack = stop.state.value_stack
    if isinstance(stop, UnexpectedCharacters):
        return Failure(source, text, chunk, "", chunk.start + stop.pos_in_stream, 1, stack)
    token = stop.token
    if token.type == "$END":
        return Failure(source, text, chunk, token.type, chunk.end, 0, stack)
    at = token.start_pos if token else token.end_pos  # a mark of the layout has no text
    return Failure(source, text, chunk, token.type, chunk.start + (at or 0), len(token), stack)


def _layout(failure: Failure) -> DslError | None:
    """What the layout marked."""
    match failure.kind:
        case layout.MISINDENT:
            end = failure.at + failure.length
            span = failure.span(failure.text.rfind("\n", 0, end) + 1, end)
            message = "this line is indented less than its block and more than the lines around it"
            return refuse(message, span, "the lines of a block begin in one column", "indent")
        case layout.NO_BLOCK:
            sign = failure.span(failure.at - 1, failure.at)
            hint = "indent the lines that belong to it"
            return refuse(f"nothing follows the `{sign.text}`", sign, hint, _code(failure))
        case layout.TOO_DEEP:
            return too_deep(failure.span(failure.at, failure.at + failure.length))
        case _:
            return None


def _code(failure: Failure) -> str:
    return "incomplete" if failure.is_at_end else "syntax"


def _continuation(failure: Failure) -> DslError | None:
    """A statement indented by mistake: it continues the line before and does not fit there."""
    *above, line = failure.before.split("\n")
    indent = len(line) - len(line.lstrip())
    is_statement = failure.token in _STATEMENT_SIGNS or failure.kind in _STATEMENT_WORDS
    if not is_statement or failure.open or not line[indent:][:1].isalpha():
        return None
    if loop := _no_colon(failure):
        return loop
    for back, other in enumerate(reversed(above), start=1):
        code = other.partition("#")[0].rstrip()
        if not code or len(code) - len(code.lstrip()) >= indent:
            continue
        if code[-1] in "=:":
            return None
        span = failure.span(failure.at - len(line) + indent, failure.at + failure.length)
        message = f"this line continues line {span.line - back}, because it is indented deeper"
        hint = "a statement of its own begins in the same column as the one before"
        return refuse(message, span, hint, "indent")
    return None


def _no_colon(failure: Failure) -> DslError | None:
    """`repeat 3` and `for i in x` without their colon."""
    words = [token for token in failure.tokens if token.type in ("REPEAT", "FOR")]
    if not words or failure.waiting_for("COLON") or isinstance(failure.stack[-1], Token):
        return None
    message = f"`{words[-1]}` needs a `:` at the end of its line"
    return refuse(message, failure.of(words[-1]), code=_code(failure))


def _open_above(failure: Failure) -> DslError | None:
    """A bracket that was not closed before the next statement."""
    brackets = [token for token in failure.open if token.type in OPENING]
    line = failure.line_before
    indent = len(line) - len(line.lstrip())
    if not brackets or failure.token not in _STATEMENT_SIGNS or indent > failure.chunk.indent:
        return None
    span = failure.of(brackets[-1])
    here = failure.span(failure.at, failure.at)
    if here.line == span.line:
        return None
    hint = f"line {here.line} begins a new statement: close the bracket before it"
    return refuse(f"`{span.text}` is never closed", span, hint, "bracket")


def _partial(failure: Failure) -> DslError | None:
    """`∂y` without `/∂x`, `∂²y`, `∇²f`."""
    last = failure.tokens[-1] if failure.tokens else None
    if last and last in ("∂", "∇") and failure.kind == "SUPERSCRIPT":
        hint = "second derivatives: `hessian(f, x)`"
        return failure.refuse(f"`{last}` has no powers", hint, "derivative")
    partials = [token for token in failure.tokens if token == "∂"]
    inner = failure.open[-1].start_pos if failure.open else -1
    if not partials or (partials[-1].start_pos or 0) < (inner or 0):
        return None
    start = failure.of(partials[-1]).start
    span = failure.span(start, start + len(failure.text[start : failure.at].rstrip()))
    hint = f"write `{one_line(span.text)}/∂x`" if len(partials) == 1 and len(span.text) > 1 else ""
    return refuse("a derivative is written `∂y/∂x`", span, hint, _code(failure))


def _closing(failure: Failure) -> DslError | None:
    """A closing bracket too many, of the wrong kind, or too early."""
    if failure.kind not in ("RPAR", "RSQB"):
        return None
    if not failure.open:
        return failure.refuse(f"`{failure.token}` closes nothing", code="bracket")
    opened = failure.open[-1]
    if _CLOSED_BY.get(opened) == failure.token:
        return failure.refuse(f"a value is missing before `{failure.token}`", code="bracket")
    message = f"`{opened}` is not closed before `{failure.token}`"
    return refuse(message, failure.of(opened), code="bracket")


def _line_start(failure: Failure) -> DslError | None:
    """A line that starts with `+`."""
    if failure.kind not in _OPERATORS or not failure.starts_line:
        return None
    hint = "indent the line, so that it continues the line before"
    return failure.refuse(f"a statement does not begin with `{failure.token}`", hint, "line-start")


def _block(failure: Failure) -> DslError | None:
    """Deeper lines after a `=` or `:` that opens no block."""
    if failure.kind != "_INDENT":
        return None
    sign = failure.span(failure.at - 1, failure.at)
    hint = "write what follows on the same line"
    return refuse(f"no block can follow this `{sign.text}`", sign, hint, "block")


def _too_early(failure: Failure) -> DslError | None:
    """The line or the text ends where more is due."""
    if not failure.ends:
        return None
    code = _code(failure)
    if failure.open:
        opened = failure.open[-1]
        code = "unclosed" if opened.type in OPENING and code == "incomplete" else code
        bars = "`||x||` is a norm; a choice is written `a or b`, a bar inside bars `abs(x)`"
        hint = bars if opened == "||" else ""
        return refuse(f"`{opened}` is never closed", failure.of(opened), hint, code)
    before = failure.text[: failure.at].rstrip()
    last = failure.tokens[-1] if failure.tokens else None
    length = len(last) if last and before.endswith(last) else 1
    span = failure.span(len(before) - length, len(before))
    if last and last.type == "IF":
        return refuse("`if` needs `else`", failure.of(last), code=code)
    if loop := _no_colon(failure):
        return loop
    return refuse(f"something is missing after `{span.text}`", span, code=code)


def _exponent(failure: Failure) -> DslError | None:
    """`x^√2`."""
    last = failure.stack[-1] if failure.stack else None
    if not isinstance(last, Token) or last.type not in ("CIRCUMFLEX", "MINUS"):
        return None
    if not failure.line_before.rstrip(" -").endswith("^"):
        return None
    hint = "write `x^(…)`"
    return failure.refuse("this exponent stands in round brackets", hint, "power")


def _word(failure: Failure) -> DslError | None:
    """A reserved word, or a sign that needs a neighbour."""
    token, last = failure.token, failure.stack[-1] if failure.stack else None
    if failure.kind in _RESERVED or failure.kind in _STATEMENT_WORDS:
        return failure.refuse(
            f"`{token}` is a reserved word and does not fit here", code="reserved"
        )
    if isinstance(last, Token) and last.type in (*_STATEMENT_WORDS, "FOR"):
        if failure.kind == "EQUAL" and failure.before.strip() == last:
            message = f"`{last}` begins a statement here"
            return refuse(message, failure.of(last), "choose another name", "reserved")
        return failure.refuse(f"a name is due after `{last}`")
    match failure.kind:
        case "NAME":
            return failure.refuse(f"a comma is missing before `{token}`", code="comma")
        case "SEMICOLON":
            return failure.refuse("a statement has a line of its own", code="line")
        case "TEXT":
            hint = 'text is an argument, as in `f(x, name="a")`'
            return failure.refuse("text does not fit here", hint, "text")
        case kind if kind in _AFTER_OPERAND:
            return failure.refuse(f"a value is missing before `{token}`", code="operand")
        case _ if token in _PLACES:
            return failure.refuse(f"`{token}` {_PLACES[token]}", code="place")
        case _:
            return None
