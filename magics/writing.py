"""A text as it is generated, token after token, each with its time."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from engine.show import visible
from magics.curve import curve
from magics.errors import GraphError
from magics.image import as_image

MOST_CHARACTERS = 20_000


@dataclass
class Writing:
    """The tokens so far: those of the prompt and those written on, with the seconds of each.

    `alphabet` has the text of each token where there is one. `ending` is empty while it goes on.
    """

    prompt: list[int]
    alphabet: Sequence[str] | None = None
    written: list[int] = field(default_factory=list[int])
    seconds: list[float] = field(default_factory=list[float])
    ending: str = ""

    @property
    def tokens(self) -> list[int]:
        """All tokens, the prompt's first."""
        return [*self.prompt, *self.written]

    @property
    def text(self) -> str:
        """The tokens as text; without an alphabet their numbers."""
        if self.alphabet is None:
            return " ".join(map(str, self.tokens))
        between = "" if all(len(each) == 1 for each in self.alphabet) else " "
        return between.join(self.alphabet[token] for token in self.tokens)

    def add(self, token: Tensor, seconds: float) -> None:
        """One token more."""
        self.written.append(int(token))
        self.seconds.append(seconds)

    @property
    def pace(self) -> str:
        """How many tokens, and the time of one at first and at last."""
        if not self.seconds:
            return self.ending or "nothing written yet"
        # the first token pays for building the plan
        first, last = self.seconds[min(1, len(self.seconds) - 1)], self.seconds[-1]
        told = f"{len(self.written)} tokens, {1e3 * first:.2f} ms the first and {1e3 * last:.2f} ms"
        return f"{told} the last{', interrupted' if self.ending == 'interrupted' else ''}"

    def __repr__(self) -> str:
        return f"{self._shown}\n{self.pace}"

    @property
    def _shown(self) -> str:
        """The end of the text, or all of it, with what no one can see replaced."""
        cut = "…" if len(self.text) > MOST_CHARACTERS else ""
        lines = self.text[-MOST_CHARACTERS:].split("\n")
        return cut + "\n".join(visible(line, None) for line in lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        style = "white-space:pre-wrap;margin:0"
        shown = f'<pre style="{style}">{html.escape(self._shown)}</pre>'
        pace = f'<pre style="{style};opacity:.7">{html.escape(self.pace)}</pre>'
        return {"text/plain": repr(self), "text/html": f"{shown}{pace}{self._times()}"}

    def _times(self) -> str:
        """The time of each token by its place, where there are enough to see it grow."""
        if len(self.seconds) < 20 or not self.ending:
            return ""
        start = len(self.prompt)
        points = [(start + i, 1e3 * s) for i, s in enumerate(self.seconds) if i]
        return as_image(curve(points, "ms", "tokens before it"), "the time of each token")


def encoded(text: str, alphabet: Sequence[str]) -> list[int]:
    """The numbers of the characters, or of the words, of a text. Raises GraphError for others."""
    place = {each: i for i, each in enumerate(alphabet)}
    pieces = list(text) if all(len(each) == 1 for each in alphabet) else text.split()
    unknown = [each for each in pieces if each not in place]
    if unknown:
        raise GraphError(f"{unknown[0]!r} is not in the alphabet", help=f"it has {_some(alphabet)}")
    return [place[each] for each in pieces]


def _some(alphabet: Sequence[str]) -> str:
    return visible(" ".join(map(repr, alphabet[:40])), 160)
