"""What fails while a program runs, told at the place in the text where it was written.

The engine knows the node that failed. A node that no line of the text made is a part of a
derivative, which knows the node it is the derivative of, or lies inside what some line made.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from engine import EngineError, MissingInput, Node, ops
from engine.graph import toposort
from engine.origins import origins

from .errors import Diagnostic, Link, Operand, one_line, render
from .lowering.state import Lowering
from .span import Span


@dataclass(frozen=True)
class Place:
    """Where a node comes from: what was written there, or its derivative."""

    span: Span
    calls: tuple[Link, ...]
    derived: bool

    @property
    def words(self) -> str:
        """What a message calls the node."""
        text = one_line(self.span.text)
        return f"the derivative of `{text}`" if self.derived else f"`{text}`"

    def diagnostic(self, message: str, hint: str, operands: Sequence[Operand]) -> Diagnostic:
        """An error about what was computed there."""
        return Diagnostic(message, self.span, hint, "run", tuple(operands), calls=self.calls)


@contextmanager
def located(low: Lowering) -> Generator[None]:
    """Errors of the engine show the place in the text; their class and message stay."""
    try:
        yield
    except EngineError as error:
        locate(low, error)
        raise


def locate(low: Lowering, error: EngineError) -> None:
    """Let an error of the engine show where its node was written, if it was."""
    if isinstance(error, MissingInput) and error.at in {each.leaf for each in low.params.values()}:
        error.hint = "give the parameters: `params=p.init()`, or what a trainer has as `state`"
    place = None if error.at is None or error.told is not None else place_of(low, error.at)
    if place is None:
        return
    message = f"in {place.words}: {error.message}" if place.derived else error.message
    if error.op is not None and error.__cause__ is not None:  # torch refused it in a kernel
        message = f"{place.words} failed: {error.__cause__}"
    texts = tuple(called(low, node) or node.label() for node in error.nodes)
    found = place.diagnostic(message, error.help(texts) or "", _operands(low, error.nodes))
    error.told = render(found).removeprefix("error: ")


def place_of(low: Lowering, node: Node) -> Place | None:
    """Where a node comes from; None for one that the text knows nothing of."""
    sources = [node]
    for each in sources:  # grows while it is walked
        if each not in low.origins:
            sources += [o.forward for o in origins(each) if o.forward not in sources]
    for each in chain(sources, (_around(low, source) for source in sources)):
        if each in low.origins:
            derived = bool(origins(node)) and node not in low.origins
            return Place(low.origins[each], low.chains.get(each, ()), derived)
    return None


def _around(low: Lowering, node: Node) -> Node | None:
    """The first node of the text that is made of another one."""
    seen: set[Node] = set()
    for written in low.origins:
        below = toposort([written], stop=seen.__contains__)
        if node in below:
            return written
        seen.update(below)
    return None


def called(low: Lowering, node: Node) -> str:
    """What a user calls a node: its name, else what was written; empty for no node of the text."""
    if node in low.labels or node.op is ops.variable:
        return low.labels.get(node, node.label())
    return one_line(low.origins[node].text) if node in low.origins else ""


def _operands(low: Lowering, nodes: Sequence[Node]) -> list[Operand]:
    """The operands of a node that failed, as far as the text knows them."""
    numbers = [f" {i}" for i in range(1, len(nodes) + 1)] if len(nodes) > 1 else [""]
    texts = [called(low, node) for node in nodes]
    return [
        Operand(f"operand{number}", text, node.describe())
        for number, text, node in zip(numbers, texts, nodes, strict=False)
        if text
    ]
