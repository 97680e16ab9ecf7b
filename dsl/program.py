"""A compiled program: names to nodes, and what one does with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from torch import Tensor

from engine import Evaluator, Node

from .lower.lowering import Lowering, Shown
from .span import Span
from .syntax import Program as Tree
from .values import Function, Items, Row, Value


class Program:
    """A program of the language, compiled.

    `nodes` maps the names defined at top level to nodes, `inputs` the names of what is fed and
    `params` the paths of what is learned to leaves, `functions` names to functions, `origins` nodes
    to the place in the text that made them, and `shown` has the bare expression lines.
    """

    def __init__(self, lowering: Lowering, tree: Tree) -> None:
        self._lowering = lowering
        self.tree = tree
        self.inputs: dict[str, Node] = dict(lowering.inputs)
        self.params: dict[str, Node] = {path: p.leaf for path, p in lowering.params.items()}
        self.origins: Mapping[Node, Span] = lowering.origins
        self.labels: Mapping[Node, str] = lowering.labels
        self.places: Mapping[Node, tuple[str, ...]] = lowering.places
        self.shown: tuple[Shown, ...] = tuple(lowering.shown)
        self.nodes: dict[str, Node] = {}
        self.functions: dict[str, Function] = {}
        for name in lowering.defined:
            value = lowering.module.names[name]
            if isinstance(value, Function):
                self.functions[name] = value
            elif isinstance(value, Node | Row):
                self.nodes[name] = value if isinstance(value, Node) else value.node
        self._evaluators: dict[tuple[Node, ...], Evaluator] = {}

    def run(
        self,
        names: str | Sequence[str],
        feeds: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value of a name, or of several as a tuple, for these inputs and parameters by name."""
        nodes = tuple(self.nodes[n] for n in ([names] if isinstance(names, str) else names))
        if nodes not in self._evaluators:
            self._evaluators[nodes] = Evaluator(nodes)
        values = self._evaluators[nodes].run({**(params or {}), **(feeds or {})})
        return values[0] if isinstance(names, str) else tuple(values)
