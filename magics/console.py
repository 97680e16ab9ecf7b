"""What a screen answers to statements of the language, one entry after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dsl import DslError, Program
from dsl.values import Formula
from engine import EngineError, Node
from engine.show import formula
from magics.commands import carry_out
from magics.errors import PROMPT, GraphError, message
from magics.session import Session, nodes_of, told_of
from magics.values import in_words
from magics.verbs.desk import Desk

FAILURES = (DslError, EngineError, GraphError)  # what the user got wrong


class Console:
    """Entries that see the names of earlier ones; `namespace` has values for inputs by name."""

    def __init__(self, namespace: dict[str, Any] | None = None) -> None:
        self.session = Session(PROMPT)
        self.namespace = {} if namespace is None else namespace
        self.desk = Desk(self.session, self.namespace)

    def enter(self, text: str) -> str:
        """The answer to one statement or several: their bare lines, or all that is wrong.

        A bare line is answered with its value if every input has one, else with its formula and
        its shape; lints come after. What is wrong changes nothing.

        >>> console = Console()
        >>> console.enter("input x : [n]")
        ''
        >>> print(console.enter("x^T x"))
        x @ x   []
        >>> print(console.enter("[1, 2; 3, 4] @ [1, 1]"))
        [3, 7]
        >>> print(console.enter("x + y"))
        error: `y` is not defined
          cell:1:5
            1 | x + y
              |     ^
          help: define it above, or declare it: `input y : [n]`
        """
        try:
            return self.answer(text)
        except FAILURES as error:
            return self.failure(error)

    def answer(self, text: str, name: str = "cell", key: str = "") -> str:
        """The answer to statements or to a command, `:run loss`; `name` is what errors call them.

        Statements take the place of those of the same `key`. Raises what is in FAILURES.
        """
        if text.lstrip().startswith(":"):
            return carry_out(self, text.strip())
        return "\n".join(self._answers(text, name, key))

    def failure(self, error: Exception) -> str:
        """What is shown of an error."""
        located = self.session.locate(error) if isinstance(error, EngineError) else error
        return message(located, self.session.names)

    def _answers(self, text: str, name: str, key: str) -> Iterator[str]:
        built = self.session.add(text, name, key, self.namespace)
        yield from built.lost
        for shown in built.shown:
            nodes = nodes_of(shown.value)
            yield from (self._answer(built.program, node, shown.formula) for node in nodes)
            if not nodes:
                yield told_of(shown.value)
        yield from map(str, built.lints)

    def _answer(self, program: Program, node: Node, told: Formula | None) -> str:
        value = self.session.value(program, node, told, self.namespace)
        if value is not None:
            return in_words(value)
        if told:
            return told.text(self.session.names_below(node))
        return f"{formula(node, self.session.names)}   {node.describe()}"
