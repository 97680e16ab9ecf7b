"""Room on Python's stack for the deepest program that the limits allow."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

FRAMES = 20_000  # `state.DEEPEST` levels, a dozen frames each, above what the caller has


@contextmanager
def deep_stack() -> Generator[None]:
    """While a program is lowered; the limit that was there before comes back."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
