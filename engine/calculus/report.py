"""What a gradient check found: closed form, autodiff and difference, side by side."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.calculus.differences import Method
from engine.graph import Node
from engine.show import BOARD, formula, visible
from engine.show.tables import aligned, as_html, without_empty

TITLES = {1: "gradient", 2: "second derivative"}
HEADS = (
    *("by", "verdict", "worst at", "closed form", "autodiff", "difference"),
    *("closed - autodiff", "autodiff - difference", "difference by"),
)
MOST = 40  # rows
MOST_LINES = 4  # of a formula before its last


@dataclass(frozen=True)
class Element:
    """One element of a leaf: what closed form, graph and differences say of its derivative.

    `tolerance` is for |analytic - numeric|, `slack` for |closed - analytic|. `estimate` is what the
    method says of its own error.
    """

    leaf: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    tolerance: float
    kink: bool
    method: Method
    estimate: float
    closed: float
    slack: float

    @property
    def error(self) -> float:
        """|analytic - numeric|."""
        return abs(self.analytic - self.numeric)

    @property
    def closed_error(self) -> float:
        """|closed - analytic|."""
        return abs(self.closed - self.analytic)

    @property
    def excess(self) -> float:
        """The larger error in units of its tolerance, infinite when one is not a number."""
        return max(_units(self.error, self.tolerance), _units(self.closed_error, self.slack))

    @property
    def place(self) -> str:
        """`W[0, 2]`, a number without its place."""
        return f"{visible(self.leaf)}{list(self.index) if self.index else ''}"

    def __str__(self) -> str:
        three = (
            f"closed form {self.closed:.9g}, autodiff {self.analytic:.9g}, "
            f"difference {self.numeric:.9g}"
        )
        return f"{self.place}: {three}, error {max(self.error, self.closed_error):.1e}"


def _units(error: float, tolerance: float) -> float:
    if error == 0:
        return 0.0
    return error / tolerance if math.isfinite(error) and tolerance > 0 else math.inf


@dataclass(frozen=True)
class Elements:
    """Elements that were probed; true when none of those that were compared is wrong."""

    elements: tuple[Element, ...]

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


@dataclass(frozen=True)
class Row(Elements):
    """The elements of one leaf, and its gradient in closed form.

    `reduced` tells whether only operations of a textbook are left in it; nodes in `names` are not
    opened. `refused` is the value at which a complex step ends, None where it applies.
    """

    leaf: Node
    shape: tuple[int, ...]
    closed: Node
    reduced: bool
    names: Mapping[Node, str]
    refused: Node | None

    @property
    def total(self) -> int:
        """The number of elements of the leaf."""
        return math.prod(self.shape)

    @property
    def error(self) -> float:
        """The largest |analytic - numeric|."""
        return _largest(e.error for e in self.checked)

    @property
    def closed_error(self) -> float:
        """The largest |closed - analytic|."""
        return _largest(e.closed_error for e in self.checked)

    @property
    def verdict(self) -> str:
        """In few words what was found."""
        kinks = [f"{len(self.kinks)} at a kink"] if self.kinks else []
        if self.wrong:
            return ", ".join([f"wrong at {len(self.wrong)} of {len(self.checked)}", *kinks])
        right = [f"right at {len(self.checked)}"] if self.checked or not kinks else []
        return ", ".join([*right, *kinks])

    @property
    def methods(self) -> str:
        """By what the third column was found, its own estimate of its error, and why not better."""
        used = " and ".join(dict.fromkeys(e.method for e in self.elements))
        estimate = f" ± {_largest(e.estimate for e in self.checked):.0e}" if self.checked else ""
        if self.refused is None or not used:
            return f"{used}{estimate}"
        return f"{used}{estimate}, {self.refused.label()} is not analytic"

    @property
    def formula(self) -> str:
        """The closed form as text; of one that is not reduced, or of many lines, so much."""
        *before, last = formula(self.closed, self.names, BOARD).splitlines()
        if len(before) > MOST_LINES:
            last = f"… {len(before) + 1} lines"
        text = "\n".join([*before[:MOST_LINES], last])
        return text if self.reduced else f"{text}   (not reduced)"

    def cells(self) -> list[str]:
        """The row as text, in the columns of HEADS."""
        worst, by = self.worst, f"{visible(self.leaf.label())} {list(self.shape)}"
        if worst is None:
            return [by, self.verdict, *[""] * 6, self.methods]
        return [
            by,
            self.verdict,
            str(list(worst.index)) if worst.index else "",
            *(f"{x + 0.0:.6g}" for x in (worst.closed, worst.analytic, worst.numeric)),
            *(f"{error:.1e}" for error in (self.closed_error, self.error)),
            self.methods,
        ]


def _largest(errors: Iterable[float]) -> float:
    """The largest; NaN if there is one."""
    return max(errors, key=lambda e: math.inf if math.isnan(e) else e, default=0.0)


@dataclass(frozen=True, repr=False)
class GradientReport(Elements):
    """A row of three for each leaf: closed form, autodiff, difference, at the worst element.

    `order` is 1 for gradients, 2 for the Hessian times a direction.
    """

    rows: tuple[Row, ...]
    order: int = 1

    @property
    def total(self) -> int:
        """The number of elements in all the leaves."""
        return sum(row.total for row in self.rows)

    @property
    def lines(self) -> list[str]:
        """The verdict, the worst element, and the first at a kink."""
        checked, wrong = len(self.checked), len(self.wrong)
        sampled = f", sampled from {self.total}" if len(self.elements) < self.total else ""
        what = f"wrong at {wrong} of {checked}" if wrong else f"right at {checked}"
        title = f"{TITLES[self.order]} {what} element{'' if checked == 1 else 's'}{sampled}"
        worst = [f"  worst {self.worst}"] if self.worst else []
        kinks = self.kinks
        told = [f"  {len(kinks)} more at a kink, the first {kinks[0]}"] if kinks else []
        return [title, *worst, *told]

    @property
    def shown(self) -> list[Row]:
        """The rows, wrong ones first where there are too many."""
        return sorted(self.rows, key=lambda row: row.ok)[:MOST] if self._hidden else [*self.rows]

    @property
    def _hidden(self) -> int:
        return max(0, len(self.rows) - MOST)

    def __str__(self) -> str:
        rows = self.shown
        table = aligned(without_empty([HEADS, *(row.cells() for row in rows)]))
        formulas = [f"by {visible(row.leaf.label())}: {row.formula}" for row in rows]
        blocks = ["\n".join(block).replace("\n", "\n  ") for block in (table, formulas) if block]
        more = [f"… {self._hidden} more leaves"] if self._hidden else []
        below = [f"  {block}" for block in [*blocks, *more]]
        return "\n\n".join(["\n".join(self.lines), *below])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = self.shown
        table = [(*HEADS, "formula"), *((*row.cells(), row.formula) for row in rows)]
        wrong = [i for i, row in enumerate(rows) if not row.ok]
        more = [f"… {self._hidden} more leaves"] if self._hidden else []
        told = html.escape("\n".join([*self.lines, *more]))
        return f"<pre>{told}</pre>{as_html(without_empty(table), wrong)}"
