"""Pictures of graphs: live in a notebook, still where scripts are taken out, rails as text.

No repr raises, whatever is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dsl import Program
from engine import Node
from engine.show import Legend, Views, dot_of, rails
from magics import live
from magics.files import File, save
from magics.layout import layout
from magics.legend import legend as legend_of
from magics.legend import sinks
from magics.values import Computed


class Picture:
    """A drawn graph: SVG in a notebook, rails in a terminal.

    `svg` is None where no drawing program works; `dot` and `text` are always there.
    """

    def __init__(
        self,
        text: str,
        views: Views | None = None,
        legend: Legend | None = None,
        depth: int | None = None,
        computed: Computed | None = None,
        start: int | None = None,
    ) -> None:
        self.text, self._views, self._legend = text, views, legend or Legend()
        self._depth, self._computed, self._start = depth, computed, start

    @property
    def depth(self) -> int:
        """The nesting below which functions are closed."""
        fitting = self._views.fitting if self._views else 0
        return fitting if self._depth is None else max(self._depth, 0)

    @cached_property
    def dot(self) -> str:
        """The picture as a text for Graphviz, empty if there is none."""
        return dot_of(self._views.at(self.depth)) if self._views else ""

    @cached_property
    def svg(self) -> str | None:
        """The picture as an SVG document, laid out when it is first asked for."""
        return layout(self.dot) if self.dot else None

    @cached_property
    def payload(self) -> dict[str, Any]:
        """What the live picture knows: other depths, each box in words, the steps; JSON."""
        if self._views is None:
            return {}
        return live.payload(self._views, self.depth, self._legend, self._computed, self._start)

    @cached_property
    def html(self) -> str:
        """The live picture for a notebook or a page, empty where no drawing program works."""
        return live.html(self.svg, self.text, self.payload) if self.svg else ""

    @property
    def steps(self) -> str:
        """A line for each step of the evaluation, and of the way back where gradients are known."""
        if self._views is None:
            return self.text
        view = self._views.at(self.depth)
        return live.listed(view, self._views.order, self._legend, self._computed)

    def save(self, path: str | Path) -> File:
        """Write the picture to a file: .svg, .png, .pdf, .html, .dot or, as rails, .txt.

        Raises ValueError for another ending, RuntimeError when no drawing program is found.
        """
        from magics.export import picture_forms

        return save(path, picture_forms(self))

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = {"text/html": self.html} if self.html else {}
        return {"text/plain": self.text, **shown}


def draw(
    what: Program | Sequence[Node] | Node,
    legend: Legend | None = None,
    *,
    backward: Sequence[Node] = (),
    depth: int | None = None,
    computed: Computed | None = None,
    start: int | None = None,
) -> Picture:
    r"""The picture of a program or of nodes; `backward` are derivatives to lay over it.

    Functions nested deeper than `depth` are closed. `computed` adds values and gradients; the
    slider begins at the step `start`, by default at the end.

    >>> import dsl
    >>> draw(dsl.compile("input x : [n]\ny = x^2"))
    ●  x  input  [n]
    ●  y  x^2    [n]
    """
    if isinstance(what, Program):
        nodes, legend = sinks(what.nodes.values()), legend or legend_of(what)
    else:
        nodes = [what] if isinstance(what, Node) else list(what)
    known = replace(legend or Legend(), marks=computed.marks if computed else {})
    words = (computed.values, computed.slopes) if computed else ()
    text = rails([*nodes, *backward], known, *words)
    return Picture(text, Views(nodes, known, backward), known, depth, computed, start)
