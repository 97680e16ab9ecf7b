"""Which names of a text are functions and which values, as far as the text alone tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..library.forms import FORMS
from ..library.functions import FUNCTIONS
from ..syntax import (
    Assign,
    Binary,
    CallOrProduct,
    Comprehension,
    Declared,
    Expr,
    For,
    FunctionDef,
    Import,
    Juxtapose,
    List,
    Name,
    Number,
    Prime,
    Size,
    Syntax,
    children,
)


@dataclass(frozen=True)
class Names:
    """The functions and the values of a program; a name may be both, in different places."""

    functions: frozenset[str]
    values: frozenset[str]
    defined: frozenset[str]  # the functions of the program itself

    @staticmethod
    def of(root: Syntax) -> Names:
        """The names that a tree defines, and the functions that every program knows."""
        order = [root]
        for node in order:  # grows while it is walked
            order.extend(children(node))
        functions = {name for node in order for name in _functions(node)}
        values = {name for node in order for name in _values(node)}
        known = {*FUNCTIONS, *FORMS} - values
        return Names(frozenset(functions | known), frozenset(values), frozenset(functions))

    def is_predefined(self, name: str) -> bool:
        """Whether a name means what every program knows by it."""
        return name in self.functions - self.values - self.defined

    def is_call(self, node: CallOrProduct) -> bool:
        """Whether `a(b)` is a call; where names do not tell, it is one unless a blank is typed."""
        head = node.head.operand if isinstance(node.head, Prime) else node.head
        known = head.text if isinstance(head, Name) else ""
        if (known in self.functions) != (known in self.values):
            return known in self.functions
        source = node.span.source.text
        return source[node.head.span.end : node.head.span.end + 1] == "("


def _functions(node: Syntax) -> Iterable[str]:
    match node:
        case FunctionDef(name):
            return [name.text]
        case Import(_, names):
            return [name.text for name in names]
        case _:
            return []


def _values(node: Syntax) -> Iterable[str]:
    match node:
        case Declared(name) | Size(name):
            return [name.text]
        case For(target) | Comprehension(_, target):
            return [target.text]
        case Assign(targets, _, body) if all(_is_value(each) for each in body.values):
            return [target.text for target in targets]
        case _:
            return []


def _is_value(value: Expr) -> bool:
    """Whether an expression is certainly no function."""
    return isinstance(value, Number | Binary | Juxtapose | List)
