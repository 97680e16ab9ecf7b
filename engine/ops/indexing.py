"""NumPy's basic indexing, `x[1, :, None, ..., -2:]`, and its adjoint; an int tensor gathers."""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex, cast

import sympy

from engine import dims
from engine.dims import Dim, Shape, show, show_dim
from engine.errors import KindError, ShapeError
from engine.graph import Node, Operand, as_node
from engine.ops import kernels
from engine.ops.families import linear, shape_of
from engine.ops.layout import asked, reshape

# an entry of a key: int, None (new axis), Ellipsis, or a slice as the triple (start, stop, step)
Key = tuple[Any, ...]


def _index(x: Operand, key: Any) -> Node:
    """NumPy's basic indexing; `E[tokens]` with an integer node gathers rows."""
    from engine.ops.lookup import lookup
    from engine.ops.selection import gather

    node = as_node(x)
    if _is_tensor(key):
        return gather(node, key)
    entries = cast(Key, key or (Ellipsis,)) if isinstance(key, tuple) else (key,)
    if any(map(_is_tensor, entries)):
        return lookup(
            node, tuple(as_node(k) if _is_tensor(k) else _entry(k, node) for k in entries)
        )
    return index.node((node,), key=_from_start(tuple(_entry(k, node) for k in entries), node))


def _is_tensor(k: Any) -> bool:
    return isinstance(k, Node | list) or getattr(k, "shape", ()) != ()


def _entry(k: Any, x: Node) -> Any:
    """One entry of a key, checked and made hashable."""
    if k is None or k is Ellipsis:
        return k
    if isinstance(k, slice):
        parts = (_number(k.start, x), _number(k.stop, x), _number(k.step, x))
        if isinstance(parts[2], int) and parts[2] < 1:
            raise KindError(
                "a slice needs a positive step", nodes=(x,), hint="reverse with ops.flip"
            )
        return parts
    return _number(k, x)


def _number(k: Any, x: Node) -> Any:
    """A place on an axis: a whole number, a size, or None for the end of a slice."""
    if k is None:
        return k
    if isinstance(k, sympy.Expr):
        return dims.canonical(k)
    if isinstance(k, SupportsIndex) and not isinstance(k, bool):
        return operator.index(k)
    raise KindError(
        f"cannot index with {k!r}",
        nodes=(x,),
        hint="keys are integers, slices, None, ... and tensors of integers; "
        "choose by truth with ops.where",
    )


def _from_start(key: Key, x: Node) -> Key:
    """The key with `-k`, for a named size k, as `n - k`: counted from the start of its axis."""
    if x.shape is None or not any(map(_is_negative, _parts(key))):
        return key
    return tuple(
        k if k is None else _counted(k, x.shape[axis]) for k, axis in aligned(key, x.shape)
    )


def _parts(key: Key) -> list[Any]:
    """The numbers of a key, ends of slices too."""
    return [part for k in key for part in (cast(Key, k) if isinstance(k, tuple) else (k,))]


def _is_negative(part: Any) -> bool:
    """Whether this is a size with a minus, `-k`: sizes themselves are positive."""
    return isinstance(part, sympy.Expr) and bool(part.is_negative)


def _counted(k: Any, n: Dim) -> Any:
    if isinstance(k, tuple):
        return tuple(_counted(part, n) for part in cast(Key, k))
    return dims.canonical(n + k) if n is not None and _is_negative(k) else k


def aligned(key: Key, shape: tuple[Dim, ...]) -> list[tuple[Any, int]]:
    """Each entry of the key with the axis it takes (the ellipsis spelled out)."""
    taken = sum(1 for k in key if k is not None and k is not Ellipsis)
    if taken > len(shape):
        raise ShapeError(f"{taken} indices for the {len(shape)} axes of {show(shape)}")
    if sum(1 for k in key if k is Ellipsis) > 1:
        raise ShapeError("`...` can stand only once in an index")
    colon = ((None, None, None),) * (len(shape) - taken)
    at = next((i for i, k in enumerate(key) if k is Ellipsis), len(key))
    full = (*key[:at], *colon, *key[at + 1 :])
    axis, result = 0, list[tuple[Any, int]]()
    for k in full:
        result.append((k, axis))
        axis += k is not None
    return result


