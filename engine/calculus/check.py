"""The gradient check: ∂f/∂xᵢ as graph beside (f(x + h eᵢ) - f(x - h eᵢ)) / 2h, in float64.

Where (f(x + h eᵢ) - f(x)) / h and (f(x) - f(x - h eᵢ)) / h stay apart however small h is, f has a
kink: no gradient is right or wrong there, so such elements are told apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from engine.calculus.vjp import gradients
from engine.errors import GradientError, KindError
from engine.graph import Node
from engine.ops import variable as var
from engine.run import Evaluator
from engine.run.bind import Feeds, as_tensors, beside, match

EPS = torch.finfo(torch.float64).eps
STEP = EPS ** (1 / 3)  # balances truncation, h² f''' / 6, and rounding, eps |f| / h
NOISE = 100 * EPS  # the rounding that may gather in a value, relative to it
SMALLEST = STEP / 16**8
AGREE = 1e-3  # one-sided differences this close leave a truncation of about AGREE² / 6


@dataclass(frozen=True)
class Element:
    """One element of a leaf: what the graph and what the differences say of its derivative."""

    leaf: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    tolerance: float
    kink: bool

    @property
    def error(self) -> float:
        """|analytic - numeric|."""
        return abs(self.analytic - self.numeric)

    @property
    def excess(self) -> float:
        """The error in units of the tolerance, infinite when it is not a number."""
        if self.error == 0:
            return 0.0
        comparable = math.isfinite(self.error) and self.tolerance > 0
        return self.error / self.tolerance if comparable else math.inf

    def __str__(self) -> str:
        place = str(list(self.index)) if self.index else ""
        return (
            f"{self.leaf}{place}: analytic {self.analytic:.9g}, numeric {self.numeric:.9g}, "
            f"error {self.error:.1e}"
        )


@dataclass(frozen=True, repr=False)
class GradientReport:
    """The elements that were probed, of `total` in all the leaves. True when none is wrong."""

    elements: tuple[Element, ...]
    total: int

    @property
    def checked(self) -> tuple[Element, ...]:
        """The elements that were compared."""
        return tuple(e for e in self.elements if not e.kink)

    @property
    def kinks(self) -> tuple[Element, ...]:
        """The elements at which no derivative exists, and so none is wrong."""
        return tuple(e for e in self.elements if e.kink)

    @property
    def wrong(self) -> tuple[Element, ...]:
        """The elements whose error is beyond the tolerance."""
        return tuple(e for e in self.checked if e.excess > 1)

    @property
    def worst(self) -> Element | None:
        """The compared element with the largest error in units of its tolerance."""
        return max(self.checked, key=lambda e: e.excess, default=None)

    @property
    def ok(self) -> bool:
        """Whether no compared element is wrong."""
        return not self.wrong

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        checked, wrong = len(self.checked), len(self.wrong)
        sampled = f", sampled from {self.total}" if len(self.elements) < self.total else ""
        what = f"wrong at {wrong} of {checked}" if wrong else f"right at {checked}"
        lines = [f"gradient {what} element{'' if checked == 1 else 's'}{sampled}"]
        lines += [f"  worst {self.worst}"] if self.worst else []
        if self.kinks:
            lines.append(f"  {len(self.kinks)} more at a kink, the first {self.kinks[0]}")
        return "\n".join(lines)

    __repr__ = __str__


def check_gradients(
    output: Node,
    wrt: Sequence[Node],
    feeds: Feeds,
    *,
    rtol: float = 1e-5,
    max_elements: int = 64,
    seed: int = 0,
) -> GradientReport:
    """Compare `gradients(output, wrt)` with central differences of the output's sum, in float64.

    Of a leaf with more than `max_elements` elements that many are drawn by `seed`. An element is
    right when its error is within `rtol` of the larger value, plus what rounding may have done.

    Raises KindError when a node of `wrt` is not a variable, GradientError for an output that is not
    finite here, and what `gradients` and `Evaluator.run` raise.

    >>> from engine import ops, var
    >>> x = var("x", [2])
    >>> check_gradients(ops.sum(x**3), [x], {x: [1.0, 2.0]}).ok
    True
    >>> len(check_gradients(ops.relu(x), [x], {x: [0.0, 2.0]}).kinks)
    1
    """
    for node in wrt:
        if node.op is not var:
            raise KindError(
                "only the value of a variable can be varied",
                nodes=(node,),
                hint="check the gradient with respect to the variables that `{0}` is computed from",
            )
    probe = _Probe(output, wrt, feeds)
    analytic = Evaluator(gradients(output, wrt)).run(probe.feeds)
    generator = torch.Generator().manual_seed(seed)
    elements: list[Element] = []
    for leaf, slope in zip(wrt, analytic, strict=True):
        x = probe.leaves[leaf]
        _same_shape(leaf, x, slope)
        elements += [
            _compare(probe, leaf, i, float(slope.reshape(-1)[i]), rtol)
            for i in _drawn(x.numel(), max_elements, generator)
        ]
    return GradientReport(tuple(elements), sum(probe.leaves[leaf].numel() for leaf in wrt))


def _same_shape(leaf: Node, x: Tensor, slope: Tensor) -> None:
    if slope.shape != x.shape:
        raise GradientError(
            f"the gradient of `{leaf.label()}` {list(x.shape)} has the shape {list(slope.shape)}"
        )


def _drawn(n: int, most: int, generator: torch.Generator) -> list[int]:
    """All of n places, or `most` of them by chance, in order."""
    return (
        sorted(torch.randperm(n, generator=generator)[:most].tolist()) if n > most else [*range(n)]
    )


def _compare(probe: _Probe, leaf: Node, i: int, analytic: float, rtol: float) -> Element:
    x = probe.leaves[leaf]
    index = tuple(int(k) for k in torch.unravel_index(torch.tensor(i), x.shape)) if x.ndim else ()

    def element(numeric: float, slack: float, kink: bool) -> Element:
        tolerance = rtol * max(abs(analytic), abs(numeric)) + slack
        return Element(leaf.label(), index, analytic, numeric, tolerance, kink)

    rounding = NOISE * probe.size
    numeric, kink, h = _difference(partial(probe.slopes, x, i), probe.step(x, i), rounding)
    found = element(numeric, rounding / h, kink)
    if kink or found.excess <= 1:
        return found
    finer = sum(probe.slopes(x, i, h / 16)) / 2
    if abs(finer) > 8 * abs(numeric):  # of a jump the difference grows as 1 / h
        return element(finer, 0.0, kink=True)
    truncation = abs(finer - numeric) / 128  # h² / 16² remains of h²
    return element(finer, 16 * rounding / h + truncation, kink=False)


def _difference(
    slopes: Callable[[float], tuple[float, float]], h: float, rounding: float
) -> tuple[float, bool, float]:
    """The central difference, whether it stands at a kink, and the step at which it was taken.

    The gap between the one-sided differences is h f'' where f is smooth, so it shrinks with h until
    they agree. At a kink it stays; where f ends there is no central difference.
    """
    left, right = slopes(h)
    gap = before = math.inf
    while True:
        gap, before = abs(right - left), gap
        if gap < math.inf and gap <= AGREE * max(abs(left), abs(right)):
            return left / 2 + right / 2, False, h
        if h / 16 < SMALLEST or gap * h / 16 < rounding:
            return left / 2 + right / 2, not gap < before / 2, h
        h /= 16
        left, right = slopes(h)


class _Probe:
    """The output as a function of single elements of the leaves, of which it has its own copies."""

    def __init__(self, output: Node, wrt: Sequence[Node], feeds: Feeds) -> None:
        self._evaluator = Evaluator([output])
        plan = self._evaluator.plan
        leaves = [*dict.fromkeys([*plan.leaves, *wrt])]
        copies = zip(leaves, _doubles(leaves, match(leaves, feeds)), strict=True)
        self.leaves: dict[Node, Tensor] = dict(copies)
        self.feeds: Feeds = {**feeds, **self.leaves}
        self._tensors = [self.leaves[leaf] for leaf in plan.leaves]
        others = beside(plan.leaves, plan.lacks, self.feeds)
        self._step = self._evaluator.step_for(self._tensors, others)
        self._here = self._value()
        self.size = float(self._here.abs().sum())
        if not math.isfinite(self.size):
            raise GradientError("the output is not finite for these feeds", nodes=(output,))

    def _value(self) -> Tensor:
        (y,) = self._evaluator.call(self._step, self._tensors)
        return y.clone()  # an output may be a view of the leaf that is varied

    def step(self, x: Tensor, i: int) -> float:
        """The first h to try, in proportion to a large element."""
        return STEP * max(1.0, abs(float(x.view(-1)[i])))

    def slopes(self, x: Tensor, i: int, h: float) -> tuple[float, float]:
        """The differences to the left and to the right of element i, summed over the output."""
        flat = x.view(-1)
        middle = float(flat[i])
        left, right = middle - h, middle + h
        flat[i] = left
        below = self._value()
        flat[i] = right
        above = self._value()
        flat[i] = middle
        return (
            float((self._here - below).sum()) / (middle - left),
            float((above - self._here).sum()) / (right - middle),
        )


def _doubles(leaves: Sequence[Node], values: Sequence[object]) -> list[Tensor]:
    """Copies that may be written into, floats in double precision (numbers and lists at once)."""
    with torch.inference_mode(False):
        one = torch.ones((), dtype=torch.float64)
        _, *tensors = as_tensors([var("double", []), *leaves], [one, *values])
        return [
            t.to(torch.float64 if t.is_floating_point() else t.dtype, copy=True).contiguous()
            for t in tensors
        ]
