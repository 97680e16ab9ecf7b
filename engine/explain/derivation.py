"""The chain rule of one's own formula, told line by line from the loss down.

`∂loss/∂r = ā * (2 * r)   [n]   a = r^2   x^2: x̄ = ȳ * (2 * x)`: a derivative in those of the values
that read it, its shape, the reader, and the reader's rule. Values without a name get a letter, and
their derivatives that letter with a bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine import ops
from engine.calculus import gradients
from engine.explain.chain import Chain, Step, chain
from engine.explain.partly import Partly
from engine.explain.rules import Rule, barred, one_line, rule_of, tex_line
from engine.explain.zero import Zero
from engine.graph import Node, toposort
from engine.show.folding import WIDTH, fold
from engine.show.latex import symbol
from engine.show.names import display_width, fresh_names, own_name, pad, visible

MOST_LINES = 40
LAST_LINES = 8  # of them, when there are more, from the end
MOST_READERS = 3
MOST_CUTS = 12
LONGEST = 160
WIDEST = 56  # columns of a value in words
NARROW = 84  # columns of the cells of a row that stand in the columns of others
SHORT = 40  # a whole formula is told beside the step while it is this short

Names = Mapping[Node, str]


@dataclass(frozen=True)
class Line:
    """One derivative as `name = step = whole`, its shape; its readers, and what each sends back.

    `place` is where the nearest reader was written; `whole` is empty where it is long.
    """

    place: str
    name: str
    step: str
    whole: str
    shape: str
    readers: tuple[str, ...]
    rules: tuple[str, ...]

    @property
    def equation(self) -> str:
        """`∂loss/∂r = ā * (2 * r) = 2 * r / n`."""
        return " = ".join(part for part in (self.name, self.step, self.whole) if part)


@dataclass(frozen=True)
class _Hand:
    """How names, formulas and rules are written: as text, or in LaTeX."""

    name: Callable[[str], str]
    formula: Callable[[Node, Names], str]
    rule: Callable[[Rule, Node], str]


def _text(node: Node, names: Names) -> str:
    return visible(one_line(node, names), LONGEST)


_TEXT = _Hand(visible, _text, Rule.text)
_LATEX = _Hand(symbol, tex_line, Rule.latex)


@dataclass(frozen=True, repr=False)
class Derivation:
    """The steps of a derivative, and what everything is called.

    names        of the values, letters for those without
    derivatives  names of the symbols of their cotangents
    whole        by value the whole gradient, where there are few steps
    places       where in a text values were written
    zeros        what is known of those gradients that are zero, or are so in some rows
    """

    chain: Chain
    names: Names
    derivatives: Names
    whole: Mapping[Node, Node] = field(default_factory=dict[Node, Node])
    places: Names = field(default_factory=dict[Node, str])
    zeros: tuple[Zero | Partly, ...] = ()

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The steps as text, the first and the last where there are many."""
        return tuple(self._line(step, _TEXT) for step in self._shown)

    @cached_property
    def tex(self) -> tuple[Line, ...]:
        """The same lines in LaTeX, places and shapes as text."""
        return tuple(self._line(step, _LATEX) for step in self._shown)

    @property
    def cuts(self) -> tuple[str, ...]:
        """In words each place where a path ends because no derivative flows."""
        listed = {cut for zero in self.zeros if isinstance(zero, Zero) for cut in zero.cuts}
        told = [
            f"no derivative flows from {self._called(cut.user)} to {self._called(cut.value)}: "
            f"{cut.why}"
            for cut in self.chain.cuts
            if cut not in listed
        ]
        more = len(told) - MOST_CUTS
        return (*told[:MOST_CUTS], *([f"… {more} more cuts"] if more > 0 else []))

    @property
    def _ends(self) -> list[str]:
        return [*self.cuts, *map(repr, self.zeros)]

    @property
    def hidden(self) -> int:
        """The number of steps before the last ones that are not shown."""
        return max(0, len(self.chain.steps) - MOST_LINES)

    def __repr__(self) -> str:
        rows = [
            (each.equation, each.shape, ", ".join(each.readers), " and ".join(each.rules))
            for each in self.lines
        ]
        narrow = [row for row in rows if display_width("".join(row)) <= NARROW] or rows[:1]
        widths = [max(map(display_width, cells)) for cells in zip(*narrow, strict=True)][:-1]
        texts = [_row(row, widths) for row in rows]
        ends = [row for end in self._ends for line in end.splitlines() for row in fold(line)]
        return "\n".join([*self._under_places(texts), *ends])

    def _under_places(self, texts: Sequence[Sequence[str]]) -> Iterator[str]:
        """Each place once, above the lines that belong to it."""
        indent, before = "    " * any(line.place for line in self.lines), ""
        for i, (line, text) in enumerate(zip(self.lines, texts, strict=True)):
            if self.hidden and i == MOST_LINES - LAST_LINES:
                yield f"{indent}… {self.hidden} more lines"
            if line.place not in ("", before):
                before = line.place
                yield before
            yield from (f"{indent}{row}" for row in text)

    def _repr_markdown_(self) -> str:
        table = [f"| {' | '.join(row)} |" for row in self._rows()]
        return "\n\n".join(["\n".join(table), *map(_prose, self._ends)])

    def _rows(self) -> Iterator[list[str]]:
        """The cells of a table of mathematics, each place in a row of its own."""
        head, before = ["derivative", "shape", "value", "rule"], ""
        yield head
        yield ["---"] * len(head)
        for i, line in enumerate(self.tex):
            if self.hidden and i == MOST_LINES - LAST_LINES:
                yield [f"… {self.hidden} more lines", "", "", ""]
            if line.place not in ("", before):
                before = line.place
                yield [_code(line.place), "", "", ""]
            value, rule = ("<br>".join(map(_math, each)) for each in (line.readers, line.rules))
            yield [_math(line.equation), _code(line.shape.replace(" ", "\u00a0")), value, rule]

    @property
    def _shown(self) -> Sequence[Step]:
        steps = self.chain.steps
        if not self.hidden:
            return steps
        return (*steps[: MOST_LINES - LAST_LINES], *steps[-LAST_LINES:])

    def _line(self, step: Step, hand: _Hand) -> Line:
        x, known = step.value, {**self.names, **self.derivatives}
        name = hand.name(self.derivatives[self.chain.symbols[x]])
        if x is self.chain.output:
            known = self.names  # its own cotangent is 1
        told = hand.formula(step.cotangent, known)
        readers = [*step.users[: MOST_READERS - 1], *step.users[MOST_READERS - 1 :][-1:]]
        shown = [self._written(user, hand) for user in readers]
        more = len(step.users) - len(readers)
        return Line(
            place=next((self.places[y] for y in (*step.users[::-1], x) if y in self.places), ""),
            name=name,
            step=told,
            whole=self._whole(x, told, hand),
            shape="scalar" if x.shape == () else visible(x.describe()),
            readers=(*shown, *([f"… {more} more"] if more else [])),
            rules=tuple(dict.fromkeys(hand.rule(rule_of(user), x) for user in readers)),
        )

    def _written(self, y: Node, hand: _Hand) -> str:
        """`a = r^2`, a value in terms of its named operands."""
        others = {node: name for node, name in self.names.items() if node is not y}
        return f"{hand.name(self.names[y])} = {hand.formula(y, others)}"

    def _whole(self, x: Node, told: str, hand: _Hand) -> str:
        """The whole gradient, if it is short and says more than the step."""
        if x not in self.whole or x is self.chain.output:
            return ""
        plain = one_line(self.whole[x], self.names)
        text = hand.formula(self.whole[x], self.names)
        return text if len(plain) <= SHORT and text != told else ""

    def _called(self, node: Node) -> str:
        if node.op is ops.variable:
            return f"`{visible(node.label())}`"
        others = {x: name for x, name in self.names.items() if x is not node}
        text = visible(one_line(node, others), WIDEST)
        return f"`{self.names[node]} = {text}`" if node in self.names else f"`{text}`"


