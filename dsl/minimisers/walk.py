"""The way of a minimiser: every point is kept, and looked at for a reason to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .ending import Ending, at_point, stopped, used_up
from .objective import Array, Objective, Point


@dataclass
class Walk:
    """The points so far; `steps` is how many there may be after x0, None for any number.

    `told` is called with each point; when it raises StopIteration, the walk ends.
    """

    objective: Objective
    tol: float
    steps: int | None
    told: Callable[[Point], object] | None = None
    path: list[Point] = field(default_factory=list[Point])

    def begin(self) -> Ending | None:
        """Look at x0; what it costs is counted where nothing follows."""
        ending = self.reach(self.objective.start)
        if ending is not None:
            self.objective.nfev = self.objective.njev = 1
        return ending

    def reach(self, x: Array) -> Ending | None:
        """Look at a point whose value and gradient the method has asked for."""
        return self.reach_with(x.copy(), *self.objective.at(x))

    def reach_with(self, x: Array, value: float, gradient: Array) -> Ending | None:
        """Keep a point; the reason to end there, if there is one."""
        slope = float(np.linalg.norm(gradient.ravel()))
        now = Point(len(self.path), x, value, gradient, slope)
        self.path.append(now)
        try:
            if self.told is not None:
                self.told(now)
        except StopIteration:
            return stopped(self.path, "the callback")
        ending = at_point(self.path, self.tol)
        if ending is None and self.steps is not None and now.step >= self.steps:
            return used_up(self.path)
        return ending
