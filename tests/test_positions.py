"""Look-alikes and positions: a column is a column of the text as typed."""

from __future__ import annotations

import unicodedata

import pytest

import dsl
from dsl import syntax as s
from dsl.glyphs import LOOK_ALIKES, normalise
from dsl.syntax import Syntax, children


@pytest.mark.parametrize("char", LOOK_ALIKES)
def test_a_look_alike_takes_one_column(char: str) -> None:
    assert len(normalise(char)) == len(char) == 1
    assert unicodedata.name(char) != unicodedata.name(normalise(char))


def test_look_alikes_mean_what_they_look_like() -> None:
    typed = "y\u00a0= f’(ϵ) − “a” ∗ ‖x∥"
    assert dsl.parse(typed) == dsl.parse('y = f\'(ε) - "a" * ‖x‖')


def spans(text: str) -> list[str]:
    """What every node of a text spans, parents first."""
    order: list[Syntax] = list(dsl.parse(text).statements)
    for node in order:
        order.extend(children(node))
    return [node.span.text for node in order]


def test_a_span_is_the_text_as_typed() -> None:
    assert spans("ŷ₁ = (a − b)² X^T")[1:] == [
        "ŷ₁",
        "(a − b)² X^T",
        "(a − b)² X^T",
        "(a − b)²",
        "X^T",
        "(a − b)",
        "²",
        "X",
        "a",
        "b",
    ]


def test_positions_count_lines_and_columns_from_one_through_bom_crlf_and_look_alikes() -> None:
    program = dsl.parse("\ufeffx = 1\r\n\r\nŷ\u00a0= a − bb", name="demo")
    last = program.statements[1]
    assert isinstance(last, s.Assign)
    value = last.body.values[0]
    assert isinstance(value, s.Binary)
    assert value.right.span.label == "demo:3:9"
    assert program.span.source.line(3) == "ŷ\u00a0= a − bb"
