"""What a wrong cell gets: the fact, `Cell In[5], line 3`, the line with a caret, and the way out.

IPython shows these lines in the place of a Python traceback; the cell still fails.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dsl import Diagnostic, DslError
from engine import EngineError, Node

BOLD, RED, GREEN, CYAN, RESET = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[0m"


@dataclass(frozen=True)
class Ways:
    """The ways out that depend on where one works: to begin a graph, to feed an array, a number."""

    begin: str
    array: str
    number: str


NOTEBOOK = Ways(
    "write one in a cell that starts `%%graph`",
    "give it one in Python: `{name} = …`, a tensor or an array",
    "give it one in Python: `{name} = …`, a number",
)
PROMPT = Ways(
    "begin with a statement, as in `input x : [n]`",
    "give it one: `:feed {name}=x.npy`",
    "give it one: `:feed {name}=0.5`",
)
COMMAND = Ways("", "give it one: `--feed {name}=x.npy`", "give it one: `--feed {name}=0.5`")


class GraphError(Exception):
    """A cell or a verb that cannot be carried out. The text is all that is shown of it."""

    def __init__(self, message: str, *, help: str = "") -> None:
        super().__init__(f"{message}\n  help: {help}" if help else message)

    def _render_traceback_(self) -> list[str]:
        return coloured(f"{type(self).__name__}: {self}").splitlines()


def from_language(error: DslError) -> GraphError:
    """The error of a text, its places called as the notebook calls them."""
    return GraphError(_in_cells(str(error).removeprefix("error: ")))


def from_lint(lint: Diagnostic) -> str:
    """A lint as it stands under a result."""
    return _in_cells(str(lint))


def from_engine(error: EngineError, names: Mapping[Node, str]) -> GraphError:
    """The error of a graph that was run: at its place in a cell, else with the user's names."""
    if error.told is not None:
        return GraphError(_in_cells(error.told))
    texts = tuple(names.get(node, node.label()) for node in error.nodes)
    return GraphError(
        "\n".join([error.message, *_operands(error, texts)]), help=error.help(texts) or ""
    )


def _in_cells(told: str) -> str:
    """The text of an error, its places called as the notebook calls them."""
    text = told.replace("\nerror: ", "\nGraphError: ")
    text = re.sub(r"^  (?=Cell In\[)", "", text, flags=re.MULTILINE)
    return re.sub(r"(Cell In\[\d+\]):(\d+):\d+", r"\1, line \2", text)


def message(error: Exception, names: Mapping[Node, str]) -> str:
    """What a terminal shows of an error; `names` are what the user calls the nodes."""
    if isinstance(error, DslError):
        return str(error)
    return f"error: {from_engine(error, names) if isinstance(error, EngineError) else error}"


def coloured(text: str) -> str:
    """The text of errors in the colours of a terminal, as it is where `NO_COLOR` is set."""
    lines = text.splitlines()
    return text if os.environ.get("NO_COLOR") else "\n".join(map(_coloured, lines))


def _operands(error: EngineError, texts: tuple[str, ...]) -> Iterator[str]:
    for node, text in zip(error.nodes, texts, strict=True):
        yield f"    {text}: {node.describe()}"


def _coloured(line: str) -> str:
    """Names of errors red, places green, what is pointed at red, the way out cyan."""
    line = re.sub(r"^(GraphError|error)(?=:)", rf"{BOLD}{RED}\1{RESET}", line)
    line = re.sub(r"^(Cell In\[\d+\], line \d+|  \S+:\d+:\d+$)", rf"{GREEN}\1{RESET}", line)
    line = re.sub(r"^(\s+\| *)(\^+)$", rf"\1{BOLD}{RED}\2{RESET}", line)
    return re.sub(r"^(  )(help)(?=:)", rf"\1{BOLD}{CYAN}\2{RESET}", line)
