"""What every verb works on: the session, the user's Python names, and the shell if there is one."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from IPython.core.magic_arguments import argument

from dsl import DslError
from engine import EngineError, Node
from engine.graph import toposort
from magics.errors import GraphError, from_engine, from_language
from magics.session import Session
from magics.supply import Namespace

WRT = argument(  # of every verb that differentiates; `Desk.by` reads it
    "wrt",
    nargs="*",
    default=(),
    metavar="NAME",
    help="by these values; all parameters, else all inputs",
)


LAYOUTS = ("denominator", "numerator")


def takes_negative_numbers(verb: Any) -> Any:
    """Let a verb take `-1.2,1` unquoted: argparse holds it for an option unless it is a number."""
    verb.parser._negative_number_matcher = re.compile(r"-[\d.]")
    return verb


@dataclass(frozen=True)
class Desk:
    """A session, the names that inputs are taken from, and the shell (None outside IPython).

    `depth` is the nesting below which functions are drawn closed, `layout` that of gradients, where
    a verb is not told. `parameters` are those of the function that the desk is on, if it is on one.
    """

    session: Session
    names: Namespace = field(default_factory=dict[str, Any])
    shell: Any = None
    depth: int | None = None
    layout: str = LAYOUTS[0]
    parameters: tuple[str, ...] = ()

    @contextmanager
    def told(self) -> Generator[None]:
        """What language and engine refuse, as a notebook shows it; bugs pass as they are."""
        try:
            yield
        except DslError as error:
            raise from_language(error) from None
        except EngineError as error:
            raise from_engine(self.session.locate(error), self.session.names) from None

    def on(self, name: str) -> Desk:
        """This desk; for the name of a function, one on which that is its value (`Session.opened`).

        So a verb takes functions as it takes values.
        """
        functions = self.session.program.functions
        if name not in functions:
            return self
        own = tuple(each.name.text for each in functions[name].definition.parameters)
        return replace(self, session=self.session.opened(name, self.names), parameters=own)

    def number(self, name: str) -> Node:
        """The value of this name, if it is a number. Raises GraphError."""
        node = self.session.node(name)
        if node.rank in (0, None):
            return node
        raise GraphError(
            f"a gradient is of a number, and `{name}` is {node.describe()}",
            help=f"sum it, `sum({name})`, or mean it",
        )

    def feeds(self, *nodes: Node) -> dict[Node, Any]:
        """A value for each leaf below the nodes. Raises GraphError for an input without one."""
        return self.session.supply.feeds(self.session.program, nodes, self.names)

    @property
    def learned(self) -> dict[str, Any]:
        """The parameters of the session by path, as far as they can be drawn."""
        found = dict[str, Any]()
        for path, leaf in self.session.program.params.items():
            with suppress(GraphError, EngineError):
                found[path] = self.feeds(leaf)[leaf]
        return found

    def by(self, loss: str, names: Sequence[str]) -> dict[str, Node]:
        """What a value is differentiated by: these, else its leaves. Raises GraphError."""
        named = {name: self.session.node(name) for name in names}
        found = named or self.leaves(self.session.node(loss))
        if not found:
            raise GraphError(f"`{loss}` depends on no parameter and on no input of floats")
        return found

    def leaves(self, node: Node) -> dict[str, Node]:
        """What a node depends on, by name: the parameters; if there are none, the float inputs.

        On a function, the parameters of the function.
        """
        below, program = set(toposort([node])), self.session.program
        learned = {name: x for name, x in program.params.items() if x in below}
        fed = {name: x for name, x in program.inputs.items() if x in below and x.kind == "float"}
        own = {name: x for name, x in fed.items() if name in self.parameters}
        return own or learned or fed
