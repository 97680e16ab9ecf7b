"""Sizes of axes: numbers, polynomials in named sizes, or unknown; how they agree and contract.

A `Dim` is an `int`, a sympy expression in `Size` symbols (`4*d`, `d/H`, `T + 1`), or None when
nothing is known. A `Shape` is a tuple of dims, or None when even the rank is unknown. Two sizes
agree iff they are equal as polynomials, or with known values in place of names; other names never
unify, and a named size is never taken to be 1.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache

import sympy

from engine.errors import ShapeError


class Size(sympy.Symbol):
    """A named positive integer; its `value` is None when it is known only with the data."""

    __slots__ = ("value",)
    value: int | None

    def __new__(cls, name: str, value: int | None = None) -> Size:
        """A symbol; take it from `size`, which returns the same one each time."""
        self = sympy.Symbol.__xnew__(cls, name, integer=True, positive=True)
        self.value = value
        return self

    def _hashable_content(self) -> tuple[str, ...]:
        return (*super()._hashable_content(), str(self.value))

    def __reduce__(self) -> tuple[object, ...]:
        return (size, (self.name, self.value))


@cache
def size(name: str, value: int | None = None) -> Size:
    """The size called `name`; the same symbol each time.

    >>> 4 * size("d") / size("d")
    4
    """
    return Size(name, value)


Dim = int | sympy.Expr | None
Shape = tuple[Dim, ...] | None


@lru_cache(maxsize=65536)
def canonical(dim: int | sympy.Expr) -> int | sympy.Expr:
    """The one form of a polynomial: reduced, expanded, and an `int` when it is a number."""
    if isinstance(dim, int):
        return dim
    expanded = sympy.expand(dim if dim.is_polynomial() else sympy.cancel(dim))
    return int(expanded) if expanded.is_Integer else expanded


@lru_cache(maxsize=65536)
def known(dim: Dim) -> int | None:
    """The number that a dim stands for, when all its sizes have values.

    >>> known(4 * size("d", 16)), known(size("T"))
    (64, None)
    """
    number = None if dim is None else with_values(dim)
    return number if isinstance(number, int) else None


@lru_cache(maxsize=65536)
def with_values(dim: int | sympy.Expr) -> int | sympy.Expr:
    """A dim with numbers for the sizes that have values."""
    values = [(s, s.value) for s in sizes_in(dim) if s.value is not None]
    return canonical(dim.subs(values)) if isinstance(dim, sympy.Expr) else dim


def same(a: Dim, b: Dim) -> bool:
    """Whether two dims are known to agree: equal as polynomials, or by known values.

    >>> same(8 * size("T"), size("T") * size("d", 8)), same(size("T"), size("S"))
    (True, False)
    """
    if a is None or b is None:
        return False
    return a is b or canonical(a) == canonical(b) or with_values(a) == with_values(b)


def may_agree(a: Dim, b: Dim) -> bool:
    """Whether nothing speaks against `a` = `b`: one of them is unknown, or they agree."""
    return a is None or b is None or same(a, b)


def complete(shape: Shape) -> bool:
    """Whether every axis of the shape is known, by number or by name."""
    return shape is not None and None not in shape


def same_shape(a: Shape, b: Shape) -> bool:
    """Whether two shapes are known to be equal, axis by axis."""
    if a is None or b is None or len(a) != len(b):
        return False
    return all(same(x, y) for x, y in zip(a, b, strict=True))


def fits(declared: Shape, actual: Shape) -> bool:
    """Whether nothing speaks against the two shapes being equal."""
    if declared is None or actual is None:
        return True
    return len(declared) == len(actual) and all(map(may_agree, declared, actual))


def product(dims: Iterable[Dim]) -> Dim:
    """The number of elements, None when a dim is unknown."""
    total: int | sympy.Expr = 1
    for dim in dims:
        if dim is None:
            return None
        total = total * dim
    return canonical(total)


def total(dims: Iterable[Dim]) -> Dim:
    """The sum of the dims (a concatenated axis), None when one is unknown."""
    result: int | sympy.Expr = 0
    for dim in dims:
        if dim is None:
            return None
        result = result + dim
    return canonical(result)


def exact(a: int | sympy.Expr, b: int | sympy.Expr) -> int | sympy.Expr:
    """a / b as a size; that b divides a is checked once both are known.

    >>> exact(12, 3), exact(size("d"), size("H"))
    (4, d/H)
    """
    if b == 0:
        raise ShapeError(f"{show_dim(a)} cannot be divided into {show_dim(b)} parts")
    quotient = canonical(sympy.sympify(a) / b)
    if isinstance(with_values(quotient), sympy.Rational):
        raise ShapeError(f"{valued(b)} does not divide {valued(a)}")
    return quotient


def solve(dim: int | sympy.Expr, x: Size, value: int | sympy.Expr) -> int | sympy.Expr | None:
    """The size `x` for which `dim` is `value`; None if `dim` is not linear in it.

    Raises ShapeError for a division that leaves a remainder.

    >>> solve(2 * size("h"), size("h"), 6), solve(size("n") + 1, size("n"), size("T"))
    (3, T - 1)
    """
    slope = canonical(sympy.diff(dim, x))
    rest = canonical(dim - slope * x)
    if slope == 0 or x in sizes_in(slope) | sizes_in(rest):
        return None
    return exact(canonical(value - rest), slope)


def valued(dim: Dim) -> str:
    """A dim with its value, where it has one: `d = 64`."""
    value = known(dim)
    return show_dim(dim) if value is None or value == dim else f"{show_dim(dim)} = {value}"


def broadcast(*shapes: Shape, verb: str = "combine") -> Shape:
    """The common shape, aligned right: equal, or literally 1, or missing.

    `verb` says in messages what was to be done with the operands.
    Raises ShapeError naming the axis. An unknown rank makes the result's unknown.

    >>> broadcast((size("B"), 1, 3), (4, 1))
    (B, 4, 3)
    """
    if any(shape is None for shape in shapes):
        return None
    result: tuple[Dim, ...] = ()
    for shape in shapes:
        assert shape is not None
        if shape and shape != result:
            result = _broadcast_pair(result, shape, verb) if result else shape
    return result


def _broadcast_pair(left: tuple[Dim, ...], right: tuple[Dim, ...], verb: str) -> tuple[Dim, ...]:
    rank = max(len(left), len(right))
    a, b = (1,) * (rank - len(left)) + left, (1,) * (rank - len(right)) + right
    return tuple(
        _broadcast_dim(x, y, axis - rank, (left, right), verb)
        for axis, (x, y) in enumerate(zip(a, b, strict=True))
    )


def _broadcast_dim(x: Dim, y: Dim, axis: int, shapes: tuple[Shape, Shape], verb: str) -> Dim:
    if x == 1 and isinstance(x, int):
        return y
    if y == 1 and isinstance(y, int):
        return x
    if x is None or y is None:
        return x if y is None else y
    if same(x, y):
        return x
    raise ShapeError(
        f"cannot {verb} shapes {show(shapes[0])} and {show(shapes[1])}: "
        f"axis {axis} is {show_dim(x)} on the left and {show_dim(y)} on the right",
        hint=_move_axis(shapes, axis) or _add_axes(shapes),
    )


def _move_axis(shapes: tuple[Shape, Shape], axis: int) -> str | None:
    """Where one operand's only axis stands elsewhere in the other: how to index it there."""
    for this, other, side in ((*shapes, "left"), (*shapes[::-1], "right")):
        if this is None or other is None or len(this) != 1:
            continue
        places = [i for i, dim in enumerate(other) if same(dim, this[0])]
        if places:
            behind = len(other) - 1 - places[-1]
            steps = "one place" if behind == 1 else f"{behind} places"
            index = ", ".join([":"] + ["None"] * behind)
            return (
                f"the {show_dim(this[0])} axis of the {side} side would have to sit "
                f"{steps} further left: index it with `[{index}]`"
            )
    return None


