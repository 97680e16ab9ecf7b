"""Families of operators whose rules derive from one: pointwise, linear, multilinear.

A pointwise op's Jacobian is diagonal and so its own transpose: one rule, linear in `g`, serves as
cotangent and as tangent. A linear op is its own tangent. A multilinear op is linear in each
operand. Un-broadcasting stands here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import torch

from engine.dims import Dim, Shape, broadcast, complete, product, same_shape
from engine.errors import KindError
from engine.graph import Cotangents, Kind, Node, Op, Operand, as_node, promote

Rule = (
    Callable[..., Node] | None
)  # (g, y, *inputs) -> g · ∂y/∂x, linear in g; None: the derivative is zero
Scalar = float | int | bool


def shape_of(x: Node) -> Shape | Node:
    """The shape when it is known in full, else the node itself, which lends it at run time."""
    return x.shape if complete(x.shape) else x


def unbroadcast(g: Node, x: Node) -> Node:
    """`g` summed over the axes along which `x` was broadcast: exactly the shape of `x`."""
    return g if same_shape(g.shape, x.shape) else Op.table["sum_to"](g, shape_of(x))


def broadcast_to(x: Node, y: Node) -> Node:
    """`x` repeated to the shape of `y`."""
    return x if same_shape(x.shape, y.shape) else Op.table["expand"](x, shape_of(y))


def total(*terms: Node | None) -> Node | None:
    """The sum of the terms that are not zero (None)."""
    present = [term for term in terms if term is not None]
    return reduce(lambda a, b: a + b, present) if present else None


def elements(y: Node) -> Dim:
    """The number of elements of a node."""
    return None if y.shape is None else product(y.shape)


def times(factor: Dim, dim: Dim) -> Dim:
    """A cost of `factor` for each of `dim`."""
    return product((factor, dim))


def to_float(x: Operand) -> Node:
    """The operand as a float: numbers at once, integer nodes by a cast."""
    if isinstance(x, int | bool):
        return as_node(float(x))
    node = as_node(x)
    if node.kind == "float":
        return node
    if node.op.name == "const" and not hasattr(node.attrs["value"], "tensor"):
        return as_node(float(node.attrs["value"]))
    return Op.table["cast"](node, kind="float")


def to_number(x: Operand) -> Node:
    """The operand as a number: truth values count as 0 and 1."""
    node = as_node(x)
    return Op.table["cast"](node, kind="int") if node.kind == "bool" else node


_VERBS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    **dict.fromkeys(["equal", "not_equal", "less", "less_equal"], "compare"),
}


def pointwise(
    name: str,
    kernel: Callable[..., Any],
    *d: Rule,
    tex: str | Callable[..., str],
    glyph: str = "",
    kind: Kind | None = None,
    operand: Callable[[Operand], Node] = to_float,
    attrs: Mapping[str, Any] | None = None,
    cost: int = 1,
    code: Callable[..., str | None] | None = None,
) -> Op:
    """An op that acts element by element on broadcast operands; `d` has one rule per operand."""

    def build(*args: Any, **given: Any) -> Node:
        if not len(d) <= len(args) <= len(d) + len(attrs or ()):
            raise KindError(f"{name} takes {_operands(len(d))}, not {len(args)}", op=op)
        names = dict(zip(attrs or (), args[len(d) :], strict=False))
        return op.node(tuple(operand(x) for x in args[: len(d)]), **names, **given)

    vjp, jvp = _broadcast_rules(d)
    op = Op(
        name=name,
        kernel=kernel,
        shape=lambda attrs, *xs: broadcast(
            *(x.shape for x in xs), verb=_VERBS.get(name, "combine")
        ),
        kind=lambda attrs, *xs: kind or promote(*xs),
        vjp=vjp,
        jvp=jvp,
        tex=tex,
        glyph=glyph or name,
        cost=lambda y, *xs: times(cost, elements(y)),
        attrs=attrs or {},
        arity=len(d),
        build=build,
        code=code,
    )
    return op


def _operands(n: int) -> str:
    return "one operand" if n == 1 else f"{n} operands"


def _broadcast_rules(
    d: tuple[Rule, ...],
) -> tuple[Callable[..., Cotangents], Callable[..., Node | None]]:
    """vjp (summed over axes that were broadcast) and jvp of one rule per operand."""

    def vjp(g: Node, y: Node, *xs: Node) -> tuple[Node | None, ...]:
        return tuple(
            unbroadcast(rule(g, y, *xs), x) if rule and x.kind == "float" else None
            for rule, x in zip(d, xs, strict=True)
        )

    def jvp(dx: tuple[Node | None, ...], y: Node, *xs: Node) -> Node | None:
        terms = [rule(t, y, *xs) for rule, t in zip(d, dx, strict=True) if rule and t is not None]
        tangent = total(*terms)
        return None if tangent is None else broadcast_to(tangent, y)

    return vjp, jvp


def linear(
    name: str,
    kernel: Callable[..., Any],
    shape: Callable[..., Shape],
    adjoint: Callable[..., Node | tuple[Node | None, ...]],
    *,
    tex: str | Callable[..., str],
    glyph: str = "",
    cost: Callable[..., Dim] = lambda y, *xs: 0,
    in_all: bool = False,
    **optional: Any,
) -> Op:
    """An op that is linear in its first operand, or (`in_all`) in all of them together.

    `adjoint(g, y, *xs)` is the cotangent of the first operand, or a tuple with one for each.
    """

    def vjp(g: Node, y: Node, *xs: Node) -> tuple[Node | None, ...]:
        if y.kind != "float" or all(x.kind != "float" for x in xs):
            return (None,) * len(xs)
        result = adjoint(g, y, *xs)
        parts = result if isinstance(result, tuple) else (result, *(None,) * (len(xs) - 1))
        return tuple(p if x.kind == "float" else None for p, x in zip(parts, xs, strict=True))

    def jvp(dx: tuple[Node | None, ...], y: Node, *xs: Node) -> Node | None:
        if y.kind != "float" or all(t is None for t in dx):
            return None
        if not in_all:
            return None if dx[0] is None else Node(y.op, (dx[0], *xs[1:]), y.attrs)
        tangents = tuple(zeros_like(x) if t is None else t for t, x in zip(dx, xs, strict=True))
        return Node(y.op, tangents, y.attrs)

    return Op(
        name=name,
        kernel=kernel,
        shape=shape,
        vjp=vjp,
        jvp=jvp,
        tex=tex,
        glyph=glyph or name,
        cost=cost,
        **optional,
    )


def multilinear(
    name: str,
    kernel: Callable[..., Any],
    shape: Callable[..., Shape],
    adjoints: Callable[..., tuple[Node | None, ...]],
    *,
    values: int | None = None,
    **required: Any,
) -> Op:
    """An op linear in each of its first `values` operands (None: all): ẏ = Σ f(…, ẋᵢ, …)."""

    def jvp(dx: tuple[Node | None, ...], y: Node, *xs: Node) -> Node | None:
        return total(
            *(
                Node(y.op, (*xs[:i], t, *xs[i + 1 :]), y.attrs)
                for i, t in enumerate(dx[:values])
                if t is not None
            )
        )

    return Op(name=name, kernel=kernel, shape=shape, vjp=adjoints, jvp=jvp, **required)


def zeros_like(x: Node) -> Node:
    """Zeros of the shape of `x`."""
    return Op.table["zeros"](shape_of(x))


def dtype_kind(dtype: torch.dtype) -> Kind:
    """The element kind of a torch dtype."""
    return "float" if dtype.is_floating_point else "bool" if dtype is torch.bool else "int"
