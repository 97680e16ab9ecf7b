"""f as numbers: x ↦ f(x), ∇f(x), ∇²f(x) p and ∇²f(x), from graphs that are compiled once.

All variables lie in one array of float64, of the shape of x0, which the leaves of the graph look
into. Value and gradient are one graph; the Hessian times a vector is another, forward over reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine import Evaluator, GradientError, Node, const, gradients, hvp, var
from engine.learn import Optimizer, train_step
from engine.learn.step import STEP_NUMBER

Array = NDArray[np.float64]
REMEMBERED = 16  # points whose value and gradient are kept for who asks again


@dataclass(frozen=True)
class Layout:
    """Where each variable lies in x: `views(x)` has a part of an array for each leaf, by name."""

    leaves: Mapping[str, Node]
    start: Array
    parts: Callable[[Any], list[Any]]

    def views(self, x: Any) -> dict[Node, Any]:
        """The parts of an array or a tensor of x's shape, by the leaf whose value each is."""
        return dict(zip(self.leaves.values(), self.parts(x), strict=True))


@dataclass(frozen=True)
class Point:
    """A point that a method came to, its step, x, f(x), ∇f(x) of x's shape, and ‖∇f(x)‖₂."""

    step: int
    x: Array
    value: float
    gradient: Array
    slope: float


class Objective:
    """A number of the graph as a function of its variables, the other leaves held at `feeds`.

    `nfev`, `njev`, `nhev` count what methods asked for: values, gradients, and Hessians or products
    with them. Value and gradient are computed together, once for each point.
    Raises GradientError for what is no number.
    """

    def __init__(self, f: Node, layout: Layout, feeds: Mapping[Node, Tensor]) -> None:
        if f.rank not in (0, None):
            hint = "sum it: `sum({0})`"
            told = f"a minimum is of a number, not of {f.describe()}"
            raise GradientError(told, nodes=(f,), hint=hint)
        self.layout, self.start = layout, layout.start
        self._f, self._leaves = f, list(layout.leaves.values())
        self._x = np.zeros(self.start.shape)  # the leaves' tensors look into it
        self._feeds: dict[Node, Any] = {**feeds, **layout.views(torch.from_numpy(self._x))}
        self._slopes = gradients(f, self._leaves)
        self._look = Evaluator([f, *self._slopes])
        self._product: Evaluator | None = None
        self._seen: dict[bytes, tuple[float, Array]] = {}
        self.nfev = self.njev = self.nhev = 0

    def named(self, x: Array) -> dict[str, Array]:
        """The variables by name."""
        return dict(zip(self.layout.leaves, map(np.asarray, self.layout.parts(x)), strict=True))

    def at(self, x: Array) -> tuple[float, Array]:
        """f(x) and ∇f(x), not counted."""
        key = x.tobytes()
        if key not in self._seen:
            if len(self._seen) >= REMEMBERED:
                del self._seen[next(iter(self._seen))]
            self._x[...] = x
            self._seen[key] = self._read(self._look.run(self._feeds))
        return self._seen[key]

    def value(self, x: Array) -> float:
        """f(x)."""
        self.nfev += 1
        return self.at(x)[0]

    def gradient(self, x: Array) -> Array:
        """∇f(x), of x's shape."""
        self.njev += 1
        return self.at(x)[1]

    def product(self, x: Array, p: Array) -> Array:
        """∇²f(x) p, of x's shape."""
        self.nhev += 1
        return self._along(x, p)

    def hessian(self, x: Array) -> Array:
        """∇²f(x) [n, n], a product with each direction; of rounding, the symmetric part."""
        self.nhev += 1
        return self.curvature(x)

    def curvature(self, x: Array) -> Array:
        """∇²f(x) [n, n], not counted."""
        basis = np.eye(x.size).reshape(x.size, *x.shape)
        H = np.array([self._along(x, e).ravel() for e in basis]).reshape(x.size, x.size)
        return (H + H.T) / 2

    def descent(self, rule: Optimizer, lr: float) -> Callable[[], tuple[Array, float, Array]]:
        """Steps from the start: each call gives x, f(x), ∇f(x) and moves on, all in one graph."""
        graph = train_step(self._f, self.layout.leaves, rule, const(lr))
        evaluator = Evaluator([graph.loss, *self._slopes], updates=graph.updates)
        states = {leaf: torch.zeros_like(self._feeds[θ]) for leaf, θ in self._owners(rule, graph)}
        number = torch.zeros((), dtype=torch.int64)
        feeds = {**self._feeds, **states, STEP_NUMBER: number}
        self._x[...] = self.start

        def step() -> tuple[Array, float, Array]:
            x = self._x.copy()
            number.add_(1)
            self.nfev, self.njev = self.nfev + 1, self.njev + 1
            return x, *self._read(evaluator.run(feeds))

        return step

    def _owners(self, rule: Optimizer, graph: Any) -> list[tuple[Node, Node]]:
        """Each state of the rule with the variable it belongs to."""
        owners = [θ for θ in self._leaves for _ in rule.slots]
        return list(zip(graph.states.values(), owners, strict=True))

    def _read(self, found: Sequence[Tensor]) -> tuple[float, Array]:
        if found[0].ndim:
            raise GradientError(f"a minimum is of a number, not of {list(found[0].shape)}")
        return float(found[0]), self._packed(found[1:])

    def _packed(self, parts: Sequence[Tensor]) -> Array:
        """One array of x's shape, of a tensor for each variable."""
        whole = np.zeros(self.start.shape)
        for into, part in zip(self.layout.parts(whole), parts, strict=True):
            into[...] = part.numpy()
        return whole

    def _along(self, x: Array, p: Array) -> Array:
        """∇²f(x) p, not counted."""
        if self._product is None:
            tangents = [var(f"along {name}", θ.shape) for name, θ in self.layout.leaves.items()]
            self._p = np.zeros(self.start.shape)
            self._product = Evaluator(hvp(self._f, self._leaves, tangents))
            self._feeds |= zip(tangents, self.layout.parts(torch.from_numpy(self._p)), strict=True)
        self._x[...], self._p[...] = x, p
        return self._packed(self._product.run(self._feeds))
