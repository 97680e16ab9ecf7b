"""Calls: the body of a function is lowered anew for each, with its own sizes and parameters."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from engine import Node
from engine.dims import same_shape

from ..errors import CallSite, refuse
from ..parse import is_path
from ..scope import Frame, Scope
from ..syntax import Annotation, Call, Declared, FunctionDef
from ..values import CALLABLE, Builtin, Form, Function, Items, Row, Slot, Value, Words
from . import blocks, readers
from .arguments import Argument, Arguments, Bound, arguments_of, match, not_a_function
from .binding import Described, bind, derive
from .initial import with_draw
from .located import Term, located, text_of
from .shapes import check
from .stack import deep_stack
from .state import Lowering


def call(low: Lowering, scope: Scope, expr: Call) -> Value:
    """`f(x, axis=-1)`."""
    function = low.value(expr.function, scope)
    if not isinstance(function, CALLABLE):
        raise not_a_function(expr)
    return low.apply(function, scope, arguments_of(scope, expr))


def call_builtin(low: Lowering, function: Builtin, scope: Scope, arguments: Arguments) -> Value:
    """A function of the library: its arguments are read by the kind of their parameters."""
    bound = match(arguments, function.slots, function.name, function.signature)
    reading = readers.Reading(low)
    values = [reading.read(slot, bound) for slot in function.slots]
    with located(arguments.span, reading.terms):
        result = function.build(*values)
    if isinstance(result, Node):
        return _in_direction(low.keep(result, arguments.span, scope), reading.terms)
    parts = tuple(low.keep(part, arguments.span, scope) for part in result)
    return Items(parts)


def _in_direction(result: Node, terms: Sequence[Term]) -> Value:
    """What has the shape of a row that it was made of is a row: `exp(x^T)`."""
    rows = [term.node.shape for term in terms if term.is_row]
    return Row(result) if any(same_shape(result.shape, shape) for shape in rows) else result


def call_form(low: Lowering, function: Form, scope: Scope, arguments: Arguments) -> Value:
    """A built-in that looks at its arguments as they were written."""
    bound = match(arguments, function.slots, function.name, function.signature)
    return function.apply(low, scope, arguments.span, bound)


def call_function(low: Lowering, function: Function, scope: Scope, arguments: Arguments) -> Value:
    """A function of the program; calls among its arguments come first, as when it is computed."""
    definition = function.definition
    own = with_draw(low, function, arguments)
    if "name" not in _names(definition):
        own = own.without("name")
    bound = match(own, _slots(definition), function.name, function.signature)
    values = {name: argument.value(low) for name, argument in bound.one.items()}
    inner = Scope(Frame(_step(low, function, scope, arguments)), function.scope)
    with low.inside(function, values.values(), arguments.span):
        inner.names.update(values)
        _bind_sizes(low, function, inner, bound)
        with low.reached(CallSite(function.name, arguments.span)):
            derive(low, inner, definition)
            _fill_defaults(low, definition, inner)
            result = blocks.value(low, inner, definition.body)
            return _checked(low, definition, inner, result)


def call_with_nodes(low: Lowering, function: Function, values: Mapping[str, Node]) -> Value:
    """The value of a function for nodes by the names of its parameters, called from outside."""
    name = function.definition.name
    named = {
        each.name.text: Argument(each.name, low.module, values[each.name.text])
        for each in function.definition.parameters
        if each.name.text in values
    }
    with deep_stack():
        return low.apply(function, low.module, Arguments((), named, name.span))


def _names(definition: FunctionDef) -> list[str]:
    return [parameter.name.text for parameter in definition.parameters]


def _slots(definition: FunctionDef) -> list[Slot]:
    return [
        Slot(each.name.text, "value", each.default, each.default is None)
        for each in definition.parameters
    ]


def _step(low: Lowering, function: Function, scope: Scope, arguments: Arguments) -> tuple[str, ...]:
    """The path of this call: the function's name, or what `name=` says."""
    if "name" not in arguments.named or "name" in _names(function.definition):
        return scope.frame.step(function.name)
    name = arguments.named["name"]
    value = name.value(low)
    if not isinstance(value, Words) or not is_path(value.text):
        hint = 'as in `name="c_attn"`: letters, digits, `_`, and dots between steps'
        raise refuse(f"`name` is a text, not {text_of(name.expr)}", name.expr.span, hint, "call")
    return scope.frame.step(unicodedata.normalize("NFKC", value.text))


def _bind_sizes(low: Lowering, function: Function, inner: Scope, bound: Bound) -> None:
    """The size names of the annotations take the sizes of the arguments."""
    described = [
        Described(annotation, bound.one[name].term(low, name), f"`{name}` of `{function.name}`")
        for name, annotation in shapes_of(function.definition).items()
        if name in bound.one and annotation.kind != "text"
    ]
    bind(low, inner, described)


def shapes_of(definition: FunctionDef) -> dict[str, Annotation]:
    """The annotation of each parameter, in its head or in `where`."""
    names = _names(definition)
    later = {
        each.name.text: each.annotation
        for each in definition.body.where
        if isinstance(each, Declared) and each.annotation and each.name.text in names
    }
    own = {p.name.text: p.annotation for p in definition.parameters if p.annotation}
    return {name: {**later, **own}[name] for name in names if name in later or name in own}


def _fill_defaults(low: Lowering, definition: FunctionDef, inner: Scope) -> None:
    for parameter in definition.parameters:
        if parameter.name.text not in inner.names and parameter.default is not None:
            inner.names[parameter.name.text] = low.value(parameter.default, inner)


def _checked(low: Lowering, definition: FunctionDef, inner: Scope, result: Value) -> Value:
    if definition.annotation is not None:
        node = low.tensor(result, definition.body.values[-1])
        what = f"the result of `{definition.name.text}`"
        check(low, inner, definition.annotation, node, what)
    return result
