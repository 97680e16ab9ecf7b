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
from .lowering import Lowering, Parameter
from .shapes import check, declare_input, declared, kind_of
from .sizes import size


def dim(l: Lowering, scope: Scope, statement: DimLine) -> None:
    """`dim B, T, d = 64, h = 4d`."""
    if scope is not scope.module:
        hint = "a function's annotation binds sizes: `f(x : [n]) = …`"
        raise refuse("`dim` stands at the top level", statement.span, hint, "place")
    for each in statement.sizes:
        _declare_size(l, scope, each)


def _declare_size(l: Lowering, scope: Scope, each: Size) -> None:
    """A name without a value is known with the data; one with a number keeps its name in messages."""
    name = each.name.text
    if name in scope.sizes:
        raise refuse(f"the size `{name}` is declared already", each.span, "", "size")
    l.used.add(name)
    value: Dim = l.sizes.get(name)
    if value is None and each.value is not None:
        value = size(l, scope, each.value, f"`{name}`")
    number = known(value)
    if number is not None and number < 0:
        raise refuse(f"a size cannot be {number}", each.span, "", "size")
    is_named = value is None or number is not None
    scope.sizes[name] = make_size(name, number) if is_named else value


def inputs(l: Lowering, scope: Scope, statement: Input) -> None:
    """`input tokens, targets : int[B, T]`."""
    if scope is not scope.module:
        hint = "a function takes its inputs as parameters: `f(x : [n]) = …`"
        raise refuse("`input` stands at the top level", statement.span, hint, "place")
    for each in statement.names:
        scope.names[each.name.text] = declare_input(l, scope, each)


def const(l: Lowering, scope: Scope, statement: Const) -> None:
    """`const A : [n, n]`: a value that the caller gave by name."""
    if scope is not scope.module:
        raise refuse("`const` stands at the top level", statement.span, "", "place")
    for each in statement.names:
        scope.names[each.name.text] = _constant(l, scope, each)


def _constant(l: Lowering, scope: Scope, each: Declared) -> Node:
    name = each.name.text
    l.used.add(name)
    if name not in l.consts:
        hint = f"give it when compiling: `consts={{\"{name}\": …}}`"
        raise refuse(f"the const `{name}` has no value", each.span, hint, "const")
    value = l.consts[name]
    with located(each.span):
        node = value if isinstance(value, Node) else ops.const(value)
    if each.annotation is not None and each.annotation.sizes is not None:
        _bind_constant(scope, each, node)
        check(l, scope, each.annotation, node, f"the const `{name}`")
    return l.keep(node, each.span, scope)


def _bind_constant(scope: Scope, each: Declared, node: Node) -> None:
    """The names in the shape of a constant are the sizes it has."""
    assert each.annotation is not None
    sizes = each.annotation.sizes or ()
    for written, dim in zip(sizes, node.shape or (), strict=False):
        if isinstance(written, Name) and scope.find_size(written.text) is None:
            scope.sizes[written.text] = make_size(written.text, known(dim))


def param(l: Lowering, scope: Scope, statement: Param) -> None:
    """`param W, U : [d, h] ~ normal(0, 0.02)`, `param b : [h] = 0`."""
    for each in statement.names:
        scope.names[each.name.text] = _parameter(l, scope, statement, each)


def _parameter(l: Lowering, scope: Scope, statement: Param, each: Declared) -> Node:
    assert each.annotation is not None
    name = each.name.text
    path = ".".join(scope.frame.place(name))
    if path in l.params or (path in l.inputs):
        hint = "give it another name; what is shared is declared once and passed in"
        raise refuse(f"there is a parameter `{path}` already", each.span, hint, "name")
    if kind_of(each.annotation) != "float":
        raise refuse("a parameter is made of floats", each.span, "", "kind")
    shape = declared(l, scope, each.annotation, False, "this parameter")
    leaf = l.keep(var(path, shape), each.span, scope)
    key = var(f"key of {path}", (), "int")
    first = initial.value(l, scope, statement, leaf, key)
    l.params[path] = Parameter(path, leaf, key, first, each.span)
    l.labels.setdefault(leaf, path)
    return leaf
