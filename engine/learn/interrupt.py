"""Ctrl-C waits until the work at hand is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class Deferral:
    """`with DEFERRAL:` a SIGINT that arrives inside is raised at the end of the block.

    A second one gets through at once, unless `seal()` said that the block has begun to change what
    must stay whole. The handler stays installed until `release()`, transparent outside of blocks:
    exchanging handlers takes system calls, each as long as a kernel on a small tensor.
    Only the main thread is ever interrupted, so elsewhere there is nothing to defer.
    """

    def __init__(self) -> None:
        self._before: Callable[[int, FrameType | None], Any] = signal.default_int_handler
        self._depth = 0
        self._pending = False
        self._sealed = False

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        """The handler: note the signal inside a block, hand it on outside."""
        if self._depth and (self._sealed or not self._pending):
            self._pending = True
        else:
            self._before(signum, frame)

    def __enter__(self) -> None:
        if not _in_main_thread():
            return
        if self._depth == 0:
            self._install()
            self._pending = self._sealed = False
        self._depth += 1

    def __exit__(self, *error: object) -> None:
        if not _in_main_thread():
            return
        self._depth -= 1
        if self._depth == 0 and self._pending:
            self._before(signal.SIGINT, None)

    def seal(self) -> None:
        """From here to the end of the block not even a second signal gets through."""
        self._sealed = self._sealed or _in_main_thread()

    def _install(self) -> None:
        """Stand before the present handler; where the signal is ignored or fatal, leave it so."""
        present = signal.getsignal(signal.SIGINT)
        if present is not self and callable(present):
            self._before = present
            signal.signal(signal.SIGINT, self)

    def release(self) -> None:
        """Put the handler back that was there before."""
        if _in_main_thread() and self._depth == 0 and signal.getsignal(signal.SIGINT) is self:
            signal.signal(signal.SIGINT, self._before)


def _in_main_thread() -> bool:
    return threading.get_ident() == threading.main_thread().ident


DEFERRAL = Deferral()  # one for the process, as the signal is
