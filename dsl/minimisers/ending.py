"""Why a minimiser stopped, in words: nothing is called converged whose gradient is not small.

| why | status | |
|---|---|---|
| converged | 0 | ‖∇f‖ ≤ tol, and no direction of negative curvature, as far as that is known |
| steps | 1 | all steps are used up |
| stuck | 2 | no step along the direction lowers f enough |
| not finite | 3 | f or ∇f is NaN or infinite |
| diverged | 4 | f grew beyond all measure |
| unbounded | 5 | f fell beyond all measure |
| flat | 6 | ∇f is exactly 0 at x0, or small on a plain far from any minimum |
| saddle | 7 | ‖∇f‖ ≤ tol, but f curves down in some direction |
| maximum | 8 | ‖∇f‖ ≤ tol, but f curves down in all directions |
| stopped | 99 | by Ctrl-C, or by the callback |

The numbers are SciPy's where SciPy has one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .objective import Array, Objective, Point

STATUS = {
    "converged": 0,
    "steps": 1,
    "stuck": 2,
    "not finite": 3,
    "diverged": 4,
    "unbounded": 5,
    "flat": 6,
    "saddle": 7,
    "maximum": 8,
    "stopped": 99,
}
BEYOND = 1e20  # f has no minimum on the way, or the steps are too long
PART = 1e-3  # of what f fell in all: less of it in the second half is no progress
LARGEST = 100  # variables up to which the eigenvalues of the Hessian are looked at
ZERO = 1e-10  # a curvature as small as this beside the largest is rounding
NEAR = 1e-3  # beside |x|, of a stationary point


@dataclass(frozen=True)
class Ending:
    """Why, the fact in a sentence, and a way out."""

    why: str
    fact: str
    hint: str = ""

    @property
    def status(self) -> int:
        """Its number."""
        return STATUS[self.why]

    @property
    def message(self) -> str:
        """Fact and hint."""
        return f"{self.fact}; {self.hint}" if self.hint else self.fact


def at_point(path: Sequence[Point], tol: float) -> Ending | None:
    """Whether the last point of a path is one to stop at, before anything is known of curvature."""
    now, first = path[-1], path[0].value
    at = f"at step {now.step}" if now.step else "at x0"
    if not (math.isfinite(now.value) and math.isfinite(now.slope)):
        return _not_finite(now, at)
    if now.value - first > BEYOND * (1 + abs(first)):
        fact = f"diverged: f grew from {first:.3g} to {now.value:.3g} {at}"
        return Ending("diverged", fact, "a smaller lr, or a method with a line search, as newton")
    if first - now.value > BEYOND * (1 + abs(first)):
        fact = f"no minimum: f fell from {first:.3g} to {now.value:.3g} {at}"
        return Ending("unbounded", fact, "f seems to be unbounded below; add a term that grows")
    if now.slope <= tol:
        return Ending("converged", f"converged: |∇f| = {now.slope:.3g} is within tol = {tol:g}")
    return None


def _not_finite(now: Point, at: str) -> Ending:
    if math.isfinite(now.value):
        what = "NaN" if np.isnan(now.gradient).any() else "infinite"
        hint = "f has no slope there, as √x has none at 0"
        return Ending("not finite", f"∇f is {what} {at}, where f = {now.value:.3g}", hint)
    hint = "the step led out of where f is defined: a smaller lr, or newton, which turns back"
    if not now.step:
        hint = "f is not defined there; begin elsewhere"
    what = "NaN" if math.isnan(now.value) else f"{now.value}"
    return Ending("not finite", f"f is {what} {at}", hint)


def used_up(path: Sequence[Point], told: str = "") -> Ending:
    """No step is left, or as SciPy says, no evaluation."""
    now, half, first = path[-1], path[len(path) // 2], path[0]
    steps = f"{now.step} step{'' if now.step == 1 else 's'}"
    fact = f"not converged: {steps} used up, |∇f| = {now.slope:.3g}{_scipy(told)}"
    hint = "more steps, another lr, or another method"
    if now.step and now.slope > half.slope / 2 and not _still_falls(path):
        hint = "f does not fall any more: a smaller lr, or f has a kink there, where no slope is 0"
    elif now.step and now.slope >= first.slope:
        hint = "f falls and its slope does not: perhaps it has no minimum"
    return Ending("steps", fact, hint)


def _still_falls(path: Sequence[Point]) -> bool:
    """Whether the second half of a path had its part in lowering f."""
    now, first = path[-1].value, path[0].value
    before = min(point.value for point in path[: (len(path) + 1) // 2])
    return before - now > PART * (first - now) > 0


def stuck(path: Sequence[Point], told: str = "") -> Ending:
    """The line search found nothing; `told` is what a method says itself."""
    now = path[-1]
    how = "SciPy ended" if told else "no step lowers f further"
    fact = f"not converged: {how}, |∇f| = {now.slope:.3g}{_scipy(told)}"
    hint = "f may have a kink there, or no minimum, or rounding hides the rest: then a larger tol"
    return Ending("stuck", fact, hint)


def _scipy(told: str) -> str:
    return f" (SciPy: {told.rstrip('.: ')})" if told else ""


def stopped(path: Sequence[Point], by: str) -> Ending:
    """Somebody ended it."""
    return Ending("stopped", f"stopped by {by} after step {path[-1].step}, not converged")


def examined(ending: Ending, objective: Objective, now: Point) -> Ending:
    """What an ending by a small slope is in truth: second derivatives tell.

    They are looked at for up to LARGEST variables (Nocedal and Wright, theorems 2.3 and 2.4: at a
    minimum ∇²f has no negative eigenvalue, and where all are positive it is a strict one).
    """
    if ending.why != "converged" or not now.x.size:
        return ending
    flat = not now.step and now.slope == 0
    if now.x.size > LARGEST:
        return _flat("too many variables for second derivatives") if flat else ending
    H = objective.curvature(now.x)
    if not np.isfinite(H).all():
        return _flat("∇²f is not finite there") if flat else ending
    λ = np.linalg.eigvalsh(H)
    small = ZERO * float(np.abs(λ).max())
    if λ[0] < -small:
        return _curved_down(now, H, bool(λ[-1] < -small), float(λ[0]))
    if flat and λ[0] <= small:
        return _flat(f"second derivatives do not tell either: smallest curvature {λ[0]:.3g}")
    return Ending("converged", f"{ending.fact}, smallest curvature {λ[0]:.3g}")


def _curved_down(now: Point, H: Array, everywhere: bool, least: float) -> Ending:
    """A saddle or a summit where Newton's step to the stationary point is short, else a plain."""
    slope = f"|∇f| = {now.slope:.3g}, smallest curvature {least:.3g}"
    step = np.linalg.lstsq(H, now.gradient.ravel())[0]
    if np.linalg.norm(step) > NEAR * (1 + np.linalg.norm(now.x)):
        fact = f"a plain, not a minimum: {slope}, so that f falls further"
        return Ending("flat", fact, "a smaller tol, or begin elsewhere")
    if everywhere:
        return Ending("maximum", f"a maximum, not a minimum: {slope}", "begin off the top")
    return Ending("saddle", f"a saddle, not a minimum: {slope}", "begin off the ridge")


def _flat(more: str) -> Ending:
    fact = f"a flat start: ∇f is exactly 0 at x0, and {more}"
    return Ending("flat", fact, "begin elsewhere; `why_zero` tells whether f depends on x at all")
