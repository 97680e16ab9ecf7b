"""Words for a character that starts no token: what it is, and what was meant."""

from __future__ import annotations

import re

from ..errors import DslError, refuse
from ..glyphs import TEX, character_name, lowered_letter, meant_letter, raised_letter
from .failure import Failure, operand_at_end

_WORD = re.compile(r"[^\W\d]+")
_TEXT = re.compile(r'"[^"\n]*')


def wrong_character(failure: Failure) -> DslError:
    """The error for the character at which the lexer stopped."""
    for rule in (_command, _backslash, _brace, _script, _letter, _text, _logic):
        if error := rule(failure):
            return error
    char = failure.token
    return failure.refuse(
        f"`{char}` ({character_name(char)}) is not part of the language", code=_CODE
    )


_CODE = "character"


def _command(failure: Failure) -> DslError | None:
    """`%timeit x` and `!ls`."""
    if failure.token not in "%!" or not failure.starts_line:
        return None
    word = re.match(r"\w*", failure.line_after)
    end = failure.at + 1 + (word.end() if word else 0)
    span, what = failure.span(failure.at, end), "a magic" if failure.token == "%" else "a command"
    whose = "IPython" if failure.token == "%" else "the shell"
    message = f"`{span.text}` is {what} of {whose}, not a statement of the language"
    return refuse(message, span, "put it into a cell of its own", "command")


def _backslash(failure: Failure) -> DslError | None:
    if failure.token != "\\":
        return None
    word = _WORD.match(failure.line_after)
    if word and word[0] in TEX:
        span = failure.span(failure.at, failure.at + 1 + word.end())
        return refuse(
            f"`{span.text}` is TeX", span, f"type the sign itself: `{TEX[word[0]]}`", _CODE
        )
    left, right = operand_at_end(failure.line_before), failure.operand_after
    if left and right:
        hint = f"write `solve({left}, {right})`"
        return failure.refuse(r"there is no left division `\`", hint, _CODE)
    hint = "a line goes on inside brackets, and over lines that are indented deeper"
    return failure.refuse(r"`\` is not part of the language", hint, _CODE)


def _brace(failure: Failure) -> DslError | None:
    """`x^{2n}`, `x_{i}`, and braces elsewhere."""
    if failure.token not in "{}":
        return None
    inner = re.match(r"([^{}\n]*)\}", failure.text[failure.at + 1 : failure.chunk.end])
    base = operand_at_end(failure.line_before.rstrip("^ ")) or "x"
    if inner and failure.before.endswith("^"):
        hint = f"write `{base}^({inner[1]})`"
        return failure.refuse("an exponent stands in round brackets", hint, _CODE)
    return failure.refuse("there are no braces", "group with `( )`, list with `[ ]`", _CODE)


def _letter(failure: Failure) -> DslError | None:
    """A Cyrillic А that looks like a Latin A, a bold 𝐱."""  # noqa: RUF002 they are the point
    meant = meant_letter(failure.token)
    if meant is None:
        return None
    message = f"`{failure.token}` is {character_name(failure.token)}"
    return failure.refuse(message, f"did you mean `{meant}`?", _CODE)


def _script(failure: Failure) -> DslError | None:
    """`xⁿ`, `xᵢ`."""
    raised, lowered = raised_letter(failure.token), lowered_letter(failure.token)
    base = failure.operand_before
    if raised:
        return failure.refuse(
            f"`{failure.token}` cannot be an exponent", f"write `{base}^{raised}`", _CODE
        )
    if lowered:
        hint = f"write `{base}_{lowered}` for a name, `{base}[{lowered}]` for an element"
        return failure.refuse(f"`{failure.token}` cannot be part of a name", hint, _CODE)
    return None


def _text(failure: Failure) -> DslError | None:
    if failure.token != '"':
        return None
    match = _TEXT.match(failure.text, failure.at)
    end = match.end() if match else failure.at + 1
    return refuse('the text has no closing `"`', failure.span(failure.at, end), code=_CODE)


def _logic(failure: Failure) -> DslError | None:
    word = {"&": "and", "!": "not"}.get(failure.token)
    if word is None:
        return None
    return failure.refuse(
        f"`{failure.token}` is not part of the language", f"write `{word}`", _CODE
    )
