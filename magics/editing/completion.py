"""Tab in a `%%graph` cell and a `%graph` line: names of the session, verbs, flags, signs.

What is ours is answered by us alone: Python's names are none of the language.
"""

from __future__ import annotations

from argparse import Action
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from magics.editing.place import Place, place
from magics.verbs import VERBS, find

if TYPE_CHECKING:
    from dsl import Program
    from magics.complete import Completion, Known

_SHORT = 16  # letters that menus have room for
_FREE = ("N", "X", "SIZES", "INDEX")  # what no list of words can tell
_PYTHON = ("FILE", "PROMPT", "LABELS", "NAME … FILE")  # what IPython completes itself


def answer(magics: Any, text: str, cursor: int) -> list[Completion] | None:
    """What can stand at the cursor of a cell of a notebook, None where that is not ours to say.

    It is never empty: where nothing can be offered, what is typed stays, so that nobody else is
    asked. Raises nothing.
    """
    at = place(text, cursor)
    if at is None:
        return None
    from magics.complete import Completion

    shift = cursor - at.cursor
    try:
        found = _answer(magics, at)
    except Exception:  # noqa: BLE001  a Tab is no place for a traceback
        found = []
    if found is None:
        return None
    typed = text[:cursor].split()[-1:] if text[:cursor].rstrip() == text[:cursor] else []
    stays = [Completion(cursor - len(word), word) for word in typed or [""]]
    return [replace(each, start=each.start + shift) for each in found] or stays


def kind(each: Completion) -> str:
    """What it is, where a menu has room for that; the terminal shows a function with brackets."""
    if each.what.startswith(f"{each.text}("):
        return "function"
    return each.what if len(each.what) <= _SHORT else ""


def _answer(magics: Any, at: Place) -> list[Completion] | None:
    from magics.complete import chosen, completions

    if at.kind == "cell":
        return completions(at.text, at.cursor, written_too(known(magics), at.text, at.cursor))
    *words, _ = at.text[: at.cursor].split(" ")
    words = [word for word in words if word]
    if at.kind == "head":
        possible = options(magics.build.parser, words, magics)
    elif words:
        possible = options(_parser(words[0]), words[1:], magics) if words[0] in VERBS else {}
    else:
        possible = {verb: usage.what for verb, usage in VERBS.items()}
    return None if possible is None else chosen(at.text, at.cursor, possible)


def _parser(verb: str) -> Any:
    function: Any = find(verb)
    return function.parser


def known(magics: Any) -> Known:
    """What the next cell of a session can use; a session that has not begun stays so."""
    from magics.complete import Known

    return Known.of(magics.program)


def written_too(names: Known, text: str, cursor: int) -> Known:
    """The names with those that the cell itself has, but for the one that is being typed."""
    from dsl.tokens import tokens
    from magics.complete import in_shape

    values, sizes = dict[str, str](), dict[str, str]()
    line, end = list[str](), 0
    for token in tokens(text):
        word = text[token.start : token.end]
        line = [] if "\n" in text[end : token.start] else line
        if token.kind == "name" and not token.start <= cursor <= token.end:
            (sizes if line[:1] == ["dim"] or in_shape(line) else values)[word] = "of this cell"
        line.append(word)
        end = token.end
    return replace(names, values={**values, **names.values}, sizes={**sizes, **names.sizes})


def options(parser: Any, words: Sequence[str], magics: Any) -> Mapping[str, str] | None:
    """What can follow the words of a magic's line; None for what Python knows and we do not."""
    actions: list[Action] = parser._actions
    flags = {flag: each for each in actions for flag in each.option_strings if flag[:2] == "--"}
    waiting = flags.get(words[-1]) if words else None
    if waiting is not None and waiting.nargs != 0:
        return _values(waiting, magics)
    free = {flag: each.help or "" for flag, each in flags.items() if flag not in words}
    places = [each for each in actions if not each.option_strings]
    taken = sum(
        1
        for before, word in zip(["", *words], words, strict=False)
        if _is_value(before, word, flags)
    )
    if taken >= len(places) and not (places and places[-1].nargs in ("*", "+")):
        return free
    due = _values(places[min(taken, len(places) - 1)], magics)
    return None if due is None else {**due, **free}


def _is_value(before: str, word: str, flags: Mapping[str, Action]) -> bool:
    """Whether a word of a line is neither a flag nor what a flag takes."""
    return word not in flags and not (before in flags and flags[before].nargs != 0)


def _values(action: Action, magics: Any) -> Mapping[str, str] | None:
    """What can stand for one argument."""
    if action.choices:
        return dict.fromkeys(map(str, action.choices), "")
    if action.metavar is None or action.metavar in _FREE:
        return {}
    if action.metavar in _PYTHON:
        return None
    if action.metavar == "VERB":
        return {verb: usage.what for verb, usage in VERBS.items()}
    python = magics.shell.user_ns if action.option_strings else {}
    own = {name: "of Python" for name in python if not name.startswith("_")}
    return {**own, **(_nodes(magics.program) if magics.program else {})}


def _nodes(program: Program) -> dict[str, str]:
    """The values, inputs and parameters of a program, each with its shape."""
    known = {**program.nodes, **program.inputs, **program.params}
    return {name: node.describe() for name, node in known.items()}
