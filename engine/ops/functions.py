"""Elementwise functions and activations, their derivatives by their own value where shorter."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from engine.graph import Node
from engine.ops import kernels
from engine.ops.families import pointwise, to_number
from engine.ops.logic import less, where


def _call(name: str) -> str:
    return rf"\operatorname{{{name}}}(%s)"


sqrt = pointwise("sqrt", torch.sqrt, lambda g, y, x: g / (2 * y), tex=r"\sqrt{%s}", glyph="√")
exp = pointwise("exp", torch.exp, lambda g, y, x: g * y, tex=r"e^{%s}", cost=4)
log = pointwise("log", torch.log, lambda g, y, x: g / x, tex=r"\log(%s)", cost=4)
sin = pointwise("sin", torch.sin, lambda g, y, x: g * cos(x), tex=r"\sin(%s)", cost=4)
cos = pointwise("cos", torch.cos, lambda g, y, x: -(g * sin(x)), tex=r"\cos(%s)", cost=4)
tanh = pointwise("tanh", torch.tanh, lambda g, y, x: g * (1 - y**2), tex=r"\tanh(%s)", cost=4)
sigmoid = pointwise(
    "sigmoid",
    torch.sigmoid,
    lambda g, y, x: g * (y * (1 - y)),
    tex=r"\sigma(%s)",
    glyph="σ",
    cost=4,
)
softplus = pointwise(
    "softplus", F.softplus, lambda g, y, x: g * sigmoid(x), tex=_call("softplus"), cost=5
)
erf = pointwise(
    "erf",
    torch.erf,
    lambda g, y, x: g * (2 / math.sqrt(math.pi) * exp(-(x**2))),
    tex=_call("erf"),
    cost=4,
)
relu = pointwise(
    "relu",
    kernels.relu,
    lambda g, y, x: where(less(0, x), g, 0.0),  # 0 at the kink, as everywhere in the field
    tex=_call("relu"),
    operand=to_number,
)


def _gelu_slope(x: Node, approximate: str) -> Node:
    """d/dx x Φ(x) = Φ(x) + x φ(x), or of ½x(1 + tanh √(2/π)(x + 0.044715x³)) (Hendrycks, 2016)."""
    if approximate == "none":
        return (1 + erf(x / math.sqrt(2))) / 2 + x * (exp(-(x**2) / 2) / math.sqrt(2 * math.pi))
    root = math.sqrt(2 / math.pi)
    t = tanh(root * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x / 2 * ((1 - t**2) * (root * (1 + 3 * 0.044715 * x**2)))


gelu = pointwise(
    "gelu",
    F.gelu,
    lambda g, y, x: g * _gelu_slope(x, y.attrs["approximate"]),
    tex=_call("gelu"),
    attrs={"approximate": "none"},
    cost=8,
)
silu = pointwise(
    "silu",
    F.silu,
    lambda g, y, x: g * (sigmoid(x) * (1 + x - y)),  # σ + x σ (1 - σ) with y = x σ
    tex=_call("silu"),
    cost=5,
)
