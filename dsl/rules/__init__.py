"""From the parser's tree to the syntax tree, from the leaves up: no recursion, however deep."""

from __future__ import annotations

from collections.abc import Iterator

from ..limits import DEEPEST, check_limits, too_deep
from ..span import Source
from ..syntax import Statement
from .built import Branch, Built, branches, is_a, is_bracketed
from .expressions import EXPRESSIONS
from .statements import STATEMENTS, top_level


def build(source: Source, offset: int, root: Branch) -> tuple[Statement, ...]:
    """The statements of a parsed text that begins at `offset` of the source.

    Raises DslError for what the grammar takes and the language does not.
    """
    built = Built(source, offset, root.meta.end_pos)
    later = frozenset(_read_by_their_parents(root))
    depths: dict[int, int] = {}
    for tree in root.iter_subtrees():
        depths[id(tree)] = _depth(built, tree, depths)
        if tree.data in EXPRESSIONS and id(tree) not in later:
            built.exprs[id(tree)] = EXPRESSIONS[tree.data](built, tree)
        elif tree.data in STATEMENTS:
            built.lines[id(tree)] = STATEMENTS[tree.data](built, tree)
    statements = tuple(top_level(built, line) for line in branches(root))
    for statement in statements:
        check_limits(statement)
    return statements


def _depth(b: Built, tree: Branch, depths: dict[int, int]) -> int:
    """How deep expressions are nested in this tree; the layout counts the brackets."""
    below = max((depths[id(child)] for child in branches(tree)), default=0)
    if below > DEEPEST:
        raise too_deep(b.span(tree))
    return below + (tree.data in EXPRESSIONS and not is_bracketed(tree))


def _read_by_their_parents(root: Branch) -> Iterator[int]:
    """Chains that are no expressions: what is defined (`f(x : [n])`) and the operand of `∑`."""
    for tree in root.iter_subtrees():
        if is_a(tree, "assign", "annotated"):
            yield from (id(head) for head in branches(branches(tree)[0]))
        elif is_a(tree, "local"):
            yield id(tree.children[0])
        elif is_a(tree, "prefix") and is_a(tree.children[0], "SUM"):
            yield from (id(each) for each in branches(tree) if is_a(each.children[0], "group"))
