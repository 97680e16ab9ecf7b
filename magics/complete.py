"""Completion: what can stand where the cursor is, for the terminal and for a cell of a notebook.

A pure function of the text, the cursor and the names that are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dsl import Program
from dsl.glyphs import TEX
from dsl.tokens import statement_words, tokens
from dsl.values import CALLABLE, Module, Value, describe
from dsl.vocabulary import constants, functions, modules

_TEX = re.compile(r"\\([A-Za-z]*)$")
_WORD = re.compile(r"(?:[^\W\d_][\w\u0300-\u036f]*(?:\.[\w\u0300-\u036f]*)*)?$")
_COMMAND = re.compile(r"\s*(:\w*)$")
_IMPORT = re.compile(r"\s*from +([\w.]+) +import\b[\s\w,]*$")
_MODULE = re.compile(r"\s*(?:from|import) +[\w.]*$")
_DECLARES = ("dim", "input", "param", "const")
_DECLARED = (":", "∈", "=", "~")
_ELEMENTS = ("float", "int", "bool")
_OPENING, _CLOSING = ("(", "["), (")", "]")


@dataclass(frozen=True)
class Completion:
    """A text to put from `start` up to the cursor; `what` says in a few words what it is."""

    start: int
    text: str
    what: str = ""


@dataclass(frozen=True)
class Known:
    """The names that can be used, each with a word on what it is.

    values, sizes, paths, functions   of a program; `paths` are those of its parameters
    commands                          of the prompt, which begin with a colon
    """

    values: Mapping[str, str] = field(default_factory=dict[str, str])
    sizes: Mapping[str, str] = field(default_factory=dict[str, str])
    paths: Mapping[str, str] = field(default_factory=dict[str, str])
    functions: Mapping[str, str] = field(default_factory=dict[str, str])
    commands: Mapping[str, str] = field(default_factory=dict[str, str])

    @staticmethod
    def of(program: Program | None, commands: Mapping[str, str] | None = None) -> Known:
        """What a line after this program can use, and what every program knows."""
        if program is None:
            return Known(functions=functions(), commands=commands or {})
        names = program.names
        defined = {n: v.signature for n, v in names.items() if isinstance(v, CALLABLE)}
        return Known(
            {n: describe(v) for n, v in names.items() if n not in defined},
            {n: "size" if v is None else f"size {v}" for n, v in program.sizes.items()},
            {path: leaf.describe() for path, leaf in program.params.items()},
            {**defined, **dict(_members(names)), **functions()},
            commands or {},
        )


def completions(text: str, cursor: int, known: Known) -> list[Completion]:
    r"""What can stand at the cursor, the user's own names first. Raises nothing.

    >>> [each.text for each in completions("y = softm", 9, Known.of(None))]
    ['softmax']
    >>> completions("\\alp", 4, Known())
    [Completion(start=0, text='α', what='\\alpha')]
    """
    before = text[:cursor]
    if sign := _TEX.search(before):
        return _signs(sign.start(), sign[1])
    word = _COMMAND.match(before) or _WORD.search(before)
    assert word is not None  # the empty word ends every text
    start, typed = word.start(word.lastindex or 0), word[word.lastindex or 0]
    return _offered(start, typed, _possible(before, start, known))


def chosen(text: str, cursor: int, possible: Mapping[str, str]) -> list[Completion]:
    r"""Those of the possible words, each with what it is, that the last one at the cursor begins.

    >>> [each.text for each in chosen("show --d", 8, {"--depth": "", "loss": ""})]
    ['--depth']
    >>> [each.text for each in chosen("show \\alp", 9, {})]
    ['α']
    """
    before = text[:cursor]
    if sign := _TEX.search(before):
        return _signs(sign.start(), sign[1])
    typed = re.split(r"\s", before)[-1]
    return _offered(cursor - len(typed), typed, possible)


def _offered(start: int, typed: str, possible: Mapping[str, str]) -> list[Completion]:
    return [Completion(start, name, what) for name, what in _matching(typed, possible).items()]


def _signs(start: int, typed: str) -> list[Completion]:
    found = sorted((name for name in TEX if name.startswith(typed)), key=len)
    return [Completion(start, TEX[name], f"\\{name}") for name in found]


def _members(names: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """The functions of imported modules: `losses.mse`."""
    for name, module in names.items():
        if isinstance(module, Module):
            for member, value in module.scope.names.items():
                yield f"{name}.{member}", describe(value)


def _matching(typed: str, possible: Mapping[str, str]) -> dict[str, str]:
    """The names that begin as typed, or do but for the case; names with dots after a dot."""
    near = {
        name: what
        for name, what in possible.items()
        if name.casefold().startswith(typed.casefold()) and ("." in typed or "." not in name)
    }
    return {name: what for name, what in near.items() if name.startswith(typed)} or near


def _possible(before: str, start: int, known: Known) -> Mapping[str, str]:
    """All that could stand after `before[:start]`, by name."""
    line = before[before.rfind("\n") + 1 :]
    if before.lstrip().startswith(":"):
        is_name = start > before.index(":")
        return {**known.values, **known.paths} if is_name else known.commands
    if named := _IMPORT.match(line):
        return dict.fromkeys(modules().get(named[1], []), f"of {named[1]}")
    if _MODULE.match(line):
        return dict.fromkeys(modules(), "module")
    read = tokens(before)
    if read and read[-1].kind in ("comment", "text") and read[-1].end == len(before):
        return {}
    above = [token for token in read if token.start < start]
    words = [before[token.start : token.end] for token in above]
    line_start = before.rfind("\n") + 1
    if _declares([w for w, token in zip(words, above, strict=True) if token.start >= line_start]):
        return {}
    if in_shape(words):
        return known.sizes
    everything = {**known.values, **known.sizes, **known.functions, **known.paths}
    everything |= {f"{name}.shape": "sizes" for name, what in known.values.items() if "[" in what}
    everything |= dict.fromkeys(constants(), "constant")
    opens = not before[line_start:start].strip() and _open_bracket(words) is None
    return {**everything, **dict.fromkeys(statement_words(), "statement")} if opens else everything


def _declares(line: Sequence[str]) -> bool:
    """Whether a name of the user's own choice is due: after `input`, before its shape."""
    return bool(line) and line[0] in _DECLARES and not set(line) & set(_DECLARED)


def in_shape(words: Sequence[str]) -> bool:
    """Whether the innermost open bracket is that of a shape: `X : [B, `, `X : int[`, `ℝ^(`."""
    at = _open_bracket(words)
    before = [] if at is None else list(words[max(0, at - 2) : at])
    if before and before[-1] in _ELEMENTS:
        before = before[:-1]
    return before == ["ℝ", "^"] or before[-1:] in ([":"], ["∈"])


def _open_bracket(words: Sequence[str]) -> int | None:
    """The place of the innermost bracket that is open at the end."""
    waiting: list[int] = []
    for place, word in enumerate(words):
        if word in _OPENING:
            waiting.append(place)
        elif word in _CLOSING and waiting:
            waiting.pop()
    return waiting[-1] if waiting else None
