"""Definitions: `y = e`, `a, b = e1, e2`, `f(x : [n], p=0.1) = e`, with their blocks and `where`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from lark import Token

from ..errors import DslError, one_line
from ..syntax import (
    Annotation,
    Assign,
    Block,
    Declared,
    Expr,
    FunctionDef,
    Name,
    Parameter,
    Statement,
)
from .annotations import annotation
from .built import Branch, Built, branches, is_a

Local: TypeAlias = Declared | Assign | FunctionDef
STARTS = ("dim", "input", "param", "const", "repeat", "from", "import", "return")
ANNOTATIONS = ("kind", "shape", "real")


def definition(b: Built, tree: Branch) -> Assign | FunctionDef:
    """The statement `targets [annotation] = body [where]`."""
    targets, *middle, body = (part for part in branches(tree) if not is_a(part, "where"))
    where = [
        local for part in branches(tree) if is_a(part, "where") for local in locals_of(b, part)
    ]
    heads = branches(targets)
    shape = annotation(b, middle[0]) if middle else None
    inner = (
        block(b, body) if is_a(body, "suite") else Block((), values(b, body), (), span=b.span(body))
    )
    whole = Block(inner.statements, inner.values, (*inner.where, *where), span=inner.span)
    if len(heads) == 1 and _is_head(heads[0]):
        return _function(b, tree, heads[0], shape, whole)
    return _assign(b, tree, heads, shape, whole)


def values(b: Built, tree: Branch) -> tuple[Expr, ...]:
    """The expressions of `e1, e2`."""
    return tuple(b.expr(child) for child in tree.children)


def block(b: Built, suite: Branch) -> Block:
    """The deeper lines after `=`: statements, then the value, then perhaps `where`."""
    lines = branches(suite)
    where: list[Local] = []
    while lines and is_a(lines[-1], "where"):
        where = [*locals_of(b, lines.pop()), *where]
    if not lines or not is_a(lines[-1], "show", "return"):
        raise _no_value(b, suite, lines)
    statements = statements_of(b, lines[:-1])
    result, *own = branches(lines[-1])
    where = [*(local for part in own for local in locals_of(b, part)), *where]
    return Block(statements, values(b, result), tuple(where), span=b.span(suite))


def statements_of(b: Built, lines: Sequence[Branch]) -> tuple[Statement, ...]:
    """The lines of a block that are not its value."""
    for line in lines:
        if is_a(line, "show"):
            message = f"the value `{one_line(b.span(line).text)}` is not used"
            hint = "only the last line of a definition is a value: give this one a name"
            raise b.refuse(message, line, hint, "unused")
        if is_a(line, "return"):
            raise b.refuse("`return` stands only in the last line of a definition", line)
        if is_a(line, "where"):
            raise b.refuse("`where` comes after the value, at the end", line)
    return tuple(b.lines[id(line)] for line in lines)


def locals_of(b: Built, where: Branch) -> list[Local]:
    """The shapes and local definitions of a `where`; `A, B ∈ ℝ^n` declares both."""
    found: list[Local] = []
    shape: Annotation | None = None
    for part in reversed(branches(where)):
        head, *rest = branches(part)
        given = next((annotation(b, each) for each in rest if is_a(each, *ANNOTATIONS)), None)
        value = next((each for each in rest if not is_a(each, *ANNOTATIONS)), None)
        shape = given or shape
        found.append(_local(b, part, head, given if value is not None else shape, value))
    return found[::-1]


def target(b: Built, head: Branch) -> Name:
    """The name on the left of `=`."""
    first = head.children[0]
    if isinstance(first, Token) and first.type == "NAME" and len(head.children) == 1:
        if first in STARTS:
            raise b.refuse(f"`{first}` begins a statement", head, "choose another name", "reserved")
        return b.name(first)
    raise bad_target(b, head)


def bad_target(b: Built, head: Branch) -> DslError:
    """The error for something on the left of `=` that is no name and no `f(x)`."""
    text = one_line(b.span(head).text)
    trailers = head.children[1:] if is_a(head, "chain") else []
    if text.startswith("def ") or text == "def":
        return python_function(b, head, text)
    if trailers and all(is_a(each, "PRIME") for each in trailers):
        plain = text.rstrip("'")
        return b.refuse(f"`{text}` is no name", head, f"call it `{plain}_1` or `{plain}_new`")
    if trailers and is_a(trailers[-1], "brackets"):
        hint = "values never change: make a new one, as in `y = where(arange(n) == 0, 2, x)`"
        return b.refuse(f"cannot assign to a part: `{text}`", head, hint, "assign-part")
    return b.refuse(f"cannot assign to `{text}`", head, "the left of `=` is a name or `f(x)`")


def python_function(b: Built, head: Branch, text: str) -> DslError:
    """The error for `def f(x)`."""
    plain = text.removeprefix("def").strip() or "f(x)"
    return b.refuse("a function needs no `def`", head, f"write `{plain} = …`", "python-def")


def _is_head(head: Branch) -> bool:
    """Whether this is `f(…)`."""
    return (
        is_a(head, "chain")
        and len(head.children) == 2
        and is_a(head.children[0], "NAME")
        and is_a(head.children[1], "group")
    )


def _assign(
    b: Built, tree: Branch, heads: Sequence[Branch], shape: Annotation | None, body: Block
) -> Assign:
    names = tuple(target(b, head) for head in heads)
    given = len(body.values)
    if len({name.text for name in names}) < len(names):
        raise b.refuse("a name stands twice on the left of `=`", tree.children[0])
    if given not in (1, len(names)):
        message = f"{len(names)} name{'s' * (len(names) > 1)} and {given} values"
        text = one_line(body.values[0].span.to(body.values[-1].span).text)
        raise b.refuse(message, tree, f"a list is written `[{text}]`" if len(names) == 1 else "")
    return Assign(names, shape, body, span=b.span(tree))


def _function(
    b: Built, tree: Branch, head: Branch, shape: Annotation | None, body: Block
) -> FunctionDef:
    name, group = head.children
    assert isinstance(name, Token)
    assert not isinstance(group, Token)
    parameters: list[Parameter] = []
    for child in branches(group):
        parameter = _parameter(b, child)
        if any(parameter.name == other.name for other in parameters):
            raise b.refuse(f"two parameters are called `{parameter.name.text}`", child)
        parameters.append(parameter)
    return FunctionDef(b.name(name), tuple(parameters), shape, body, span=b.span(tree))


def _parameter(b: Built, child: Branch) -> Parameter:
    name, *rest = child.children
    if is_a(child, "keyword", "parameter") or (is_a(child, "chain") and not rest):
        parts = [part for part in rest if not isinstance(part, Token)]
        shape = next((annotation(b, part) for part in parts if is_a(part, *ANNOTATIONS)), None)
        default = next((b.expr(part) for part in parts if not is_a(part, *ANNOTATIONS)), None)
        if isinstance(name, Token) and name.type == "NAME":
            return Parameter(b.name(name), shape, default, span=b.span(child))
    text = one_line(b.span(child).text)
    hint = "a definition names its parameters: `f(x) = …`"
    raise b.refuse(f"`{text}` is not the name of a parameter", child, hint, "parameter")


def _local(
    b: Built, part: Branch, head: Branch, shape: Annotation | None, value: Branch | None
) -> Local:
    span = b.span(part)
    if value is None and shape is None:
        text = one_line(b.span(head).text)
        hint = f"write `{text} = …` or `{text} : [n]`"
        raise b.refuse(f"`{text}` has neither a value nor a shape", part, hint)
    if value is None:
        return Declared(target(b, head), shape, span=span)
    body = Block((), (b.expr(value),), (), span=b.span(value))
    if _is_head(head):
        return _function(b, part, head, shape, body)
    return Assign((target(b, head),), shape, body, span=span)


def _no_value(b: Built, suite: Branch, lines: Sequence[Branch]) -> DslError:
    last = lines[-1] if lines else suite
    hint = "the last line of a block is its value"
    if is_a(last, "assign"):
        hint += f": add a line `{one_line(b.span(last.children[0]).text)}`"
    code = "incomplete" if suite.meta.end_pos == b.end else "no-value"
    return b.refuse("this block has no value", last, hint, code)
