"""A value in a few words: `3.41`, `-3.3 … 3.8  μ=0.016 σ=0.998`, and what is wrong with it."""

from __future__ import annotations

import torch
from torch import Tensor


def summary(value: Tensor) -> str:
    """The number itself, or range, mean and deviation of the finite elements; NaN and inf are told.

    >>> summary(torch.tensor(2.5)), summary(torch.tensor([1.0, 3.0]))
    ('2.5', '1 … 3  μ=2 σ=1')
    """
    with torch.inference_mode():
        if value.ndim == 0:
            return _number(value.item())
        if value.numel() == 0:
            return "empty"
        if value.dtype is torch.bool:
            return f"{int(value.sum())} of {value.numel()} true"
        return "  ".join(part for part in (_spread(value), _trouble(value)) if part)


def _spread(value: Tensor) -> str:
    finite = value[torch.isfinite(value)]
    if not finite.numel():
        return ""
    ends = f"{_number(finite.min().item())} … {_number(finite.max().item())}"
    if not finite.dtype.is_floating_point:
        return ends
    exact = finite.double()
    mean, deviation = exact.mean().item(), exact.std(correction=0).item()
    return f"{ends}  μ={_number(mean)} σ={_number(deviation)}"


def _trouble(value: Tensor) -> str:
    found = {"NaN": int(value.isnan().sum()), "inf": int(value.isinf().sum())}
    return "  ".join(f"{name}! ({n} of {value.numel()})" for name, n in found.items() if n)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4g}"
