"""Calls: the body of a function is lowered anew for each, with its own sizes and parameters."""

from __future__ import annotations

from engine import Node

from ..errors import DslError, refuse
from ..scope import Frame, Scope
from ..syntax import Annotation, Call, Declared, FunctionDef
from ..values import CALLABLE, Builtin, Form, Function, Items, Slot, Value, Words
from . import blocks, readers
from .arguments import Argument, Arguments, Bound, arguments_of, match, not_a_function
from .located import located, text_of
from .lowering import Lowering
from .shapes import bind, check


def call(l: Lowering, scope: Scope, expr: Call) -> Value:
    """`f(x, axis=-1)`."""
    function = l.value(expr.function, scope)
    if not isinstance(function, CALLABLE):
        raise not_a_function(expr)
    return l.apply(function, scope, arguments_of(scope, expr))


def call_builtin(l: Lowering, function: Builtin, scope: Scope, arguments: Arguments) -> Value:
    """A function of the library: its arguments are read by the kind of their parameters."""
    bound = match(arguments, function.slots, function.name, function.signature)
    reading = readers.Reading(l)
    values = [reading.read(slot, bound) for slot in function.slots]
    with located(arguments.span, reading.terms):
        result = function.build(*values)
    if isinstance(result, Node):
        return l.keep(result, arguments.span, scope)
    parts = tuple(l.keep(part, arguments.span, scope) for part in result)
    return Items(parts)


def call_form(l: Lowering, function: Form, scope: Scope, arguments: Arguments) -> Value:
    """A built-in that looks at its arguments as they were written."""
    bound = match(arguments, function.slots, function.name, function.signature)
    return function.apply(l, scope, arguments.span, bound)


def call_function(l: Lowering, function: Function, scope: Scope, arguments: Arguments) -> Value:
    """A function of the program."""
    definition = function.definition
    inner = Scope(Frame(_step(l, function, scope, arguments)), function.scope)
    if "name" in arguments.named and "name" not in _names(definition):
        arguments = arguments.without("name")
    bound = match(arguments, _slots(definition), function.name, function.signature)
    values = {name: argument.value(l) for name, argument in bound.one.items()}
    with l.inside(function, values.values(), arguments.span):
        _bind_sizes(l, function, inner, bound)
        inner.names.update(values)
        try:
            _fill_defaults(l, definition, inner)
            result = blocks.value(l, inner, definition.body)
            return _checked(l, definition, inner, result)
        except DslError as error:
            raise error.called(function.name, arguments.span) from None


def _names(definition: FunctionDef) -> list[str]:
    return [parameter.name.text for parameter in definition.parameters]


def _slots(definition: FunctionDef) -> list[Slot]:
    return [
        Slot(each.name.text, "value", each.default, each.default is None)
        for each in definition.parameters
    ]


def _step(l: Lowering, function: Function, scope: Scope, arguments: Arguments) -> tuple[str, ...]:
    """The path of this call: the function's name, or what `name=` says."""
    if "name" not in arguments.named or "name" in _names(function.definition):
        return scope.frame.step(function.name)
    name = arguments.named["name"]
    value = name.value(l)
    if not isinstance(value, Words) or not all(
        part.replace("_", "a").isalnum() for part in value.text.split(".")
    ):
        hint = 'as in `name="c_attn"`: letters, digits, `_`, and dots between steps'
        raise refuse(f"`name` is a text, not {text_of(name.expr)}", name.expr.span, hint, "call")
    return scope.frame.step(value.text)


def _bind_sizes(l: Lowering, function: Function, inner: Scope, bound: Bound) -> None:
    """The size names of the annotations take the sizes of the arguments."""
    for name, annotation in _annotations(function.definition).items():
        argument = bound.one.get(name)
        if argument is None or annotation.kind == "text":
            continue
        term = argument.term(l, name)
        bind(l, inner, annotation, term, f"`{name}` of `{function.name}`")


def _annotations(definition: FunctionDef) -> dict[str, Annotation]:
    """The annotation of each parameter, in its head or in `where`."""
    names = _names(definition)
    later = {
        each.name.text: each.annotation
        for each in definition.body.where
        if isinstance(each, Declared) and each.annotation and each.name.text in names
    }
    own = {p.name.text: p.annotation for p in definition.parameters if p.annotation}
    return {name: {**later, **own}[name] for name in names if name in later or name in own}


def _fill_defaults(l: Lowering, definition: FunctionDef, inner: Scope) -> None:
    for parameter in definition.parameters:
        if parameter.name.text not in inner.names and parameter.default is not None:
            inner.names[parameter.name.text] = l.value(parameter.default, inner)


def _checked(l: Lowering, definition: FunctionDef, inner: Scope, result: Value) -> Value:
    if definition.annotation is not None:
        node = l.tensor(result, definition.body.values[-1])
        what = f"the result of `{definition.name.text}`"
        check(l, inner, definition.annotation, node, what)
    return result
