"""Reverse mode, graph to graph: x̄ = Σ ȳ ∂y/∂x over the users y of x, the last user first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from engine.dims import complete, fits, show
from engine.errors import GradientError, KindError
from engine.graph import Node, depends, several, toposort
from engine.ops import ones
from engine.ops.families import shape_of, unbroadcast, zeros_like
from engine.origins import record
from engine.passes.simplify import tidy


def gradients(output: Node, wrt: Sequence[Node] | Node, seed: Node | None = None) -> list[Node]:
    """One node per node of `wrt`: the gradient of the sum of `output`, in exactly its shape.

    The cotangent of the output is `seed`, ones by default; where the output does not depend on a
    node the gradient is zeros. The results are graph again, so they can be differentiated, drawn
    and evaluated like any other.

    Raises GradientError for an output or a `wrt` of whole numbers or truth values.
    Source: Griewank & Walther, Evaluating Derivatives, ch. 3.

    >>> from engine import ops, var
    >>> x = var("x", [3])
    >>> gradients(ops.sum(x**2), [x, var("unused", [2])])
    [<mul [3]>, <zeros [2]>]
    """
    wrt = several(wrt)
    check_differentiable(output, wrt)
    if seed is not None and not fits(output.shape, seed.shape):
        raise GradientError(
            f"the seed {show(seed.shape)} is not of the output's shape {show(output.shape)}"
        )
    forward = toposort([output])
    known = set(forward)
    if seed is None:
        seed = ones(shape_of(output))
        record([seed], output, "seed", known)
    cotangents = _pull_back(output, forward, set(wrt), seed, known | {seed})
    found = [cotangents.get(x) for x in wrt]
    made = tidy([g for g in found if g is not None], keep=set(forward))
    results = iter(made)
    return [zeros_like(x) if g is None else next(results) for x, g in zip(wrt, found, strict=True)]


def check_differentiable(output: Node, wrt: Sequence[Node]) -> None:
    """Raise KindError for what is no node, GradientError for whole numbers and truth values."""
    for node, role in ((output, "of"), *((x, "with respect to") for x in wrt)):
        if not isinstance(cast(object, node), Node):
            raise KindError(f"a gradient is taken {role} a node, not a {type(node).__name__}")
        if node.kind != "float":
            raise GradientError(
                f"there is no gradient {role} {node.describe()}: only floats vary continuously",
                nodes=(node,),
            )


def _pull_back(
    output: Node, forward: list[Node], wrt: set[Node], seed: Node, known: set[Node]
) -> dict[Node, Node]:
    """The cotangent of every node between the output and `wrt`."""
    active = depends([output], wrt)
    parts: dict[Node, list[Node]] = {output: [seed]}
    cotangents: dict[Node, Node] = {}
    for y in reversed(forward):
        if y not in parts:
            continue
        g = cotangents[y] = _add_up(parts.pop(y), y, known)
        if y.inputs and any(x in active for x in y.inputs):
            for x, dx in zip(y.inputs, y.op.vjp(g, y, *y.inputs), strict=True):
                if dx is not None and x in active:
                    record([dx], y, "vjp", known)
                    parts.setdefault(x, []).append(dx)
    return cotangents


def _add_up(parts: list[Node], y: Node, known: set[Node]) -> Node:
    """The sum of what the users sent back, in the order they were written."""
    total = parts[-1]
    for part in parts[-2::-1]:
        total = total + part
    if complete(y.shape):
        total = unbroadcast(total, y)  # says the shape where the rules could not know it
    record([total], y, "vjp", known)
    return total
