"""Blocks and definitions: what stands to the right of `=`, and the names it is given."""

from __future__ import annotations

from engine import Node, ops
from engine.dims import known

from ..errors import refuse
from ..scope import Scope
from ..syntax import Assign, Block, Declared, FunctionDef, Name, Wrong
from ..values import BROKEN, Function, Items, Row, Value, describe
from .shapes import check, declare_input
from .state import Dependent, Lowering


def value(low: Lowering, scope: Scope, block: Block) -> Value:
    """The value of a block: its `where`, its statements, then what its last line says."""
    for local in block.where:
        if isinstance(local, Declared):
            _free(low, scope, local)
        else:
            low.execute(local, scope)
    for statement in block.statements:
        low.execute(statement, scope)
    values = [low.value(each, scope) for each in block.values]
    return values[0] if len(values) == 1 else Items(tuple(values))


def _free(low: Lowering, scope: Scope, local: Declared) -> None:
    """A shape in `where`: of a name that has a value a check, of one that has none an input."""
    name, annotation = local.name.text, local.annotation
    if annotation is None:
        return
    found = scope.find(name)
    if found is None:
        scope.names[name] = declare_input(low, scope, local)
    else:
        check(low, scope, annotation, low.tensor(found, local.name), f"`{name}`")


def assign(low: Lowering, scope: Scope, statement: Assign) -> None:
    """`y = e`, `a, b = e1, e2`, `y : [B, T] = e`."""
    body = statement.body
    inner = scope.child() if body.statements or body.where else scope
    result = value(low, inner, body)
    is_one = len(statement.targets) == 1
    values = (result,) if is_one else _taken_apart(low, scope, statement, result)
    for target, each in zip(statement.targets, values, strict=True):
        if statement.annotation is not None:
            node = low.tensor(each, body.values[-1])
            check(low, scope, statement.annotation, node, f"`{target.text}`")
        define(low, scope, target, each)


def wrong(low: Lowering, scope: Scope, statement: Wrong) -> None:
    """A statement that could not be read: what depends on it is not reported."""
    for name in statement.perhaps:
        if scope.find(name) is None and scope.find_size(name) is None:
            scope.names[name] = BROKEN
    raise statement.error or Dependent


def define(low: Lowering, scope: Scope, target: Name, each: Value) -> None:
    """Bind a name; the first name of a node is its label in pictures, but no number has one."""
    scope.names[target.text] = each
    node = each.node if isinstance(each, Row) else each
    if isinstance(node, Node) and not (node.op is ops.const and node.rank == 0):
        low.labels.setdefault(node, target.text)
    if scope is low.module:
        low.defined[target.text] = target.span


def _taken_apart(
    low: Lowering, scope: Scope, statement: Assign, result: Value
) -> tuple[Value, ...]:
    """The values for several names: a list of as many, or the rows of a tensor of known length."""
    count = len(statement.targets)
    if isinstance(result, Items) and len(result.values) == count:
        return result.values
    if isinstance(result, Node) and result.shape and known(result.shape[0]) == count:
        return tuple([low.keep(result[i], statement.span, scope) for i in range(count)])
    message = f"{count} names and {describe(result)} to take apart"
    raise refuse(message, statement.span, "", "unpack")


def function(low: Lowering, scope: Scope, statement: FunctionDef) -> None:
    """`f(x) = e`: nothing is lowered before the call."""
    scope.names[statement.name.text] = Function(statement, scope)
    if scope is low.module:
        low.defined[statement.name.text] = statement.name.span
