"""The lines of a text as the layout reads them: words, comments, and how deep they stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lark import Token

from ..glyphs import normalise
from ..lines import chunks
from ..parse import parser
from ..span import Source
from .roles import Roles
from .words import Word


@dataclass
class Line:
    """A line of the text; one without words is a comment.

    `depth` counts the blocks around a line that begins a statement, and around a comment between
    statements; None inside a statement. `blank`: whether a blank line stands before it. `opens`:
    whether its statement opens a block, which it ends with `=` or `:`.
    """

    words: list[Word] = field(default_factory=list[Word])
    comment: str = ""
    depth: int | None = None
    blank: bool = False
    opens: bool = False


def read(source: Source) -> list[Line]:
    """The lines of a text without errors."""
    text = normalise(source.text)
    statements = chunks(text)
    page = _Page(source.text)
    if statements:
        start, end = statements[0].start, statements[-1].end
        tokens = list(parser().parse_interactive(text[start:end]).iter_parse())
        for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
            page.take(token, following, start)
    page.end()
    return page.lines


@dataclass
class _Page:
    """One pass over the tokens; what the parser skips is found in the gaps between them."""

    text: str
    lines: list[Line] = field(default_factory=list[Line])
    roles: Roles = field(default_factory=Roles)
    columns: list[int] = field(default_factory=list[int])  # in which the open blocks begin
    left: list[int] = field(default_factory=list[int])  # those of blocks that have just ended
    at: int = 0  # how far the text is read
    starts: bool = True  # whether the next word begins a statement
    item: bool = False  # whether it begins an item of `where`, with no comma before it
    begun: int = 0  # the line in which the statement begins

    def take(self, token: Token, following: Token, offset: int) -> None:
        """A word with the gap before it, or a mark of the layout."""
        if token:
            start, end = ((at or 0) + offset for at in (token.start_pos, token.end_pos))
            gap = self.text[self.at : start]
            if self.starts:
                self.statement(token, gap, start)
            elif "\n" in gap:
                self.comments_in(gap)
                self.lines.append(Line())
            word = self.roles.read(token, following, self.text[start:end], bool(gap))
            self.lines[-1].words.append(replace(word, item=self.item))
            self.at, self.item = end, False
        else:
            self.mark(token.type)

    def mark(self, kind: str) -> None:
        """What the layout says between two words; a comma without text begins an item."""
        self.starts = self.starts or kind != "COMMA"
        self.item = kind == "COMMA"
        if kind == "_INDENT":
            self.columns.append(0)  # until the next word tells
            for line in self.lines[self.begun :]:
                line.opens = bool(line.words)
        if kind == "_DEDENT":
            self.left.append(self.columns.pop())

    def statement(self, token: Token, gap: str, start: int) -> None:
        """A statement begins with this word, behind a gap."""
        self.columns = self.columns or [0]
        self.columns[-1] = start - self.text.rfind("\n", 0, start) - 1
        blank = self.comments_in(gap)
        self.begun = len(self.lines)
        self.lines.append(Line(depth=len(self.columns) - 1, blank=blank))
        self.roles = Roles(loop=token.type in ("REPEAT", "FOR"))
        self.starts = False
        self.left.clear()

    def end(self) -> None:
        """What stands behind the last word."""
        self.columns = self.columns or [0]
        self.comments_in(f"{self.text[self.at :]}\n")

    def comments_in(self, gap: str) -> bool:
        """The comments in a gap between lines; whether it ends with a blank line."""
        ends = gap.split("\n")[:-1]  # the last is the indent of the next word
        if self.lines:
            self.lines[-1].comment = ends.pop(0).strip()
        blank = False
        for text in ends:
            if text.strip():
                depth = self.depth(text) if self.starts else None
                self.lines.append(Line([], text.strip(), depth, blank and self.starts))
            blank = not text.strip()
        return blank

    def depth(self, comment: str) -> int:
        """How deep a comment stands: in the innermost block around it that begins left of it."""
        blocks, here = [*self.columns, *reversed(self.left)], len(self.columns) - 1
        column = len(comment) - len(comment.lstrip())
        return max((d for d in range(here, len(blocks)) if blocks[d] <= column), default=here)
