"""Errors as data, and their layout as text."""

from __future__ import annotations

import pickle

import pytest

from dsl import DslError
from dsl.errors import CallSite, Diagnostic, Operand, display_width, join, one_line, refuse
from dsl.span import Source, Span


def span_of(text: str, part: str, name: str = "cell") -> Span:
    return Source.of(text, name).span(text.index(part), text.index(part) + len(part))


PRODUCT = Diagnostic(
    "cannot multiply [B, T, d] by [B, T, d]: the inner sizes are d and T",
    span_of("dim d\n\ns = softmax(Q @ K / √d)", "Q @ K"),
    "the last axes agree: did you mean `Q @ K^T`?",
    "shape",
    operands=(Operand("left", "Q", "[B, T, d]"), Operand("right", "K", "[B, T, d]")),
)


def test_an_error_is_laid_out_as_in_the_language() -> None:
    expected = """
error: cannot multiply [B, T, d] by [B, T, d]: the inner sizes are d and T
    left : Q                        [B, T, d]
    right: K                        [B, T, d]
  cell:3:13
    3 | s = softmax(Q @ K / √d)
      |             ^^^^^
  help: the last axes agree: did you mean `Q @ K^T`?
"""
    assert str(DslError(PRODUCT)) == expected.strip()


def test_an_error_without_operands_and_hint_is_four_lines() -> None:
    error = refuse("too large", span_of("y = 1e400", "1e400", name="demo"))
    expected = """
error: too large
  demo:1:5
    1 | y = 1e400
      |     ^^^^^
"""
    assert str(error) == expected.strip()


def test_the_call_chain_is_shown_innermost_first() -> None:
    error = refuse("no", span_of("y = x", "x", "prelude"))
    outer = Source.of("\n\nz = block(f(X))", "cell")
    error = error.within(CallSite("f", outer.span(12, 16)))
    error = error.within(CallSite("block", outer.span(6, 17)))
    assert [call.span.label for call in error.diagnostics[0].calls] == ["cell:3:11", "cell:3:5"]
    assert str(error).splitlines()[4:] == [
        "  in `f`, called at cell:3:11",
        "    3 | z = block(f(X))",
        "  in `block`, called at cell:3:5",
        "    3 | z = block(f(X))",
    ]


def test_notes_stand_before_the_help() -> None:
    error = DslError(Diagnostic("m", span_of("x", "x"), "h", notes=("n1", "n2")))
    assert str(error).splitlines()[-3:] == ["  note: n1", "  note: n2", "  help: h"]


CARETS = [
    ("y\u0302 = x", "x", "    ^"),  # a combining accent takes no column
    ("名 = x", "x", "     ^"),  # a wide character takes two
    ("a名b", "名", " ^^"),
    ("\tx", "x", "\t^"),  # a tab stays a tab, so the caret stays below
    ("a\u200bb", "b", "  ^"),  # what cannot be seen is shown as a replacement character
    ("x", "", "^"),
    ("f(a,\n  b)", "(a,\n  b)", " ^^^"),
]


@pytest.mark.parametrize("text, part, carets", CARETS)
def test_carets_stand_under_what_is_meant(text: str, part: str, carets: str) -> None:
    shown = str(refuse("m", span_of(text, part))).splitlines()
    assert shown[3] == f"      | {carets}"


def test_what_a_terminal_cannot_show_is_replaced() -> None:
    assert "1 | a\ufffdb\ufffd" in str(refuse("m", span_of("a\x07b\ud800", "a")))


def test_display_width_counts_columns() -> None:
    assert [display_width(text) for text in ("", "ab", "é", "e\u0301", "名", "√‖")] == [
        0,
        2,
        1,
        1,
        2,
        2,
    ]


def test_several_errors_are_one_in_the_order_of_the_text() -> None:
    text = "abcdefg"
    source = Source.of(text)
    errors = [refuse(char, source.span(at, at + 1)) for at, char in enumerate(text)]
    joined = join(errors[::-1])
    assert [each.message for each in joined.diagnostics] == list("abcde")
    assert (joined.message, joined.span.text, joined.hint, joined.code) == ("a", "a", "", "syntax")
    assert str(joined).count("error: ") == 5


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(DslError(PRODUCT, PRODUCT)))
    assert str(error) == str(DslError(PRODUCT, PRODUCT))


def test_a_quoted_expression_is_one_line_without_comments() -> None:
    assert one_line("f(a,  # first\n   b)") == "f(a, b)"
    assert len(one_line("x + " * 100)) < 100


def test_a_span_knows_its_text_and_its_place() -> None:
    source = Source.of("\ufeffa\r\nbc\rd", "demo")
    assert source.text == "a\nbc\nd"
    span = source.span(2, 3).to(source.span(3, 4))
    assert (span.text, span.line, span.column, span.label) == ("bc", 2, 1, "demo:2:1")
    assert [source.line(number) for number in (1, 2, 3)] == ["a", "bc", "d"]
    assert source.position(len(source.text)) == (3, 2)
    assert CallSite("f", span).span == source.span(2, 4)
