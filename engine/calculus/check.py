"""The gradient check: closed form, autodiff and difference of ∂f/∂xᵢ side by side, in float64.

The closed form is another graph of the same gradient. The difference is found by a complex step
where everything between xᵢ and f is analytic, else by central differences, extrapolated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from engine import ops
from engine.calculus.differences import NOISE, Slope
from engine.calculus.probe import Probe, doubles
from engine.calculus.report import Element, GradientReport, Row
from engine.calculus.vjp import gradients
from engine.closed import all_closed
from engine.errors import GradientError, KindError
from engine.graph import Node
from engine.ops import variable as var
from engine.run import Evaluator
from engine.run.bind import Feeds

Way = Literal["best", "complex", "central"]


def check_gradients(
    output: Node,
    wrt: Sequence[Node],
    feeds: Feeds,
    *,
    closed: Sequence[Node] | None = None,
    names: Mapping[Node, str] | None = None,
    rtol: float = 1e-5,
    max_elements: int = 64,
    seed: int = 0,
    order: Literal[1, 2] = 1,
    method: Way = "best",
) -> GradientReport:
    """Compare `gradients(output, wrt)` with closed forms, and with differences of the output's sum.

    All is computed in float64. `closed` holds for each node of `wrt` the gradient in another form,
    your own perhaps; else that is the textbook form, in which nodes in `names` are not opened. Of a
    leaf with more than `max_elements` elements that many are drawn by `seed`. An element is right
    when its error is within `rtol` of the larger value, plus what the method may be off. With order
    2 the Hessian is checked: the same of ⟨v, ∇f⟩ for a direction v, drawn by `seed`. `method` is
    "central" differences, a "complex" step, which refuses what is not analytic, or the "best".

    Raises KindError when a node of `wrt` is not a variable, GradientError for an output that is not
    finite here or not analytic, and what `gradients` and `Evaluator.run` raise.

    >>> from engine import ops, var
    >>> x = var("x", [2])
    >>> check_gradients(ops.sum(x**3), [x], {x: [1.0, 2.0]}).ok
    True
    >>> len(check_gradients(ops.relu(x), [x], {x: [0.0, 2.0]}).kinks)
    1
    """
    _check_call(wrt, closed, rtol, max_elements)
    random = torch.Generator().manual_seed(seed)
    if order == 2:
        output, feeds = _along(output, wrt, feeds, random)
    slopes = gradients(output, wrt)
    known = {node: name for node, name in (names or {}).items() if node not in slopes}
    forms, probe = _forms(slopes, closed, known), Probe(output, wrt, feeds)
    values = Evaluator([*slopes, *(form for form, _ in forms)]).run(probe.feeds)
    found = zip(wrt, forms, values[: len(wrt)], values[len(wrt) :], strict=True)
    rows: list[Row] = []
    for leaf, (form, done), analytic, other in found:
        three = _Three(probe, leaf, analytic, other, method, rtol)
        elements = tuple(map(three.element, _places(analytic, other, max_elements, random)))
        shape = tuple(probe.leaves[leaf].shape)
        rows.append(Row(elements, leaf, shape, form, done, known, three.refused))
    return GradientReport(tuple(e for row in rows for e in row.elements), tuple(rows), order)


def _forms(
    slopes: Sequence[Node], closed: Sequence[Node] | None, known: Mapping[Node, str]
) -> list[tuple[Node, bool]]:
    """The gradients in the form given, else in the textbook's; and whether it is reduced."""
    if closed is not None:
        return [(form, True) for form in closed]
    return [(form.node, form.reduced) for form in all_closed(slopes, known)]


def _check_call(wrt: Sequence[Node], closed: Sequence[Node] | None, rtol: float, most: int) -> None:
    for node in wrt:
        if node.op is not var:
            raise KindError(
                "only the value of a variable can be varied",
                nodes=(node,),
                hint="check the gradient with respect to the variables that `{0}` is computed from",
            )
    if closed is not None and len(closed) != len(wrt):
        raise GradientError(
            f"there are {len(closed)} formulas for {len(wrt)} gradients",
            hint="give one for each node of `wrt`, in their order",
        )
    if not 0 <= rtol < 1:
        raise GradientError(f"a relative tolerance lies between 0 and 1, not at {rtol}")
    if most < 1:
        raise GradientError(f"cannot compare {most} elements", hint="it takes 1 or more")


