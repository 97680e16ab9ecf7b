"""The cells of one notebook, compiled together: later cells see the names of earlier ones.

A cell that is run again takes its own old place. What no longer compiles then is set aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
from torch import Tensor

import dsl
from dsl import Diagnostic, DslError, Program
from dsl.values import Derived, Formula, describe
from engine import EngineError, Node
from engine.graph import toposort
from engine.show.names import distinct
from magics.errors import NOTEBOOK, GraphError, Ways
from magics.legend import legend, within
from magics.supply import Namespace, Supply, usable
from magics.training import Practice, Trained


@dataclass(frozen=True, eq=False)
class Cell:
    """A parsed cell; `key` is what the notebook knows it by, or empty.

    Two cells of the same text are two cells.
    """

    key: str
    tree: Any

    @property
    def source(self) -> Any:
        """The text, and what it is called: `Cell In[5]`."""
        return self.tree.span.source

    @property
    def names(self) -> set[str]:
        """What the cell defines."""
        return {name for each in self.tree.statements for name in dsl.names_of(each)}

    def concerns(self, error: Any) -> bool:
        """Whether an error stands in this cell, or was reached by a call in it."""
        spans = [error.span, *(call.span for call in error.calls)]
        return any(span.source is self.source for span in spans)


@dataclass(frozen=True)
class Built:
    """A cell that compiled: the program up to it, and in words what became of other cells."""

    cell: Cell
    program: Program
    lost: tuple[str, ...]

    @property
    def nodes(self) -> dict[str, Node]:
        """The values that the cell defines."""
        known = self.program.nodes
        return {name: known[name] for name in known if name in self.cell.names}

    @property
    def leaves(self) -> dict[str, Node]:
        """The inputs and parameters that the cell declares."""
        known = {**self.program.inputs, **self.program.params}
        return {name: known[name] for name in known if name in self.cell.names}

    @property
    def functions(self) -> list[Any]:
        """The functions that the cell defines."""
        known = self.program.functions
        return [known[name] for name in known if name in self.cell.names]

    @property
    def shown(self) -> list[Any]:
        """The bare expressions of the cell, with the places they were written at."""
        return [each for each in self.program.shown if each.span.source is self.cell.source]

    @property
    def lines(self) -> list[tuple[str, Node, Formula | None]]:
        """The bare expressions of the cell, as written, their nodes and formulas."""
        return [
            (" ".join(each.span.text.split()), x, each.formula)
            for each in self.shown
            for x in nodes_of(each.value)
        ]

    @property
    def lints(self) -> list[Diagnostic]:
        """The lints of the cell; what it only declares, a later cell may use."""
        own = [each for each in self.program.lints if each.span.source is self.cell.source]
        return [each for each in own if each.code != "W4"]


class Session:
    """The cells so far, and where the values of their inputs and parameters come from.

    practice   the trainer used last, which may go on
    trained    the losses of the last trainings, the newest at the end
    watching   names whose values a training records, each every so many steps
    watched    what was recorded, by name and step
    """

    def __init__(self, ways: Ways = NOTEBOOK, seed: int = 0) -> None:
        self.supply = Supply(ways, seed)
        self.practice: Practice | None = None
        self.trained: list[Trained] = []
        self.watching: dict[str, int] = {}
        self.watched: dict[str, dict[int, Tensor]] = {}
        self._ways = ways
        self._cells: list[Cell] = []
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """The program of all cells. Raises GraphError before the first."""
        if self._program is None:
            raise GraphError("there is no graph yet", help=self._ways.begin)
        return self._program

    @property
    def begun(self) -> bool:
        """Whether there is a program."""
        return self._program is not None

    def value(
        self, program: Program, node: Node, formula: Formula | None, namespace: Namespace
    ) -> Tensor | None:
        """What a node of a bare line comes to; None for a formula, and while inputs lack values."""
        if formula and formula.of is not None:
            return None
        return self.supply.value(program, node, namespace)

    def add(self, text: str, label: str, key: str, namespace: Namespace) -> Built:
        """Compile a cell with the others. Raises DslError, which leaves the session as it was.

        Where that fails, the cell takes the place of every cell that defines one of its names.
        One of bare lines alone is not kept, so that later ones need not compute its nodes again.
        """
        cell, consts = Cell(key, dsl.read(text, label)), usable(namespace)
        before = self._cells
        try:
            cells, program = _fitting(_placed(before, cell), cell, consts)
        except DslError as error:
            others = [each for each in before if not each.names & cell.names]
            if len(others) == len(before):
                raise
            cells, program = _instead(_placed(others, cell), cell, consts, error)
        fleeting = not cell.names and cells == [*before, cell] and self._leaves == _leaves(program)
        self._cells, self._program = before if fleeting else cells, program
        upto = cells[: cells.index(cell) + 1]
        gone = [each for each in before if each not in cells and (not key or each.key != key)]
        told = tuple(_fate(each, cell) for each in gone if not each.names <= cell.names)
        return Built(cell, program if upto == cells else _lower(upto, consts), told)

    def locate(self, error: EngineError) -> EngineError:
        """The same error of a run; its text shows the cell that its node was written in."""
        return self._program.locate(error) if self._program else error

    @property
    def _leaves(self) -> list[str]:
        return _leaves(self._program) if self._program else []

    @property
    def names(self) -> dict[Node, str]:
        """What the program so far calls its nodes."""
        return dict(legend(self._program).names) if self._program else {}

    def names_below(self, *nodes: Node) -> dict[Node, str]:
        """The names of what nodes are made of; where two are the same, with the calls around."""
        below, known = set(toposort(nodes)), legend(self.program)
        names = {node: name for node, name in known.names.items() if node in below}
        return distinct(replace(known, names=names))

    def opened(self, function: str, namespace: Namespace) -> Session:
        """The same in which a function is a value: its parameters are inputs, shaped as declared.

        What declares no shape has that of the value of its name, else it is a number.
        """
        made = copy(self)
        shapes = {name: np.shape(value) for name, value in usable(namespace).items()}
        made._program = self.program.opened(function, shapes)
        return made

    def node(self, name: str) -> Node:
        """The value, input or parameter of a name, or a value inside calls by its path.

        Raises GraphError for none of them.
        """
        known = {**self.program.params, **self.program.inputs, **self.program.nodes}
        inner = within(self.program)
        if name in known or name in inner:
            return known[name] if name in known else inner[name]
        raise _no_value(name, self.program, [*known, *inner])


def _no_value(name: str, program: Program, known: Sequence[str]) -> GraphError:
    functions = program.functions
    if name in functions:
        own = ", ".join(each.name.text for each in functions[name].definition.parameters)
        return GraphError(
            f"`{name}` is a function, not a value",
            help=f"give its value at a point a name: `y = {name}({own})`",
        )
    close = get_close_matches(name, [*known, *functions], n=1)
    some = ", ".join([*known, *functions][:20]) or "nothing yet"
    hint = f"did you mean `{close[0]}`?" if close else f"known: {some}"
    return GraphError(f"`{name}` is no value of this graph", help=hint)


def _leaves(program: Program) -> list[str]:
    return [*program.inputs, *program.params]


def _fate(old: Cell, new: Cell) -> str:
    """Why a cell is not part of the program any more."""
    again = sorted(old.names & new.names)
    why = f"`{again[0]}` is defined anew here" if again else "it no longer compiles"
    return f"{old.source.name} was set aside: {why}"


def _placed(cells: Sequence[Cell], new: Cell) -> list[Cell]:
    """The cells with a new one: where it stood before, else at the end."""
    if new.key and any(each.key == new.key for each in cells):
        return [new if each.key == new.key else each for each in cells]
    return [*cells, new]


def _fitting(cells: list[Cell], new: Cell, consts: Namespace) -> tuple[list[Cell], Program]:
    """The cells that compile together with a new one. Raises DslError for what is wrong in that."""
    while True:
        try:
            return cells, _lower(cells, consts)
        except DslError as error:
            own = [each for each in error.diagnostics if new.concerns(each)]
            others = [c for c in cells if not any(c.concerns(d) for d in error.diagnostics)]
            if own or others == cells:
                raise DslError(*(own or error.diagnostics)) from None
            cells = others


def _instead(
    cells: list[Cell], new: Cell, consts: Namespace, first: DslError
) -> tuple[list[Cell], Program]:
    try:
        return _fitting(cells, new, consts)
    except DslError as second:
        again = any(each.code == "again" for each in first.diagnostics)
        raise (second if again else first) from None


def _lower(cells: Sequence[Cell], consts: Namespace) -> Program:
    statements = tuple(statement for cell in cells for statement in cell.tree.statements)
    return Program(dsl.lower(replace(cells[-1].tree, statements=statements), consts, {}))


def nodes_of(value: Any) -> list[Node]:
    """The nodes in a value of the language: itself, a row's, those of a list."""
    if isinstance(value, Node):
        return [value]
    if hasattr(value, "node"):
        return [value.node]
    return [node for each in getattr(value, "values", ()) for node in nodes_of(each)]


def told_of(value: Any) -> str:
    """What is said of a value without nodes: how a function is called, what else is none."""
    called = getattr(value, "signature", describe(value))
    if isinstance(value, Derived):
        return f"{called}   no formula: that takes one parameter that declares its shape"
    return called
