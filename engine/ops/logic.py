"""Comparisons, logic and the choice between two values; only what is chosen has a derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from engine.dims import broadcast
from engine.errors import KindError
from engine.graph import Node, Op, Operand, as_node, promote
from engine.ops.families import broadcast_to, elements, pointwise, total, unbroadcast


def comparison(name: str, kernel: Callable[..., Any], glyph: str, tex: str) -> Op:
    """A truth value per element; constant between its jumps, so its derivative is zero."""
    return pointwise(
        name, kernel, None, None, kind="bool", operand=as_node, tex=f"%s {tex} %s", glyph=glyph
    )


equal = comparison("equal", torch.eq, "==", "=")
not_equal = comparison("not_equal", torch.ne, "!=", r"\ne")
less = comparison("less", torch.lt, "<", "<")
less_equal = comparison("less_equal", torch.le, "<=", r"\le")


def greater(a: Operand, b: Operand) -> Node:
    """a > b, which is b < a."""
    return less(*_swapped(a, b))


def greater_equal(a: Operand, b: Operand) -> Node:
    """a ≥ b, which is b ≤ a."""
    return less_equal(*_swapped(a, b))


def _swapped(a: Operand, b: Operand) -> tuple[Node, Node]:
    """The operands the other way round; that they do not fit is said in the order written."""
    x, y = as_node(a), as_node(b)
    broadcast(x.shape, y.shape, verb="compare")
    return y, x


def truth(x: Operand) -> Node:
    """The operand, which must be a truth value."""
    node = as_node(x)
    if node.kind != "bool":
        raise KindError(
            f"a truth value is needed, not {node.describe()}",
            nodes=(node,),
            hint="compare it: `{0} != 0`",
        )
    return node


logical_and = pointwise(
    "logical_and",
    torch.logical_and,
    None,
    None,
    kind="bool",
    operand=truth,
    tex=r"%s \land %s",
    glyph="and",
)
logical_or = pointwise(
    "logical_or",
    torch.logical_or,
    None,
    None,
    kind="bool",
    operand=truth,
    tex=r"%s \lor %s",
    glyph="or",
)
logical_not = pointwise(
    "logical_not", torch.logical_not, None, kind="bool", operand=truth, tex=r"\lnot %s", glyph="not"
)


def _where_vjp(g: Node, y: Node, c: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
    return (
        None,
        unbroadcast(where(c, g, 0.0), a) if a.kind == "float" else None,
        unbroadcast(where(c, 0.0, g), b) if b.kind == "float" else None,
    )


def _where_jvp(dx: tuple[Node | None, ...], y: Node, c: Node, a: Node, b: Node) -> Node | None:
    _, da, db = dx
    chosen = None if da is None else where(c, da, 0.0)
    tangent = total(chosen, None if db is None else where(c, 0.0, db))
    return None if tangent is None else broadcast_to(tangent, y)


where = Op(
    name="where",
    kernel=torch.where,
    shape=lambda attrs, c, a, b: broadcast(c.shape, a.shape, b.shape),
    kind=lambda attrs, c, a, b: promote(a, b),
    vjp=_where_vjp,
    jvp=_where_jvp,
    tex=lambda y, c, a, b: rf"\begin{{cases}} {a} & {c} \\ {b} & \text{{otherwise}} \end{{cases}}",
    glyph="where",
    cost=lambda y, c, a, b: elements(y),
    arity=3,
    build=lambda c, a, b: where.node((truth(c), as_node(a), as_node(b))),
)
