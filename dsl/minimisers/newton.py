"""Newton's method with a line search: x ← x + α p, where ∇²f p = -∇f.

Line search Newton with modification (Nocedal and Wright, Numerical Optimization, 2nd edition, 2006,
algorithm 3.2): where ∇²f is not positive definite, a multiple of the identity is added (algorithm
3.3), so that p always leads down; α = 1, ½, ¼, … until f falls enough (algorithm 3.1, the Armijo
condition (3.6a)). A point where f is NaN is one where f did not fall.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from .ending import Ending, stuck
from .objective import Array
from .walk import Walk

C1 = 1e-4  # the share of the slope by which f has to fall
SHRINK = 0.5
HALVINGS = 200  # the last is beyond what float64 resolves
β = 1e-3  # the first multiple of the identity, beside ‖∇²f‖
ROUNDING = 4 * np.finfo(np.float64).eps  # of f, which may hide that it falls


def newton(walk: Walk) -> Ending:
    """Walk until there is a reason to end."""
    f, x = walk.objective, walk.objective.start
    value, g = f.value(x), f.gradient(x)
    while True:
        p = direction(f.hessian(x), g.ravel()).reshape(x.shape)
        found = _backtracked(walk, x, value, float(np.vdot(g, p)), p)
        if found is None:
            return stuck(walk.path)
        x, value = found
        g = f.gradient(x)
        ending = walk.reach(x)
        if ending:
            return ending


def direction(H: Array, g: Array) -> Array:
    """-(∇²f + τ I)⁻¹ ∇f for the first τ = 0, β, 2β, … that makes the matrix positive definite.

    Nocedal and Wright, algorithm 3.3, with β relative to the norm of ∇²f. Where ∇²f is not finite
    or 0, -∇f.

    >>> direction(np.diag([2.0, 4.0]), np.array([2.0, 4.0]))
    array([-1., -1.])
    """
    size = float(np.linalg.norm(H))
    if not 0 < size < np.inf:
        return -g
    least = float(np.diag(H).min())
    τ = 0.0 if least > 0 else β * size - least
    while True:
        try:
            return cho_solve(cho_factor(H + τ * np.eye(len(H))), -g)
        except LinAlgError:
            τ = max(2 * τ, β * size)


def _backtracked(
    walk: Walk, x: Array, value: float, slope: float, p: Array
) -> tuple[Array, float] | None:
    """The first of x + p, x + p/2, x + p/4, … where f falls enough; None if none does."""
    slack = ROUNDING * abs(value)
    for k in range(HALVINGS):
        α = SHRINK**k
        there = x + α * p
        if np.array_equal(there, x):
            return None
        found = walk.objective.value(there)
        if found <= value + C1 * α * slope + slack:
            return there, found
    return None
