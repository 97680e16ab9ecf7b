"""Definitions taken out of a module as text, with whatever of the module they lean on."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Excerpt:
    """Functions as they are written, what else is named in them, and the imports they need."""

    imports: tuple[str, ...]
    aliases: tuple[str, ...]
    functions: tuple[str, ...]


def excerpt(module: ModuleType, names: Collection[str]) -> Excerpt:
    """The definitions of these names and of all they call; each function `f` is called `_f`.

    >>> from engine.ops import kernels
    >>> print(excerpt(kernels, ["flip"]).functions[0].splitlines()[0])
    def _flip(x: Tensor, *, axis: Ints | None) -> Tensor:
    """
    source = inspect.getsource(module)
    known = {name: each for each in ast.parse(source).body for name in _bound(each)}
    needed, stack = set[str](), [name for name in names if name in known]
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            stack += [use.id for use in _uses(known[name]) if use.id in known]
    used = {name: each for name, each in known.items() if name in needed}
    functions = {name for name, each in known.items() if isinstance(each, ast.FunctionDef)}
    texts = {name: _text(source, each, functions) for name, each in used.items()}
    return Excerpt(
        tuple(_import(each, name) for name, each in used.items() if _imports(each)),
        tuple(texts[name] for name in texts if not _imports(used[name]) and name not in functions),
        tuple(texts[name] for name in texts if name in functions),
    )


def _imports(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement at top level defines."""
    match statement:
        case ast.FunctionDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (each.asname or each.name for each in names)
        case ast.Assign(targets=[ast.Name(id=name)]):
            yield name
        case _:
            pass


def _uses(statement: ast.stmt) -> list[ast.Name]:
    """The names that a definition reads and does not bind itself."""
    names = [each for each in ast.walk(statement) if isinstance(each, ast.Name)]
    own = {each.arg for each in ast.walk(statement) if isinstance(each, ast.arg)}
    own |= {each.id for each in names if isinstance(each.ctx, ast.Store)}
    return [each for each in names if each.id not in own]


def _import(statement: ast.stmt, name: str) -> str:
    """The import of one name."""
    assert isinstance(statement, ast.Import | ast.ImportFrom)
    alone = [each for each in statement.names if name in (each.name, each.asname)]
    if isinstance(statement, ast.Import):
        return ast.unparse(ast.Import(alone))
    return ast.unparse(ast.ImportFrom(statement.module, alone, statement.level))


def _text(source: str, statement: ast.stmt, functions: Collection[str]) -> str:
    """A definition as it is written, the functions of the module with an underscore before."""
    lines = [line.encode() for line in source.splitlines()]
    places = [(use.lineno, use.col_offset) for use in _uses(statement) if use.id in functions]
    if isinstance(statement, ast.FunctionDef):
        places.append((statement.lineno, statement.col_offset + len("def ")))
    for line, column in sorted(places, reverse=True):
        before, after = lines[line - 1][:column], lines[line - 1][column:]
        lines[line - 1] = before + b"_" + after
    return b"\n".join(lines[statement.lineno - 1 : statement.end_lineno]).decode()
