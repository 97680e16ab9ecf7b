"""Words for forms of other languages: `def f(x):`, `x**2`, `x += 1`, `'text'`, `y = x = 1`."""

from __future__ import annotations

import re

from ..errors import DslError, one_line, refuse
from .failure import Failure, operand_at_end, operand_at_start


def habit(failure: Failure) -> DslError | None:
    """The error for a form that is at home elsewhere, if the parser stopped at one."""
    return next((error for rule in _RULES if (error := rule(failure))), None)


def _definition(failure: Failure) -> DslError | None:
    """`def f(x): return e`, `class`, `while`."""
    text = failure.text[failure.chunk.start : failure.chunk.end]
    match = re.match(r"\s*(def|class|while|assert|try|with|del)\b(?! *[=(])", text)
    if not match:
        return None
    word = match[1]
    span = failure.span(failure.chunk.start + match.start(1), failure.chunk.start + match.end(1))
    if word != "def":
        loops = "the loops are `repeat` and `for`" if word == "while" else ""
        return refuse(f"`{word}` is not part of the language", span, loops, "python")
    head = re.match(r"\s*def\s+([^\s(]+ *\([^()]*\)) *:? *(?:return\b *)?([^\n#]*)", text)
    name, body = (head[1], head[2].strip()) if head else ("f(x)", "")
    return refuse(
        "a function needs no `def`", span, f"write `{name} = {body or '…'}`", "python-def"
    )


def _renamed(failure: Failure) -> DslError | None:
    """`import numpy as np`."""
    text = failure.text[failure.chunk.start : failure.chunk.end]
    if failure.token != "as" or not re.match(r"\s*(from|import)\b", text):
        return None
    hint = "an import keeps its names; the functions of the library need none"
    return failure.refuse("there is no `as`", hint, "python")


def _lambda(failure: Failure) -> DslError | None:
    match = re.search(r"\blambda +([^:\n]*):([^\n#]*)", failure.text[: failure.chunk.end])
    if not match or not failure.chunk.start <= match.start() < failure.at <= match.end():
        return None
    hint = f"give the function a name: `f({match[1].strip()}) = {match[2].strip() or '…'}`"
    span = failure.span(match.start(), match.start() + 6)
    return refuse("there is no `lambda`", span, hint, "python")


def _statement_if(failure: Failure) -> DslError | None:
    if failure.kind != "IF" or not failure.starts_line:
        return None
    hint = "as an expression: `a if c else b`, or element by element `where(c, a, b)`"
    return failure.refuse("`if` does not begin a statement", hint, "python")


def _double_sign(failure: Failure) -> DslError | None:
    """`x**2`, `x // 2`, `x += 1`, `x := 1`: the parser stops at one of two characters."""
    for start in (failure.at - 1, failure.at):
        pair = failure.text[max(start, 0) : start + 2]
        if pair in _DOUBLE:
            span = failure.span(start, start + 2)
            left = operand_at_end(failure.text[:start].rpartition("\n")[2]) or "x"
            rest = re.split(r"[#\n]", failure.text[start + 2 :], maxsplit=1)[0]
            is_whole = pair[1] == "=" and pair[0] not in "<>"  # `x += …` takes all of the line
            right = rest.strip() if is_whole else operand_at_start(rest)
            if is_whole and pair[0] in "-*/" and operand_at_start(rest) != right:
                right = f"({right})"
            meant = _DOUBLE[pair].format(x=left, y=right or "2")
            hint = f"write `{meant}`" + "; nothing is rounded" * (pair == "//")
            return refuse(f"`{pair}` is not a sign of the language", span, hint)
    return None


_DOUBLE = {
    "**": "{x}^{y}",
    "//": "{x} / {y}",
    "<>": "{x} != {y}",
    "=<": "{x} <= {y}",
    "=>": "{x} >= {y}",
    ":=": "{x} = {y}",
    **{f"{sign}=": f"{{x}} = {{x}} {sign} {{y}}" for sign in "+-*/"},
}


