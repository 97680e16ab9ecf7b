"""What derivatives mean: the chain rule told, each operator's rule, where a gradient is lost."""

from engine.explain.chain import Chain, Cut, Step, chain
from engine.explain.derivation import Derivation, Line, derive
from engine.explain.rules import Rule, rule_of
from engine.explain.zero import Zero, why_zero

__all__ = [
    "Chain",
    "Cut",
    "Derivation",
    "Line",
    "Rule",
    "Step",
    "Zero",
    "chain",
    "derive",
    "rule_of",
    "why_zero",
]
