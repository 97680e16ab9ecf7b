"""Arithmetic on broadcast operands: + - * / ^, negation, absolute value, sign, extremes."""

from __future__ import annotations

import math

import torch

from engine.graph import Node
from engine.ops.families import pointwise, to_number
from engine.ops.logic import equal, logical_and, where
from engine.ops.sources import constant_value, in_python

add = pointwise(
    "add",
    torch.add,
    lambda g, y, a, b: g,
    lambda g, y, a, b: g,
    tex="%s + %s",
    glyph="+",
    operand=to_number,
)
sub = pointwise(
    "sub",
    torch.sub,
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g,
    tex="%s - %s",
    glyph="-",
    operand=to_number,
)
mul = pointwise(
    "mul",
    torch.mul,
    lambda g, y, a, b: g * b,
    lambda g, y, a, b: g * a,
    tex=r"%s \odot %s",
    glyph="*",
    operand=to_number,
)
div = pointwise(
    "div",
    torch.div,
    lambda g, y, a, b: g / b,
    lambda g, y, a, b: -(g * y / b),  # ∂(a/b)/∂b = -a/b² = -y/b
    tex=r"\frac{%s}{%s}",
    glyph="/",
)
neg = pointwise("neg", torch.neg, lambda g, y, x: -g, tex="-%s", glyph="-", operand=to_number)


def _power_rule(g: Node, y: Node, a: Node, b: Node) -> Node:
    """∂aᵇ/∂a = b aᵇ⁻¹, and 0 at a = b = 0."""
    n = constant_value(b)
    if n is None:
        return g * (b * where(logical_and(equal(a, 0), equal(b, 0)), 1.0, a) ** (b - 1))
    if n == 0:
        return g * 0.0
    return g if n == 1 else g * (n * a) if n == 2 else g * (n * a ** (n - 1))


def _exponent_rule(g: Node, y: Node, a: Node, b: Node) -> Node:
    """∂aᵇ/∂b = aᵇ ln a, and 0 where a = 0 (0ᵇ is flat for b > 0)."""
    from engine.ops.functions import log

    base = constant_value(a)
    if base is not None and base > 0:
        return g * (y * math.log(base))
    zero = equal(a, 0)
    return g * where(zero, 0.0, y * log(where(zero, 1.0, a)))


def _pow_code(node: Node, names: tuple[str, ...]) -> str:
    """A constant exponent stays a Python number: torch then squares or inverts, not pow."""
    n, base = constant_value(node.inputs[1]), node.inputs[0]
    is_root = base.kind != node.kind  # of whole numbers: torch would not take its precision from n
    return f"torch.pow({names[0]}, {names[1] if n is None or is_root else in_python(n)})"


pow = pointwise(
    "pow",
    torch.pow,
    _power_rule,
    _exponent_rule,
    tex="{%s}^{%s}",
    glyph="^",
    operand=to_number,
    cost=2,
    code=_pow_code,
)
abs = pointwise(
    "abs", torch.abs, lambda g, y, x: g * sign(x), tex=r"\left|%s\right|", operand=to_number
)
sign = pointwise("sign", torch.sign, None, tex=r"\operatorname{sign}(%s)", operand=to_number)


def _winner(x: Node, other: Node) -> Node:
    """1 where x is the chosen one, ½ at a tie."""
    return where(equal(x, other), 0.5, 1.0)


maximum = pointwise(
    "maximum",
    torch.maximum,
    lambda g, y, a, b: g * where(equal(y, a), _winner(a, b), 0.0),
    lambda g, y, a, b: g * where(equal(y, b), _winner(a, b), 0.0),
    tex=r"\max(%s, %s)",
    operand=to_number,
)
minimum = pointwise(
    "minimum",
    torch.minimum,
    lambda g, y, a, b: g * where(equal(y, a), _winner(a, b), 0.0),
    lambda g, y, a, b: g * where(equal(y, b), _winner(a, b), 0.0),
    tex=r"\min(%s, %s)",
    operand=to_number,
)
