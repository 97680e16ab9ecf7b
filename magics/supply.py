"""Where values of leaves come from: inputs by name from the namespace, parameters as drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from dsl import Program
from engine import Evaluator, Node, ops
from engine.dims import evaluate
from engine.graph import sizes_of, toposort
from engine.run.bind import as_tensors, bind_sizes
from magics.errors import NOTEBOOK, GraphError, Ways
from magics.results import Result

Namespace = Mapping[str, Any]
EXACTLY = (bool, int, float, Tensor, Result, np.ndarray)  # a subclass could run code of its own


def usable(namespace: Namespace) -> dict[str, Any]:
    """The tensors, arrays and numbers of a namespace, by name."""
    return {name: value for name, value in namespace.items() if is_plain(value)}


def is_plain(value: object) -> bool:
    """Whether a value is exactly a tensor, an array or a number."""
    kind = type(value)
    return kind in EXACTLY or (issubclass(kind, np.generic) and kind.__module__ == "numpy")


class Supply:
    """The parameters of a session, and the way to the values of its inputs."""

    def __init__(self, ways: Ways = NOTEBOOK, seed: int = 0) -> None:
        self._ways, self._seed = ways, seed
        self._params: dict[Node, Tensor] = {}

    def feeds(
        self, program: Program, nodes: Sequence[Node], namespace: Namespace
    ) -> dict[Node, Any]:
        """A value for each leaf that the nodes need: inputs by name, parameters as first drawn.

        Raises GraphError for an input without a value.
        """
        inputs = self.inputs(program, nodes, namespace)
        values = {leaf: namespace[name] for name, leaf in inputs.items()}
        learned = list(needed(program.params, nodes).values())
        if not learned:
            return values
        sizes = sizes_told(inputs, namespace)
        if _lacking(learned, sizes):
            sizes = sizes_told(program.inputs, namespace)  # an input beside the point tells more
        return {**values, **self._drawn(program, learned, sizes)}

    def inputs(
        self, program: Program, nodes: Sequence[Node], namespace: Namespace
    ) -> dict[str, Node]:
        """The inputs that the nodes need. Raises GraphError for one without a value."""
        inputs = needed(program.inputs, nodes)
        for name, leaf in inputs.items():
            if not is_plain(namespace.get(name)):
                raise self._no_value(leaf, namespace.get(name))
        return inputs

    def value(self, program: Program, node: Node, namespace: Namespace) -> Tensor | None:
        """What a node comes to, None while an input or a size has no value."""
        order = toposort([node])
        inputs = needed(program.inputs, [node])
        if _lacking(order, sizes_told(inputs, namespace)):
            inputs = program.inputs  # an input beside the point tells more
        fed = _fed(inputs, namespace)
        known = {*fed, *program.params.values()}
        if any(each.op is ops.variable and each not in known for each in order):
            return None
        if _lacking(order, sizes_told(inputs, namespace)):
            return None
        [value] = Evaluator([node]).run({**fed, **self.feeds(program, [node], namespace)})
        return value

    def _drawn(
        self, program: Program, leaves: Sequence[Node], sizes: Mapping[str, int]
    ) -> dict[Node, Tensor]:
        """The parameters, each drawn when first needed and again when its shape has changed."""
        new = {leaf for leaf in leaves if not _fits(leaf, self._params.get(leaf), sizes)}
        paths = {path: leaf for path, leaf in program.params.items() if leaf in new}
        if paths:
            first = program.init(self._seed, sizes=sizes, only=paths)
            self._params |= {leaf: first[path] for path, leaf in paths.items()}
        return {leaf: self._params[leaf] for leaf in leaves}

    def learned(self, program: Program, values: Mapping[str, Tensor]) -> None:
        """Take these for the values of the parameters with these paths."""
        self._params |= {program.params[path]: tensor for path, tensor in values.items()}

    def _no_value(self, leaf: Node, found: object) -> GraphError:
        told = f"the input `{leaf.label()}` {leaf.describe()}"
        if found is None:
            way = self._ways.number if leaf.rank == 0 else self._ways.array
            return GraphError(f"{told} has no value", help=way.format(name=leaf.label()))
        return GraphError(
            f"{told} cannot take a {type(found).__name__}",
            help="it takes a tensor, an array or a number",
        )


def check_fits(leaf: Node, value: Any) -> None:
    """Raise KindError or ShapeError for a value that the input cannot take."""
    as_tensors([leaf], [value])
    bind_sizes([(leaf, np.shape(value))])


def needed(leaves: Mapping[str, Node], nodes: Sequence[Node]) -> dict[str, Node]:
    """Those of the leaves that the nodes depend on."""
    below = set(toposort(nodes))
    return {name: leaf for name, leaf in leaves.items() if leaf in below}


def sizes_told(inputs: Mapping[str, Node], namespace: Namespace) -> dict[str, int]:
    """The sizes that the values of some inputs tell."""
    return bind_sizes([(leaf, np.shape(x)) for leaf, x in _fed(inputs, namespace).items()])


def _fed(inputs: Mapping[str, Node], namespace: Namespace) -> dict[Node, Any]:
    """The inputs that have values, with them."""
    named = ((leaf, namespace.get(name)) for name, leaf in inputs.items())
    return {leaf: value for leaf, value in named if is_plain(value)}


def _lacking(nodes: Iterable[Node], sizes: Mapping[str, int]) -> bool:
    """Whether a size in these nodes has no value."""
    return any(
        size.value is None and size.name not in sizes for node in nodes for size in sizes_of(node)
    )


def _fits(leaf: Node, tensor: Tensor | None, sizes: Mapping[str, int]) -> bool:
    """Whether a parameter was drawn, and in the shape that these sizes make."""
    if _lacking([leaf], sizes):
        return False
    shape = [evaluate(dim, sizes) for dim in leaf.shape or () if dim is not None]
    return tensor is not None and list(tensor.shape) == shape
