"""What each word is for its neighbours, decided from left to right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lark import Token

from ..layout import ENDS_OPERAND
from .words import Role, Word

_OPENING = frozenset({"LPAR", "LSQB", "_ABS_OPEN", "_NORM_OPEN"})
_CLOSING = frozenset({"RPAR", "RSQB", "_ABS_CLOSE", "_NORM_CLOSE"})
_POSTFIX = frozenset({"TRANSPOSE", "SUPERSCRIPT", "PRIME", "NORM_ORDER"})
_OPERANDS = frozenset({"NAME", "NUMBER", "DIGITS", "TEXT", "INFINITY", "DOTS", "HOLE", "ℝ"})
_JOINTS = frozenset({"^", ".", "×"})
_PREFIXES = frozenset({"√", "∇", "∂"})

# Where to break a long line: before these words, best at the smallest number.
_RANKS: Mapping[str, int] = {
    "_WHERE": 0,
    "TILDE": 0,
    "FOR": 2,
    "IF": 3,
    "ELSE": 3,
    "OR": 4,
    "AND": 5,
    "COMPARE": 6,
    "PLUS": 7,
    "MINUS": 7,
    "TIMES": 8,
    "SLASH": 8,
}
_AFTER: Mapping[str, int] = {";": 0, ",": 1}
_BETWEEN_FACTORS, _BEHIND_BRACKET = 9, 10


@dataclass
class Roles:
    """One pass over the words of a statement: the brackets that are open, and the last word."""

    loop: bool = False  # whether the `:` of a loop is to come
    open: list[str] = field(default_factory=list[str])
    annotated: set[int] = field(default_factory=set[int])  # brackets whose parameter has a `:`
    partials: list[int] = field(default_factory=list[int])  # brackets around each ∂ without its /
    last: Token | None = None
    last_role: Role = Role.WORD

    def read(self, token: Token, following: Token, typed: str, parted: bool) -> Word:
        """A word as typed, `parted` from the last by a blank or not."""
        role = self.role(token, following, parted)
        text = typed if role is not Role.POSTFIX else "".join(typed.split())
        word = Word(text, role, parted, self.rank(token, role, parted))
        self.last, self.last_role = token, role
        return word

    def role(self, token: Token, following: Token, parted: bool) -> Role:
        """The role of a word, and the bracket that it opens or closes."""
        if token.type in _OPENING:
            indexes = token.type == "LSQB" and self.after_operand()
            self.open.append(token.type)
            return Role.INDEX if indexes else Role.OPEN
        if token.type in _CLOSING:
            self.annotated.discard(len(self.open))
            self.open.pop()
            return Role.CLOSE
        if token.type in _POSTFIX:
            return Role.POSTFIX
        if token.type in _OPERANDS:
            return Role.OPERAND
        return Role.JOINT if self.is_in_size(token, following, parted) else self.sign(token)

    def is_in_size(self, token: Token, following: Token, parted: bool) -> bool:
        """Whether this is the sign in `[T, d/h]`: in brackets, typed close to what it joins."""
        simple = self.last is not None and {self.last.type, following.type} <= {"NAME", "NUMBER"}
        return token in ("*", "/") and simple and bool(self.open) and not parted

    def sign(self, token: Token) -> Role:
        """The role of a sign or a reserved word."""
        match str(token):
            case "," | ";":
                self.annotated.discard(len(self.open))
                return Role.COMMA
            case ":" | "=" | "∈":
                return self.relation(token)
            case "∂":
                return self.partial()
            case "/" if self.partials[-1:] == [len(self.open)]:
                return Role.JOINT
            case "-" if not self.after_operand():
                return Role.SIGN
            case "∑":
                return Role.SUM
            case text if text in _JOINTS:
                return Role.JOINT
            case text if text in _PREFIXES:
                return Role.PREFIX
            case text:
                return Role.WORD if text[0].isalpha() or text[0] == "∇" else Role.INFIX

    def relation(self, token: Token) -> Role:
        """A `:` of a slice, of a loop or before a shape; an `=` before an argument or a value."""
        inside = self.open[-1:]
        if token == ":" and inside == ["LSQB"]:
            return Role.JOINT
        if token == ":" and self.loop and not self.open:
            self.loop = False
            return Role.COMMA
        if token == "=" and inside == ["LPAR"] and len(self.open) not in self.annotated:
            return Role.JOINT
        self.annotated.add(len(self.open))
        return Role.INFIX

    def partial(self) -> Role:
        """The ∂ of `∂y`, or the one behind the stroke."""
        if self.last == "/" and self.partials[-1:] == [len(self.open)]:
            self.partials.pop()
        else:
            self.partials.append(len(self.open))
        return Role.PREFIX

    def rank(self, token: Token, role: Role, parted: bool) -> int | None:
        """How good it is to break the line before this word."""
        if self.last is None or role in (Role.CLOSE, Role.POSTFIX, Role.JOINT, Role.COMMA):
            return None
        if role in (Role.INFIX, Role.WORD) and token.type in _RANKS:
            return _RANKS[token.type]
        if self.last in (",", ";"):
            return _AFTER[str(self.last)]
        if self.last.type in ("LPAR", "LSQB"):
            return _BEHIND_BRACKET
        stands_alone = parted and role in (Role.OPERAND, Role.OPEN, Role.PREFIX, Role.SUM)
        return _BETWEEN_FACTORS if stands_alone and self.after_operand() else None

    def after_operand(self) -> bool:
        """Whether the last word ends an operand."""
        return self.last is not None and self.last.type in ENDS_OPERAND
