"""The derivative by a complex step: Im f(x + ih) / h = f'(x) - h² f'''(x) / 6 + …

Nothing is subtracted, so h may be so small that the truncation vanishes (Squire & Trapp, SIAM
Review 40, 1998; Martins, Sturdza & Alonso, ACM TOMS 29, 2003). It needs a function that is analytic
as it is computed: ANALYTIC has the operators that are, with their kernels of complex numbers.
Whatever compares, rounds or takes an absolute value is none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from engine.calculus.differences import NOISE, Slope
from engine.graph import Node, Op, depends
from engine.ops import kernels
from engine.run.obligations import attrs_with
from engine.run.trace import Bound

STEP = 1e-20  # in proportion to x: its square is nothing beside 1
LEAST = 1e-100  # an x smaller than this is left to differences: its step would vanish
TINY = torch.finfo(torch.float64).tiny
SHORTER = 0.3  # of it, for the estimate; no power of two, so that rounding differs too
CLOSE = 1e-9  # so close are two steps of a function that is analytic here


class ComplexStep:
    """The output as a function of the elements of one leaf, along the imaginary axis.

    `refused` is the first value on the way to the output that no complex number can pass, else
    None. `values` tells the real values of all nodes, if they are needed.
    """

    def __init__(
        self, output: Node, leaf: Node, run: Bound, values: Callable[[], Mapping[Node, Tensor]]
    ) -> None:
        self._output, self._leaf = output, leaf
        active = depends([output], [leaf])
        between = [y for y in run.order if y in active and y is not leaf]
        self.refused = next((y for y in between if y.op.name not in ANALYTIC), None)
        if self.refused is None:
            self._values = values()
            self._place = {"dtype": torch.complex128, "device": run.place.device}
            self._between = [(y, attrs_with(run.sizes, y)) for y in between]

    def slope(self, i: int) -> Slope | None:
        """The derivative by element i, summed over the output; None where it is not analytic."""
        if self.refused is not None:
            return None
        x = abs(float(self._values[self._leaf].reshape(-1)[i]))
        here = self._values[self._output]
        h = STEP * (max(x, LEAST) if x else 1.0)
        long, short = (self._moved(i, step) for step in (h, SHORTER * h))
        value = float(short.imag.sum()) / (SHORTER * h)
        estimate = abs(float(long.imag.sum()) / h - value)
        reached = here if not short.imag.any() else here[short.imag != 0]
        rounding = NOISE * float(reached.abs().sum()) / max(x, 1.0) + TINY / h
        if not estimate <= CLOSE * abs(value) + rounding:
            return None
        return Slope(value, estimate, rounding, method="complex step")

    def _moved(self, i: int, h: float) -> Tensor:
        """The output where element i of the leaf is x + ih."""
        x = self._values[self._leaf].to(torch.complex128, copy=True).contiguous()
        x.view(-1)[i] += complex(0, h)
        found = {self._leaf: x}
        for y, attrs in self._between:
            inputs = (found[z] if z in found else _complex(self._values[z]) for z in y.inputs)
            placed = self._place if y.op.placed else {}
            found[y] = ANALYTIC[y.op.name](*inputs, **attrs, **placed)
        return (
            found[self._output] if self._output in found else _complex(self._values[self._output])
        )


def _complex(x: Tensor) -> Tensor:
    return x.to(torch.complex128) if x.is_floating_point() else x


def _power(a: Tensor, b: Tensor) -> Tensor:
    """aᵇ: a product for a whole exponent, since log a of a negative base is far from its own."""
    n = float(b.real.flatten()[0]) if b.numel() else 0.0
    if not n.is_integer() or abs(n) > 64 or bool((b != n).any()):
        return torch.exp(b * torch.log(a.to(torch.complex128)))
    product = torch.ones_like(a * b)
    for _ in range(int(abs(n))):
        product = product * a
    return product if n >= 0 else 1 / product


def _softplus(x: Tensor) -> Tensor:
    """log(1 + eˣ), of the side on which nothing overflows."""
    positive = x.real > 0
    smaller = torch.log(1 + torch.exp(torch.where(positive, -x, x)))
    return torch.where(positive, x + smaller, smaller)


def _variance(x: Tensor, *, axis: kernels.Axis, keepdims: bool, correction: int) -> Tensor:
    off = x - kernels.mean(x, axis=axis, keepdims=True)
    n = kernels.taken_together(x, axis)
    return kernels.sum(off * off, axis=axis, keepdims=keepdims) / (n - correction)


def _log_softmax(x: Tensor, axis: int) -> Tensor:
    return x - torch.logsumexp(x, axis, keepdim=True) if x.ndim else x - x


def _softmax(x: Tensor, axis: int) -> Tensor:
    return torch.exp(_log_softmax(x, axis))


def _cross_entropy(logits: Tensor, targets: Tensor, *, axis: int) -> Tensor:
    return -kernels.pick(_log_softmax(logits, axis), targets, axis=axis)


def _layer_norm(x: Tensor, *, axis: int, eps: float) -> Tensor:
    spread = _variance(x, axis=axis, keepdims=True, correction=0)
    return (x - kernels.mean(x, axis=axis, keepdims=True)) / torch.sqrt(spread + eps)


def _logdet(x: Tensor) -> Tensor:
    return torch.log(torch.linalg.det(x))


_AS_THEY_ARE = (
    *("add", "sub", "mul", "div", "neg", "sqrt", "exp", "log", "sin", "cos", "tanh"),
    *("sigmoid", "silu", "sum", "mean", "prod", "cumsum", "logsumexp"),
    *("matmul", "matmul_left", "matmul_right", "einsum", "inv", "det", "solve"),
    *("reshape", "expand", "sum_to", "transpose", "concat", "part", "stack", "flip"),
    *("index", "unindex", "gather", "scatter_add", "pick", "place", "where"),
    *("diag", "trace", "tril", "triu"),
    *("zeros", "ones", "full", "eye", "count"),  # of the shape alone
)
ANALYTIC: Mapping[str, Callable[..., Tensor]] = {
    **{name: Op.table[name].kernel for name in _AS_THEY_ARE if name in Op.table},
    "pow": _power,
    "softplus": _softplus,
    "var": _variance,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "cross_entropy": _cross_entropy,
    "layer_norm": _layer_norm,
    "logdet": _logdet,
}
