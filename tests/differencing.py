"""Derivatives of any function of a tensor from its values alone: central differences, refined."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]
STEP = 2e-3  # what the refinement leaves is of order STEP⁶
LEVELS = 3


def slope(f: Function, x: Tensor, v: Tensor, h: float = STEP) -> Tensor:
    """d/dt f(x + t v) at t = 0: differences at h, h/2, h/4, and Richardson's extrapolation."""
    row = [(f(x + s * v) - f(x - s * v)) / (2 * s) for s in (h / 2**i for i in range(LEVELS))]
    for order in range(1, LEVELS):
        finer = row[1:]
        row = [(4**order * b - a) / (4**order - 1) for a, b in zip(row, finer, strict=False)]
    return row[0]


def slopes(f: Function, x: Tensor, h: float = STEP) -> Tensor:
    """∂f/∂x of shape [*f.shape, *x.shape]: the gradient of a number, the Jacobian of a tensor."""
    if not x.numel():
        return f(x).new_zeros((*f(x).shape, *x.shape))
    basis = torch.eye(x.numel(), dtype=x.dtype).reshape(-1, *x.shape)
    columns = torch.stack([slope(f, x, v, h) for v in basis], dim=-1)
    return columns.reshape((*columns.shape[:-1], *x.shape))
