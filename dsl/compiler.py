"""Compiling: a text to a Program, with every independent error of it, at most five."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from .errors import MOST_REPORTED, Diagnostic, DslError, refuse
from .library import library
from .lower import modules
from .lower.lowering import Dependent, Lowering
from .lower.table import CALLERS, EXPRESSIONS, STATEMENTS
from .parse import parse
from .program import Program
from .scope import Frame, Scope
from .suggest import did_you_mean
from .syntax import Assign, Const, Dim, FunctionDef, Import, Input, Name, Param, Statement
from .syntax import Program as Tree
from .values import BROKEN

STACK = 20_000


def compile(
    text: str,
    consts: Mapping[str, object] | None = None,
    name: str = "cell",
    sizes: Mapping[str, int] | None = None,
) -> Program:
    """The program that a text says.

    `consts` has the values of its `const` lines by name, `sizes` numbers for its sizes (they come
    before those in the text). Raises DslError with up to five errors.

    >>> import torch
    >>> p = compile("input x : [n]\\ny = x^T x")
    >>> p.run("y", {"x": [3.0, 4.0]})
    tensor(25.)
    """
    return lower(parse(text, name), consts or {}, sizes or {})


def load(module: str, **values: object) -> Program:
    """The program of a prelude file, or of a registered folder; `values` are its sizes and consts.

    >>> load("transformer", V=65, d=32, layers=2).nodes["logits"]
    """
    ...


def lower(tree: Tree, consts: Mapping[str, object], sizes: Mapping[str, int]) -> Program:
    """The program of a syntax tree."""
    module = Scope(Frame(), library())
    l = Lowering(EXPRESSIONS, STATEMENTS, CALLERS, module, consts, sizes)
    with _deep_stack():
        errors = list(_execute(l, tree))
    if errors:
        raise DslError(*errors[:MOST_REPORTED])
    return Program(l, tree)


def _execute(l: Lowering, tree: Tree) -> Iterator[Diagnostic]:
    """Carry out the statements; what depends on a wrong one is left out."""
    seen: set[tuple[str, object]] = set()
    for statement in tree.statements:
        try:
            l.execute(statement, l.module)
        except (DslError, Dependent) as error:
            for name in names_of(statement):
                l.module.names[name] = BROKEN
            for each in error.diagnostics if isinstance(error, DslError) else ():
                if (each.message, each.span) not in seen:
                    seen.add((each.message, each.span))
                    yield each


def names_of(statement: Statement) -> list[str]:
    """The names that a statement defines."""
    match statement:
        case Assign(targets):
            return [target.text for target in targets]
        case Input(names) | Param(names) | Const(names):
            return [each.name.text for each in names]
        case Dim(sizes):
            return [each.name.text for each in sizes]
        case FunctionDef(name):
            return [name.text]
        case Import(module, names):
            return [name.text for name in names] or [module.rpartition(".")[2]]
        case _:
            return []


@contextmanager
def _deep_stack() -> Iterator[None]:
    """Room for the deepest program that the limits allow."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, STACK))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
