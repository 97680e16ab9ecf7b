"""Running a graph: bind, plan, evaluate; or trace it node by node."""

from engine.run.evaluate import Evaluator
from engine.run.trace import Traced, trace

__all__ = ["Evaluator", "Traced", "trace"]
