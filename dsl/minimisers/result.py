"""What a minimiser found, in SciPy's form, with the path it took and why it stopped."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult

from .ending import Ending
from .objective import Objective, Point

SHOWN = 8  # elements of x that are written out


class Minimum(OptimizeResult):
    """The fields of SciPy's results, and those of a path.

    x, fun, jac              the last point, f and ∇f there, of x0's shape, float64
    success, status, message whether |∇f| came within tol at no saddle; why not, in words
    why                      that in one word: converged, steps, stuck, diverged, saddle …
    nit, nfev, njev, nhev    steps; values, gradients, Hessians (or products with them) asked for
    path                     [nit + 1, *x0.shape], values and slopes (|∇f|) [nit + 1]
    method, named            how it was found; the variables of x by name
    """

    @property
    def values(self) -> NDArray[np.float64]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """f at each point of the path, where another dict, as SciPy's results are, has a method."""
        return self["values"]

    def __repr__(self) -> str:
        return "\n".join([f"{self.method}: {self.message}", *self._lines()])

    def _lines(self) -> list[str]:
        at = ", ".join(f"{name} = {_short(value)}" for name, value in list(self.named.items())[:8])
        counts = f"{self.nfev} of f, {self.njev} of ∇f, {self.nhev} of ∇²f"
        return [f"  f = {self.fun:.6g} at {at}", f"  {self.nit} steps; evaluations: {counts}"]

    def _repr_html_(self) -> str:
        lines = [f"<b>{html.escape(self.method)}</b>: {html.escape(self.message)}"]
        text = "\n".join([*lines, *map(html.escape, self._lines())])
        return f'<pre style="margin:0;white-space:pre-wrap">{text}</pre>'


def minimum(
    method: str,
    objective: Objective,
    path: Sequence[Point],
    ending: Ending,
    more: Mapping[str, Any],
) -> Minimum:
    """The result of a path; `more` are further fields that a method has."""
    last = path[-1]
    return Minimum(
        more,
        x=last.x,
        fun=last.value,
        jac=last.gradient,
        success=ending.why == "converged",
        status=ending.status,
        message=ending.message,
        why=ending.why,
        nit=last.step,
        nfev=objective.nfev,
        njev=objective.njev,
        nhev=objective.nhev,
        path=np.stack([point.x for point in path]),
        values=np.array([point.value for point in path]),
        slopes=np.array([point.slope for point in path]),
        method=method,
        named=objective.named(last.x),
    )


def _short(value: NDArray[np.float64]) -> str:
    """A value in few characters: its first elements, and how many there are in all."""
    if value.ndim == 0:
        return f"{float(value):.6g}"
    flat = ", ".join(f"{x:.6g}" for x in value.ravel()[:SHOWN].tolist())
    if value.ndim == 1 and value.size <= SHOWN:
        return f"[{flat}]"
    return f"[{flat}{', …' if value.size > SHOWN else ''}] of shape {list(value.shape)}"
