"""Imports: the prelude and registered folders, by dotted names, never by paths.

An imported module is lazy: its functions are templates, its other definitions are lowered when
something needs them, so that importing a function never adds an input or a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from engine.dims import known

from ..errors import DslError, refuse
from ..parse import parse
from ..scope import Frame, Scope
from ..span import Span
from ..suggest import did_you_mean
from ..syntax import Assign, Dim, FunctionDef, Import, Name, Program, Statement, Syntax, children
from ..values import Module, Value
from . import blocks
from .lowering import Lowering
from .sizes import size

FOLDERS: list[Path] = []


def register(folder: str | Path) -> None:
    """Let programs import the `.graph` files of a folder; it is searched before the prelude."""
    path = Path(folder).resolve()
    if not path.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    if path not in FOLDERS:
        FOLDERS.insert(0, path)


def imported(l: Lowering, scope: Scope, statement: Import) -> None:
    """`from transformer import block`, `import transformer`."""
    module = load(l, statement.module, statement.span)
    if not statement.names:
        last = statement.module.rpartition(".")[2]
        scope.names[last] = Module(statement.module, module)
    for name in statement.names:
        value = module.own(name.text)
        if value is None:
            hint = did_you_mean(name.text, exported(tree_of(statement.module)))
            message = f"`{statement.module}` has no `{name.text}`"
            raise refuse(message, name.span, hint, "import")
        scope.names[name.text] = value


def load(l: Lowering, name: str, span: Span) -> Scope:
    """The scope of a module, made once per compilation."""
    if name in l.loading:
        ring = " → ".join([*l.loading[l.loading.index(name) :], name])
        raise refuse(f"modules import each other: {ring}", span, "", "import")
    if name not in l.modules:
        if text_of_module(name) is None:
            hint = did_you_mean(name, available()) or f"there are {', '.join(available())}"
            raise refuse(f"there is no module `{name}`", span, hint, "import")
        l.loading.append(name)
        try:
            l.modules[name] = _scope_of(l, tree_of(name))
        finally:
            l.loading.pop()
    return l.modules[name]


def _scope_of(l: Lowering, tree: Program) -> Scope:
    scope = Scope(Frame(), l.module.library)
    later: dict[str, Assign] = {}
    for statement in tree.statements:
        match statement:
            case FunctionDef():
                blocks.function(l, scope, statement)
            case Import():
                imported(l, scope, statement)
            case Dim():
                _known_sizes(l, scope, statement)
            case Assign():
                later.update((target.text, statement) for target in statement.targets)
            case _:
                pass

    def lower_when_used(name: str) -> Value | None:
        if name not in later:
            return None
        blocks.assign(l, scope, later.pop(name))
        return scope.names[name]

    scope.fallback = lower_when_used
    return scope


def _known_sizes(l: Lowering, scope: Scope, statement: Dim) -> None:
    """Sizes with a value; those without are bound by the annotations of functions."""
    for each in statement.sizes:
        if each.value is not None and _names(each.value) <= set(scope.sizes):
            number = known(size(l, scope, each.value))
            if number is not None:
                scope.sizes[each.name.text] = number


def _names(tree: Syntax) -> set[str]:
    own = {tree.text} if isinstance(tree, Name) else set[str]()
    return own.union(*[_names(child) for child in children(tree)])


def text_of_module(name: str) -> str | None:
    """The text of a module, None if there is none of this name."""
    parts = f"{name.replace('.', '/')}.graph"
    for root in (*FOLDERS, files("dsl").joinpath("prelude")):
        file = root.joinpath(parts)
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return None


def tree_of(name: str) -> Program:
    """The syntax tree of a module that exists; texts are parsed once."""
    text = text_of_module(name)
    assert text is not None
    return _parsed(name, text)


@cache
def _parsed(name: str, text: str) -> Program:
    return parse(text, name)


def available() -> list[str]:
    """The names of the modules that can be imported."""
    found: list[str] = []
    for root in (*FOLDERS, files("dsl").joinpath("prelude")):
        found += sorted(
            each.name.removesuffix(".graph") for each in root.iterdir() if each.name.endswith(".graph")
        )
    return list(dict.fromkeys(found))


def exported(tree: Program) -> list[str]:
    """The functions of a module."""
    return [each.name.text for each in tree.statements if isinstance(each, FunctionDef)]
