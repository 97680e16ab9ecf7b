"""An optimiser is a function of the language: `sgd(θ, g, lr) = θ - lr g`.

A function that returns k values has k - 1 states, which are its parameters right after `g`. The
parameters `t` and `lr` are the number of the step and the learning rate; the rest has defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine import Node, ops
from engine.learn import Optimizer

from .errors import DslError, refuse
from .lowering.calls import call_with_nodes
from .lowering.state import Lowering
from .values import Function, Items, describe

CLOCK = ("t", "lr")


def optimiser(low: Lowering, function: Function, settings: Mapping[str, object]) -> Optimizer:
    """The optimiser that a function says; `settings` are its hyperparameters by name.

    Raises DslError for a function that takes or returns something else.
    """
    parameters = function.definition.parameters
    names = [each.name.text for each in parameters]
    required = [each.name.text for each in parameters if each.default is None]
    if len(required) < 2 or required[:2] != names[:2]:
        raise _no_optimiser(function, "its first parameters are the learned value and its gradient")
    slots = tuple(name for name in required[2:] if name not in (*CLOCK, *settings))
    if slots != tuple(names[2 : 2 + len(slots)]):
        raise _no_optimiser(function, "its states come right after the gradient")
    unknown = next((name for name in settings if name not in names), None)
    if unknown is not None:
        raise _no_optimiser(function, f"it has no parameter `{unknown}`")

    def update(θ: Node, g: Node, states: tuple[Node, ...], t: Node, lr: Node) -> Sequence[Node]:
        values = dict(zip(names, (θ, g, *states), strict=False))
        clock = {"t": t, "lr": lr}
        values |= {name: clock[name] for name in CLOCK if name in names}
        values |= {name: ops.const(value) for name, value in settings.items()}
        return _updated(low, function, values, slots)

    return Optimizer(update, slots)


def _updated(
    low: Lowering, function: Function, values: Mapping[str, Node], slots: tuple[str, ...]
) -> Sequence[Node]:
    """The new parameter and its new states."""
    result = call_with_nodes(low, function, values)
    items = result.values if isinstance(result, Items) else (result,)
    if len(items) != 1 + len(slots):
        states = ", ".join(f"`{slot}`" for slot in slots)
        wanted = f"the new value and the states {states}" if slots else "the new value alone"
        raise _no_optimiser(function, f"it returns {describe(result)}, not {wanted}")
    exprs = function.definition.body.values
    written = exprs if len(exprs) == len(items) else exprs * len(items)
    return [low.tensor(item, expr) for item, expr in zip(items, written, strict=True)]


def _no_optimiser(function: Function, why: str) -> DslError:
    hint = "as in `sgd(θ, g, lr) = θ - lr g`; with a state `momentum(θ, g, u, lr) = …, …`"
    span = function.definition.name.span
    return refuse(f"`{function.signature}` is no optimiser: {why}", span, hint, "optimiser")
