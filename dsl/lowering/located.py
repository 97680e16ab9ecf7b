"""Where the layers meet: an error of the engine gets its place in the text and operands."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from engine import EngineError, Node

from ..errors import Diagnostic, DslError, Operand, one_line
from ..offers import in_place
from ..span import Span
from ..syntax import Attribute, Call, Expr, Index, List, Name, Norm, Number, Prime, Transpose

_INFIX = re.compile(r"`(\{\d\}(?:\^T)? [@*] [^`]*)`")  # `{0} @ {1}^T` for all of the span
_ATOMS = (Name, Number, Call, Index, Attribute, List, Norm, Transpose)


@dataclass(frozen=True)
class Term:
    """An operand: its role in the message, its value, how it was written, whether it is a row."""

    role: str
    node: Node
    expr: Expr
    is_row: bool = False

    @property
    def text(self) -> str:
        """As it was written, on one line."""
        return text_of(self.expr)

    @property
    def atom(self) -> str:
        """As it was written, in brackets unless it may stand in front of `^T` as it is."""
        return (
            self.text
            if isinstance(self.expr, _ATOMS) or is_bracketed(self.expr)
            else f"({self.text})"
        )

    @property
    def column(self) -> str:
        """A row as the column it was made of: `x` for `x^T`."""
        if self.is_row and isinstance(self.expr, Transpose | Prime):
            return text_of(self.expr.operand)
        return self.atom

    @property
    def operand(self) -> Operand:
        """As a line of an error message."""
        return Operand(self.role, self.text, self.node.describe())


def text_of(expr: Expr) -> str:
    """An expression as it was written, on one line."""
    return one_line(expr.span.text)


def is_bracketed(expr: Expr) -> bool:
    """Whether an expression was written in brackets."""
    return _closed(expr.span.text)


def _closed(text: str) -> bool:
    """Whether the first bracket closes at the end."""
    if not text.startswith("("):
        return False
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at == len(text) - 1
    return False


def bare(span: Span) -> Span:
    """The span without brackets around all of it."""
    while _closed(span.text):
        inner = span.text[1:-1]
        start = span.start + 1 + len(inner) - len(inner.lstrip())
        span = span.source.span(start, start + len(inner.strip()))
    return span


def written(expr: Expr, count: int) -> list[Expr]:
    """Where each of `count` items was written: in a list, else all in one place."""
    if isinstance(expr, List) and len(expr.items) == count:
        return list(expr.items)
    return [expr] * count


@contextmanager
def located(span: Span, terms: Sequence[Term] = ()) -> Generator[None]:
    """Turn what the engine refuses into an error of the text at `span` about `terms`."""
    try:
        yield
    except EngineError as error:
        raise _told(error, span, terms) from error


def _told(error: EngineError, span: Span, terms: Sequence[Term]) -> DslError:
    error.hint = _INFIX.sub(lambda offer: f"`{in_place(span, offer[1])}`", error.hint or "")
    operands = tuple(term.operand for term in terms)
    by_node = {term.node: term for term in terms}
    if error.nodes and all(node in by_node for node in error.nodes):
        terms = [by_node[node] for node in error.nodes]  # `b > a` is asked as `a < b`
    hint = error.help(tuple(term.atom for term in terms)) or ""
    code = "gradient" if type(error).__name__ == "GradientError" else "shape"
    hint = hint.replace("^T^T", "").replace("ops.", "")
    return DslError(Diagnostic(error.message, span, hint, code, operands))