def _equals(failure: Failure) -> DslError | None:
    """`y = x = 1`, and `=` where `==` was meant."""
    if failure.kind != "EQUAL":
        return None
    if failure.open or failure.waiting_for("IF"):
        return failure.refuse("`=` cannot stand here", "to compare, write `==`", "equals")
    parts = [one_line(part) for part in re.split(r"(?<![<>=!])=(?!=)", failure.before)]
    if len(parts) < 2 or not failure.waiting_for("EQUAL"):
        return None
    value = failure.line_after.strip() or "…"
    hint = f"write `{parts[-1]} = {value}`, then `{parts[-2]} = {parts[-1]}`"
    return failure.refuse("a statement has one `=`", hint, "equals")


def _quotes(failure: Failure) -> DslError | None:
    """`f('gelu')`."""
    match = re.match(r"'([^'\n]*)'", failure.text[failure.at : failure.chunk.end])
    if failure.kind != "PRIME" or not match:
        return None
    span = failure.span(failure.at, failure.at + match.end())
    hint = f'write `"{match[1]}"`; a function is passed by its name: `{match[1] or "f"}`'
    return refuse(
        "`'` is the derivative or the transpose; text stands in `\"`", span, hint, "quotes"
    )


def _number_after(failure: Failure) -> DslError | None:
    """`normal(0 0.02)`, `x 2`."""
    if failure.kind not in ("NUMBER", "DIGITS"):
        return None
    if failure.open:
        return failure.refuse(
            "a comma is missing before this number", _with_commas(failure), "comma"
        )
    before = operand_at_end(failure.line_before)
    hint = f"write `{failure.token} {before}`" if before.isalpha() else ""
    hint = f"write `{before} * {failure.token}`" if before and not hint else hint
    message = "a number does not stand to the right of another factor"
    return failure.refuse(message, hint, "number")


def _with_commas(failure: Failure) -> str:
    """A hint with the innermost bracket and its commas."""
    start = failure.of(failure.open[-1]).start
    closing = re.compile(r"[^)\]\n]*[)\]]").match(failure.text, failure.at)
    if closing is None:
        return ""
    name = operand_at_end(failure.text[:start].rpartition("\n")[2])
    inside = failure.text[start : closing.end()]
    with_commas = re.sub(r"(?<=[^\s,;(\[]) +(?=[0-9.])", ", ", inside)
    return f"write `{name}{with_commas}`"


def _times(failure: Failure) -> DslError | None:
    """`a × b`, `ℝ^n×m`."""
    if failure.token != "×":
        return None
    domain = re.search(r"ℝ\^ *(\w+) *$", failure.line_before)
    sizes = re.match(r"[\w ×]*\w", failure.line_after)
    if domain and sizes:
        hint = f"write `ℝ^({domain[1]}×{sizes[0].strip()})`"
        return failure.refuse("several sizes stand in brackets", hint, "times")
    left, right = failure.operand_before, failure.operand_after or "y"
    hint = f"write `{left} * {right}` for elements, `{left} @ {right}` for matrices"
    return failure.refuse("`×` stands only between the sizes of ℝ", hint, "times")


def _plain_r(failure: Failure) -> DslError | None:
    """`x ∈ R^n`."""
    match = re.search(r"[:∈] *R *$", failure.line_before)
    size = re.match(r" *(\w+|\([^()\n]*\))", failure.line_after)
    if failure.token != "^" or not match or not size:
        return None
    at = failure.at - len(match[0]) + match[0].index("R")
    return refuse("`R` is not `ℝ`", failure.span(at, at + 1), f"write `ℝ^{size[1]}`", "kind")


def _underscore(failure: Failure) -> DslError | None:
    """`_x`."""
    name = re.match(r"\w+", failure.line_after)
    if failure.kind != "HOLE" or failure.line_after[:1].isspace() or not name:
        return None
    span = failure.span(failure.at, failure.at + 1 + name.end())
    plain = span.text.lstrip("_") or "x"
    return refuse("a name begins with a letter", span, f"write `{plain}`", "name")


_RULES = (
    _definition,
    _renamed,
    _lambda,
    _statement_if,
    _double_sign,
    _equals,
    _quotes,
    _number_after,
    _times,
    _plain_r,
    _underscore,
)
