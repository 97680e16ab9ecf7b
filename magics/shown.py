"""What the magics return: a cell's graph or its mathematics, derivatives as formulas, texts."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import dsl
from dsl import DslError, Program
from engine import Node, cost
from engine.closed import Closed, all_closed, closed
from engine.dims import show
from engine.explain import polynomial
from engine.show import BOARD, formula, in_a_row, latex, symbol
from magics.display import Picture

LAST = "derivative"  # what is meant by the last line of a formula


@dataclass(frozen=True)
class Graph:
    """A program as shown: its picture, in words what cannot be drawn, and if asked its values."""

    program: Program
    picture: Picture | None = None
    words: tuple[str, ...] = ()
    with_values: bool = False

    def __repr__(self) -> str:
        drawn = (self.picture.text,) if self.picture else ()
        return "\n".join([*drawn, *self.words])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = self.picture._repr_mimebundle_() if self.picture else {}
        below = [self.picture.text] if self.picture and self.with_values else []
        words = html.escape("\n".join([*below, *self.words]))
        if "text/html" in bundle and words:
            bundle["text/html"] += f"<pre>{words}</pre>"
        return {**bundle, "text/plain": repr(self)}


@dataclass(frozen=True)
class Text:
    """A text that shows itself."""

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Stepped:
    """A picture that begins at its first step; as text, a line for each step."""

    picture: Picture

    def __repr__(self) -> str:
        return self.picture.steps

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {**self.picture._repr_mimebundle_(), "text/plain": repr(self)}


@dataclass(frozen=True)
class Written:
    """A cell as mathematics, and as text in its canonical form."""

    text: str
    tex: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = {"text/latex": f"$${self.tex}$$"} if self.tex else {}
        return {"text/plain": self.text, **shown}


@dataclass(frozen=True)
class Derivatives:
    """The derivatives of a loss by name, shown in their textbook form, one line for each.

    In numerator layout a gradient is the transpose of what it is a gradient by. Of order 2 they are
    Hessians, shown with what they cost; `by` are the values that they are by.
    """

    loss: str
    nodes: Mapping[str, Node]
    names: Mapping[Node, str]
    numerator: bool = False
    order: int = 1
    by: Mapping[str, Node] = field(default_factory=dict[str, Node])

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    @property
    def laid_out(self) -> dict[str, Node]:
        """The derivatives in the layout; a vector is a vector in both."""
        turned = self.numerator
        return {k: x.T if turned and x.rank == 2 else x for k, x in self.nodes.items()}

    @cached_property
    def _forms(self) -> dict[str, Closed]:
        """The textbook forms by name; values with names are not opened."""
        nodes = self.laid_out
        if self.by:
            return {name: closed(x, self._known, self.by[name]) for name, x in nodes.items()}
        return dict(zip(nodes, all_closed(list(nodes.values()), self._known), strict=True))

    @property
    def _known(self) -> dict[Node, str]:
        own = set(self.laid_out.values())
        return {node: name for node, name in self.names.items() if node not in own}

    def __repr__(self) -> str:
        return "\n".join(self._text(name, form) for name, form in self._forms.items())

    def _text(self, name: str, form: Closed) -> str:
        *before, last = self._written(form.node).splitlines()
        about = [self._shape(form.node), ", ".join([*form.words, *self._costs(form.node)])]
        head = f"∂²{self.loss}/∂{name}²" if self.order == 2 else f"∂{self.loss}/∂{name}"
        return "\n".join([*before, f"{head} = {last}   {' '.join(about).rstrip()}"])

    def _costs(self, node: Node) -> list[str]:
        """The operations of a Hessian in words."""
        operations = cost([node])
        counted = polynomial.text(polynomial.added([operations.each, operations.once]))
        return [f"{counted} operations"] if self.order == 2 else []

    def _written(self, node: Node) -> str:
        if self._is_row(node):
            return in_a_row(node, self._known)
        return formula(node, self._known, BOARD)

    def _shape(self, node: Node) -> str:
        return show((1, *(node.shape or ()))) if self._is_row(node) else node.describe()

    def _is_row(self, node: Node) -> bool:
        return self.numerator and node.rank == 1

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        rows = [self._tex(name, form) for name, form in self._forms.items()]
        return {"text/plain": repr(self), "text/latex": "\n".join(rows)}

    def _tex(self, name: str, form: Closed) -> str:
        *before, last = self._written(form.node).splitlines()
        head = symbol(f"∂{self.loss}/∂{name}")
        if self.order == 2:
            head = rf"\frac{{\partial^2 {symbol(self.loss)}}}{{\partial {symbol(name)}^2}}"
        try:
            tree = dsl.parse("\n".join([*before, f"{LAST} = {last}"]))
            parts = [dsl.latex(tree, line.partition(" = ")[0]) for line in before]
            tex = dsl.latex(tree, LAST).partition(" = ")[2]
        except DslError:  # names that the language does not write
            parts, tex = [], latex(form.node, self._known)
        words = ", ".join([*form.words, *self._costs(form.node)]).replace("_", r"\_")
        tex += rf" \quad \text{{{words}}}" if words else ""
        if not parts:
            return rf"$$\displaystyle {head} = {tex}$$"
        lines = [part.replace(" = ", " &= ", 1) for part in parts]
        block = r" \\ ".join([*lines, f"{head} &= {tex}"])
        return rf"$$\begin{{aligned}} {block} \end{{aligned}}$$"
