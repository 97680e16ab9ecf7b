"""Differentiation by name: grad, jacobian, hessian, jvp, vjp, hvp, of values and of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from engine import Node, hvp, jvp, ops, vjp

from ..errors import DslError, refuse
from ..lowering.arguments import Argument, Arguments, Bound
from ..lowering.derivatives import by, call_derived, check_depends
from ..lowering.derivatives import second as second_derivative
from ..lowering.located import located, text_of, written
from ..lowering.points import Point, as_float, at_point
from ..lowering.state import Lowering
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
        raise _by_nothing("grad", of, span)
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


def second(name: Literal["jacobian", "hessian"]) -> Form:
    """`jacobian(y, x)` and `hessian(f, x)`, all by all; `hessian(f)` is a function."""

    def apply(low: Lowering, scope: Scope, span: Span, bound: Bound) -> Value:
        of, wrt = bound.one["of"], bound.one.get("wrt")
        value = of.value(low)
        if wrt is None:
            if isinstance(value, CALLABLE):
                return Derived(value, name)
            raise _by_nothing(name, of, span)
        point = _point(low, scope, span, bound)
        f, x = text_of(of.expr), text_of(wrt.expr)
        text = f"{f}({x})" if isinstance(value, CALLABLE) else f
        return low.keep(second_derivative(low, name, point, span, (text, f, x)), span, scope)

    return form(f"{name}(of, wrt=None)", apply)


def _by_nothing(name: str, of: Argument, span: Span) -> DslError:
    text = text_of(of.expr)
    message = f"`{name}({text})` does not say with respect to what"
    return refuse(message, span, f"write `{name}({text}, W)`", "gradient")


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
    second("jacobian"),
    second("hessian"),
    along("jvp", lambda point, v: jvp(point.y, [point.x], [v])),
    along("vjp", lambda point, v: vjp(point.y, [point.x], v)[0]),
    along("hvp", lambda point, v: hvp(point.y, [point.x], [v])[0]),
)
