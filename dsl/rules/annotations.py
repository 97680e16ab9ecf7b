"""Annotations: `[B, T, d]`, `int[B, T]`, `ℝ^(n×m)`, `int`."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from lark import Token

from ..syntax import Annotation, Expr
from .brackets import size_items
from .built import Branch, Built, Child, branches, is_a, leaves
from .literals import number, superscript

KINDS = ("float", "int", "bool", "text")


def annotation(b: Built, tree: Branch) -> Annotation:
    """What stands after `:` or `∈`, the sign included in the span."""
    return _RULES[tree.data](b, tree)


def _kind(b: Built, tree: Branch) -> Annotation:
    return Annotation(_kind_name(b, leaves(tree)[0]), None, span=b.span(tree))


def _shape(b: Built, tree: Branch) -> Annotation:
    names = leaves(tree)
    kind = _kind_name(b, names[0]) if names else None
    return Annotation(kind, size_items(b, branches(tree)[0]), span=b.span(tree))


def _real(b: Built, tree: Branch) -> Annotation:
    sizes = tuple(_domain_size(b, child) for each in branches(tree) for child in each.children)
    return Annotation("float", sizes, span=b.span(tree))


def _domain_size(b: Built, child: Child) -> Expr:
    if not isinstance(child, Token):
        return b.expr(child)
    if is_a(child, "SUPERSCRIPT"):
        return superscript(b, child)
    return number(b, child) if child.type == "NUMBER" else b.name(child)


def _kind_name(b: Built, token: Token) -> str:
    if token in KINDS:
        return str(token)
    if token == "R":
        raise b.refuse("`R` is not `ℝ`", token, "write `ℝ`", "kind")
    close = get_close_matches(token, KINDS, n=1, cutoff=0.5)
    kinds = "the kinds are `float`, `int` and `bool`; a shape is written `[n, m]`"
    hint = f"did you mean `{close[0]}`? {kinds}" if close else kinds
    raise b.refuse(f"`{token}` is not a kind of element", token, hint, "kind")


_RULES: dict[str, Callable[[Built, Branch], Annotation]] = {
    "kind": _kind,
    "shape": _shape,
    "real": _real,
}