def _row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The cells side by side; value and rule below the derivative where they do not fit."""
    row = "   ".join([*map(pad, cells, widths), cells[-1]]).rstrip()
    if display_width(row) <= WIDTH:
        return [row]
    first, *below = f"{cells[0]}   {cells[1]}", *(cell for cell in cells[2:] if cell)
    return [*fold(first), *(f"    {row}" for cell in below for row in fold(cell))]


def _math(tex: str) -> str:
    """LaTeX in a cell of a table, which bars would end."""
    inside = tex.replace("|", r"\vert ")
    return rf"$\displaystyle {inside}$" if tex else ""


def _code(text: str) -> str:
    """Text as it stands, in a cell of a table."""
    plain = visible(text, LONGEST).replace("`", "'").replace("|", r"\|")
    return f"`{plain}`" if plain else ""


def _prose(text: str) -> str:
    """Words as they stand, line by line, as a block of code."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def derive(
    output: Node,
    wrt: Sequence[Node] | Node,
    names: Names | None = None,
    places: Names | None = None,
) -> Derivation:
    """The derivation of the gradient of a number by some values below it.

    `names` are what the user calls values, `places` where they were written.

    >>> from engine import ops, var
    >>> x = var("x", ["n"])
    >>> y = ops.sum(ops.sin(x))
    >>> derive(y, x, {y: "y"})
    ∂y/∂y = 1                        scalar
    ā = expand(1, [n])               [n]      y = sum(a)    sum(x): x̄ = expand(ȳ, [n])
    ∂y/∂x = ā * cos(x) = cos(x)      [n]      a = sin(x)    sin(x): x̄ = ȳ * cos(x)
    """
    found = chain(output, wrt)
    known, letters = _named(found, names or {})
    loss = known[output]
    derivatives = {
        found.symbols[x]: barred(known[x]) if x in letters else f"∂{loss}/∂{known[x]}"
        for x in (step.value for step in found.steps)
    }
    values = [step.value for step in found.steps]
    few = len(values) <= MOST_LINES
    whole = dict(zip(values, gradients(output, values), strict=True)) if few else {}
    return Derivation(found, known, derivatives, whole, places or {})


def _named(found: Chain, names: Names) -> tuple[dict[Node, str], set[Node]]:
    """A name for every value on the way, and those whose name is a letter of ours."""
    order = toposort([found.output])
    fresh = (name for name in fresh_names(order, names.values()) if name[0] not in "uvwxy")
    known, letters = dict(names), set[Node]()
    for x in (step.value for step in found.steps):
        own = own_name(x, names, None)
        if own is None:
            letters.add(x)
        known[x] = next(fresh) if own is None else own
    return known, letters
