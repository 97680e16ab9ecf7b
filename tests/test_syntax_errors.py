"""Broken programs, beside the transcript of what is said: what is offered parses, and the rest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dsl
from dsl import DslError
from tests.transcript import programs

FILE = Path(__file__).parent / "transcripts" / "syntax_errors.graph"
PROGRAMS = list(programs(FILE.read_text(encoding="utf-8")))


def error_of(text: str) -> DslError:
    with pytest.raises(DslError) as caught:
        dsl.parse(text)
    return caught.value


def test_the_transcript_is_read() -> None:
    assert len(PROGRAMS) > 100


UNSEEN = [
    ("y = a\N{ZERO WIDTH SPACE}b", "an invisible character: ZERO WIDTH SPACE", 6),
    ("y = a # \N{RIGHT-TO-LEFT OVERRIDE}", "an invisible character: RIGHT-TO-LEFT OVERRIDE", 9),
    ("y = \x0b", "an invisible character: U+000B", 5),
    ("\ty = 1", "a tab in the indentation", 1),
    ("f(x) =\n  \tx", "a tab in the indentation", 3),
]


@pytest.mark.parametrize("program, message, column", UNSEEN)
def test_what_nobody_sees_is_named(program: str, message: str, column: int) -> None:
    error = error_of(program)
    assert (error.message, error.span.column, len(error.span.text)) == (message, column, 1)


def parses(fragment: str) -> bool:
    """Whether a fragment parses by itself, as a shape, a sign or an item of `where`."""
    for frame in ("{}", "input x : {}", "a {} b", "y = e where {}"):
        try:
            dsl.parse(frame.format(fragment.replace("…", "0")))
        except DslError:
            continue
        return True
    return False


HELP = "".join(re.findall(r"^>   help: .*$", FILE.read_text(encoding="utf-8"), re.MULTILINE))
WORDS = {"=", "( )", "[ ]", ":", "repeat", "for", "not"}
OFFERS = sorted({*re.findall(r"`([^`]*)`", HELP)} - WORDS)


@pytest.mark.parametrize("offer", OFFERS)
def test_what_an_error_offers_parses(offer: str) -> None:
    assert parses(offer)


def test_an_offer_that_does_not_parse_would_be_found() -> None:
    assert "(1 / 2) (x - y)^2" in OFFERS
    assert not parses("1 / 2 (x - y)^2")


INCOMPLETE = [
    "y = softmax(",
    "y = softmax(Q @ K^T\n",
    "y = softmax(Q,\nK = 2",
    "m = [1, 2;\n3,",
    "y = a +",
    "y = a + # more to come",
    "y =",
    "f(x) =\n",
    "f(x) =\n    y = 2 x\n",
    "repeat 3:",
    "for i in range(n):\n    # soon",
    "repeat 3",
    "y = a if c",
    "y = |x",
    "dim",
    "x = 1\ny = x where",
    "param W : [d] ~",
]


@pytest.mark.parametrize("text", INCOMPLETE)
def test_a_text_that_ends_too_early_is_incomplete(text: str) -> None:
    assert error_of(text).code == "incomplete"


@pytest.mark.parametrize("text", [text for text in INCOMPLETE if "K = 2" not in text])
def test_the_same_text_is_wrong_when_a_statement_follows(text: str) -> None:
    assert error_of(f"{text}\ndim z\nw = 1").code != "incomplete"


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_wrong_program_is_not_incomplete(text: str) -> None:
    assert error_of(text).code != "incomplete"


def test_independent_errors_are_all_reported_in_order() -> None:
    text = "a = 1/2 x\nb = 3\nc = x**2\n\nd = f(x\ne = 4\nf(y) =\n    y' = 1\n    y\n"
    found = error_of(text).diagnostics
    assert [each.span.line for each in found] == [1, 3, 5, 8]


def test_at_most_five_errors_are_reported() -> None:
    assert len(error_of("x**2\n" * 9).diagnostics) == 5


def test_what_follows_an_open_bracket_is_not_blamed() -> None:
    found = error_of("y = f(a +\nb +\nc\nz = 1\nw = x**2").diagnostics
    assert [(each.message, each.span.line) for each in found] == [
        ("`(` is never closed", 1),
        ("`**` is not a sign of the language", 5),
    ]


def test_columns_are_those_of_the_text_as_typed() -> None:
    error = error_of("\ufeffx = 1\r\n# ∥\r\nŷ\N{NO-BREAK SPACE}− a’ ∗∗ 2\r\n")
    assert (error.span.line, error.span.column, error.span.text) == (3, 8, "∗∗")


def test_a_sum_of_200_terms_parses_and_one_of_201_is_too_deep() -> None:
    dsl.parse("y = " + "x + " * 196 + "x")
    assert error_of("y = " + "x + " * 200 + "x").code == "limit"


def test_a_text_of_more_than_a_million_characters_is_refused() -> None:
    assert error_of("x" * 1_000_001).code == "limit"
