"""Values as code of torch: a file of its own, with the user's names and shapes, and in colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dsl import Program
from engine import Node
from engine.graph import toposort
from engine.origins import origins
from engine.run.standalone import standalone
from magics.legend import legend

LARGEST = 300_000  # characters of code that a notebook keeps in colours


@dataclass(frozen=True)
class Code:
    """A file of Python; its `function` takes `arguments`, each with what the user calls it."""

    text: str
    function: str
    arguments: Mapping[str, str]

    def __repr__(self) -> str:
        return self.text.rstrip("\n")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = {"text/plain": repr(self)}
        return shown if len(self.text) > LARGEST else {**shown, "text/html": _coloured(self.text)}


def torch_code(
    program: Program, asked: Mapping[str, Node], slopes: Mapping[str, Node] | None = None
) -> Code:
    r"""The code of some values, and after them of derivatives, each by the name it is taken by.

    >>> import dsl
    >>> program = dsl.compile("input x : [n]\ny = exp(x)")
    >>> torch_code(program, {"y": program["y"]}).function
    'y'
    """
    known, derivatives = legend(program), slopes or {}
    forward = set(toposort(list(asked.values())))
    names = {node: f"d_{name}" for name, node in derivatives.items() if node not in forward}
    names |= {**program.labels, **{node: name for name, node in asked.items()}}
    paths = {**_of_derivatives([*derivatives.values()], forward, known.paths), **known.paths}
    made = standalone([*asked.values(), *derivatives.values()], names, paths, next(iter(asked)))
    called = {**{leaf: name for name, leaf in program.inputs.items()}, **names}
    called |= {leaf: path for path, leaf in program.params.items()}
    arguments = {name: called.get(node, name) for name, node in made.arguments.items()}
    return Code(made.text, made.function, arguments)


def _of_derivatives(
    slopes: Sequence[Node], forward: set[Node], paths: Mapping[Node, tuple[str, ...]]
) -> dict[Node, tuple[str, ...]]:
    """Where derivatives stand: in `backward`, in the functions of the values they belong to."""
    found = dict[Node, tuple[str, ...]]()
    for node in toposort(slopes):
        values = [each.forward for each in origins(node) if node not in forward]
        path = next((paths[value] for value in values if value in paths), None)
        if path is not None:
            found[node] = ("backward", *path)
    return found


def _coloured(text: str) -> str:
    """The code with its own colours, on whatever ground there is; every character escaped."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    from magics.palette import Chalk

    formatter = HtmlFormatter(
        style=Chalk,
        noclasses=True,
        nobackground=True,
        cssclass="cg-code",
        prestyles="font-family:monospace;white-space:pre;overflow-x:auto",
    )
    return highlight(text, PythonLexer(), formatter)
