"""The kernels of the fused ops, `kernel(*tensors, **attrs)`; `out` is memory to write into."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

aten = torch.ops.aten
NO_TARGET = -(2**63)  # torch's losses leave one target out; this one occurs in no data


def addmm(
    c: Tensor, a: Tensor, b: Tensor, scale: Tensor | None = None, *, out: Tensor | None = None
) -> Tensor:
    """c + scale · a @ b for matrices, or for stacks of as many."""
    product = torch.addmm if a.ndim == 2 else torch.baddbmm
    return product(c, a, b, alpha=1 if scale is None else scale.item(), out=out)


def softmax_backward(g: Tensor, y: Tensor, *, axis: int, out: Tensor | None = None) -> Tensor:
    """The cotangent of softmax."""
    return torch._softmax_backward_data(g, y, axis, y.dtype, grad_input=_dense(out))  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]


def log_softmax_backward(g: Tensor, y: Tensor, *, axis: int, out: Tensor | None = None) -> Tensor:
    """The cotangent of log_softmax."""
    return torch._log_softmax_backward_data(g, y, axis, y.dtype, out=_dense(out))  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]


def _dense(out: Tensor | None) -> Tensor | None:
    """The memory, if it lies in rows: softmax's backward writes rows whatever the strides say."""
    return out if out is not None and out.is_contiguous() else None


def relu_backward(g: Tensor, y: Tensor, *, out: Tensor | None = None) -> Tensor:
    """`g` where y > 0, else 0."""
    if out is None:
        return aten.threshold_backward(g, y, 0)
    return aten.threshold_backward.grad_input(g, y, 0, grad_input=out)


def layer_norm(
    x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, *, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """(y, mean, 1/σ) over the last axis."""
    return torch.native_layer_norm(x, x.shape[-1:], weight, bias, eps)


def layer_norm_backward(
    g: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, weight: Tensor | None = None
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """The cotangents of x, of the weight and of the bias; without a weight that of x alone."""
    scaled = weight is not None
    bias = weight  # lends its dtype
    return aten.native_layer_norm_backward(
        g, x, x.shape[-1:], mean, rstd, weight, bias, [True, scaled, scaled]
    )


def adam(
    θ: Sequence[Tensor],
    g: Sequence[Tensor],
    m: Sequence[Tensor],
    v: Sequence[Tensor],
    t: Tensor,
    *,
    lr: Tensor | float,
    betas: tuple[float, float],
    eps: float,
    decay: float,
) -> None:
    """Adam in place, for all parameters at once; torch's kernel takes memory to be in order."""
    written = [*θ, *m, *v]
    ordered = [x.contiguous() for x in written]
    n, slopes, steps = len(θ), [x.contiguous() for x in g], [t.to(torch.float32)] * len(θ)
    parts = ordered[:n], slopes, ordered[n : 2 * n], ordered[2 * n :], [], steps
    beta1, beta2 = betas
    torch._fused_adamw_(  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage, reportCallIssue]
        *parts,
        lr=lr,  # pyright: ignore[reportArgumentType]
        beta1=beta1,
        beta2=beta2,
        weight_decay=decay,
        eps=eps,
        amsgrad=False,
        maximize=False,
    )
    for x, y in zip(written, ordered, strict=True):
        if x is not y:
            x.copy_(y)


def cross_entropy(logp: Tensor, targets: Tensor, *, reduction: str) -> Tensor:
    """-logp[target] over the last axis, one per position ("none") or their mean."""
    if logp.ndim <= 2:
        return F.nll_loss(logp, targets, ignore_index=NO_TARGET, reduction=reduction)
    flat = logp.flatten(0, -2), targets.flatten()
    loss = F.nll_loss(*flat, ignore_index=NO_TARGET, reduction=reduction)
    return loss if loss.ndim == 0 else loss.view(targets.shape)


def cross_entropy_backward(
    h: Tensor, logp: Tensor, targets: Tensor, *, out: Tensor | None = None
) -> Tensor:
    """(one_hot(target) - softmax) h, by way of the cotangent of log_softmax; h has an axis of 1."""
    at = torch.zeros_like(logp) if out is None else out.zero_()
    at.scatter_(-1, targets.unsqueeze(-1), h)
    return log_softmax_backward(at, logp, axis=-1, out=at)
