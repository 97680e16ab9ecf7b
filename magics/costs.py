"""What a value costs, as shown: polynomials in the sizes, numbers where the sizes have values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.dims import Dim, sizes_in
from engine.explain import Generation, Work, polynomial
from engine.show.names import display_width, pad, visible
from magics.timing import Growth

MOST_PARTS = 12
WIDEST = 78
UNITS = ("", "k", "M", "G", "T", "P", "E")


@dataclass(frozen=True)
class Row:
    """One line: what, its operations, and in words what there is to say of it.

    With a unit it is no operations that are counted but these.
    """

    what: str
    operations: Dim
    note: str = ""
    unit: str = ""


@dataclass(frozen=True, repr=False)
class Cost:
    """The operations of a value, of its gradients, and of generating with it.

    `parts` are the operations of the value by function; `memory` the bytes that live at once, by
    what is run; `sizes` the sizes with values; `seconds` what a run took and `growth` how that
    grows with the text, if they were measured.
    """

    name: str
    work: Work
    gradients: Work | None = None
    generation: Generation | None = None
    parts: Mapping[str, Dim] = field(default_factory=dict[str, Dim])
    memory: Mapping[str, Dim] = field(default_factory=dict[str, Dim])
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    growth: Growth | None = None

    @property
    def forward(self) -> Dim:
        """The operations of the value, in each run."""
        return self.work.each

    @property
    def backward(self) -> Dim:
        """The operations of its gradients beside it; None where it is no number."""
        return self.gradients.each if self.gradients else None

    @property
    def once(self) -> Dim:
        """What is done once for all runs of the same sizes."""
        both = [self.work, *([self.gradients] if self.gradients else [])]
        return polynomial.added([work.once for work in both])

    def number(self, dim: Dim) -> float | None:
        """A polynomial at the sizes that are known; None where one is not."""
        return polynomial.value(dim, self.sizes)

    @property
    def rows(self) -> list[Row]:
        """Forward, backward, what is done once, what lives at once, and generation."""
        found = [Row("forward", self.forward, self._speed("forward", self.forward))]
        if self.gradients:
            both = polynomial.added([self.forward, self.backward])
            found.append(Row("backward", self.backward, self._speed("forward and backward", both)))
        if self.once != 0:
            found.append(Row("once", self.once, "what depends on sizes alone"))
        held = [Row("memory", dim, f"at once, {what}", "B") for what, dim in self.memory.items()]
        return [*found, *held, *self._generated()]

    def _generated(self) -> Iterator[Row]:
        if self.generation:
            made, name = self.generation, self.generation.length.name
            one, whole = (f"O({polynomial.raised(name, n)})" for n in made.orders)
            yield Row("a token", made.token, f"{one}: the whole text anew{self._measured(name, 0)}")
            yield Row(
                "a text", made.text, f"{whole}: {name} tokens, one by one{self._measured(name, 1)}"
            )

    def _measured(self, name: str, more: int) -> str:
        """The exponent that was measured; a text sums over its tokens: one more."""
        if self.growth is None:
            return ""
        return f"; measured {name}^{self.growth.exponent + more:.2g} up to {self.growth.size}"

    def _speed(self, what: str, dim: Dim) -> str:
        if what not in self.seconds:
            return ""
        seconds, number = self.seconds[what], self.number(dim)
        rate = f", {amount(number / seconds)}FLOP/s" if number is not None else ""
        return f"{what} {amount(seconds)}s{rate}"

    @property
    def shares(self) -> list[tuple[Row, float | None]]:
        """The parts, the largest first, each with its share of the value where it is known."""
        whole = self.number(self.forward)
        found = [(Row(part, dim), self.number(dim)) for part, dim in self.parts.items()]
        if whole:
            found.sort(key=lambda each: -(each[1] or 0))
        return [(row, n / whole if whole and n is not None else None) for row, n in found]

    @property
    def head(self) -> str:
        """What is counted, and at which sizes."""
        counted = [self.forward, self.backward, *(row.operations for row in self._generated())]
        found = {size.name for dim in counted for size in sizes_in(dim)}
        at = ", ".join(f"{name} = {n}" for name, n in self.sizes.items() if name in found)
        return f"{self.name}{f' at {at}' if at else ''}: operations, a multiply-add counts 2"

    def __repr__(self) -> str:
        shares = self.shares[:MOST_PARTS] if len(self.shares) > 1 else []
        told = [self._cells(row) for row in self.rows]
        parts = [[*self._cells(row)[:2], _percent(share)] for row, share in shares]
        blocks = [table(rows) for rows in (told, parts) if rows]
        return "\n\n".join([self.head, *blocks, *self._more])

    @property
    def _more(self) -> list[str]:
        parts = len(self.shares) - MOST_PARTS
        unknown = self.work.unknown + (self.gradients.unknown if self.gradients else 0)
        return [
            *([f"… {parts} more parts"] if parts > 0 else []),
            *([f"not counted: {unknown} values of unknown shape"] if unknown else []),
        ]

    def _cells(self, row: Row) -> list[str]:
        text = polynomial.text(row.operations, self.sizes)
        return [visible(row.what), text, self._amount(row), row.note]

    def _amount(self, row: Row) -> str:
        number = self.number(row.operations)
        return "" if number is None else f"{amount(number)}{row.unit}".strip()

    def _repr_markdown_(self) -> str:
        rows = [self._markdown(row) for row in self.rows]
        shares = self.shares[:MOST_PARTS] if len(self.shares) > 1 else []
        parts = [[*self._markdown(row)[:2], _percent(share)] for row, share in shares]
        blocks = [markdown_table(["", "operations", "", ""], rows)]
        if parts:
            blocks.append(markdown_table(["part", "operations", "share"], parts))
        return "\n\n".join([plain(self.head), *blocks, *self._more])

    def _markdown(self, row: Row) -> list[str]:
        tex = f"${polynomial.latex(row.operations, self.sizes)}$"
        return [plain(row.what), tex, self._amount(row), row.note]


def amount(number: float) -> str:
    """A number in three digits, with the letter of its thousands; what is counted may follow.

    >>> amount(1234567), amount(0.00215), amount(12)
    ('1.23 M', '2.15 m', '12 ')
    """
    if 0 < number < 1:
        small = next((u for u in range(1, 4) if number * 1000**u >= 1), 3)
        return f"{number * 1000**small:.3g} {('m', 'µ', 'n')[small - 1]}"
    power = 0
    while number >= 999.5 and power < len(UNITS) - 1:
        number, power = number / 1000, power + 1
    return f"{number:.3g} {UNITS[power]}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.3g} %"


def plain(text: str) -> str:
    """A text in which nothing is markup."""
    shown = visible(text, None)
    return "".join(f"\\{c}" if c in r"\`*_{}[]()#+-.!|<>~$" else c for c in shown)


def table(rows: Sequence[Sequence[str]]) -> str:
    """The rows as text, in columns."""
    widths = [min(WIDEST, max(map(display_width, cells))) for cells in zip(*rows, strict=True)]
    texts = ("  ".join(map(pad, row, widths)).rstrip() for row in rows)
    return "\n".join(texts)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The rows as Markdown, below a head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
