"""einsum: a sum of products over named axes; its adjoints are einsums, letters exchanged."""

from __future__ import annotations

from typing import Any, cast

from engine.dims import Dim, Shape, may_agree, product, show, show_dim
from engine.errors import KindError, ShapeError
from engine.graph import Node, Operand
from engine.ops import kernels
from engine.ops.axes import new_axis
from engine.ops.families import broadcast_to, multilinear, times, to_float
from engine.ops.layout import transpose
from engine.ops.sources import eye

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _einsum(pattern: str, *operands: Operand) -> Node:
    """`einsum("ij,jk->ik", a, b)`; without `->` the result has the letters that occur once."""
    if not isinstance(cast(object, pattern), str):
        raise KindError("einsum takes its pattern first", hint='`einsum("ij,jk->ik", a, b)`')
    xs = tuple(to_float(x) for x in operands)
    terms, out = _parse(pattern.replace(" ", ""), xs)
    terms, xs = _without_diagonals(terms, xs, out)
    return einsum.node(xs, pattern=f"{','.join(terms)}->{out}")


def _parse(pattern: str, xs: tuple[Node, ...]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, the ellipsis spelled out."""
    left, arrow, out = pattern.partition("->")
    terms = left.split(",")
    if len(terms) != len(xs):
        raise ShapeError(
            f"einsum {pattern!r} is for {len(terms)} operands, not {len(xs)}", nodes=xs
        )
    for term, x in zip(terms, xs, strict=True):
        if "..." in term and x.rank is None:
            raise ShapeError(f"`{term}` needs an operand of known rank", nodes=(x,))
    free = [c for c in LETTERS if c not in pattern]
    extra = [
        max(0, (x.rank or 0) - len(t.replace("...", ""))) if "..." in t else 0
        for t, x in zip(terms, xs, strict=True)
    ]
    names = "".join(free[: max(extra, default=0)])
    spelled = [t.replace("...", names[len(names) - n :]) for t, n in zip(terms, extra, strict=True)]
    if not arrow:
        once = sorted(
            c for c in set("".join(spelled)) if "".join(spelled).count(c) == 1 and c not in names
        )
        return spelled, names + "".join(once)
    return spelled, out.replace("...", names)


def _without_diagonals(
    terms: list[str], xs: tuple[Node, ...], out: str
) -> tuple[list[str], tuple[Node, ...]]:
    """A letter twice in an operand becomes two, joined by an identity: "ii" is "ij,ij" with I."""
    terms, nodes = list(terms), list(xs)
    free = iter([c for c in LETTERS if c not in "".join(terms) + out])
    for i, x in enumerate(xs):
        if x.shape is not None and len(terms[i]) != len(x.shape):
            raise ShapeError(
                f"`{terms[i]}` names {len(terms[i])} axes of {show(x.shape)}", nodes=(x,)
            )
        for place, letter in enumerate(terms[i]):
            if letter in terms[i][:place]:
                new = next(free, None)
                if new is None:
                    raise ShapeError("einsum has no letters left for the diagonals", nodes=(x,))
                terms[i] = terms[i][:place] + new + terms[i][place + 1 :]
                terms.append(letter + new)
                nodes.append(_identity(x, place, len(terms[i])))
    return terms, tuple(nodes)


def _identity(x: Node, place: int, rank: int) -> Node:
    """The identity matrix of the size of an axis, which `x` lends where it is not known."""
    n = None if x.shape is None else x.shape[place]
    if n is not None:
        return eye(n)
    rest = [axis for axis in range(rank) if axis != place]
    return eye(transpose(x, [*rest, place]))


def _split(y: Node) -> tuple[list[str], str]:
    left, _, out = y.attrs["pattern"].partition("->")
    return left.split(","), out


def _letter_sizes(pattern: str, xs: tuple[Node, ...]) -> dict[str, Dim]:
    sizes: dict[str, Dim] = {}
    for term, x in zip(pattern.partition("->")[0].split(","), xs, strict=True):
        if x.shape is None:
            continue
        if len(term) != len(x.shape):
            raise ShapeError(f"`{term}` names {len(term)} axes of {show(x.shape)}", nodes=(x,))
        for letter, dim in zip(term, x.shape, strict=True):
            if not may_agree(sizes.get(letter), dim):
                raise ShapeError(
                    f"`{letter}` is {show_dim(sizes[letter])} in one operand "
                    f"and {show_dim(dim)} in another"
                )
            sizes[letter] = dim if sizes.get(letter) is None else sizes[letter]
    return sizes


def _shape(attrs: Any, *xs: Node) -> Shape:
    sizes = _letter_sizes(attrs["pattern"], xs)
    out = attrs["pattern"].partition("->")[2]
    unknown = [
        c for c in out if not any(c in t for t in attrs["pattern"].partition("->")[0].split(","))
    ]
    if unknown or len(set(out)) < len(out):
        raise ShapeError(f"einsum cannot make the result `{out}` of {attrs['pattern']!r}")
    return tuple(sizes.get(c) for c in out)


def _adjoint(g: Node, y: Node, xs: tuple[Node, ...], i: int) -> Node:
    """The cotangent of operand i: g with the others; letters found nowhere else are repeated."""
    terms, out = _split(y)
    others = [t for k, t in enumerate(terms) if k != i]
    found = [c for c in terms[i] if c in out or any(c in t for t in others)]
    rest = [x for k, x in enumerate(xs) if k != i]
    partial = einsum.node((g, *rest), pattern=f"{','.join([out, *others])}->{''.join(found)}")
    for place, letter in enumerate(terms[i]):
        if letter not in found:
            partial = partial[new_axis(place)]
    return broadcast_to(partial, xs[i])


def _cost(y: Node, *xs: Node) -> Dim:
    return times(len(xs), product(_letter_sizes(y.attrs["pattern"], xs).values()))


einsum = multilinear(
    "einsum",
    kernels.einsum,
    shape=_shape,
    adjoints=lambda g, y, *xs: tuple(_adjoint(g, y, xs, i) for i in range(len(xs))),
    tex=lambda y, *xs: rf"\operatorname{{einsum}}_{{{y.attrs['pattern']}}}({', '.join(xs)})",
    glyph="einsum",
    cost=_cost,
    attrs={"pattern": ""},
    arity=0,
    build=_einsum,
)