def _add_axes(shapes: tuple[Shape, Shape]) -> str | None:
    """Where one operand has the first axes of the other: the axes of size 1 that it lacks."""
    for this, other, side in ((*shapes, "left"), (*shapes[::-1], "right")):
        if this and other and len(this) < len(other) and same_shape(this, other[: len(this)]):
            index = ", ".join(["..."] + ["None"] * (len(other) - len(this)))
            return f"the {side} side has the first axes of the other: index it with `[{index}]`"
    return None


def contract(a: Shape, b: Shape) -> Shape:
    """The shape of the matrix product, as NumPy's matmul: batch axes broadcast, vectors allowed."""
    if a is None or b is None:
        return None
    if not a or not b:
        raise ShapeError(
            f"cannot multiply {show(a)} by {show(b)}: "
            "a matrix product needs at least one axis on either side",
            hint="scale with `{0} * {1}`",
        )
    inner = _inner(b)
    if not may_agree(a[-1], inner):
        raise ShapeError(
            f"cannot multiply {show(a)} by {show(b)}: "
            f"the inner sizes are {show_dim(a[-1])} and {show_dim(inner)}",
            hint=_transpose_hint(a, b),
        )
    try:
        batch = broadcast(a[:-2], b[:-2])
    except ShapeError:
        message = f"cannot multiply {show(a)} by {show(b)}: the batch axes are {show(a[:-2])}"
        raise ShapeError(f"{message} and {show(b[:-2])}") from None
    assert batch is not None
    return (*batch, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


def _inner(b: tuple[Dim, ...]) -> Dim:
    """The axis of a right operand that a product contracts."""
    return b[-2:][0]


def _transpose_hint(a: tuple[Dim, ...], b: tuple[Dim, ...]) -> str | None:
    """Another product of the two that exists."""
    try:
        broadcast(a[:-2], b[:-2])
    except ShapeError:
        return None
    if len(b) > 1 and same(a[-1], b[-1]):
        return "the last axes agree: did you mean `{0} @ {1}^T`?"
    if len(a) > 1 and same(a[-2], _inner(b)):
        return "the second-last axes agree: did you mean `{0}^T @ {1}`?"
    if len(a) > 1 and len(b) > 1 and same(b[-1], a[-2]) and not b[:-2]:
        return "the other order fits: did you mean `{1} @ {0}`?"
    return None


def evaluate(dim: int | sympy.Expr, sizes: Mapping[str, int]) -> int:
    """The number of a dim, given its sizes. Raises ShapeError if a division leaves a remainder."""
    if isinstance(dim, int):
        return dim
    names, fraction = _fraction(dim)
    unknown = [s.name for s in names if s.name not in sizes and s.value is None]
    if unknown:
        raise ShapeError(f"the size `{unknown[0]}` is not known from any input")
    values = [sizes[s.name] if s.value is None else s.value for s in names]
    above, below = fraction(*values)
    if not below or above % below or above // below < 0:
        told = ", ".join(f"{s.name} = {value}" for s, value in zip(names, values, strict=True))
        raise ShapeError(f"the size {show_dim(dim)} is not a whole number of elements: {told}")
    return above // below


# The names that the source of a step has for itself; a size may be called so too.
RESERVED = frozenset(
    {"torch", "F", "kernels", "fused", "bind", "step", "dtype", "device", "memory", "results"}
    | {"float", "Ellipsis", "_"}
)


def argument(name: str) -> str:
    """What a size is called in Python source: its name, unless Python reads another in it.

    >>> argument("T"), argument("F"), argument("d'")
    ('T', 'size_F', 'size_d_27')
    """
    plain = name.isidentifier() and unicodedata.normalize("NFKC", name) == name
    if plain and not keyword.iskeyword(name) and name not in RESERVED:
        return name
    return "size_" + re.sub(r"[^0-9A-Za-z]", lambda c: f"_{ord(c[0]):x}", name)


def source(dim: int | sympy.Expr) -> str:
    """A size as Python source, divisions exact, numbers for the sizes that have values.

    >>> source(size("d") * 4 / size("H"))
    '(4*d) // (H)'
    """
    open_dim = with_values(dim)
    if isinstance(open_dim, int):
        return str(open_dim)
    renamed: dict[sympy.Basic, sympy.Basic] = {
        s: sympy.Symbol(argument(s.name)) for s in sizes_in(open_dim)
    }
    above, below = sympy.fraction(sympy.together(open_dim.xreplace(renamed)))
    return str(above) if below == 1 else f"({above}) // ({below})"


@lru_cache(maxsize=65536)
def _fraction(dim: sympy.Expr) -> tuple[tuple[Size, ...], Callable[..., tuple[int, int]]]:
    """The names in a size, and the function from their values to its numerator and denominator."""
    names = tuple(sorted(sizes_in(dim), key=lambda s: s.name))
    return names, sympy.lambdify(names, sympy.fraction(sympy.together(dim)), "math", dummify=True)


@lru_cache(maxsize=65536)
def sizes_in(dim: Dim) -> frozenset[Size]:
    """The named sizes a dim depends on."""
    if dim is None or isinstance(dim, int):
        return frozenset()
    return frozenset(s for s in dim.free_symbols if isinstance(s, Size))


def show_dim(dim: Dim) -> str:
    """A dim as one writes it: `4d`, `d/H`, `T + 1`, `d^2`; `?` when unknown."""
    if dim is None:
        return "?"
    text = str(dim).replace("**", "^")
    return re.sub(r"\b(\d+)\*(?=[^\W\d])(?![eE]\d)", r"\1", text)  # 4e1 is a number


def show(shape: Shape) -> str:
    """A shape as one writes it.

    >>> show((size("B"), 4 * size("d"), None))
    '[B, 4d, ?]'
    """
    return "[...]" if shape is None else f"[{', '.join(map(show_dim, shape))}]"
