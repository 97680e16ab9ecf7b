"""The grammar as an object: no conflicts, one parser, stored tables that are its own."""

from __future__ import annotations

import json
from importlib import import_module

import pytest
from lark import Lark
from lark.exceptions import GrammarError

from dsl import DslError, grammar, parse, tables
from dsl.grammar import GRAMMAR, TABLES, parser
from dsl.layout import Layout
from dsl.syntax import Program

PROGRAMS = (
    "y = x²",
    "input x : [n]\nf(a, k=2) =\n    b = a^k\n    |b|\ny = f(x)",
    "repeat 3:\n    x = ReLU(W x + b)",
    "y = (x",
    "y = x)",
    "y = x + \nz = 1 +* 2\nw = f(1, , 2)",
    "y = [1, 2",
    "x ** 2",
    "y = x $ 2",
    "f(x) =\ny = 1",
    "for i in:\n    x",
    "∑ i y",
    "y = 1 if x",
    "param W [n, d]",
)

MAKE = "run `python -m dsl.tables` and commit dsl/grammar.json"
TEXT = GRAMMAR.read_text(encoding="utf-8")


def strict(text: str) -> Lark:
    return Lark(text, parser="lalr", strict=True, postlex=Layout())


def test_the_grammar_has_no_conflicts() -> None:
    strict(TEXT)


def test_the_check_for_conflicts_would_find_one() -> None:
    ambiguous = TEXT.replace("?either: both", "?either: both | both both")
    assert ambiguous != TEXT
    with pytest.raises(GrammarError, match="conflict"):
        strict(ambiguous)


def test_the_parser_is_built_once() -> None:
    assert parser() is parser()


@pytest.fixture(scope="module")
def built() -> Lark:
    return grammar.build()


def is_loaded(lark: Lark) -> bool:
    return lark.source_path == "<deserialized>"


def test_the_stored_tables_are_made_of_this_grammar() -> None:
    stored = json.loads(TABLES.read_text(encoding="utf-8"))["made_of"]
    assert stored[1] == grammar.made_of()[1], MAKE


def test_the_stored_tables_are_those_of_the_grammar_and_are_used() -> None:
    stored = TABLES.read_text(encoding="utf-8")
    if json.loads(stored)["made_of"][0] != grammar.made_of()[0]:
        pytest.skip("they are made with another release of Lark")
    assert stored == tables.tables(), MAKE
    assert is_loaded(parser())


def told(text: str) -> Program | str:
    """The syntax tree of a text, or its errors as a user reads them."""
    try:
        return parse(text)
    except DslError as error:
        return f"{error.code}\n{error}"


@pytest.mark.parametrize("text", PROGRAMS)
def test_the_loaded_parser_reads_and_complains_as_the_built_one(
    text: str, built: Lark, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_tables = told(text)
    monkeypatch.setattr(import_module("dsl.parse"), "parser", lambda: built)
    assert told(text) == by_tables


def test_both_parsers_place_every_tree_at_the_same_characters(built: Lark) -> None:
    text = "f(x : [n]) =\n    y = |x|^2 if x' < 1 else [1:, ½]\n    ∇_W y z"
    one, other = parser().parse(text), built.parse(text)
    assert one == other
    assert [vars(tree.meta) for tree in one.iter_subtrees()] == [
        vars(tree.meta) for tree in other.iter_subtrees()
    ]


@pytest.mark.parametrize("at", [0, 1], ids=["Lark", "grammar"])
def test_tables_made_of_another_are_not_used(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    other = grammar.made_of()
    other[at] = "another"
    monkeypatch.setattr(grammar, "made_of", lambda: other)
    assert not is_loaded(parser.__wrapped__())
