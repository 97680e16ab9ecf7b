"""The two modes beside each other, as shown: passes, operations, live memory, the cheaper named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.calculus import Mode
from engine.dims import Dim, sizes_in
from engine.explain import Modes, polynomial
from engine.explain.polynomial import Term
from engine.show.names import visible
from magics.costs import amount, markdown_table, plain, table

MOST_TERMS = 3
MOST_NAMES = 3
MODES: tuple[Mode, Mode] = ("forward", "reverse")

Write = Callable[[Sequence[Term]], str]  # a sum as text or as LaTeX


@dataclass(frozen=True, repr=False)
class Compared:
    """A value, a pass forward and a pass in reverse; `seconds` of each, if they were measured."""

    name: str
    by: Sequence[str]
    modes: Modes
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])

    def number(self, dim: Dim) -> float | None:
        """A polynomial at the sizes that are known; None where one is not."""
        return polynomial.value(dim, self.modes.sizes)

    @property
    def head(self) -> str:
        """What is differentiated by what, at which sizes."""
        more = len(self.by) - MOST_NAMES
        by = ", ".join(map(visible, self.by[:MOST_NAMES])) + f" and {more} more" * (more > 0)
        passes = (self.modes.forward, self.modes.reverse)
        dims = [self.modes.value, *(dim for each in passes for dim in (each.number, each.one))]
        found = {size.name for dim in dims for size in sizes_in(dim)}
        at = ", ".join(f"{s} = {n}" for s, n in self.modes.sizes.items() if s in found)
        what = f"{visible(self.name)} by {by}{f' at {at}' if at else ''}"
        return f"{what}: a multiply-add counts 2, a number takes 4 bytes"

    @property
    def columns(self) -> list[str]:
        """The value, and the modes with the cheaper marked."""
        cheaper = self.modes.cheaper
        modes = (f"{mode}, the cheaper" if mode == cheaper else mode for mode in MODES)
        return ["", visible(self.name), *modes]

    def rows(self, write: Write) -> list[list[str]]:
        """A line for each thing that is counted: for the value, and for either mode."""
        found, f, r = self.modes, self.modes.forward, self.modes.reverse

        def counted(*dims: Dim, unit: str = "") -> list[str]:
            return [self._counted(dim, write, unit) for dim in dims]

        lines = [
            ["passes", "", *counted(f.number, r.number)],
            ["operations", *counted(found.value, f.one, r.one)],
            ["of all passes", "", *counted(f.all, r.all)],
            ["value with a pass", "", *(_times(found.ratio(mode)) for mode in MODES)],
            ["live memory", *counted(found.memory, *map(found.memories.get, MODES), unit="B")],
        ]
        return [*lines, *([["measured", *map(self._took, self.seconds)]] if self.seconds else [])]

    def _counted(self, dim: Dim, write: Write, unit: str) -> str:
        """`2·m·n = 30`: the polynomial and what it comes to."""
        number = self.number(dim)
        comes_to = "" if number is None else f"{amount(number)}{unit}".strip()
        if comes_to and isinstance(dim, int):
            return comes_to
        told = "?" if dim is None else write(polynomial.terms(dim, self.modes.sizes))
        return f"{told}{f' = {comes_to}' if comes_to else ''}"

    def _took(self, what: str) -> str:
        seconds = self.seconds[what]
        ratio = "" if what == "value" else f": {_times(seconds / self.seconds['value'])}"
        return f"{amount(seconds)}s{ratio}"

    def __repr__(self) -> str:
        shown = table([self.columns, *self.rows(_in_text)])
        return "\n\n".join([self.head, shown, *self._more])

    def _repr_markdown_(self) -> str:
        shown = markdown_table([*map(plain, self.columns)], self.rows(_in_latex))
        return "\n\n".join([plain(self.head), shown, *self._more])

    @property
    def _more(self) -> list[str]:
        unknown = self.modes.unknown
        return [f"not counted: {unknown} values of unknown shape"] if unknown else []


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.3g} times the value"


def _in_text(terms: Sequence[Term]) -> str:
    return _summed([term.text for term in terms], "…")


def _in_latex(terms: Sequence[Term]) -> str:
    inside = _summed([term.latex for term in terms], r"\dots")
    return f"${inside}$"


def _summed(terms: Sequence[str], dots: str) -> str:
    """All terms of a short sum; the largest of a long one, which is to fit a column."""
    shown = [*terms] if len(terms) <= MOST_TERMS else [*terms[: MOST_TERMS - 1], dots]
    return " + ".join(shown).replace("+ -", "- ")
