"""How far each line of a statement is indented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from .words import Role, Word

STEP = 4


@dataclass
class Margin:
    """The brackets that are open where a line ends, and its statement.

    A line inside brackets stands one step right of the line that opened them, any other line that
    goes on one step right of its statement: two steps in a statement that opens a block, so that
    it is not taken for a line of that. The items of a `where` stand one below the other.
    """

    base: int = 0
    step: int = STEP
    open: list[int] = field(default_factory=list[int])  # the indents of the lines that opened them
    items: int | None = None  # where the items of the `where` stand
    last: str = ""

    def begin(self, depth: int, opens: bool) -> None:
        """A statement begins, `depth` blocks deep, which may open one itself."""
        self.base, self.step = STEP * depth, 2 * STEP if opens else STEP
        self.open, self.items, self.last = [], None, ""

    def indent(self, words: Sequence[Word], start: int = 0) -> int:
        """The indent of a line that begins with the word at `start`."""
        closing = takewhile(lambda word: word.text in ")]", islice(words, start, None))
        closed = sum(1 for _ in closing)
        if closed:
            return self.open[-closed]
        if self.open:
            return self.open[-1] + self.step
        if self.items is not None:
            begins = words[start].item or self.last in (",", "where")
            return self.items if begins else self.items + STEP
        return self.base + self.step if self.last else self.base

    def read(self, words: Sequence[Word], indent: int) -> None:
        """Take in a line."""
        for word in words:
            if word.text in "([":
                self.open.append(indent)
            elif word.text in ")]":
                self.open.pop()
            elif word.text == "where" and word.role is Role.WORD:
                self.items = indent + STEP
            self.last = word.text
