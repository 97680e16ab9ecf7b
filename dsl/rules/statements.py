"""From the parser's tree to statements: one rule of the grammar, one function."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import DslError, one_line
from ..syntax import (
    Annotation,
    Block,
    Const,
    Declared,
    Dim,
    Expr,
    For,
    Import,
    Input,
    Name,
    Param,
    Repeat,
    Show,
    Size,
    Statement,
)
from .annotations import annotation
from .built import Branch, Built, branches, is_a, leaves
from .definitions import bad_target, definition, locals_of, statements_of, values


def top_level(b: Built, line: Branch) -> Statement:
    """A statement that stands outside of every block."""
    if is_a(line, "return"):
        raise b.refuse("`return` stands only in the last line of a definition", line)
    if is_a(line, "where"):
        hint = "indent the line, so that it continues the line before"
        raise b.refuse("`where` belongs to a definition", line, hint)
    return b.lines[id(line)]


def dim(b: Built, tree: Branch) -> Statement:
    """`dim B, T, d = 64`."""
    return Dim(tuple(_size(b, part) for part in branches(tree)), span=b.span(tree))


def inputs(b: Built, tree: Branch) -> Statement:
    """`input tokens, targets : int[B, T]`."""
    return Input(_declared(b, branches(tree)[0], "input"), span=b.span(tree))


def const(b: Built, tree: Branch) -> Statement:
    """`const A : [n, n]`."""
    return Const(_declared(b, branches(tree)[0], "const"), span=b.span(tree))


def param(b: Built, tree: Branch) -> Statement:
    """`param W, U : [d, h]`, with `~ draw` or `= fill`."""
    names, *rest = branches(tree)
    value = b.expr(rest[0]) if rest else None
    draw, fill = (value, None) if is_a(tree, "param_draw") else (None, value)
    return Param(_declared(b, names, "param"), draw, fill, span=b.span(tree))


def imported(b: Built, tree: Branch) -> Statement:
    """`import transformer`, `from transformer import block`."""
    module = ".".join(b.name(part).text for part in leaves(branches(tree)[0]))
    return Import(module, tuple(b.name(token) for token in leaves(tree)), span=b.span(tree))


def show(b: Built, tree: Branch) -> Statement:
    """A bare expression."""
    shown, *wheres = branches(tree)
    where = tuple(local for part in wheres for local in locals_of(b, part))
    body = Block((), values(b, shown), where, span=b.span(tree))
    return Show(body, span=b.span(tree))


def repeat(b: Built, tree: Branch) -> Statement:
    """`repeat n:` with its lines."""
    count, body = branches(tree)
    return Repeat(b.expr(count), _loop_body(b, body), span=b.span(tree))


def loop(b: Built, tree: Branch) -> Statement:
    """`for i in range(n):` with its lines."""
    iterable, body = branches(tree)
    name = b.name(leaves(tree)[0])
    return For(name, b.expr(iterable), _loop_body(b, body), span=b.span(tree))


def annotated(b: Built, tree: Branch) -> Statement:
    """`X : [B, T]` alone says no value: never a statement."""
    raise _no_value(b, tree)


STATEMENTS: dict[str, Callable[[Built, Branch], Statement]] = {
    "dim": dim,
    "input": inputs,
    "const": const,
    "param": param,
    "param_draw": param,
    "param_fill": param,
    "import": imported,
    "show": show,
    "assign": definition,
    "repeat": repeat,
    "for": loop,
    "annotated": annotated,
}


def _size(b: Built, tree: Branch) -> Size:
    value: Expr | None = next((b.expr(part) for part in branches(tree)), None)
    return Size(b.name(leaves(tree)[0]), value, span=b.span(tree))


def _declared(b: Built, tree: Branch, word: str) -> tuple[Declared, ...]:
    """The declared names; a name without an annotation has that of the next one."""
    found: list[Declared] = []
    shape: Annotation | None = None
    for part in reversed(branches(tree)):
        name = _path(b, branches(part)[0], word)
        shape = next((annotation(b, each) for each in branches(part)[1:]), shape)
        if shape is None and word != "const":
            hint = f"write `{word} {name.text} : [n]`, or `[]` for a number"
            raise b.refuse(f"`{name.text}` has no shape", part, hint)
        found.append(Declared(name, shape, span=b.span(part)))
    return tuple(found[::-1])


def _path(b: Built, tree: Branch, word: str) -> Name:
    """A name; only a parameter has a path: `h.3.attention.W_q`."""
    text = ".".join(b.name(token).text for token in leaves(tree))
    if "." in text and word != "param":
        raise b.refuse(f"`{text}` is no name", tree, "only parameters have paths", "name")
    return Name(text, span=b.span(tree))


def _loop_body(b: Built, body: Branch) -> tuple[Statement, ...]:
    return statements_of(b, branches(body) if is_a(body, "suite") else [body])


_ELSEWHERE = {
    "lambda": "give the function a name: `f(x) = x`",
    "class": "values go together in functions: `f(x) = x`",
}


def _no_value(b: Built, tree: Branch) -> DslError:
    names = branches(tree)[0]
    text = one_line(b.span(names).text)
    is_name = all(
        is_a(each, "chain") and is_a(each.children[-1], "NAME") for each in branches(names)
    )
    if text.startswith("def "):
        return bad_target(b, branches(names)[0])
    word = text.partition(" ")[0]
    if word in _ELSEWHERE:
        return b.refuse(f"there is no `{word}`", tree, _ELSEWHERE[word], "python")
    whole = one_line(b.span(tree).text)
    hint = f"write `input {whole}`, or `{whole} = …`" if is_name else f"write `{text} = …`"
    message = f"`{whole}` says what `{text}` looks like, but not what it is"
    return b.refuse(message, tree, hint, "no-value")
