"""What is told of a word: head, comment and text of a function, shape and formula of a value."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from dsl import Program
from dsl.glyphs import TEX, normalise
from dsl.tokens import reserved_words
from dsl.values import CALLABLE, Form, Function, Module, Value, describe
from dsl.vocabulary import constants, functions, modules, predefined
from engine.show import formula, visible
from magics.editing.keywords import KEYWORDS
from magics.legend import legend

_MOST_LINES = 30
_MOST_LETTERS = 4000


def about(word: str, program: Program | None, text: str = "", opens: bool = False) -> str | None:
    """The help of a word of a program and of a cell `text` that may not have run; None if unknown.

    `opens` says that the word stands where a statement begins.

    >>> about("softmax", None)
    'softmax(x, axis=-1)'
    >>> about("in", None)
    'in: what a loop goes through: `for i in range(3):`'
    """
    name = normalise(word)
    if word.startswith("\\"):
        return f"{word} is {TEX[word[1:]]}: Tab writes it" if word[1:] in TEX else None
    keyword = f"{name}: {KEYWORDS[name]}" if name in KEYWORDS else None
    if keyword and opens:
        return keyword
    found = _known(name, program) or _in_cell(name, text)
    if keyword and name in reserved_words():
        return "\n".join(filter(None, [keyword, found]))  # `where` is a function too
    return visible_lines(found) if found else keyword


def visible_lines(text: str) -> str:
    """The text without what no one can see, and without its end if it is long."""
    lines = text.splitlines()
    shown = [visible(line, 200) for line in lines[:_MOST_LINES]]
    return "\n".join([*shown, "…"] if len(lines) > _MOST_LINES else shown)[:_MOST_LETTERS]


def _known(name: str, program: Program | None) -> str | None:
    if program is not None:
        leaves = {**program.inputs, **program.params}
        if name in leaves or name in program.nodes:
            return "\n".join(_value(name, program))
        if name in program.sizes:
            size = program.sizes[name]
            return f"{name}: a size, {'known when the data are' if size is None else size}"
        if name in program.names:
            return "\n".join(_of(name, program.names[name]))
        module, _, member = name.rpartition(".")
        if isinstance(home := program.names.get(module), Module):
            value = home.scope.names.get(member)
            return None if value is None else "\n".join(_of(member, value))
    if name in constants():
        return f"{name}: a constant"
    if name in functions():
        return "\n".join(_of(name, predefined(name)))
    return f"{name}: {', '.join(modules()[name])}" if name in modules() else None


def _value(name: str, program: Program) -> Iterator[str]:
    """Shape, role, formula and place of a value."""
    known = legend(program)
    node = next(x[name] for x in (program.nodes, program.inputs, program.params) if name in x)
    role = known.roles.get(node, "")
    yield f"{name} : {node.describe()}  {role}".rstrip()
    if not role:
        yield f"{name} = {formula(node, program.labels)}"
    if node in known.notes:
        yield known.notes[node]


def _of(name: str, value: Value | None) -> Iterator[str]:
    """Head, comment and text of a function; a word on anything else."""
    if isinstance(value, Function):
        span = value.definition.span
        above = span.source.text[: span.start].splitlines()
        while above and above[-1].startswith("#"):
            span = span.source.span(span.start - len(above.pop()) - 1, span.end)
        yield span.text
        yield f"({span.source.name})"
    elif isinstance(value, CALLABLE):
        yield value.signature
        build = value.apply if isinstance(value, Form) else getattr(value, "build", None)
        if isinstance(build, FunctionType) and build.__doc__:
            yield inspect.cleandoc(build.__doc__)
    elif isinstance(value, Module):
        yield f"{name}: {', '.join(value.scope.names)}"
    elif value is not None:
        yield f"{name}: {describe(value)}"


def _in_cell(name: str, text: str) -> str | None:
    """The line of the cell that a name stands in first."""
    for line in text.splitlines():
        if line.lstrip().startswith((f"{name} =", f"{name}(")):
            return f"{line.strip()}\n(of this cell, which has not run)"
    return None


def options_help(parser: Any, word: str) -> str | None:
    """What an option of a magic is for."""
    for action in parser._actions:
        if word in action.option_strings:
            value = f" {action.metavar or '|'.join(action.choices or ())}".rstrip()
            return f"{word}{value}: {action.help}"
    return None
