"""A number of the graph over a plane: f and ∇f at many points, by our evaluator in float64.

Where f is made of numbers alone, a whole grid is one run: its two leaves become vectors. Else one
evaluator goes from point to point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import dsl
from dsl import Program
from engine import Evaluator, Node, gradients, ops, var
from engine.graph import depends, substitute, toposort
from magics.errors import GraphError

Array = NDArray[np.float64]
Values = Mapping[Any, Any]  # by name or by leaf
Told = Callable[[int, int], object]  # after how many points, of how many
CHECKED = 3  # points of a grid computed one by one as well


@dataclass(frozen=True, eq=False)
class Plane:
    """A number `node` of two numbers: of two leaves [] or of one leaf [2].

    `title` is what it is called, `names` are its two variables; `feeds` are values of other leaves.
    `told` is called after each point that is computed alone.
    """

    title: str
    names: tuple[str, str]
    node: Node
    leaves: tuple[Node, ...]
    feeds: Mapping[Node, Any]
    told: Told | None = None

    @property
    def fine(self) -> int:
        """How many points along an axis a picture takes: as many as are computed in a moment."""
        return 161 if self._vectors else 51

    def at(self, x: Any, y: Any) -> Array:
        """f at points, arrays of one shape; NaN where it is no number, infinite ones as they are.

        >>> plane("f(x, y) = x + 2 y").at([[0.0, 1.0]], [[1.0, 1.0]])
        array([[2., 3.]])
        """
        return self._each(x, y)[0]

    def slope(self, x: Any, y: Any) -> tuple[Array, Array]:
        """∂f/∂x and ∂f/∂y at points, arrays of one shape; NaN where f is not finite."""
        f, *slopes = self._each(x, y, slopes=True)
        across, up = (np.where(np.isfinite(f), each, np.nan) for each in slopes)
        return across, up

    def _each(self, x: Any, y: Any, slopes: bool = False) -> list[Array]:
        xs, ys = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
        points = np.stack([xs.ravel(), ys.ravel()])
        found = self._together(points, slopes)
        if found is None:
            found = self._one_by_one(points, slopes)
        return [row.reshape(xs.shape) for row in found]

    def _one_by_one(self, points: Array, slopes: bool) -> Array:
        """f, and with slopes its two derivatives, in rows; a column for each point [2, points]."""
        evaluator = self._look if slopes else self._value
        point = torch.zeros(2, dtype=torch.float64)
        parts = [point] if len(self.leaves) == 1 else [point[0], point[1]]
        feeds = {**self.feeds, **dict(zip(self.leaves, parts, strict=True))}
        rows = np.empty((3 if slopes else 1, points.shape[1]))
        for i, where in enumerate(points.T):
            point[0], point[1] = where
            rows[:, i] = [each for x in evaluator.run(feeds) for each in x.ravel().tolist()]
            if self.told:
                self.told(i + 1, points.shape[1])
        return rows

    def _together(self, points: Array, slopes: bool) -> Array | None:
        """The same in one run; None where that does not give the same."""
        if self._vectors is None:
            return None
        xs, ys = torch.from_numpy(points.copy())
        across, up = self._vectors[1]
        run = self._look_at_all if slopes else self._values
        found = np.stack([x.numpy() for x in run.run({**self.feeds, across: xs, up: ys})])
        some = np.linspace(0, points.shape[1] - 1, CHECKED).astype(int)
        alone = self._one_by_one(points[:, some], slopes)
        return found if np.allclose(found[:, some], alone, rtol=1e-9, equal_nan=True) else None

    @cached_property
    def _value(self) -> Evaluator:
        return Evaluator([self.node])

    @cached_property
    def _look(self) -> Evaluator:
        return Evaluator([self.node, *gradients(self.node, list(self.leaves))])

    @cached_property
    def _values(self) -> Evaluator:
        assert self._vectors is not None
        return Evaluator([self._vectors[0]])

    @cached_property
    def _look_at_all(self) -> Evaluator:
        assert self._vectors is not None
        f, leaves = self._vectors
        return Evaluator([f, *gradients(ops.sum(f), list(leaves))])

    @cached_property
    def _vectors(self) -> tuple[Node, tuple[Node, Node]] | None:
        """f of vectors in the place of its two numbers, element by element, and these vectors."""
        whole = (var("all x", ["points"]), var("all y", ["points"]))
        places = dict(zip(self.leaves, whole, strict=False)) if len(self.leaves) == 2 else {}
        if not places:
            leaf = self.leaves[0]
            places = {x: whole[_picked(x)] for x in toposort([self.node]) if _picks(x, leaf)}
        moved = depends([self.node], places) - {*places}
        if any(x.rank != 0 for node in moved for x in (node, *node.inputs) if x not in places):
            return None
        (f,) = substitute([self.node], places)
        left = {*toposort([f])} & {*self.leaves}
        return None if left or f.shape != whole[0].shape else (f, whole)


def _picks(node: Node, leaf: Node) -> bool:
    """Whether a node is one element of the leaf, `x[0]`."""
    return node.op is ops.index and node.inputs == (leaf,) and node.rank == 0


def _picked(node: Node) -> int:
    """Which element that is."""
    return int(node.op.run(node.attrs, torch.tensor([0, 1])))


def plane(f: Any, values: Values | None = None, name: str | None = None) -> Plane:
    """A function of two numbers, or of a vector of two, as a Plane.

    f        a text or a Program, whose function `name` is meant, by default its last; a node and
             then `name` does not count; or a Plane, which is returned
    values   by name or leaf, of what else f depends on

    A node varies with its float leaves that have no value in `values`.
    Raises GraphError for what is not of two numbers.
    """
    if isinstance(f, Plane):
        return f
    if isinstance(f, Node):
        free = [x for x in toposort([f]) if x.op is ops.variable and x.kind == "float"]
        given = values or {}
        by = {
            str(x.attrs["name"]): x for x in free if x not in given and x.attrs["name"] not in given
        }
        return over(f.label(), f, by, given)
    program = f if isinstance(f, Program) else dsl.compile(str(f), values)
    functions = list(program.functions)
    if not functions:
        raise GraphError("there is no function to draw", help="define one: `f(x, y) = x^2 + y^2`")
    return of_function(program, name or functions[-1], values or {})


def of_function(program: Program, name: str, values: Values) -> Plane:
    """A function of the program. Raises GraphError unless it is a number of two numbers."""
    function = program.functions[name]
    free = [x.name.text for x in function.definition.parameters if x.default is None]
    if len(free) not in (1, 2):
        raise _not_two(f"`{function.signature}` is of {len(free)} values")
    by = {each: var(f"{each} of {name}", [2] if len(free) == 1 else []) for each in free}
    return over(name, program.applied(name, by), by, values)


def over(title: str, node: Node, by: Mapping[str, Node], values: Values) -> Plane:
    """A number as a function of these leaves. Raises GraphError unless they are two numbers."""
    if node.rank not in (0, None) or node.kind == "bool":
        raise GraphError(
            f"a picture over a plane is of a number, and `{title}` is {node.describe()}",
            help="make it one by `sum(…)`",
        )
    node = node if node.kind == "float" else ops.cast(node, "float")
    shapes = [leaf.shape for leaf in by.values()]
    fits = shapes in ([(), ()], [(2,)], [(None,)]) or (len(by) == 1 and by_two(by, values))
    if not fits:
        listed = ", ".join(f"`{name}` {x.describe()}" for name, x in list(by.items())[:6])
        raise _not_two(f"`{title}` varies with {listed or 'nothing'}")
    names = list(by) if len(by) == 2 else [f"{next(iter(by))}[{i}]" for i in range(2)]
    leaves = tuple(by.values())
    feeds = {
        leaf: doubled(values[key])
        for leaf in toposort([node])
        if leaf.op is ops.variable and leaf not in leaves
        for key in (leaf, leaf.attrs["name"])
        if key in values
    }
    return Plane(title, (names[0], names[1]), node, leaves, feeds)


def by_two(by: Mapping[str, Node], values: Values) -> bool:
    """Whether the one leaf is a vector of two, as far as its value tells."""
    [(name, leaf)] = by.items()
    value = values.get(leaf, values.get(name))
    return leaf.rank == 1 and value is not None and np.shape(value) == (2,)


def doubled(value: Any) -> Tensor:
    """A value in double precision, if it is of floats."""
    tensor = torch.as_tensor(value).detach()
    return tensor.double() if tensor.is_floating_point() else tensor


def _not_two(fact: str) -> GraphError:
    return GraphError(
        f"a picture over a plane is of two numbers, and {fact}",
        help="`f(x, y) = …`, or `f(x) = …` of a vector of two",
    )


def grid(x: Sequence[float], y: Sequence[float], n: int) -> tuple[Array, Array]:
    """n × n points over two ranges, row by row."""
    across, up = np.meshgrid(np.linspace(x[0], x[1], n), np.linspace(y[0], y[1], n))
    return across, up
