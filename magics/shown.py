"""What the magics return: a cell's graph or its mathematics, derivatives as formulas, texts."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsl import Program
from engine import Node
from engine.show import formula, latex, symbol
from magics.display import Picture


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
    """The gradients of a loss as formulas, by the name of what it is differentiated by."""

    loss: str
    nodes: Mapping[str, Node]
    names: Mapping[Node, str]

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def __repr__(self) -> str:
        return "\n".join(self._text(name, node) for name, node in self.nodes.items())

    def _text(self, name: str, node: Node) -> str:
        *before, last = formula(node, self.names).splitlines()
        return "\n".join([*before, f"∂{self.loss}/∂{name} = {last}   {node.describe()}"])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        rows = [self._tex(name, node) for name, node in self.nodes.items()]
        return {"text/plain": repr(self), "text/latex": "\n".join(rows)}

    def _tex(self, name: str, node: Node) -> str:
        return rf"$$\displaystyle {symbol(f'∂{self.loss}/∂{name}')} = {latex(node, self.names)}$$"
