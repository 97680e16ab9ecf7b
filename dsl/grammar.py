"""The parser, out of tables that were made once of grammar.lark and are kept beside it.

grammar.json says what it was made of: the release of Lark and the digest of the grammar. Where one
of them is another, the parser is built out of the grammar: the same one, ten times as slowly.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias, TypedDict

import lark
from lark import Lark

from .layout import Layout

GRAMMAR = files("dsl").joinpath("grammar.lark")
TABLES = files("dsl").joinpath("grammar.json")

# What to do at each symbol: n goes to state n, ~n reduces by the rule that has number n in `memo`.
Row: TypeAlias = dict[str, int]
SHIFT, REDUCE = 0, 1  # as Lark writes them


class Stored(TypedDict):
    """Lark's own serialisation but for the states; the first is number 0, `end` the accepting."""

    made_of: list[str]
    end: int
    data: dict[str, Any]
    memo: list[object]
    states: list[Row]


@cache
def parser() -> Lark:
    """The parser, loaded at the first use."""
    stored: Stored = json.loads(TABLES.read_text(encoding="utf-8"))
    return load(stored) if stored["made_of"] == made_of() else build()


def build() -> Lark:
    """The parser out of the grammar."""
    grammar = GRAMMAR.read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, postlex=Layout())


def load(stored: Stored) -> Lark:
    """The parser out of its tables."""
    data, states = stored["data"], stored["states"]
    table = {
        "tokens": {symbol: symbol for row in states for symbol in row},
        "states": {n: _actions(row) for n, row in enumerate(states)},
        "start_states": {"start": 0},
        "end_states": {"start": stored["end"]},
    }
    data = {
        **data,
        "options": {**data["options"], "postlex": Layout()},
        "parser": {**data["parser"], "parser": table},
    }
    return Lark.load({"data": data, "memo": dict(enumerate(stored["memo"]))})


def made_of() -> list[str]:
    """The release of Lark and the digest of the grammar."""
    return [lark.__version__, hashlib.sha256(GRAMMAR.read_bytes()).hexdigest()]


def _actions(row: Row) -> dict[str, tuple[int, object]]:
    return {symbol: (SHIFT, to) if to >= 0 else (REDUCE, {"@": ~to}) for symbol, to in row.items()}
