"""Formulas as text: `softmax(Q @ K^T / sqrt(d))`, for readers or exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.graph import Node
from engine.show.forms import write
from engine.show.lines import Line, Notation, written
from engine.show.names import visible
from engine.show.spelling import Spelling

MOST_LINES = 60
TEXT = Notation(symbol=str, write=write, width=72)


def formula(node: Node, names: Mapping[Node, str] | None = None, notation: Notation = TEXT) -> str:
    """The formula of a node, never long: values used several times are named on lines before it.

    Nodes in `names` are called by their names and not opened. `BOARD` is the other notation.

    >>> from engine import ops, var
    >>> x, w = var("x", ["n", "d"]), var("w", ["d"])
    >>> print(formula(ops.mean((x @ w - 1) ** 2)))
    mean((x @ w - 1)^2)
    >>> y = ops.exp(x)
    >>> print(formula(y / ops.sum(y, axis=-1, keepdims=True)))
    a = exp(x)
    a / sum(a, axis=-1, keepdims=true)
    """
    known = names or {}
    lines = written([node], known, notation, stop=lambda n: n in known and n is not node)
    if not lines:
        return visible(node.label())
    *before, last = _last_lines(lines)
    return "\n".join([*before, last.partition(" = ")[2]])


def _last_lines(lines: Sequence[Line]) -> list[str]:
    texts = [f"{line.name} = {line.text}" for line in lines[-MOST_LINES:]]
    hidden = len(lines) - len(texts)
    return [f"… {hidden} more values", *texts] if hidden else texts


def exactly(how: Spelling) -> Notation:
    """The notation that compiles to the same nodes again."""
    return Notation(str, lambda node, parts: write(node, parts, how), width=72, longest_name=None)
