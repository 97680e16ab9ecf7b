"""`chalkgrad` without a command: statements are typed and answered until Ctrl-D.

A thin shell around `Console`. Where no terminal is at the other end, a whole text is read.
"""

from __future__ import annotations

import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable

from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.shortcuts import print_formatted_text

from magics.commands import Leave
from magics.console import FAILURES, Console
from magics.entries import entries, is_complete
from magics.errors import coloured
from magics.prompt import MORE, READY, Prompt, depth
from magics.sources import piped

WELCOME = "chalkgrad: statements of the language. Tab completes, :help tells more, Ctrl-D leaves."


def run(options: Namespace) -> int:
    """Read and answer, from a terminal or from what is piped in; the exit status."""
    console = Console()
    if not sys.stdin.isatty():
        return answer_all(console, piped())
    sys.stdout.write(f"{WELCOME}\n")
    if os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return converse(console, typed, write, tint=str)
    return converse(console, Prompt(console).read, say)


def converse(
    console: Console,
    read: Callable[[], str],
    say: Callable[[str], None],
    tint: Callable[[str], str] = coloured,
) -> int:
    """Answer what is read until it ends; an interrupt costs the entry, never the session."""
    while True:
        try:
            text = read()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return 0
        try:
            answer = console.answer(text) if text.strip() else ""
        except Leave:
            return 0
        except KeyboardInterrupt:
            answer = "interrupted"
        except FAILURES as error:
            answer = tint(console.failure(error))
        except Exception:  # noqa: BLE001 (a bug of ours is shown and does not cost the session)
            answer = traceback.format_exc()
        if answer:
            say(answer)


def answer_all(console: Console, text: str) -> int:
    """Answer the entries of a text, errors on stderr; status 1 if there was one."""
    status = 0
    for entry in entries(text):
        try:
            answer = console.answer(entry, "stdin")
        except Leave:
            break
        except FAILURES as error:
            sys.stderr.write(f"{console.failure(error)}\n")
            status = 1
            continue
        if answer:
            write(answer)
    return status


def write(text: str) -> None:
    """Show an answer where there are only lines."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Show an answer with its colours."""
    print_formatted_text(ANSI(text), color_depth=depth())


def typed() -> str:
    """An entry from a terminal that can do nothing but lines."""
    try:
        text = input(READY)
        while not is_complete(text):
            text += f"\n{input(MORE)}"
    except (EOFError, KeyboardInterrupt):
        write("")
        raise
    return text.rstrip()
