"""What stands in round and in square brackets: arguments, lists, indices, sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lark import Token

from ..errors import DslError
from ..syntax import Comprehension, Dots, Expr, Hole, Keyword, List, Slice
from .built import Branch, Built, Child, branches, is_a


@dataclass(frozen=True)
class Group:
    """What stands in round brackets."""

    args: tuple[Expr, ...]
    keywords: tuple[Keyword, ...]

    @property
    def alone(self) -> Expr | None:
        """The only argument, if it can also be a factor."""
        one = len(self.args) == 1 and not self.keywords
        return self.args[0] if one and not isinstance(self.args[0], Comprehension) else None


def group(b: Built, tree: Branch) -> Group:
    """The arguments of `(x, axis=-1)`, keywords last."""
    args: list[Expr] = []
    keywords: list[Keyword] = []
    for child in branches(tree):
        if is_a(child, "keyword"):
            keywords.append(_keyword(b, child, keywords))
        elif is_a(child, "parameter"):
            raise b.refuse("a shape stands here only in a definition `f(x : [n]) = …`", child)
        elif keywords:
            raise b.refuse("an argument without a name comes after one with a name", child)
        else:
            args.append(b.expr(child))
    return Group(tuple(args), tuple(keywords))


def sole(b: Built, tree: Branch) -> Expr:
    """The expression in `(x + y)`, whose span takes in the brackets."""
    inside = group(b, tree).alone
    if inside is None:
        raise not_a_value(b, tree)
    return replace(inside, span=b.span(tree))


def not_a_value(b: Built, tree: Branch) -> DslError:
    """The error for `()`, `(a, b)`, `(x = 1)` where a value is expected."""
    text = b.span(tree).text
    if not tree.children:
        return b.refuse("there is nothing in the brackets", tree)
    if any(is_a(child, "keyword") for child in tree.children):
        return b.refuse(f"`{text}` is not a value", tree, "`==` compares; `=` names an argument")
    return b.refuse(f"`{text}` is not a value", tree, f"a list is written `[{text[1:-1]}]`")


def list_literal(b: Built, tree: Branch) -> Expr:
    """`[a, b]`, the matrix `[1, 2; 3, 4]` as a list of its rows, or a comprehension."""
    rows = branches(tree)
    for item in (item for row in rows for item in row.children):
        if not is_expression(item):
            raise b.refuse(f"`{b.span(item).text}` stands only in an index or a shape", item)
    if comprehension := _comprehension(b, rows):
        return replace(comprehension, span=b.span(tree))
    if len(rows) < 2:
        return List(tuple(b.expr(item) for row in rows for item in row.children), span=b.span(tree))
    return List(tuple(_row(b, row, rows[0]) for row in rows), span=b.span(tree))


def index_items(b: Built, tree: Branch) -> tuple[Expr | Slice | Dots, ...]:
    """The items of `[0, 1:, ..., None]`."""
    items = _single_row(b, tree, "an index")
    if not items:
        raise b.refuse("the index is empty", tree)
    return tuple(_index_item(b, item) for item in items)


def size_items(b: Built, tree: Branch) -> tuple[Expr | Dots | Hole, ...]:
    """The sizes of `[..., 4d, _]`."""
    return tuple(_size_item(b, item) for item in _single_row(b, tree, "a shape"))


def is_expression(item: Child) -> bool:
    """Whether an item of square brackets is an expression rather than a slice, `...` or `_`."""
    return not isinstance(item, Token) and not is_a(item, "slice")


def _keyword(b: Built, tree: Branch, before: list[Keyword]) -> Keyword:
    name_token, value = tree.children
    assert isinstance(name_token, Token)
    name = b.name(name_token)
    if any(name == other.name for other in before):
        raise b.refuse(f"`{name.text}` is given twice", tree)
    return Keyword(name, b.expr(value), span=b.span(tree))


def _comprehension(b: Built, rows: list[Branch]) -> Expr | None:
    items = [item for row in rows for item in row.children]
    found = next((item for item in items if is_a(item, "comprehension")), None)
    if found is not None and len(items) > 1:
        raise b.refuse("a `for` in a list stands alone: one element, then the loop", found)
    return None if found is None else b.expr(found)


def _row(b: Built, row: Branch, first: Branch) -> List:
    if len(row.children) != len(first.children):
        counts = f"{len(first.children)} and {len(row.children)}"
        raise b.refuse(f"the rows of a matrix are equally long: here {counts}", row)
    return List(tuple(b.expr(item) for item in row.children), span=b.span(row))


def _single_row(b: Built, tree: Branch, what: str) -> list[Child]:
    rows = branches(tree)
    if len(rows) > 1:
        raise b.refuse(f"`;` separates the rows of a matrix; {what} has commas", rows[1])
    items = list(rows[0].children) if rows else []
    for item in items:
        if is_a(item, "comprehension"):
            raise b.refuse(f"{what} cannot be a comprehension", item)
    if sum(is_a(item, "DOTS") for item in items) > 1:
        raise b.refuse(f"{what} has one `...` at most", tree)
    return items


def _index_item(b: Built, item: Child) -> Expr | Slice | Dots:
    if is_a(item, "DOTS"):
        return Dots(span=b.span(item))
    if is_a(item, "HOLE"):
        raise b.refuse("`_` stands only in a shape", item, "`:` takes the whole axis")
    return _slice(b, item) if not isinstance(item, Token) and is_a(item, "slice") else b.expr(item)


def _slice(b: Built, tree: Branch) -> Slice:
    parts: list[Expr | None] = [None]
    for child in tree.children:
        if isinstance(child, Token):
            parts.append(None)
        else:
            parts[-1] = b.expr(child)
    start, stop, step = (*parts, None)[:3]
    return Slice(start, stop, step, span=b.span(tree))


def _size_item(b: Built, item: Child) -> Expr | Dots | Hole:
    if is_a(item, "DOTS"):
        return Dots(span=b.span(item))
    if is_a(item, "HOLE"):
        return Hole(span=b.span(item))
    if is_a(item, "slice"):
        raise b.refuse("a shape has sizes, not ranges", item)
    return b.expr(item)
