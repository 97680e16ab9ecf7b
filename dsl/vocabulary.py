"""The words that every program knows: functions with their signatures, constants, modules."""

from __future__ import annotations

from functools import cache

from .compiler import lower
from .errors import DslError
from .lowering.modules import available, exported, prelude_functions, tree_of
from .parse import parse
from .scope import Scope
from .values import CALLABLE, Value


@cache
def functions() -> dict[str, str]:
    """Each function of the library and the prelude with its signature.

    >>> functions()["softmax"]
    'softmax(x, axis=-1)'
    """
    scope = _scope()
    known = {name: scope.find(name) for name in [*scope.known_names(), *prelude_functions()]}
    return {name: value.signature for name, value in known.items() if isinstance(value, CALLABLE)}


@cache
def constants() -> tuple[str, ...]:
    """The predefined names that are no functions: `true`, `pi`, …"""
    scope = _scope()
    return tuple(name for name in scope.known_names() if name not in functions())


def modules() -> dict[str, list[str]]:
    """The modules that can be imported, each with its functions; a file that is wrong has none."""
    return {name: _exported(name) for name in available()}


def _exported(module: str) -> list[str]:
    try:
        return exported(tree_of(module))
    except DslError:
        return []


def predefined(name: str) -> Value | None:
    """What a name of the library or the prelude stands for, None for another name.

    >>> predefined("softmax").name
    'softmax'
    """
    return _scope().find(name)


@cache
def _scope() -> Scope:
    return lower(parse(""), {}, {}).module
