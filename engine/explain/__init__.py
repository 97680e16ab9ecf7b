"""What a graph means: the chain rule told, where a gradient is lost, what it all costs."""

from engine.explain.chain import Chain, Cut, Step, chain
from engine.explain.cost import (
    Generation,
    Work,
    cost,
    cost_of_generation,
    cost_of_gradients,
    shares,
)
from engine.explain.derivation import Derivation, Line, derive
from engine.explain.live import live
from engine.explain.modes import Modes, Passes, modes
from engine.explain.partly import Partly, partly_zero
from engine.explain.rules import Rule, rule_of
from engine.explain.zero import Zero, why_zero

__all__ = [
    "Chain",
    "Cut",
    "Derivation",
    "Generation",
    "Line",
    "Partly",
    "Modes",
    "Passes",
    "Rule",
    "Step",
    "Work",
    "Zero",
    "chain",
    "cost",
    "cost_of_generation",
    "cost_of_gradients",
    "derive",
    "partly_zero",
    "live",
    "modes",
    "rule_of",
    "shares",
    "why_zero",
]
