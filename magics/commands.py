"""The commands of the prompt, `:show loss`: words in, the text of an answer out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dsl.suggest import did_you_mean_one_of
from dsl.vocabulary import functions
from magics.errors import GraphError
from magics.feeds import read
from magics.results import Result
from magics.sources import text_of
from magics.supply import check_fits
from magics.values import in_words
from magics.verbs.check import check as check_of
from magics.verbs.cost import cost as cost_of
from magics.verbs.explain import explain as explain_of
from magics.verbs.grad import grad as grad_of
from magics.verbs.run import run as run_of
from magics.verbs.show import show as show_of

if TYPE_CHECKING:
    from magics.console import Console

Words = Sequence[str]


class Leave(Exception):
    """Raised by `:quit`."""


@dataclass(frozen=True)
class Command:
    """How a command is written, what it does, and the function that does it."""

    usage: str
    what: str
    run: Callable[[Console, Words], str]


def carry_out(console: Console, line: str) -> str:
    """The answer to a command. Raises GraphError, DslError or EngineError; Leave at `:quit`."""
    name, *words = line.split()
    if name not in COMMANDS:
        near = did_you_mean_one_of(name, COMMANDS) or f"there are {', '.join(COMMANDS)}"
        raise GraphError(f"there is no command `{name}`", help=near)
    return COMMANDS[name].run(console, words)


def show(console: Console, words: Words) -> str:
    """The graph of some values, of all if none is named, as rails."""
    drawn = show_of(console.desk, words).text
    return drawn or "nothing has a name yet"


def run(console: Console, words: Words) -> str:
    """The value of a name; of several, each with its name."""
    found = run_of(console.desk, _some(words, ":run loss"))
    if isinstance(found, Result):
        return in_words(found)
    return "\n".join(labelled(name, in_words(value)) for name, value in found.items())


def grad(console: Console, words: Words) -> str:
    """The gradients of a number as formulas."""
    loss, *wrt = _some(words, ":grad loss")
    return repr(grad_of(console.desk, loss, wrt))


def check(console: Console, words: Words) -> str:
    """Closed form, autodiff and difference of the gradients of a number."""
    loss, *wrt = _some(words, ":check loss")
    return str(check_of(console.desk, loss, wrt))


def explain(console: Console, words: Words) -> str:
    """The chain rule of a number, line by line."""
    loss, *wrt = _some(words, ":explain loss")
    return repr(explain_of(console.desk, loss, wrt))


def cost(console: Console, words: Words) -> str:
    """The operations of a value, by the sizes, at those that are told: `B=32 T=1024`."""
    name, *sizes = _some(words, ":cost loss")
    return repr(cost_of(console.desk, name, ",".join(sizes)))


def feed(console: Console, words: Words) -> str:
    """Values for inputs, numbers and files of arrays; the answer tells the shapes."""
    found = read(_some(words, ":feed x=0.5"))
    inputs = console.session.program.inputs if console.session.begun else {}
    for name in found.keys() & inputs.keys():
        check_fits(inputs[name], found[name])
    console.namespace.update(found)
    return "\n".join(f"{name} : {list(np.shape(value))}" for name, value in found.items())


def load(console: Console, words: Words) -> str:
    """The statements of a file, and what its bare lines come to; a file again takes its place."""
    file = Path(" ".join(_some(words, ":load model.graph"))).expanduser()
    return console.answer(text_of(file), str(file), key=str(file.resolve()))


def help(console: Console, words: Words) -> str:
    """All commands, or the heads of some functions."""
    if words:
        return "\n".join(_head(console, name) for name in words)
    width = max(len(command.usage) for command in COMMANDS.values())
    rows = (f"{command.usage:<{width}}  {command.what}" for command in COMMANDS.values())
    return "\n".join([*rows, *_HABITS])


def leave(console: Console, words: Words) -> str:
    """Out of the prompt."""
    raise Leave


def labelled(name: str, value: str) -> str:
    """`loss = 1.25`; a matrix begins on a line of its own."""
    return f"{name} =\n{value}" if "\n" in value else f"{name} = {value}"


def _some(words: Words, example: str) -> Words:
    if not words:
        raise GraphError("this command needs a name", help=f"as in `{example}`")
    return words


def _head(console: Console, name: str) -> str:
    if f":{name.lstrip(':')}" in COMMANDS:
        command = COMMANDS[f":{name.lstrip(':')}"]
        return f"{command.usage}   {command.what}"
    defined = console.session.program.functions if console.session.begun else {}
    known = functions() | {each: function.signature for each, function in defined.items()}
    if name not in known:
        near = did_you_mean_one_of(name, known)
        raise GraphError(f"there is no function `{name}`", help=near)
    return known[name]


COMMANDS = {
    ":show": Command(":show [NAME …]", "the graph, a line for each node", show),
    ":grad": Command(":grad LOSS [NAME …]", "gradients as formulas", grad),
    ":run": Command(":run NAME …", "values", run),
    ":check": Command(":check LOSS [NAME …]", "closed form, autodiff, difference", check),
    ":explain": Command(":explain LOSS [NAME …]", "the chain rule, line by line", explain),
    ":cost": Command(":cost NAME [T=1024 …]", "operations, by the sizes", cost),
    ":feed": Command(":feed x=0.5 X.npy …", "values for inputs: numbers, files of arrays", feed),
    ":load": Command(":load FILE", "the statements of a file", load),
    ":help": Command(":help [FUNCTION …]", "this, or how a function is called", help),
    ":quit": Command(":quit", "leave, as Ctrl-D does", leave),
}
_HABITS = (
    "",
    "Tab completes names, and signs: \\alpha is α. A line that ends in = or : opens a block,",
    "an empty line ends it. Ctrl-C clears what is typed and stops what runs.",
)
