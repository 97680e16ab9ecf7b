"""What sizes owe once they have values: divisions leave no remainder, slices find elements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import sympy

from engine.dims import Size, evaluate, show
from engine.errors import ShapeError
from engine.graph import Node
from engine.ops import index, variable


@dataclass(frozen=True)
class Obligations:
    """The sizes of a graph that are more than a name, each with a node, and its open slices."""

    dims: Mapping[sympy.Expr, Node]
    slices: tuple[Node, ...]

    def check(self, sizes: Mapping[str, int]) -> None:
        """Hold them against the values of the named sizes.

        Raises ShapeError naming the op for a size that is no whole number (`d/H` when H does not
        divide d), and for a slice that promises more elements than there are (`x[:3]` of two).
        """
        for dim, node in self.dims.items():
            try:
                evaluate(dim, sizes)
            except ShapeError as error:
                raise error.about(node.op, node.inputs).placed(node) from None
        for node in self.slices:
            _check_slice(node, sizes)


def obligations(nodes: Iterable[Node]) -> Obligations:
    """What the sizes in the shapes and attributes of these nodes owe."""
    found: dict[sympy.Expr, Node] = {}
    slices: list[Node] = []
    for node in nodes:
        for value in (node.shape, *node.attrs.values()):
            for dim in expressions(value):
                if not isinstance(dim, Size):
                    found.setdefault(dim, node)
        if node.op is index and expressions(node.inputs[0].shape):
            slices.append(node)
    return Obligations(found, tuple(slices))


def expressions(value: Any) -> list[sympy.Expr]:
    """The sizes with names in an attribute or a shape."""
    if isinstance(value, tuple):
        items = cast(tuple[Any, ...], value)
        return [dim for item in items if item.__class__ is not int for dim in expressions(item)]
    return [value] if isinstance(value, sympy.Expr) else []


def _check_slice(y: Node, sizes: Mapping[str, int]) -> None:
    """Numbers cut a named size as if they lay inside of it; torch would clamp them silently."""
    (x,) = y.inputs
    actual, promised = with_sizes(x.shape, sizes), with_sizes(y.shape, sizes)
    found = index.shape(attrs_with(sizes, y), variable("", actual)) or ()
    if any(p not in (None, n) for p, n in zip(promised, found, strict=True)):
        raise ShapeError(
            f"{show(x.shape)} is {show(actual)}: a slice of it is {show(found)} "
            f"instead of {show(promised)}",
            op=y.op,
            nodes=(x,),
            at=y,
        )


def attrs_with(sizes: Mapping[str, int], y: Node) -> dict[str, Any]:
    """The attributes of a node with numbers for sizes."""
    return {name: with_sizes(value, sizes) for name, value in y.attrs.items()}


def with_sizes(value: Any, sizes: Mapping[str, int]) -> Any:
    """An attribute or a shape with its named sizes replaced by their numbers."""
    if isinstance(value, tuple):
        return tuple(with_sizes(item, sizes) for item in cast(tuple[Any, ...], value))
    return evaluate(value, sizes) if isinstance(value, sympy.Expr) else value
