"""Declarations: `dim`, `input`, `param`, `const`."""

from __future__ import annotations

from engine import Node, ops, var
from engine.dims import Dim, known
from engine.dims import size as make_size

from ..errors import refuse
from ..scope import Scope
from ..syntax import Const, Declared, Input, Name, Param, Size
from ..syntax import Dim as DimLine
from . import initial
from .located import located
from .shapes import check, declare_input, declared, kind_of
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
        raise refuse(f"the size `{name}` is declared already", each.span, "", "size")
    value: Dim = low.given_size(name)
    if value is None and each.value is not None:
        value = size(low, scope, each.value, f"`{name}`")
    number = known(value)
    if number is not None and number < 0:
        raise refuse(f"a size cannot be {number}", each.span, "", "size")
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
    if each.annotation is not None and each.annotation.sizes is not None:
        _bind_constant(scope, each, node)
        check(low, scope, each.annotation, node, f"the const `{name}`")
    if node.rank:
        low.labels.setdefault(node, name)
    return low.keep(node, each.span, scope)


def _bind_constant(scope: Scope, each: Declared, node: Node) -> None:
    """The names in the shape of a constant are the sizes it has."""
    assert each.annotation is not None
    sizes = each.annotation.sizes or ()
    for written, dim in zip(sizes, node.shape or (), strict=False):
        if isinstance(written, Name) and scope.find_size(written.text) is None:
            scope.sizes[written.text] = make_size(written.text, known(dim))


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
        raise refuse(f"there is {what} `{path}` already", each.name.span, hint, "name")
    if kind_of(each.annotation) != "float":
        raise refuse("a parameter is made of floats", each.span, "", "kind")
    shape = declared(low, scope, each.annotation, False, "this parameter")
    leaf = low.keep(var(path, shape), each.span, scope)
    key = var(f"key of {path}", (), "int")
    first = initial.value(low, scope, statement, leaf, key)
    low.params[path] = Parameter(path, leaf, key, first, each.span)
    low.labels.setdefault(leaf, path)
    return leaf
