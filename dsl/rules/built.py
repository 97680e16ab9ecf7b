"""What has been built so far: the syntax of each tree of the parser, found by that tree.

The builder visits the parser's tree from the leaves up, so a rule finds its parts ready here and
nothing recurses, however deep the text.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TypeAlias

from lark import Token, Tree

from ..errors import DslError, refuse
from ..span import Source, Span
from ..syntax import Expr, Name, Statement

Branch: TypeAlias = Tree[Token]
Child: TypeAlias = Branch | Token


@dataclass(frozen=True)
class Built:
    """Finished expressions and statements of one source, keyed by `id` of the parser's tree."""

    source: Source
    offset: int  # of the statement in the source: the parser counts from its start
    end: int  # of the statement, as the parser counts
    exprs: dict[int, Expr] = field(default_factory=dict[int, Expr])
    lines: dict[int, Statement] = field(default_factory=dict[int, Statement])

    def expr(self, child: Child) -> Expr:
        """The expression of a tree that was visited before."""
        return self.exprs[id(child)]

    def span(self, child: Child) -> Span:
        """Where a tree or a token was written, its brackets included."""
        place = child if isinstance(child, Token) else child.meta
        start, end = place.start_pos or 0, place.end_pos or 0
        return self.source.span(self.offset + start, self.offset + end)

    def name(self, token: Token) -> Name:
        """A name in NFKC: `x₁` is `x1`."""
        return Name(unicodedata.normalize("NFKC", str(token)), span=self.span(token))

    def refuse(self, message: str, child: Child, hint: str = "", code: str = "syntax") -> DslError:
        """An error at a tree or a token, to be raised."""
        return refuse(message, self.span(child), hint, code)


def branches(tree: Branch) -> list[Branch]:
    """The children that are trees."""
    return [child for child in tree.children if isinstance(child, Tree)]


def leaves(tree: Branch) -> list[Token]:
    """The children that are tokens."""
    return [child for child in tree.children if isinstance(child, Token)]


def is_a(child: Child, *kinds: str) -> bool:
    """Whether a child is a tree of one of these rules or a token of one of these terminals."""
    return (child.type if isinstance(child, Token) else child.data) in kinds


def is_bracketed(tree: Branch) -> bool:
    """Whether an expression is no more than `( … )`."""
    return is_a(tree, "chain") and len(tree.children) == 1 and is_a(tree.children[0], "group")
