"""Where a graph begins: variables, constants, sizes, filled and random tensors."""

from __future__ import annotations

import hashlib
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, SupportsIndex, cast

import sympy
import torch

from engine.dims import Dim, Shape, canonical, complete, show, show_dim, size
from engine.errors import KindError
from engine.graph import Kind, Node, Op, Operand, as_node
from engine.ops import kernels
from engine.ops.families import dtype_kind

DimLike = int | str | Dim


class Literal:
    """A constant tensor as an attribute: equal by dtype, shape and content; never written to."""

    __slots__ = ("digest", "tensor")

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor.detach().cpu().contiguous().clone()
        content = (
            self.tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        )
        self.digest = (str(tensor.dtype), tuple(tensor.shape), hashlib.sha256(content).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Literal({self.digest[0]}, {list(self.digest[1])})"

    def __reduce__(self) -> tuple[object, ...]:
        return (Literal, (self.tensor,))


def as_shape(shape: Sequence[DimLike] | int | None) -> Shape:
    """A shape from numbers, names ("T" is the size called T), sizes and None."""
    if shape is None:
        return None
    dims = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    return tuple(_dim(dim) for dim in dims)


def known_shape(shape: Sequence[DimLike] | int | None, what: str) -> Shape:
    """A shape in which every size is known, by number or by name."""
    if not complete(as_shape(shape)):
        raise KindError(f"{what} needs a known shape, not {show(as_shape(shape))}")
    return as_shape(shape)


def _dim(dim: DimLike) -> Dim:
    if isinstance(dim, int) and dim < 0:
        raise KindError(f"a size cannot be {dim}", hint="sizes are whole numbers from 0 on")
    return None if dim is None else whole_number(dim)


def whole_number(dim: DimLike) -> int | sympy.Expr:
    """A whole number, of either sign, from a number, a name or a polynomial in sizes."""
    if isinstance(dim, str) and re.fullmatch(r"[^\W\d][\w']*", dim):
        return size(dim)
    if isinstance(dim, sympy.Expr):
        return canonical(dim)
    if isinstance(dim, SupportsIndex) and not isinstance(dim, bool):
        return operator.index(dim)
    raise KindError(f"a size cannot be {dim!r}", hint="a size is a whole number or a name")


def source(
    name: str,
    kernel: Callable[..., Any],
    shape: Callable[..., Shape],
    kind: Callable[..., Kind],
    build: Callable[..., Node],
    attrs: Mapping[str, Any],
    tex: str | Callable[..., str] = "",
) -> Op:
    """An op that no derivative flows into; its inputs, if any, lend a shape or are a random key."""
    return Op(
        name=name,
        kernel=kernel,
        shape=shape,
        kind=kind,
        vjp=lambda g, y, *xs: (None,) * len(xs),
        jvp=lambda dx, y, *xs: None,
        tex=tex or rf"\mathrm{{{name}}}",
        glyph=name,
        cost=lambda y, *xs: 0,
        attrs=attrs,
        arity=0,
        build=build,
        placed=name != "variable",
    )


def _not_fed(**attrs: Any) -> torch.Tensor:
    raise KindError(f"the variable `{attrs['name']}` has a value only when it is fed")


def element_kind(attrs: Any, *inputs: Node) -> Kind:
    """The kind that the attributes name."""
    kind = attrs["kind"]
    if kind not in ("float", "int", "bool"):
        raise KindError(f"there is no element kind {kind!r}", hint="kinds are float, int and bool")
    return kind


def _var(name: str, shape: Sequence[DimLike] | int | None = None, kind: Kind = "float") -> Node:
    return var.node((), name=str(name), shape=as_shape(shape), kind=kind)


var = source(
    "variable",
    _not_fed,
    shape=lambda attrs: attrs["shape"],
    kind=element_kind,
    build=_var,
    attrs={"name": "", "shape": None, "kind": "float"},
    tex=lambda y: y.attrs["name"],
)


def _const(value: Any) -> Node:
    if isinstance(value, bool | int | float):
        kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "float"
        return const.node((), value=value, kind=kind)
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise KindError(
            f"a {type(value).__name__} cannot be a value of the graph",
            hint="use a node, a number, a list of numbers, an array or a tensor",
        ) from error
    if tensor.is_complex():
        raise KindError(
            "complex numbers are not supported", hint="feed real and imaginary part apart"
        )
    return const.node((), value=_plain(tensor), kind=dtype_kind(tensor.dtype))


def _plain(tensor: torch.Tensor) -> Any:
    return tensor.item() if tensor.ndim == 0 else Literal(tensor)


def _const_tex(y: Node) -> str:
    value = y.attrs["value"]
    return (
        rf"\mathrm{{const}}_{{{list(y.shape or ())}}}"
        if isinstance(value, Literal)
        else number(value)
    )


def number(value: float) -> str:
    """A number as one writes it: 2, 0.5, 1e-05, inf."""
    whole = math.isfinite(value) and abs(value) < 1e15 and value == math.floor(value)
    return str(math.floor(value)) if whole else repr(value)


def in_python(value: float) -> str:
    """A number as Python source.

    >>> in_python(0.5), in_python(math.inf)
    ('0.5', "float('inf')")
    """
    return repr(value) if math.isfinite(value) else f"float('{value}')"


const = source(
    "const",
    kernels.constant,
    shape=lambda attrs: (
        tuple(attrs["value"].tensor.shape) if isinstance(attrs["value"], Literal) else ()
    ),
    kind=element_kind,
    build=_const,
    attrs={"value": 0, "kind": "int"},
    tex=_const_tex,
)


def constant_value(x: Node) -> float | None:
    """The number that a scalar constant holds, None for anything else."""
    if x.op is not const or isinstance(x.attrs["value"], Literal):
        return None
    return x.attrs["value"]


def is_const(x: Node, value: float) -> bool:
    """Whether the node is the scalar constant `value`."""
    return constant_value(x) == value


def _size(dim: DimLike) -> Node:
    checked = whole_number(dim)
    return as_node(checked) if isinstance(checked, int) else size_value.node((), dim=checked)


size_value = source(
    "size",
    kernels.size,
    shape=lambda attrs: (),
    kind=lambda attrs: "int",
    build=_size,
    attrs={"dim": 1},
    tex=lambda y: show_dim(y.attrs["dim"]),
)


def _arange(start: DimLike, stop: DimLike = None, step: int = 1) -> Node:
    first, last = (0, start) if stop is None else (start, stop)
    if not isinstance(cast(object, step), int) or step == 0:
        raise KindError(f"a step of arange is a whole number other than 0, not {step!r}")
    return arange.node((), start=whole_number(first), stop=whole_number(last), step=step)


def _arange_length(attrs: Any) -> Shape:
    length = canonical(attrs["stop"] - attrs["start"])
    if isinstance(length, int):
        return (max(0, -(-length // attrs["step"])),)
    return (length if attrs["step"] == 1 else None,)


arange = source(
    "arange",
    kernels.arange,
    _arange_length,
    lambda attrs: "int",
    _arange,
    {"start": 0, "stop": 0, "step": 1},
)


def filled(name: str, value: float) -> Op:
    """Zeros or ones of a shape, or of the shape that a node lends at run time."""

    def build(shape: Sequence[DimLike] | int | Node | None, kind: Kind = "float") -> Node:
        if isinstance(shape, Node):
            return op.node((shape,), shape=None, value=value, kind=kind)
        return op.node((), shape=known_shape(shape, name), value=value, kind=kind)

    op = source(
        name,
        kernels.full,
        _given_or_lent,
        element_kind,
        build,
        {"shape": (), "value": value, "kind": "float"},
    )
    return op


def _given_or_lent(attrs: Any, *like: Node) -> Shape:
    return like[0].shape if like else attrs["shape"]


zeros = filled("zeros", 0)
ones = filled("ones", 1)


def _full(shape: Sequence[DimLike] | int, value: float) -> Node:
    if not isinstance(cast(object, value), int | float):
        raise KindError(f"full takes a number, not {value!r}", hint="repeat it with ops.expand")
    kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "float"
    return full.node((), shape=known_shape(shape, "full"), value=value, kind=kind)


full = source(
    "full",
    kernels.full,
    _given_or_lent,
    element_kind,
    _full,
    {"shape": (), "value": 0, "kind": "float"},
)


def _eye(n: DimLike | Node) -> Node:
    if isinstance(n, Node):
        return eye.node((n,), n=None)
    shape = known_shape((n,), "eye")
    assert shape is not None
    return eye.node((), n=shape[0])


def _square(attrs: Any, *like: Node) -> Shape:
    n = attrs["n"] if not like else like[0].shape[-1] if like[0].shape else None
    return (n, n)


eye = source("eye", kernels.eye, _square, lambda attrs, *like: "float", _eye, {"n": 1}, tex="I")


def _drawn(attrs: Any, key: Node) -> Shape:
    if key.kind != "int" or key.rank not in (0, None):
        raise KindError(f"a random key is one whole number, not {key.describe()}")
    return attrs["shape"]


def _uniform(
    shape: Sequence[DimLike] | int, key: Operand, low: float = 0.0, high: float = 1.0
) -> Node:
    to = known_shape(shape, "uniform")
    return uniform.node((as_node(key),), shape=to, low=float(low), high=float(high))


def _normal(
    shape: Sequence[DimLike] | int, key: Operand, mean: float = 0.0, std: float = 1.0
) -> Node:
    to = known_shape(shape, "normal")
    return normal.node((as_node(key),), shape=to, mean=float(mean), std=float(std))


uniform = source(
    "uniform",
    kernels.uniform,
    _drawn,
    lambda *_: "float",
    _uniform,
    {"shape": (), "low": 0.0, "high": 1.0},
)
normal = source(
    "normal",
    kernels.normal,
    _drawn,
    lambda *_: "float",
    _normal,
    {"shape": (), "mean": 0.0, "std": 1.0},
)
