"""Fused ops: one torch kernel for a formula of ordinary ops, kernel(*xs) = definition(*xs).

They stand in a table of their own, `Fused.known`, not in `Op.table`: only `optimise` makes them,
after differentiation, so they have no derivatives and say so. Shape, kind and cost are those of
the definition; the law that they obey is that kernel and definition agree.

A kernel with several results makes a node whose value is a tuple; `item` takes one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from engine import ops
from engine.dims import Dim, Shape, total
from engine.errors import GradientError
from engine.graph import Node, Op, toposort
from engine.ops.families import unbroadcast
from engine.ops.selection import place_like
from engine.ops.sources import constant_value
from engine.passes import kernels


@dataclass(frozen=True, eq=False, kw_only=True)
class Fused(Op):
    """An op with a `definition(*inputs, **attrs)` in ordinary ops: a node, or a tuple of them.

    `over` are the inputs that the kernel's `out` may be: it reads no element after writing it.
    `parts` names the results of a kernel with several; the value is a tuple then.
    """

    definition: Callable[..., Any]
    over: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()
    known: ClassVar[dict[str, Fused]] = {}

    def __post_init__(self) -> None:
        """Into the table of fused ops."""
        assert self.name not in Fused.known, f"two fused operators are called {self.name}"
        Fused.known[self.name] = self

    def __reduce__(self) -> tuple[object, ...]:
        return (Fused.known.__getitem__, (self.name,))


def meaning(y: Node) -> Any:
    """What a fused node stands for, in ordinary ops."""
    assert isinstance(y.op, Fused)
    return y.op.definition(*y.inputs, **y.attrs)


def fused(
    name: str,
    kernel: Callable[..., Any],
    definition: Callable[..., Any],
    glyph: str,
    attrs: Mapping[str, Any] | None = None,
    code: Callable[..., str | None] | None = None,
    shape: Callable[..., Shape] | None = None,
    **more: Any,
) -> Fused:
    """A fused op; everything else follows from its definition."""

    def no_derivative(*_: Any) -> Any:
        raise GradientError(
            f"`{name}` is made after differentiation and has no derivative",
            hint="differentiate the graph before it is optimised",
        )

    return Fused(
        name=name,
        kernel=kernel,
        shape=shape or (lambda attrs, *xs: definition(*xs, **attrs).shape),
        kind=lambda attrs, *xs: "float",
        vjp=no_derivative,
        jvp=no_derivative,
        tex=rf"\operatorname{{{name}}}",
        glyph=glyph,
        cost=_cost,
        attrs=attrs or {},
        code=code,
        definition=definition,
        **more,
    )


def _cost(y: Node, *xs: Node) -> Dim:
    """What the ops of the definition cost together."""
    made = meaning(y)
    results = made if isinstance(made, tuple) else (made,)
    within = toposort(results, stop=set(xs).__contains__)
    return total(n.op.cost(n, *n.inputs) for n in within if n not in xs)


_shapes: WeakKeyDictionary[Node, tuple[Shape, ...]] = WeakKeyDictionary()


def _shape_of_item(attrs: Mapping[str, Any], several: Node) -> Shape:
    if several not in _shapes:
        _shapes[several] = tuple(part.shape for part in meaning(several))
    return _shapes[several][attrs["which"]]


item = fused(
    "item",
    lambda xs, which: xs[which],
    lambda xs, which: meaning(xs)[which],
    glyph="[]",
    attrs={"which": 0},
    shape=_shape_of_item,
)


def _add_product(c: Node, a: Node, b: Node, scale: Node | None = None) -> Node:
    return c + (a @ b if scale is None else a @ b * scale)


def _addmm_code(y: Node, names: tuple[str, ...]) -> str:
    function = "torch.addmm" if y.rank == 2 else "torch.baddbmm"
    if len(names) == 3:
        return f"{function}({', '.join(names)})"
    number = constant_value(y.inputs[3])
    scale = f"{names[3]}.item()" if number is None else repr(number)
    return f"{function}({', '.join(names[:3])}, alpha={scale})"


addmm = fused("addmm", kernels.addmm, _add_product, "+@", over=(0,), code=_addmm_code)
softmax_backward = fused(
    "softmax_backward",
    kernels.softmax_backward,
    lambda g, y, axis: y * (g - ops.sum(g * y, axis, keepdims=True)),
    glyph="softmaxᵀ",
    attrs={"axis": -1},
    over=(0,),
)
log_softmax_backward = fused(
    "log_softmax_backward",
    kernels.log_softmax_backward,
    lambda g, y, axis: g - ops.exp(y) * ops.sum(g, axis, keepdims=True),
    glyph="log_softmaxᵀ",
    attrs={"axis": -1},
    over=(0,),
)
relu_backward = fused(
    "relu_backward",
    kernels.relu_backward,
    lambda g, y: ops.where(ops.less(0, y), g, 0.0),
    glyph="reluᵀ",
    over=(0,),
)


def _several(attrs: Mapping[str, Any], *xs: Node) -> Shape:
    """A tuple has no shape."""
    return None


def _normalised(
    x: Node, weight: Node | None = None, bias: Node | None = None, *, eps: float
) -> tuple[Node, Node, Node]:
    """y = (x - mean) / σ · weight + bias, the mean, and 1/σ with σ² = var x + eps."""
    y = ops.layer_norm(x, weight, bias, -1, eps)
    return y, ops.mean(x, -1, keepdims=True), (ops.var(x, -1, keepdims=True) + eps) ** -0.5


def _normalised_back(
    g: Node, x: Node, mean: Node, rstd: Node, weight: Node | None = None
) -> tuple[Node, ...]:
    """x̄ = (h - mean h - y mean(h y)) / σ with h = g · weight; weight: Σ g y, bias: Σ g."""
    y = (x - mean) * rstd
    h = g if weight is None else g * weight
    slope = h - ops.mean(h, -1, keepdims=True) - y * ops.mean(h * y, -1, keepdims=True)
    if weight is None:
        return (rstd * slope,)
    return rstd * slope, unbroadcast(g * y, weight), unbroadcast(g, weight)


layer_norm = fused(
    "layer_norm",
    kernels.layer_norm,
    _normalised,
    glyph="layernorm",
    attrs={"eps": 1e-5},
    shape=_several,
    parts=("layer_norm", "mean", "rstd"),
)
layer_norm_backward = fused(
    "layer_norm_backward",
    kernels.layer_norm_backward,
    _normalised_back,
    glyph="layernormᵀ",
    shape=_several,
    parts=("dx", "dweight", "dbias"),
)


def _cross_entropy(logp: Node, targets: Node, reduction: str) -> Node:
    each = -ops.pick(logp, targets)
    return each if reduction == "none" else ops.mean(each)


cross_entropy = fused(
    "cross_entropy",
    kernels.cross_entropy,
    _cross_entropy,
    glyph="cross_entropy",
    attrs={"reduction": "none"},
)
cross_entropy_backward = fused(
    "cross_entropy_backward",
    kernels.cross_entropy_backward,
    lambda h, logp, targets: place_like(h[..., 0], targets, logp, -1) - h * ops.exp(logp),
    glyph="cross_entropyᵀ",
)
