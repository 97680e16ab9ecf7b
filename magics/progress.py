"""Progress of long work: a bar in a terminal, one output that renews itself in a notebook."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from tqdm import tqdm

from engine.learn import Record

RATE = 8.0  # updates of an output per second
PATIENCE = 1.0  # seconds before work is told of that is often done sooner


class Progress(Protocol):
    """What shows the state of long work while it runs."""

    def show(self, record: Record, state: Any) -> None:
        """Tell of a step."""
        ...

    def end(self, last: Any = None) -> None:
        """Leave `last` behind, or nothing."""
        ...


class Bar:
    """A bar with speed and time to go, on stderr."""

    def __init__(self, steps: int | None) -> None:
        self._bar = tqdm(total=steps, unit="step", dynamic_ncols=True, mininterval=0.2)

    def show(self, record: Record, state: Any = None, note: str = "") -> None:
        """A step further; the loss before the bar, a note behind it."""
        self._bar.set_description_str(f"loss {record.loss:.3f}", refresh=False)
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        self._bar.update()

    def end(self, last: Any = None) -> None:
        """The bar as it is, and below it what is left behind: how an interrupted training ended."""
        self._bar.close()
        if last is not None:
            self._bar.write(last.pace, file=sys.stderr)


class Output:
    """One output of a cell, shown anew at most eight times a second and saved as it was last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._handle, self._next = clock, None, 0.0

    @property
    def begun(self) -> bool:
        """Whether anything was shown."""
        return self._handle is not None

    def show(self, record: Record | None, state: Any) -> None:
        """Show the state, unless that was done just now."""
        if self._clock() >= self._next:
            self._put(state)
            self._next = self._clock() + 1 / RATE

    def end(self, last: Any = None) -> None:
        """Show this for good, by default nothing, since the cell returns what there is."""
        self._put(Nothing() if last is None else last)

    def _put(self, what: Any) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(what, display_id=True)
        else:
            self._handle.update(what)


@dataclass(frozen=True)
class Line:
    """A line that an output shows."""

    text: str

    def __repr__(self) -> str:
        return self.text


class Nothing:
    """What an output shows that is done."""

    def __repr__(self) -> str:
        return ""


@contextmanager
def counted(
    shell: Any, what: str, clock: Callable[[], float] = time.monotonic
) -> Generator[Callable[[int, int], None]]:
    """Gives a function that tells how much is done, of how much, from the first second on."""
    begun, shown = clock(), Output(clock) if hasattr(shell, "kernel") else None
    with tqdm(
        desc=what, dynamic_ncols=True, leave=False, delay=PATIENCE, disable=bool(shown)
    ) as bar:

        def told(done: int, of: int) -> None:
            if shown is None:
                bar.total = of
                bar.update(done - bar.n)
            elif clock() - begun >= PATIENCE:
                shown.show(None, Line(f"{what}: {done} of {of}"))

        yield told
    if shown is not None and shown.begun:
        shown.end()


def progress(shell: Any, steps: int | None) -> Progress:
    """The progress for this shell: an output where a kernel shows it, else a bar."""
    return Output() if hasattr(shell, "kernel") else Bar(steps)
