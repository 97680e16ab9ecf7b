"""Minimisers as they are shown: one on its way, and several side by side."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.show.names import display_width, pad, visible
from magics.cards import PLAIN
from magics.progress import Progress, progress

if TYPE_CHECKING:
    from dsl.minimisers.objective import Point
    from dsl.minimisers.result import Minimum

PATIENCE = 1.0  # seconds before progress is shown
HEAD = ("method", "steps", "f", "|∇f|", "evaluations: f", "∇f", "∇²f", "why")


class Race(dict[str, Any]):
    """The results of several methods by name, a line for each; `why` it stopped at the end."""

    def __repr__(self) -> str:
        rows = [HEAD, *(_row(name, found) for name, found in self.items())]
        _, *wide = (max(map(len, column)) for column in zip(*rows, strict=True))
        room = max(display_width(name) for name, *_ in rows)
        return "\n".join(
            "  ".join([pad(name, room), *map(str.rjust, numbers, wide), why])
            for name, *numbers, why in rows
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        text = repr(self)
        return {
            "text/plain": text,
            "text/html": f'<pre style="{PLAIN}">{html.escape(text)}</pre>',
        }


def _row(name: str, found: Minimum) -> tuple[str, ...]:
    counts = (str(n) for n in (found.nfev, found.njev, found.nhev))
    values = (f"{found.fun:.3g}", f"{found.slopes[-1]:.3g}")
    return (visible(name), str(found.nit), *values, *counts, found.why)


@dataclass(frozen=True)
class Going:
    """Where a minimiser is, in a line; `pace` is what a bar leaves behind of it."""

    pace: str
    loss: float

    def __repr__(self) -> str:
        return self.pace


class Live:
    """Tells of the points of a minimiser, from a second after the first on."""

    def __init__(self, shell: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._shell, self._clock = shell, clock
        self._first: float | None = None
        self._shown: Progress | None = None

    def __call__(self, point: Point) -> None:
        """One point more."""
        if self._shown is None:
            now = self._clock()
            self._first = now if self._first is None else self._first
            if now - self._first < PATIENCE:
                return
        text = f"step {point.step}  f = {point.value:.6g}  |∇f| = {point.slope:.3g}"
        going: Any = Going(text, point.value)
        self._begin().show(going, going)

    def end(self, last: Minimum | None = None) -> None:
        """Leave what was found before an interruption, or nothing; it is left only once."""
        if last is not None:
            self._begin().end(Going(repr(last), last.fun))
        elif self._shown is not None:
            self._shown.end()
        self._shown = None

    def _begin(self) -> Progress:
        self._shown = self._shown or progress(self._shell, None)
        return self._shown
