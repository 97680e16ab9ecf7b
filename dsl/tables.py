"""The making of grammar.json: the parser's tables out of grammar.lark, as text.

    python -m dsl.tables    # after a change of grammar.lark, and for another release of Lark

Lark numbers the states differently each time. Here they are numbered in the order in which they are
reached, so that the same grammar gives the same text, with a line for each rule and each state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from lark.grammar import Rule
from lark.lexer import TerminalDef

from .grammar import SHIFT, Row, Stored, build, made_of


def tables() -> str:
    """The text of grammar.json."""
    data, memo = build().memo_serialize([TerminalDef, Rule])
    states, end = _in_order(data["parser"].pop("parser"))
    del data["options"]["postlex"]
    stored = Stored(made_of=made_of(), end=end, data=data, memo=[*memo.values()], states=states)
    return "{" + ",\n".join(f'"{key}":{_written(part)}' for key, part in stored.items()) + "}\n"


def _in_order(table: Mapping[str, Any]) -> tuple[list[Row], int]:
    """The rows of Lark's table, and the number of the state that accepts."""
    start, end = table["start_states"]["start"], table["end_states"]["start"]
    order, numbers, rows = [start], {start: 0}, list[Row]()
    for state in order:  # grows while it is walked
        actions = {table["tokens"][token]: each for token, each in table["states"][state].items()}
        rows.append({})
        for symbol, (kind, to) in sorted(actions.items()):
            if kind == SHIFT and to not in numbers:
                numbers[to] = len(order)
                order.append(to)
            rows[-1][symbol] = numbers[to] if kind == SHIFT else ~to["@"]
    return rows, numbers[end]


def _written(part: object) -> str:
    if not isinstance(part, list):
        return _line(part)
    lines = ",\n".join(map(_line, cast(list[object], part)))
    return f"[\n{lines}]"


def _line(part: object) -> str:
    return json.dumps(part, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


if __name__ == "__main__":
    Path(__file__).with_name("grammar.json").write_text(tables(), encoding="utf-8")
