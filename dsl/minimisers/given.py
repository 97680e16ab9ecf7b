"""What is to be minimised, and by what: a text, a program or a node becomes an Objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import KindError, Node, ShapeError, ops, var
from engine.graph import toposort

from ..lowering.calls import call_with_nodes
from ..lowering.points import as_float
from ..lowering.state import Lowering
from ..values import Function
from .objective import Array, Layout, Objective

Consts = Mapping[Any, Any]  # the values of what is not varied, by name or leaf


def of_function(low: Lowering, function: Function, x0: Any, consts: Consts) -> Objective:
    """A function of its parameters that have no default, or are in x0, and no value in `consts`.

    Raises ShapeError for an x0 that is not one value for each.
    """
    names = [each.name.text for each in function.definition.parameters]
    held = {name: _number(name, consts[name]) for name in names if name in consts}
    asked = x0 if isinstance(x0, Mapping) else ()
    free = [
        each.name.text
        for each in function.definition.parameters
        if each.name.text not in held and (each.default is None or each.name.text in asked)
    ]
    laid = _laid(x0, free, f"`{function.signature}`")
    leaves = {
        name: var(f"{name} of {function.name}", part.shape)
        for name, part in zip(laid.names, laid.parts(laid.start), strict=True)
    }
    fixed = {name: var(f"{name} given", value.shape) for name, value in held.items()}
    with low.trial():
        value = call_with_nodes(low, function, {**leaves, **fixed})
        f = as_float(low.tensor(value, function.definition.body.values[-1]))
    feeds = {fixed[name]: value for name, value in held.items()}
    return Objective(f, Layout(leaves, laid.start, laid.parts), {**feeds, **_feeds(f, consts)})


def of_node(f: Node, wrt: Mapping[str, Node], x0: Any, consts: Consts) -> Objective:
    """A node as a function of the leaves `wrt`, by name; of those that x0 names, if it names any.

    Raises KindError for what is not a float variable, and ShapeError as `of_function`.
    """
    laid = _laid(x0, list(wrt), f"`{f.label()}`")
    leaves = {name: wrt[name] for name in laid.names}
    for leaf in leaves.values():
        if leaf.op is not ops.variable or leaf.kind != "float":
            raise KindError("only the value of a float variable can be varied", nodes=(leaf,))
    return Objective(f, Layout(leaves, laid.start, laid.parts), _feeds(f, consts))


def variables(f: Node, consts: Consts) -> dict[str, Node]:
    """The float variables below a node that have no value in `consts`, by name."""
    found = {str(x.attrs["name"]): x for x in toposort([f]) if x.op is ops.variable}
    return {
        name: leaf
        for name, leaf in found.items()
        if leaf.kind == "float" and name not in consts and leaf not in consts
    }


@dataclass(frozen=True)
class _Laid:
    """x0 as one array; which variables it holds, and where."""

    names: Sequence[str]
    start: Array
    shapes: Sequence[tuple[int, ...]] | None = None

    def parts(self, x: Any) -> list[Any]:
        """The part of each variable: of several, a row, or where x0 named them, a stretch."""
        if self.shapes is None:
            return [x] if len(self.names) == 1 else [x[i, ...] for i in range(len(self.names))]
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        ends = accumulate(sizes)
        spans = zip(ends, sizes, self.shapes, strict=True)
        return [x[end - size : end].reshape(shape) for end, size, shape in spans]


def _laid(x0: Any, names: Sequence[str], what: str) -> _Laid:
    if isinstance(x0, Mapping):
        values = {str(name): _number(str(name), value).numpy() for name, value in x0.items()}
        if values.keys() - set(names) or not values:
            told = f"{what} varies with {', '.join(names) or 'nothing'}, x0 has {', '.join(values)}"
            raise ShapeError(told)
        flat = np.concatenate([value.ravel() for value in values.values()])
        return _Laid(list(values), flat, [value.shape for value in values.values()])
    start = _number("x0", x0).numpy().copy()
    if len(names) == 1 or (start.ndim and len(names) == len(start) > 0):
        return _Laid(names, start)
    told = f"{what} varies with {len(names)} values, and x0 has the shape {list(start.shape)}"
    hint = f"give one for each of {', '.join(names)}, or by name: `{{name: value}}`"
    raise ShapeError(told, hint=hint if names else "nothing is left to vary")


def _feeds(f: Node, consts: Consts) -> dict[Node, Any]:
    """The values of the leaves below f that have one, all floats in double precision."""
    leaves = [x for x in toposort([f]) if x.op is ops.variable]
    found = {x: consts.get(x, consts.get(x.attrs["name"])) for x in leaves}
    return {
        x: _number(x.label(), value) if x.kind == "float" else value
        for x, value in found.items()
        if value is not None
    }


def _number(name: str, value: Any) -> Tensor:
    """A value in double precision. Raises KindError for what is no number."""
    if isinstance(value, Tensor):
        if value.is_complex() or value.dtype == torch.bool:
            raise KindError(f"`{name}` is of {value.dtype}, not of numbers")
        return value.detach().to("cpu", torch.float64, copy=True)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise KindError(f"`{name}` is no array: {error}") from None
    if array.dtype.kind not in "iuf":
        raise KindError(f"`{name}` is of {array.dtype}, not of numbers")
    return torch.from_numpy(np.array(array, dtype=np.float64))
