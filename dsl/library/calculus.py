"""Differentiation by name: grad, jacobian, hessian, jvp, vjp, hvp, of values and of functions."""

from __future__ import annotations

from collections.abc import Callable

from engine import Node, hessian, hvp, jacobian, jvp, ops, vjp
from engine.dims import known, product
from engine.graph import toposort

from ..errors import refuse
from ..lowering.arguments import Arguments, Bound
from ..lowering.derivatives import by, call_derived, check_depends, check_number
from ..lowering.located import located, text_of, written
from ..lowering.points import Point, as_float, at_point
from ..lowering.state import WALKS, Lowering
from ..scope import Scope
from ..span import Span
from ..values import CALLABLE, Derived, Form, Items, Row, Value
from .builtin import form


def grad(low: Lowering, scope: Scope, span: Span, bound: Bound) -> Value:
    """`grad(loss, W)`, `grad(loss, [W, b])`, `grad(f)`, `grad(f, x)`."""
    of, wrt = bound.one["of"], bound.one.get("wrt")
    value = of.value(low)
    if isinstance(value, CALLABLE):
        derived = Derived(value, "gradient")
        return (
            derived
            if wrt is None
            else call_derived(low, derived, scope, Arguments((wrt,), {}, span))
        )
    if wrt is None:
        text = text_of(of.expr)
        message = f"`grad({text})` does not say with respect to what"
        raise refuse(message, span, f"write `grad({text}, W)`", "gradient")
    several = wrt.value(low)
    if not isinstance(several, Items) or _is_of_numbers(several):
        return by(low, scope, span, of.term(low, "of"), [wrt.term(low, "with respect to")])[0]
    terms = [
        low.as_term(each, expr, "with respect to")
        for each, expr in zip(several.values, written(wrt.expr, len(several.values)), strict=True)
    ]
    return Items(tuple(by(low, scope, span, of.term(low, "of"), terms)))


def _is_of_numbers(items: Items) -> bool:
    """Whether a list is a vector of constants rather than several values."""
    return all(isinstance(each, Node) and each.op is ops.const for each in items.values)


def _point(low: Lowering, scope: Scope, span: Span, bound: Bound) -> Point:
    """What is differentiated, by what: a value by a node, or a function at an argument."""
    of, wrt = bound.one["of"], bound.one["wrt"]
    value = of.value(low)
    if isinstance(value, CALLABLE):
        return at_point(low, scope, value, wrt, {}, span)
    y, x = of.term(low, "of"), wrt.term(low, "with respect to")
    check_depends(low, y, x, span)
    return Point(y.node, x.node)


def second(name: str, rule: Callable[[Node, Node], Node]) -> Form:
    """`jacobian(y, x)` and `hessian(f, x)`: derivatives of all by all."""

    def apply(low: Lowering, scope: Scope, span: Span, bound: Bound) -> Value:
        point = _point(low, scope, span, bound)
        if name == "hessian":
            f, wrt = text_of(bound.one["of"].expr), text_of(bound.one["wrt"].expr)
            text = f"{f}({wrt})" if isinstance(bound.one["of"].value(low), CALLABLE) else f
            summed = f"`hessian(sum({text}), {wrt})`"
            check_number(point.y, text, span, summed, (f, wrt, point.x))
        low.spend(_passes(point) * WALKS * len(toposort([point.y])), span)
        with located(span):
            made = rule(point.y, point.x)
            low.spend_on([made], span)
            return low.keep(point.back(made), span, scope)

    return form(f"{name}(of, wrt)", apply)


def _passes(point: Point) -> int:
    """How many gradients a Jacobian takes at most; 1 where it is refused anyway."""
    return known(product(point.x.shape or ())) or 1


def along(name: str, rule: Callable[[Point, Node], Node]) -> Form:
    """`jvp(f, x, v)`, `vjp(f, x, u)`, `hvp(f, x, v)`: products with a vector, no matrix formed."""

    def apply(low: Lowering, scope: Scope, span: Span, bound: Bound) -> Value:
        vector = bound.one["v"].term(low, "v")
        point = _point(low, scope, span, bound)
        low.spend_on([point.y], span)
        with located(span, (vector,)):
            made = rule(point, as_float(vector.node))
            low.spend_on([made], span)
            node = low.keep(point.back(made), span, scope)
        return Row(node) if name == "vjp" and node.rank == 1 and vector.is_row else node

    return form(f"{name}(of, wrt, v)", apply)


CALCULUS = (
    form("grad(of, wrt=None)", grad),
    second("jacobian", jacobian),
    second("hessian", hessian),
    along("jvp", lambda point, v: jvp(point.y, [point.x], [v])),
    along("vjp", lambda point, v: vjp(point.y, [point.x], v)[0]),
    along("hvp", lambda point, v: hvp(point.y, [point.x], [v])[0]),
)
