"""`minimise(f, x0, method)` for a text, a program or a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import Node

from .compiler import compile
from .minimisers import Method
from .program import Program

if TYPE_CHECKING:
    from .minimisers.result import Minimum


def minimise(f: str | Program | Node, x0: Any, method: Method = "bfgs", **settings: Any) -> Minimum:
    """A minimum of a function from x0 on, in SciPy's form, with the path and why it stopped.

    f        a text or a Program, whose last function is meant, or its last value if it has no
             function (`Program.minimise` takes a name); or a node of the graph
    x0       a number, list, array or tensor: of f's variable; of several, one row for each
             (`[-1.2, 1]` for `f(x, y)`); or `{name: value}`, of any shapes
    method   one of METHODS, or an optimiser of the language by name (`lion`, your own), or the
             Function or Optimizer itself
    wrt      the variables of a node or a value; by default the float leaves that have no value in
             `consts`
    consts   values by name of what is not varied: `const` lines, inputs, parameters of f
    lr       the learning rate of an update rule, 1e-3 by default
    tol      it has converged where |∇f|, the Euclidean norm, is no larger; 1e-5 by default
    steps    at most so many; by default 10,000 of an update rule, else as SciPy has it
    callback called with each Point; it may raise StopIteration
    …        hyperparameters of the rule (`μ=0.9`), or options of SciPy's method (`maxcor=20`)

    Everything is computed in float64; the path takes the memory of an x for each step. Ctrl-C
    raises Interrupted, a KeyboardInterrupt whose `result` is what there was.
    Raises DslError and EngineError for what cannot be minimised, LookupError for unknown names.

    >>> found = minimise("f(x, y) = (1 - x)^2 + 100 (y - x^2)^2", [-1.2, 1], "newton")
    >>> found.x.round(6).tolist(), found.why, found.nit
    ([1.0, 1.0], 'converged', 21)
    """
    if isinstance(f, Node):
        return compile("").minimise(f, x0, method, **settings)
    program = f if isinstance(f, Program) else compile(f, settings.get("consts"))
    names = list(program.functions or program.nodes)
    if not names:
        raise LookupError("the text defines no function and no value")
    return program.minimise(names[-1], x0, method, **settings)
