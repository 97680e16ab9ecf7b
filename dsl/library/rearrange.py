"""`rearrange(X, "b t (h k) -> b h t k", h=H)`: reshape, transpose, reshape by naming the axes.

After einops (Rogozhnikov, 2022). A group in brackets is one axis made of several, the first of them
the slowest; `...` stands for any axes; one size of a group follows from the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain

from engine import Node, ops
from engine.dims import Dim, exact, known, product, show_dim
from engine.errors import ShapeError

from ..errors import refuse
from ..lowering.arguments import Bound
from ..lowering.located import located
from ..lowering.readers import Reading
from ..lowering.state import Lowering
from ..scope import Scope
from ..span import Span
from ..values import Slot, Value
from .builtin import form

_PART = re.compile(r"\s*(?:\(([^()]*)\)|([^\s()]+))")


def rearrange(low: Lowering, scope: Scope, span: Span, bound: Bound) -> Value:
    """The axes of a tensor in another order, split and joined."""
    reading = Reading(low)
    x = reading.node(bound.one["x"], Slot("x", "tensor", None, required=True))
    text = reading.text(bound.one["pattern"], Slot("pattern", "text", None, required=True))
    given = {
        name: reading.size(argument, Slot(name, "size", None, required=True))
        for name, argument in bound.one.items()
        if name not in ("x", "pattern")
    }
    left, arrow, right = text.partition("->")
    if not arrow:
        hint = 'as in `rearrange(X, "b t d -> b d t")`'
        raise refuse(f'the pattern "{text}" has no `->`', span, hint, "pattern")
    with located(span, reading.terms):
        return low.keep(_rearranged(x, left, right, given), span, scope)


def _groups(text: str) -> list[list[str]]:
    """The axes of one side: names, or several names in brackets."""
    found: list[list[str]] = []
    text, at = text.rstrip(), 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            raise ShapeError(f"`{text.strip()}` is no pattern of axes")
        found.append(match[1].split() if match[1] is not None else [match[2]])
        at = match.end()
    return found


def _rearranged(x: Node, left: str, right: str, given: Mapping[str, Dim]) -> Node:
    if x.shape is None:
        raise ShapeError("rearrange needs a known rank")
    others = len(x.shape) - len(_groups(left.replace("...", " ")))
    open_axes = " ".join(f"axis{i}" for i in range(others))  # what `...` stands for
    groups, wanted = (_groups(side.replace("...", open_axes)) for side in (left, right))
    if len(groups) != len(x.shape):
        raise ShapeError(f"the pattern names {len(groups)} axes of {x.describe()}")
    before, after = ([*chain.from_iterable(side)] for side in (groups, wanted))
    if sorted(before) != sorted(after) or len(set(before)) < len(before):
        told = f"`{left.strip()}` and `{right.strip()}`"
        raise ShapeError(f"both sides name the same axes, each once: here {told}")
    sizes: dict[str, Dim] = {}
    for group, dim in zip(groups, x.shape, strict=True):
        sizes |= _sizes(group, dim, given)
    flat = ops.reshape(x, tuple(sizes[name] for name in before))
    moved = ops.transpose(flat, [before.index(name) for name in after])
    return ops.reshape(moved, tuple(product(sizes[name] for name in group) for group in wanted))


def _sizes(group: Sequence[str], dim: Dim, given: Mapping[str, Dim]) -> dict[str, Dim]:
    """The sizes of the axes that one axis of size `dim` is made of."""
    sizes = {name: given[name] for name in group if name in given}
    free = [name for name in group if name not in given]
    if len(free) > 1:
        raise ShapeError(f"give all sizes but one of ({' '.join(group)}), as in `{free[0]}=…`")
    if free:
        sizes[free[0]] = _left_over(dim, product(sizes.values()), free[0])
    return sizes


def _left_over(dim: Dim, others: Dim, name: str) -> Dim:
    if dim is None or others is None:
        return None
    a, b = known(dim), known(others)
    if a is not None and b is not None and (b == 0 or a % b):
        raise ShapeError(f"`{name}` comes out as {show_dim(dim)}/{show_dim(others)} = {a}/{b}")
    return exact(dim, others)


REARRANGE = form("rearrange(x, pattern, **sizes)", rearrange)
