"""Blocks and definitions: what stands to the right of `=`, and the names it is given."""

from __future__ import annotations

from engine import Node
from engine.dims import known

from ..errors import DslError, refuse
from ..scope import Scope
from ..syntax import Assign, Block, Declared, Expr, FunctionDef, Name, Show
from ..values import Function, Items, Row, Value, describe
from .located import text_of
from .lowering import Lowering, Shown
from .shapes import check, declare_input


def value(l: Lowering, scope: Scope, block: Block) -> Value:
    """The value of a block: its `where`, its statements, then what its last line says."""
    for local in block.where:
        if isinstance(local, Declared):
            _free(l, scope, local)
        else:
            l.execute(local, scope)
    for statement in block.statements:
        l.execute(statement, scope)
    values = [l.value(each, scope) for each in block.values]
    return values[0] if len(values) == 1 else Items(tuple(values))


def _free(l: Lowering, scope: Scope, local: Declared) -> None:
    """A shape in `where`: of a name that has a value a check, of one that has none an input."""
    name, annotation = local.name.text, local.annotation
    if name in scope.names or annotation is None:
        return
    found = scope.find(name)
    if found is None:
        scope.names[name] = declare_input(l, scope, local)
    else:
        check(l, scope, annotation, l.tensor(found, local.name), f"`{name}`")


def assign(l: Lowering, scope: Scope, statement: Assign) -> None:
    """`y = e`, `a, b = e1, e2`, `y : [B, T] = e`."""
    body = statement.body
    inner = scope.child() if body.statements or body.where else scope
    result = value(l, inner, body)
    if len(statement.targets) == 1:
        values = (result,)
    else:
        values = _taken_apart(l, statement, result)
    for target, each in zip(statement.targets, values, strict=True):
        if statement.annotation is not None:
            node = l.tensor(each, body.values[-1])
            check(l, scope, statement.annotation, node, f"`{target.text}`")
        define(l, scope, target, each)


def define(l: Lowering, scope: Scope, target: Name, each: Value) -> None:
    """Bind a name; the first name of a node is its label in pictures."""
    scope.names[target.text] = each
    if isinstance(each, Node | Row):
        l.labels.setdefault(each if isinstance(each, Node) else each.node, target.text)
    if scope is l.module:
        l.defined[target.text] = target.span


def _taken_apart(l: Lowering, statement: Assign, result: Value) -> tuple[Value, ...]:
    """The values for several names: a list of as many, or the rows of a tensor of known length."""
    count = len(statement.targets)
    if isinstance(result, Items) and len(result.values) == count:
        return result.values
    if isinstance(result, Node) and result.shape and known(result.shape[0]) == count:
        return tuple([l.keep(result[i], statement.span, l.module) for i in range(count)])
    message = f"{count} names and {describe(result)} to take apart"
    raise refuse(message, statement.span, "", "unpack")


def function(l: Lowering, scope: Scope, statement: FunctionDef) -> None:
    """`f(x) = e`: nothing is lowered before the call."""
    scope.names[statement.name.text] = Function(statement, scope)
    if scope is l.module:
        l.defined[statement.name.text] = statement.name.span


def show(l: Lowering, scope: Scope, statement: Show) -> None:
    """A bare expression: its value is shown."""
    inner = scope.child()
    l.shown.append(Shown(statement.span, value(l, inner, statement.body)))
