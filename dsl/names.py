"""The names that a statement defines."""

from __future__ import annotations

from .syntax import (
    Assign,
    Const,
    Dim,
    For,
    FunctionDef,
    Import,
    Input,
    Param,
    Repeat,
    Statement,
    Wrong,
)


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
        case Wrong(names):
            return list(names)
        case Repeat(_, body) | For(_, _, body):
            return [name for each in body for name in names_of(each)]
        case Import(module, names):
            return [name.text for name in names] or [module.rpartition(".")[2]]
        case _:
            return []
