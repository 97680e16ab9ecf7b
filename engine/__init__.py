"""chalkgrad's engine: the static graph, its derivatives as graph, and the evaluator.

>>> from engine import Evaluator, gradients, ops, var
>>> x = var("x", [3])
>>> (gx,) = gradients(ops.sum(x * x), [x])
>>> [value] = Evaluator([gx]).run({x: [1.0, 2.0, 3.0]})
>>> value.tolist()
[2.0, 4.0, 6.0]
"""

from engine import ops
from engine.calculus import check_gradients, gradients, hessian, hvp, jacobian, jvp, vjp
from engine.closed import textbook
from engine.errors import EngineError, GradientError, KindError, MissingInput, ShapeError
from engine.explain import cost, derive, live, modes, why_zero
from engine.graph import Node, Op
from engine.ops import const
from engine.ops import variable as var
from engine.run import Evaluator, trace
from engine.variable import Variable

__all__ = [
    "EngineError",
    "Evaluator",
    "GradientError",
    "KindError",
    "MissingInput",
    "Node",
    "Op",
    "ShapeError",
    "Variable",
    "check_gradients",
    "const",
    "cost",
    "derive",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "live",
    "modes",
    "ops",
    "textbook",
    "trace",
    "var",
    "vjp",
    "why_zero",
]
