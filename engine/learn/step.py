"""A training step as one graph: (θ, states, batch) -> (loss, θ', states'), g = ∂loss/∂θ.

An optimiser is an equation over nodes, applied to each parameter; nothing here computes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.calculus import gradients
from engine.dims import fits, show
from engine.errors import EngineError, GradientError, KindError, ShapeError
from engine.graph import Node
from engine.ops import reshape
from engine.ops import variable as var

Update = Callable[[Node, Node, tuple[Node, ...], Node, Node], Sequence[Node]]

# Leaves of the trainer's own; no program can declare a name with a blank.
STEP_NUMBER = var("step number", [], "int")
LEARNING_RATE = var("learning rate", [])


@dataclass(frozen=True)
class Optimizer:
    """`update(θ, g, states, t, lr) -> (θ', *states')` as graph; `slots` names the states.

    The states start as zeros like θ; t is the number of the step, a whole number from 1 on.

    >>> sgd = Optimizer(lambda θ, g, states, t, lr: (θ - lr * g,))
    >>> def heavy_ball(θ, g, states, t, lr):
    ...     m = 0.9 * states[0] + g
    ...     return θ - lr * m, m
    >>> momentum = Optimizer(heavy_ball, slots=("m",))
    """

    update: Update
    slots: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainStep:
    """The graph of a step: `updates` maps each leaf of `params` and `states` to its new value."""

    loss: Node
    params: Mapping[str, Node]
    states: Mapping[str, Node]
    updates: Mapping[Node, Node]


def train_step(loss: Node, params: Mapping[str, Node], optimizer: Optimizer, lr: Node) -> TrainStep:
    """Loss, gradients and updates of the parameters (path -> leaf) in one graph.

    The state `m` of the parameter `W` is a leaf called `m(W)`.
    Raises GradientError for a loss that is not a scalar, KindError for a parameter that is not a
    leaf, EngineError or ShapeError for an update that does not return a new parameter and its
    states, each of the parameter's shape.
    """
    _scalar(loss)
    _distinct_leaves(params)
    grads = gradients(loss, list(params.values()))
    states: dict[str, Node] = {}
    updates: dict[Node, Node] = {}
    for (path, θ), g in zip(params.items(), grads, strict=True):
        own = {f"{slot}({path})": var(f"{slot}({path})", θ.shape) for slot in optimizer.slots}
        new = tuple(optimizer.update(θ, g, tuple(own.values()), STEP_NUMBER, lr))
        _complete_update(path, θ, new, optimizer.slots)
        states |= own
        updates |= zip((θ, *own.values()), new, strict=True)
    return TrainStep(loss if loss.rank == 0 else reshape(loss, ()), dict(params), states, updates)


def _scalar(loss: Node) -> None:
    if loss.rank not in (0, None):
        raise GradientError(
            f"a loss is a scalar, not {loss.describe()}", nodes=(loss,), hint="mean it: `mean({0})`"
        )


def _distinct_leaves(params: Mapping[str, Node]) -> None:
    owners: dict[Node, str] = {}
    for path, θ in params.items():
        if θ.op is not var:
            raise KindError(f"the parameter `{path}` is not a variable but computed", nodes=(θ,))
        if owners.setdefault(θ, path) != path:
            raise EngineError(f"`{owners[θ]}` and `{path}` are one variable", nodes=(θ,))


def _complete_update(path: str, θ: Node, new: tuple[Node, ...], slots: tuple[str, ...]) -> None:
    if len(new) != 1 + len(slots):
        told = ", ".join(("the new parameter", *(f"`{slot}`" for slot in slots)))
        raise EngineError(
            f"the update of `{path}` gives {len(new)} values, not {1 + len(slots)}: {told}"
        )
    for node, what in zip(new, ("parameter", *slots), strict=True):
        if not fits(θ.shape, node.shape):
            raise ShapeError(
                f"the update of `{path}` gives a new {what} of shape {show(node.shape)}, "
                f"not {show(θ.shape)}"
            )
