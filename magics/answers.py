"""A learner's own answer beside the right one: right, or in words what is off."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.dims import Dim, sizes_in
from engine.explain.polynomial import order
from engine.show import short_number
from magics.errors import GraphError

COMPUTED = 1e-4  # of the largest element: what single precision may leave
TYPED = 5e-3  # numbers that a person wrote down in three digits
SMALLEST = 1e-6
_HIGH = {ord(digit): f"^{n}" for n, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_POWER = re.compile(r"(?:O\()?([^\W\d]\w*)(?:(?:\^|\*\*)(\d+))?\)?")


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer. `right` is None for one that is not given yet."""

    right: bool | None
    words: str

    def __bool__(self) -> bool:
        return self.right is True

    def __repr__(self) -> str:
        return f"{({None: '…', True: '✓ right:', False: '✗ not yet:'})[self.right]} {self.words}"


def blank(name: str) -> Verdict:
    """An answer that is not given yet."""
    return Verdict(None, f"`{name}` is not answered yet: give it a value, and run this cell again")


def compare(name: str, mine: Tensor, what: str, right: Tensor, tolerance: float) -> Verdict:
    """Hold an answer against the right one, element by element.

    >>> compare("g", torch.tensor([1.0, 2.0]), "∂f/∂x", torch.tensor([2.0, 4.0]), COMPUTED)
    ✗ not yet: `g` is 0.5 times ∂f/∂x, at every element
    """
    a, b = mine.detach().double(), right.detach().double()
    slack = tolerance * max(float(b.abs().max()) if b.numel() else 0.0, SMALLEST)
    if _same(a, b, slack):
        return Verdict(True, f"`{name}` is {what}")
    return Verdict(False, f"`{name}` {_mistake(a, b, what, slack)}")


def compare_order(name: str, mine: str, what: str, right: Dim) -> Verdict:
    """Hold an answer such as `T^2` or `O(T²)` against the power with which a cost grows.

    Raises GraphError for what is no power of one of the sizes of that cost.
    """
    known = {size.name: size for size in sizes_in(right)}
    found = _POWER.fullmatch(mine.translate(_HIGH).replace(" ", ""))
    if found is None or found[1] not in known:
        sizes = ", ".join(sorted(known)) or "none"
        raise GraphError(
            f"`{name}` is no power of a size", help=f'write `{name} = "n^2"`; the sizes: {sizes}'
        )
    power, told = order(right, known[found[1]]), int(found[2] or 1)
    if told == power:
        return Verdict(True, f"with {found[1]}, {what} grows as {found[1]}^{told}")
    than = "faster" if power > told else "slower"
    return Verdict(False, f"with {found[1]}, {what} grows {than} than {found[1]}^{told}")


def _same(a: Tensor, b: Tensor, slack: float) -> bool:
    return a.shape == b.shape and bool(((a - b).abs() <= slack).all())


def _mistake(a: Tensor, b: Tensor, what: str, slack: float) -> str:
    """What is off: a transpose, the shape, the sign, a factor; else the place that is worst."""
    if a.ndim == 2 and _same(a.T, b, slack):
        return f"is the transpose of {what}"
    if a.shape != b.shape:
        return f"has the shape {list(a.shape)}, and {what} has {list(b.shape)}"
    if _same(-a, b, slack):
        return f"has the wrong sign: it is -{what}"
    factor = float((a * b).sum() / (b * b).sum())
    several = int((b.abs() > slack).sum()) > 1  # a single number is some multiple of any other
    if several and abs(factor) > TYPED and _same(a / factor, b, slack):
        return f"is {short_number(float(f'{factor:.3g}'))} times {what}, at every element"
    return _worst(a, b, slack)


def _worst(a: Tensor, b: Tensor, slack: float) -> str:
    error = (a - b).abs().nan_to_num(torch.inf)
    place = [int(i) for i in torch.unravel_index(error.argmax(), error.shape)] if a.ndim else []
    yours, right = float(a[tuple(place)]), float(b[tuple(place)])
    side = "too small" if yours < right else "too large" if yours > right else "no number"
    if not place:
        return f"is {side}"
    off = int((error > slack).sum())
    where = f"is off at {off} of {a.numel()} elements, most at {place}"
    return f"{where}: {short_number(float(f'{yours:.4g}'))} is {side}"
