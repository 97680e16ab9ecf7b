"""The words of a line and the blanks between them: a table of roles, and three exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise


class Role(Enum):
    """What a word is for its neighbours."""

    OPERAND = auto()  # a name, a number, a text
    OPEN = auto()  # a bracket or bar opens
    INDEX = auto()  # the bracket of an index opens
    CLOSE = auto()
    PREFIX = auto()  # √ ∇ ∂, which stand at a factor
    SUM = auto()  # ∑, which stands before a factor or at its bracket
    SIGN = auto()  # the minus before a term
    POSTFIX = auto()  # ² ^T ' and the order of a norm
    JOINT = auto()  # ^ . ×, the colon of a slice, the stroke of ∂y/∂x, `=` before an argument
    COMMA = auto()  # and the `;` and the `:` that end something
    INFIX = auto()  # an operator, `=` `:` `~` `∈`
    WORD = auto()  # `for`, `input` and the like


@dataclass(frozen=True)
class Word:
    """A word as typed.

    `parted`: whether a blank stood before it. `rank`: how loosely it holds to what comes before,
    0 loosest, None if no line may be broken there. `item`: whether a line end stands for the comma
    before it.
    """

    text: str
    role: Role
    parted: bool
    rank: int | None
    item: bool = False


_HUGS_NEXT = frozenset({Role.OPEN, Role.INDEX, Role.PREFIX, Role.SIGN, Role.JOINT})
_HUGS_LAST = frozenset({Role.INDEX, Role.CLOSE, Role.POSTFIX, Role.JOINT, Role.COMMA})
_ENDS_FACTOR = frozenset({Role.OPERAND, Role.CLOSE, Role.POSTFIX, Role.SUM})
_STARTS_FACTOR = frozenset({Role.OPERAND, Role.OPEN, Role.PREFIX, Role.SUM})


def written(words: Sequence[Word]) -> str:
    """The words of one line with their blanks."""
    parts = [words[0].text]
    for last, word in pairwise(words):
        parts += [" ", word.text] if is_parted(last, word) else [word.text]
    return "".join(parts)


def is_parted(last: Word, word: Word) -> bool:
    """Whether a blank stands between two words.

    Where factors meet (`2x`, `2 x`, `f(x)`, `lr (g + 1)`) it is the author who says.
    """
    if _would_join(last, word):
        return word.parted
    if last.role is Role.COMMA:
        return True
    if last.role in _HUGS_NEXT or word.role in _HUGS_LAST:
        return False
    if last.role in _ENDS_FACTOR and word.role in _STARTS_FACTOR:
        return word.parted
    return True


def _would_join(last: Word, word: Word) -> bool:
    """Whether two words side by side may read as one: `| |x| |`, `2 .a`."""
    bars = last.text[-1] == word.text[0] == "|"
    return bars or (last.text[-1].isdigit() and word.text == ".")
