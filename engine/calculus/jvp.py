"""Forward mode, graph to graph: ẏ = Σ ∂y/∂x ẋ over the inputs x of y, in topological order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.dims import complete, fits, show
from engine.errors import GradientError
from engine.graph import Node, depends, several, toposort
from engine.ops.families import broadcast_to, zeros_like
from engine.origins import record
from engine.passes.simplify import tidy


def jvp(output: Node, wrt: Sequence[Node] | Node, tangents: Sequence[Node] | Node) -> Node:
    """The directional derivative J·v of `output` along `tangents`, one for each node of `wrt`.

    It has the shape of the output; zeros where the output does not depend on `wrt`.
    Raises GradientError when a tangent has another shape than its node.
    Source: Griewank & Walther, Evaluating Derivatives, ch. 3.

    >>> from engine import ops, var
    >>> x, v = var("x", [3]), var("v", [3])
    >>> jvp(ops.exp(x), [x], [v])
    <mul [3]>
    """
    wrt, tangents = several(wrt), several(tangents)
    for x, t in zip(wrt, tangents, strict=True):
        if not fits(x.shape, t.shape):
            raise GradientError(
                f"a tangent {show(t.shape)} is not of the shape {show(x.shape)}", nodes=(x,)
            )
    seeds: dict[Node, Node] = {}
    for x, t in zip(wrt, tangents, strict=True):
        seeds[x] = seeds[x] + t if x in seeds else t
    forward = toposort([output])
    pushed = _push_forward(output, forward, seeds)
    if pushed is None:
        return zeros_like(output)
    return tidy([pushed], keep=set(forward))[0]


def _push_forward(output: Node, forward: list[Node], seeds: Mapping[Node, Node]) -> Node | None:
    active = depends([output], seeds)
    known = set(forward) | set(seeds.values())
    tangents: dict[Node, Node] = dict(seeds)
    for y in forward:
        if y not in active or y.kind != "float":
            continue
        dx = tuple(tangents.get(x) for x in y.inputs)
        dy = y.op.jvp(dx, y, *y.inputs) if any(t is not None for t in dx) else None
        if dy is not None:
            dy = broadcast_to(dy, y) if complete(y.shape) else dy
            record([dy], y, "jvp", known)
            tangents[y] = tangents[y] + dy if y in tangents else dy  # a seed adds to what arrives
    return tangents.get(output)
