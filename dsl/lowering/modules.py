"""Imports: the prelude and registered folders, by dotted names, never by paths.

An imported module is lazy: its functions are templates, its other definitions are lowered when
something needs them, so that importing a function never adds an input or a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from engine.dims import known

from ..errors import DslError, refuse
from ..parse import parse
from ..scope import Frame, Scope
from ..span import Span
from ..suggest import did_you_mean_one_of
from ..syntax import (
    Assign,
    Const,
    Declared,
    Dim,
    FunctionDef,
    Import,
    Input,
    Param,
    Program,
)
from ..values import Function, Module, Value
from . import blocks
from .sizes import mentioned, size
from .state import Lowering

LONGEST_NAME = 200  # no file system is asked for a longer one

FOLDERS: list[Path] = []
PRELUDE, PACKAGE = files("dsl").joinpath("prelude"), "prelude."


def register(folder: str | Path) -> None:
    """Let programs import the `.graph` files of a folder; it is searched before the prelude.

    The prelude itself does not see them: `prelude.losses` is always its own file, and so are the
    functions that every program knows by name.
    """
    path = Path(folder).resolve()
    if not path.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    if path not in FOLDERS:
        FOLDERS.insert(0, path)


def imported(low: Lowering, scope: Scope, statement: Import) -> None:
    """`from transformer import block`; `import nets.gpt` is called `gpt` and `nets.gpt`."""
    module = load(low, statement.module, _module_span(statement))
    if not statement.names:
        last = statement.module.rpartition(".")[2]
        scope.names[last] = scope.names[statement.module] = Module(statement.module, module)
    for name in statement.names:
        value = module.own(name.text)
        if value is None:
            hint = did_you_mean_one_of(name.text, exported(tree_of(statement.module)))
            message = f"`{statement.module}` has no `{name.text}`"
            raise refuse(message, name.span, hint, "import")
        scope.names[name.text] = value


def _module_span(statement: Import) -> Span:
    """Where the name of the module stands, after `from` or `import`."""
    whole = statement.span
    behind = whole.text.partition(" ")[2].lstrip()
    start = whole.end - len(behind)
    is_there = behind.startswith(statement.module)
    return whole.source.span(start, start + len(statement.module)) if is_there else whole


def load(low: Lowering, name: str, span: Span) -> Scope:
    """The scope of a module, made once per compilation."""
    if low.loading and _is_of_prelude(low.loading[-1]):
        name = _in_prelude(name)
    if name in low.loading:
        ring = " → ".join([*low.loading[low.loading.index(name) :], name])
        raise refuse(f"modules import each other: {ring}", span, "", "import")
    if text_of_module(name) is None:
        hint = did_you_mean_one_of(name, available()) or f"there are {', '.join(available())}"
        raise refuse(f"there is no module `{name}`", span, hint, "import")
    return _made(low, name)


def _made(low: Lowering, name: str) -> Scope:
    if name not in low.modules:
        low.loading.append(name)
        try:
            low.modules[name] = _scope_of(low, tree_of(name))
        finally:
            low.loading.pop()
    return low.modules[name]


PREDEFINED = (
    "nn",
    "norms",
    "attention",
    "transformer",
    "initialisers",
    "losses",
    "optim",
    "schedules",
)


def predefined(low: Lowering, name: str) -> Value | None:
    """A function of the prelude, which every program knows by name."""
    home = prelude_functions().get(name)
    return None if home is None else _made(low, _in_prelude(home)).names[name]


@cache
def prelude_functions() -> dict[str, str]:
    """Each function that every program knows, with the prelude file it is in."""
    return {
        name: module
        for module in reversed(PREDEFINED)
        for name in exported(tree_of(f"{PACKAGE}{module}"))
    }


def find_function(low: Lowering, name: str) -> Function | None:
    """A function that is visible at the top level of the program."""
    value = low.module.find(name)
    return value if isinstance(value, Function) else None


def _scope_of(low: Lowering, tree: Program) -> Scope:
    scope = Scope(Frame(), low.module.library)
    later: dict[str, Assign] = {}
    left_behind: dict[str, DslError] = {}
    for statement in tree.statements:
        match statement:
            case FunctionDef():
                blocks.function(low, scope, statement)
            case Import():
                imported(low, scope, statement)
            case Dim():
                _known_sizes(low, scope, statement)
            case Assign():
                later.update((target.text, statement) for target in statement.targets)
            case Input(names) | Param(names) | Const(names):
                left_behind.update((each.name.text, _left_behind(tree, each)) for each in names)
            case _:
                pass

    def lower_when_used(name: str) -> Value | None:
        if name in left_behind:
            raise left_behind[name]
        if name not in later:
            return None
        blocks.assign(low, scope, later.pop(name))
        return scope.names[name]

    scope.fallback = lower_when_used
    return scope


def _left_behind(tree: Program, each: Declared) -> DslError:
    """The error for an input, a parameter or a constant of a module that is only imported."""
    message = (
        f"`{each.name.text}` is declared in `{tree.span.source.name}` and not imported with it"
    )
    hint = "imports bring no inputs and parameters: declare it in the function, or pass it in"
    return refuse(message, each.span, hint, "import")


def _known_sizes(low: Lowering, scope: Scope, statement: Dim) -> None:
    """Sizes with a value; the others are bound by the annotations of functions, or follow."""
    for each in statement.sizes:
        if each.value is None:
            continue
        number = None
        if mentioned(each.value) <= set(scope.sizes):
            number = known(size(low, scope, each.value))
        if number is None:
            scope.derived[each.name.text] = each.value
        else:
            scope.sizes[each.name.text] = number


def text_of_module(name: str) -> str | None:
    """The text of a module, None if there is none of this name."""
    if len(name) > LONGEST_NAME or not all(part.isidentifier() for part in name.split(".")):
        return None
    text = _text_in(FOLDERS, name)
    return _text_in([PRELUDE], name.removeprefix(PACKAGE)) if text is None else text


def _text_in(roots: Iterable[Traversable], name: str) -> str | None:
    for root in roots:
        file = root.joinpath(f"{name.replace('.', '/')}.graph")
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return None


def _is_of_prelude(name: str) -> bool:
    """Whether a module that exists is a file of the prelude."""
    return _text_in(FOLDERS, name) is None


def _in_prelude(name: str) -> str:
    """What a prelude file is called where a registered folder has one of the same name."""
    return name if _is_of_prelude(name) else f"{PACKAGE}{name}"


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
    for root in (*FOLDERS, PRELUDE):
        found += sorted(
            each.name.removesuffix(".graph")
            for each in root.iterdir()
            if each.name.endswith(".graph")
        )
    return list(dict.fromkeys(found))


def import_of(name: str) -> str:
    """How a module, or a function of one, is imported; empty where there is none of this name."""
    if text_of_module(name) is not None:
        return f"it is a module: `import {name}`"
    home = next((each for each in available() if name in _functions_of(each)), None)
    return "" if home is None else f"import it: `from {home} import {name}`"


def _functions_of(module: str) -> list[str]:
    """The functions of a module; none if it is wrong itself."""
    try:
        return exported(tree_of(module))
    except DslError:
        return []


def exported(tree: Program) -> list[str]:
    """The functions of a module."""
    return [each.name.text for each in tree.statements if isinstance(each, FunctionDef)]