def _along(
    output: Node, wrt: Sequence[Node], feeds: Feeds, random: torch.Generator
) -> tuple[Node, Feeds]:
    """⟨v, ∇f⟩, whose gradient is the Hessian times v, and feeds with a direction v."""
    found = gradients(output, wrt)
    directions = [var(f"direction {i} of {x.label()}", x.shape) for i, x in enumerate(wrt)]
    values = [
        torch.randn(x.shape, generator=random, dtype=torch.float64) for x in doubles(wrt, feeds)
    ]
    terms = [ops.sum(v * g) for v, g in zip(directions, found, strict=True)]
    fed = dict(zip(directions, values, strict=True))
    return sum(terms, ops.const(0.0)), {**feeds, **fed}


def _places(analytic: Tensor, closed: Tensor, most: int, random: torch.Generator) -> list[int]:
    """All places, or some by chance, in order; that where two graphs differ most is among them."""
    n = analytic.numel()
    if n <= most:
        return [*range(n)]
    drawn = torch.randperm(n, generator=random)[:most].tolist()
    worst = int((closed - analytic).abs().nan_to_num(torch.inf).argmax())
    return sorted({*drawn[: most - 1], drawn[-1] if worst in drawn else worst})


class _Three:
    """Closed form, autodiff and difference at the elements of one leaf."""

    def __init__(
        self,
        probe: Probe,
        leaf: Node,
        analytic: Tensor,
        closed: Tensor,
        method: Way,
        rtol: float,
    ) -> None:
        self._probe, self._leaf, self._method, self._rtol = probe, leaf, method, rtol
        self._x, self._analytic, self._closed = probe.leaves[leaf], analytic, closed
        for value in (analytic, closed):
            if value.shape != self._x.shape:
                raise GradientError(
                    f"the gradient of `{leaf.label()}` {list(self._x.shape)} has the shape "
                    f"{list(value.shape)}"
                )
        self._size = float(analytic.abs().nan_to_num(0, 0, 0).sum())
        self._complex = None if method == "central" else probe.complex_step(leaf)
        self.refused = self._complex.refused if self._complex else None
        if method == "complex" and self.refused is not None:
            raise self._no_complex_step(f"{self.refused.label()} is not")

    def element(self, i: int) -> Element:
        """The three derivatives by element i."""
        slope, rtol = self._slope(i), self._rtol
        analytic = float(self._analytic.reshape(-1)[i])
        closed = float(self._closed.reshape(-1)[i])
        x = abs(float(self._x.view(-1)[i]))
        noise = NOISE * (self._size + self._probe.size / max(1.0, x))
        place = torch.unravel_index(torch.tensor(i), self._x.shape) if self._x.ndim else ()
        return Element(
            leaf=self._leaf.label(),
            index=tuple(int(k) for k in place),
            analytic=analytic,
            numeric=slope.value,
            tolerance=rtol * max(abs(analytic), abs(slope.value)) + slope.uncertainty,
            kink=slope.kink,
            method=slope.method,
            estimate=slope.estimate,
            closed=closed,
            slack=rtol * max(abs(analytic), abs(closed)) + min(noise, slope.uncertainty),
        )

    def _slope(self, i: int) -> Slope:
        """The derivative by element i from values of the output alone."""
        found = self._complex.slope(i) if self._complex else None
        if found is not None:
            return found
        if self._method == "complex":
            raise self._no_complex_step("here nothing is")
        return self._probe.difference(self._leaf, i)

    def _no_complex_step(self, why: str) -> GradientError:
        return GradientError(
            f"there is no complex step by `{self._leaf.label()}`: {why} analytic",
            hint="take central differences",
        )
