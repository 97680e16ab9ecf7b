"""The rule of an operator as a formula: its own vjp on symbols, `softmax(x): x̄ = y (ȳ - Σ ȳ y)`.

There is no second list of rules: what stands here is what differentiates.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from engine import ops
from engine.graph import Node, rebuild, sizes_of
from engine.passes.simplify import tidy
from engine.show.latex import latex, symbol
from engine.show.text import formula

OPERANDS = "uvwpqrst"  # those of a rule; x is an only one, y the result
LONGEST = 1500  # characters of LaTeX
BAR = "\u0304"


@dataclass(frozen=True)
class Rule:
    """y = op(u, v, …) on symbols, and by operand what flows back to it of ȳ.

    `operands` has the symbol of each operand of the node asked about, `names` what all are called.
    """

    y: Node
    operands: Mapping[Node, Node]
    cotangents: Mapping[Node, Node]
    names: Mapping[Node, str]

    def text(self, *of: Node) -> str:
        """What flows back to some operands of the node, to all if none is given.

        >>> rule_of(ops.tanh(ops.variable("u", []))).text()
        'tanh(x): x̄ = ȳ * (1 - y^2)'
        """
        rows = [f"{name} = {one_line(dx, self.names)}" for name, dx in self._rows(of)]
        return f"{one_line(self.y, self._operand_names)}: {'; '.join(rows) or 'nothing flows back'}"

    def latex(self, *of: Node) -> str:
        r"""The same in LaTeX.

        >>> rule_of(ops.tanh(ops.variable("u", []))).latex()
        '\\tanh(x):\\; \\bar{x} = \\bar{y} \\cdot \\left(1 - {y}^{2}\\right)'
        """
        rows = [f"{symbol(name)} = {tex_line(dx, self.names)}" for name, dx in self._rows(of)]
        shown = r",\; ".join(rows) or r"\text{nothing flows back}"
        return rf"{tex_line(self.y, self._operand_names)}:\; {shown}"

    @property
    def _operand_names(self) -> dict[Node, str]:
        return {node: name for node, name in self.names.items() if node is not self.y}

    def _rows(self, of: tuple[Node, ...]) -> Iterator[tuple[str, Node]]:
        asked = {self.operands[x] for x in of}
        for x, dx in self.cotangents.items():
            if not of or x in asked:
                yield barred(self.names[x]), dx


def rule_of(node: Node) -> Rule:
    """The rule of a node's operator for operands of these shapes; constants stay what they are."""
    letters = _letters(node)
    operands = {x: _symbol_for(x, letters) for x in dict.fromkeys(node.inputs)}
    y = rebuild(node, tuple(operands[x] for x in node.inputs))
    g = ops.variable(barred("y"), y.shape)
    found = dict[Node, Node]()
    sent = y.op.vjp(g, y, *y.inputs) if y.kind == "float" else (None,) * len(y.inputs)
    for x, dx in zip(y.inputs, sent, strict=True):
        if dx is not None and x.op is ops.variable:
            found[x] = found[x] + dx if x in found else dx
    tidied = tidy(list(found.values()), keep={y, *y.inputs})
    names = {x: str(x.attrs["name"]) for x in y.inputs if x.op is ops.variable}
    return Rule(y, operands, dict(zip(found, tidied, strict=True)), {y: "y", **names})


def barred(name: str) -> str:
    """What the cotangent of a letter is called.

    >>> barred("y"), barred("a1")
    ('ȳ', 'ā1')
    """
    return unicodedata.normalize("NFC", f"{name[:1]}{BAR}{name[1:]}")


def one_line(node: Node, names: Mapping[Node, str]) -> str:
    """The formula of a node; what it uses twice is said after it: `a / sum(a), where a = …`."""
    if node in names:
        return names[node]
    *before, last = formula(node, names).splitlines()
    return f"{last}, where {', '.join(before)}" if before else last


def tex_line(node: Node, names: Mapping[Node, str]) -> str:
    """The formula of a node in LaTeX, dots for one that is too long."""
    text = symbol(names[node]) if node in names else latex(node, names)
    return text if len(text) <= LONGEST else r"\dots"


def _letters(node: Node) -> Iterator[str]:
    """x for an only operand, u, v, w, … for several; none that is a size."""
    taken = {size.name for x in (node, *node.inputs) for size in sizes_of(x)}
    alone = len({x for x in node.inputs if not _is_constant(x)}) == 1
    for serial in count():
        for letter in "x" + OPERANDS if alone else OPERANDS:
            if (name := f"{letter}{serial or ''}") not in taken:
                yield name


def _symbol_for(x: Node, letters: Iterator[str]) -> Node:
    return x if _is_constant(x) else ops.variable(next(letters), x.shape, x.kind)


def _is_constant(x: Node) -> bool:
    return not x.inputs and x.op is not ops.variable
