"""Declarations: `dim`, `input`, `param`, `const`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from engine import EngineError, Node, ops, var
from engine.dims import Dim, Shape, known
from engine.dims import size as make_size

from ..errors import refuse
from ..scope import Scope
from ..syntax import Const, Declared, Input, Name, Param, Program, Size
from ..syntax import Dim as DimLine
from . import initial
from .binding import Described, bind
from .located import Term, located
from .shapes import aligned, declare_input, declared, kind_of
from .sizes import size
from .state import Lowering, Parameter


def dim(low: Lowering, scope: Scope, statement: DimLine) -> None:
    """`dim B, T, d = 64, h = 4d`."""
    if scope is not scope.module:
        hint = "a function's annotation binds sizes: `f(x : [n]) = …`"
        raise refuse("`dim` stands at the top level", statement.span, hint, "place")
    for each in statement.sizes:
        _declare_size(low, scope, each)


def _declare_size(low: Lowering, scope: Scope, each: Size) -> None:
    """Without a value it is known with the data; with a number it keeps its name in messages."""
    name = each.name.text
    if name in scope.sizes:
        raise refuse(f"the size `{name}` is declared already", each.span, "", "again")
    value: Dim = low.given_size(name)
    if value is None and each.value is not None:
        value = size(low, scope, each.value, f"`{name}`")
    number = known(value)
    if number is not None and number < 0:
        raise refuse(f"a size cannot be {number}", each.span, "", "size")
    if each.value is not None and number is None:
        scope.derived[name] = each.value
    is_named = value is None or number is not None
    scope.sizes[name] = make_size(name, number) if is_named else value


def inputs(low: Lowering, scope: Scope, statement: Input) -> None:
    """`input tokens, targets : int[B, T]`."""
    if scope is not scope.module:
        hint = "a function takes its inputs as parameters: `f(x : [n]) = …`"
        raise refuse("`input` stands at the top level", statement.span, hint, "place")
    for each in statement.names:
        scope.names[each.name.text] = declare_input(low, scope, each)


def const(low: Lowering, scope: Scope, statement: Const) -> None:
    """`const A : [n, n]`: a value that the caller gave by name."""
    if scope is not scope.module:
        raise refuse("`const` stands at the top level", statement.span, "", "place")
    for each in statement.names:
        scope.names[each.name.text] = _constant(low, scope, each)


def _constant(low: Lowering, scope: Scope, each: Declared) -> Node:
    name = each.name.text
    low.used.add(name)
    if name not in low.consts:
        hint = f'give it when compiling: `consts={{"{name}": …}}`'
        raise refuse(f"the const `{name}` has no value", each.span, hint, "const")
    value = low.consts[name]
    with located(each.span):
        node = value if isinstance(value, Node) else ops.const(value)
    if each.annotation is not None:
        _bind_constant(low, scope, Described(each.annotation, Term("const", node, each.name), name))
    if node.rank:
        low.labels.setdefault(node, name)
    return low.keep(node, each.span, scope)


def _bind_constant(low: Lowering, scope: Scope, described: Described) -> None:
    """The new names in the shape of a constant are the sizes it has."""
    before = set(scope.sizes)
    bind(low, scope, [replace(described, what=f"the const `{described.what}`")])
    for name in scope.sizes.keys() - before:
        scope.sizes[name] = make_size(name, known(scope.sizes[name]))


def told(tree: Program, consts: Mapping[str, object]) -> dict[str, int]:
    """The sizes that the shapes of constants tell of names without a value in the text."""
    fixed = {
        each.name.text
        for statement in tree.statements
        if isinstance(statement, DimLine)
        for each in statement.sizes
        if each.value is not None
    }
    found: dict[str, int] = {}
    for statement in tree.statements:
        for each in statement.names if isinstance(statement, Const) else ():
            for name, count in _named_axes(each, consts.get(each.name.text)):
                if name not in fixed:
                    found.setdefault(name, count)
    return found


def _named_axes(each: Declared, value: object) -> Iterator[tuple[str, int]]:
    """The axes of a constant that are written as a name."""
    shape = None if value is None else _shape(value)
    for written, dim in (each.annotation and aligned(each.annotation, shape)) or ():
        number = known(dim)
        if isinstance(written, Name) and number is not None:
            yield written.text, number


def _shape(value: object) -> Shape:
    try:
        return value.shape if isinstance(value, Node) else ops.const(value).shape
    except EngineError:  # told where the constant is declared
        return None


def param(low: Lowering, scope: Scope, statement: Param) -> None:
    """`param W, U : [d, h] ~ normal(0, 0.02)`, `param b : [h] = 0`."""
    for each in statement.names:
        scope.names[each.name.text] = _parameter(low, scope, statement, each)


def _parameter(low: Lowering, scope: Scope, statement: Param, each: Declared) -> Node:
    assert each.annotation is not None
    name = each.name.text
    path = ".".join(scope.frame.place(name))
    if path in low.params or path in low.inputs:
        what = "a parameter" if path in low.params else "an input"
        hint = "give it another name; what is shared is declared once and passed in"
        raise refuse(f"there is {what} `{path}` already", each.name.span, hint, "again")
    if kind_of(each.annotation) != "float":
        raise refuse("a parameter is made of floats", each.span, "", "kind")
    shape = declared(low, scope, each.annotation, False, "this parameter")
    leaf = low.keep(var(path, shape), each.span, scope)
    key = var(f"key of {path}", (), "int")
    first = initial.value(low, scope, statement, leaf, key)
    low.params[path] = Parameter(path, leaf, key, first, each.span)
    low.labels.setdefault(leaf, path)
    return leaf
