"""Descent by an update rule of the language: θ, states ← rule(θ, ∇f(θ), states, t, lr).

The rules are functions of dsl/prelude/optim.graph or of the user's program; a step, f and ∇f and
the new θ, is one graph.
"""

from __future__ import annotations

from engine.learn import Optimizer

from .ending import Ending
from .walk import Walk


def descend(walk: Walk, rule: Optimizer, lr: float) -> Ending:
    """Walk until there is a reason to end."""
    step, ending = walk.objective.descent(rule, lr), None
    step()  # from x0, where the walk is already
    while ending is None:
        ending = walk.reach_with(*step())
    return ending
