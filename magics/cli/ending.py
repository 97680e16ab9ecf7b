"""How a command ends: its exit status, and in words what the user got wrong."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from io import TextIOWrapper

INTERRUPTED = 130  # what a shell makes of Ctrl-C


def ended(options: Namespace) -> int:
    """Carry out a command; what is wrong goes to stderr, a bug of ours passes as it is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ∂ shows a ?
    try:
        status = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        text = _words(error)
        if text is None:
            raise
        warn(text)
        return 1
    return status


def warn(text: str) -> None:
    """Write to stderr, in colours where that is a terminal."""
    from magics.errors import coloured

    sys.stderr.write(f"{coloured(text) if sys.stderr.isatty() else text}\n")


def _words(error: Exception) -> str | None:
    """What is shown of an error, None for one that no user can make."""
    from magics.console import FAILURES
    from magics.errors import message

    if isinstance(error, FAILURES):
        return message(error, {})
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"error: {place}{error.strerror or error}"
    return None
