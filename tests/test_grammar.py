"""The grammar as an object: no conflicts, one parser, positions that are true."""

from __future__ import annotations

from importlib.resources import files

import pytest
from lark import Lark
from lark.exceptions import GrammarError

from dsl.layout import Layout
from dsl.parse import parser

GRAMMAR = files("dsl").joinpath("grammar.lark").read_text(encoding="utf-8")


def strict(grammar: str) -> Lark:
    return Lark(grammar, parser="lalr", strict=True, postlex=Layout())


def test_the_grammar_has_no_conflicts() -> None:
    strict(GRAMMAR)


def test_the_check_for_conflicts_would_find_one() -> None:
    ambiguous = GRAMMAR.replace("?either: both", "?either: both | both both")
    assert ambiguous != GRAMMAR
    with pytest.raises(GrammarError, match="conflict"):
        strict(ambiguous)


def test_the_parser_is_built_once() -> None:
    assert parser() is parser()
