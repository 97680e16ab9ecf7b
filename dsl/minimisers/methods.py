"""The methods put to work: an objective, a method by name, and how far to go."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import KindError
from engine.learn import Optimizer

from ..lowering.modules import find_function
from ..lowering.state import Lowering
from ..optimisers import optimiser
from ..suggest import did_you_mean_one_of
from ..values import Function
from .ending import Ending, examined, stopped
from .objective import Objective, Point
from .table import LANGUAGE, METHODS, canonical, takes_rate
from .walk import Walk

if TYPE_CHECKING:
    from .result import Minimum

RATE = 1e-3
STEPS = 10_000  # of an update rule
STEPS_EACH = 200  # of Newton's method, for each variable, as SciPy has it

Method = str | Function | Optimizer
Run = Callable[[Walk], tuple[Ending, Mapping[str, Any]]]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while a minimiser ran: `result` is what there was, the path so far."""

    def __init__(self, result: Minimum) -> None:
        super().__init__(f"{result.message}; the path is in `result` of this exception")
        self.result = result


def minimised(
    low: Lowering,
    objective: Objective,
    method: Method = "bfgs",
    *,
    lr: float | None = None,
    tol: float = 1e-5,
    steps: int | None = None,
    callback: Callable[[Point], object] | None = None,
    **options: Any,
) -> Minimum:
    """The result of a method. Raises Interrupted on Ctrl-C, KindError for wrong settings."""
    from .result import minimum

    _check(tol, steps, lr)
    name = _name(method)
    run, most = _run(low, method, lr, options, objective.start.size)
    walk = Walk(objective, tol, most if steps is None else steps, callback)
    ending, more, interrupted = None, dict[str, Any](), False
    try:
        with np.errstate(all="ignore"):
            ending = walk.begin()
            if ending is None:
                ending, more = run(walk)
            ending = examined(ending, objective, walk.path[-1])
    except KeyboardInterrupt:
        if not walk.path:
            raise
        interrupted, ending = True, stopped(walk.path, "Ctrl-C")
    result = minimum(name, objective, walk.path, ending, more)
    if interrupted:
        raise Interrupted(result)
    return result


def _run(
    low: Lowering, method: Method, lr: float | None, options: Mapping[str, Any], n: int
) -> tuple[Run, int | None]:
    """What a method does, and after how many steps it ends if nobody says."""
    if isinstance(method, str) and not takes_rate(method):
        if lr is not None:
            raise KindError(
                f"`{method}` finds the length of its steps itself and takes no lr",
                hint="leave it out; gd, momentum, nesterov and adam take one",
            )
        return _own_step(canonical(method), options, n)
    from .descent import descend

    rule = method if isinstance(method, Optimizer) else _rule(low, method, options)
    rate = RATE if lr is None else float(lr)
    return lambda walk: (descend(walk, rule, rate), {}), STEPS


def _own_step(name: str, options: Mapping[str, Any], n: int) -> tuple[Run, int | None]:
    if name == "newton":
        from .newton import newton

        if options:
            raise KindError(
                f"newton takes no {', '.join(options)}", hint="it has `tol` and `steps`"
            )
        return lambda walk: (newton(walk), {}), STEPS_EACH * n
    from .borrowed import BORROWED, borrow

    return lambda walk: borrow(walk, BORROWED[name], options), None


def _rule(low: Lowering, method: str | Function, options: Mapping[str, Any]) -> Optimizer:
    """The update rule that a function of the program or of the prelude says."""
    if isinstance(method, Function):
        return optimiser(low, method, options)
    name = canonical(method)
    found = find_function(low, LANGUAGE.get(name, name))
    if found is None:
        hint = did_you_mean_one_of(name, METHODS)
        hint = hint or f"there are {', '.join(METHODS)}, and every optimiser of the language"
        raise LookupError(f"there is no method `{name}`; {hint}")
    return optimiser(low, found, options)


def _name(method: Method) -> str:
    if isinstance(method, str):
        return canonical(method)
    return method.name if isinstance(method, Function) else "optimizer"


def _check(tol: float, steps: int | None, lr: float | None) -> None:
    if not 0 <= tol < math.inf:
        raise KindError(f"a tolerance is a number from 0 on, not {tol}")
    if steps is not None and not (steps >= 0 and steps % 1 == 0):
        raise KindError(f"steps are a whole number from 0 on, not {steps}")
    if lr is not None and not math.isfinite(lr):
        raise KindError(f"a learning rate is a finite number, not {lr}")