def _indexed(attrs: Any, x: Node) -> Shape:
    if x.shape is None:
        return None
    shape: list[Dim] = []
    for k, axis in aligned(attrs["key"], x.shape):
        if k is None:
            shape.append(1)
        elif isinstance(k, tuple):
            shape.append(_slice_size(k, x.shape[axis]))
        else:
            _check_bounds(k, x.shape[axis], axis, x.shape)
    return tuple(shape)


def _check_bounds(k: Any, n: Dim, axis: int, shape: Shape) -> None:
    number, place = dims.known(n), dims.known(k)
    if place is not None and number is not None and not -number <= place < number:
        raise ShapeError(f"index {show_dim(k)} is outside axis {axis} of {show(shape)}")


def _slice_size(key: tuple[Dim, Dim, int | None], n: Dim) -> Dim:
    """The length of n elements cut by start:stop:step; clamped as in NumPy where all is known."""
    start, stop, step = key
    first, last, number = dims.known(start), dims.known(stop), dims.known(n)
    is_known = (first is None, last is None) == (start is None, stop is None)
    if number is not None and is_known:
        length = len(range(*slice(first, last, step).indices(number)))
        named = _length(key, n) if not isinstance(n, int) else None
        return named if dims.same(named, length) else length
    return _length(key, n)


def _length(key: tuple[Dim, Dim, int | None], n: Dim) -> Dim:
    """The length in the names of sizes, as if the ends lay inside."""
    start, stop, step = key
    if n is None and not (start in (None, 0) and stop is None and step in (None, 1)):
        return None
    if n is None or (start is None and stop is None and step in (None, 1)):
        return n
    first, last = _place(start, n, 0), _place(stop, n, n)
    length = dims.canonical(last - first)
    if step in (None, 1):
        return length
    number = dims.known(length)
    return None if number is None else -(-number // (step or 1))


def _place(k: Dim, n: int | sympy.Expr, default: int | sympy.Expr) -> int | sympy.Expr:
    if k is None:
        return default
    return n + k if isinstance(k, int) and k < 0 else k


def _adjoint(g: Node, y: Node, x: Node) -> Node:
    """New axes are dropped again; anything else writes `g` into zeros."""
    key = y.attrs["key"]
    if all(k is None or k is Ellipsis or k == (None, None, None) for k in key):
        return reshape(g, shape_of(x))
    to = shape_of(x)
    if isinstance(to, Node):
        return unindex.node((g, to), key=key, shape=None)
    return unindex.node((g,), key=key, shape=to)


def _key_text(y: Node) -> str:
    return ", ".join(map(entry_text, y.attrs["key"]))


def entry_text(k: Any) -> str:
    """One entry of a key as one writes it."""
    if k is Ellipsis:
        return "..."
    if not isinstance(k, tuple):
        return str(k)
    start, stop, step = ("" if part is None else str(part) for part in cast(tuple[Any, ...], k))
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _code(y: Node, names: tuple[str, ...]) -> str | None:
    """`x[1:, :, None]`; a key with named sizes in it is left to the kernel."""
    if any(isinstance(part, sympy.Expr) for part in _parts(y.attrs["key"])):
        return None
    return f"{names[0]}[{_key_text(y) or '()'}]"


index = linear(
    "index",
    kernels.index,
    shape=_indexed,
    adjoint=_adjoint,
    tex=lambda y, x: rf"{{{x}}}_{{{_key_text(y)}}}",
    glyph="[]",
    attrs={"key": ()},
    build=_index,
    code=_code,
)
unindex = linear(
    "unindex",
    kernels.unindex,
    shape=asked,
    adjoint=lambda c, y, g, *like: index.node((c,), key=y.attrs["key"]),
    tex=lambda y, g, *like: rf"\operatorname{{place}}_{{{_key_text(y)}}}({g})",
    glyph="place",
    attrs={"key": (), "shape": None},
    cost=lambda y, g, *like: 0,
)
