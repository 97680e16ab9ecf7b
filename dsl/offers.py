"""What an error offers in the place of what was written, so that it can stand there."""

from __future__ import annotations

from .span import Span

_LOOSE = "+-<>≤≥≠="
_BEFORE, _AFTER = f"([,;:~\n{_LOOSE}", f")],;#\n!*@/·⊙{_LOOSE}"  # operators group to the left


def in_place(span: Span, offer: str) -> str:
    """The offer, in brackets where what is next to it binds tighter: `z * x y`, `z * (x ⊙ y)`.

    >>> from dsl.span import Source
    >>> line = Source.of("y = A^-1 b + c^-1")
    >>> in_place(line.span(4, 8), "1/A"), in_place(line.span(13, 17), "1/c")
    ('(1/A)', '1/c')
    """
    text = span.source.text
    before, after = text[: span.start].rstrip(" ")[-1:], text[span.end :].lstrip(" ")[:1]
    return offer if before in _BEFORE and after in _AFTER else f"({offer})"
