"""The prompt of a terminal: colours, completion and history while an entry is typed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.styles import Style

from magics.colours import runs
from magics.commands import COMMANDS
from magics.complete import Known, completions
from magics.console import Console
from magics.entries import INDENT, indentation, is_complete
from magics.history import history

READY, MORE = "chalk> ", "  ...> "
STYLE = Style.from_dict(
    {
        "ready": "ansigreen bold",
        "graph.keyword": "ansimagenta",
        "graph.function": "ansiblue",
        "graph.number": "ansicyan",
        "graph.text": "ansigreen",
        "graph.comment": "italic",
        "graph.wrong": "ansired",
    }
)
_TAKE_FILES = (":load ", ":feed ")


def depth() -> ColorDepth | None:
    """No colours where `NO_COLOR` is set, else what the terminal can."""
    return ColorDepth.MONOCHROME if os.environ.get("NO_COLOR") else None


class Prompt:
    """Reads entries from a terminal; what is known for completion follows the console."""

    def __init__(
        self, console: Console, input: Input | None = None, output: Output | None = None
    ) -> None:
        self._session: PromptSession[str] = PromptSession(
            [("class:ready", READY)],
            multiline=True,
            prompt_continuation=MORE,
            lexer=Colours(console),
            completer=Names(console),
            complete_while_typing=False,
            history=history(),
            key_bindings=keys(),
            style=STYLE,
            color_depth=depth(),
            input=input,
            output=output,
        )

    def read(self) -> str:
        """The next entry. Raises EOFError at Ctrl-D, KeyboardInterrupt at Ctrl-C."""
        return self._session.prompt().rstrip()


class Colours(Lexer):
    """The tokens of the language as styles of the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The styled pieces of each line."""
        lines: list[StyleAndTextTuples] = [[]]
        for kind, piece in runs(document.text, known(self._console).functions):
            first, *others = piece.split("\n")
            lines[-1].append((f"class:graph.{kind}" if kind else "", first))
            lines.extend([("", other)] for other in others)
        return lambda number: lines[number] if number < len(lines) else []


class Names(Completer):
    """Names of the language, of the program so far and of commands; files where one is due."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._files = PathCompleter(expanduser=True)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """What can stand at the cursor."""
        before = document.text_before_cursor
        if before.lstrip().startswith(_TAKE_FILES):
            path = before.rpartition(" ")[2].rpartition("=")[2]
            yield from self._files.get_completions(Document(path), complete_event)
            return
        at = document.cursor_position
        for each in completions(document.text, at, known(self._console)):
            yield Completion(each.text, each.start - at, display_meta=each.what)


def known(console: Console) -> Known:
    """What an entry can use by name."""
    commands = {name: command.what for name, command in COMMANDS.items()}
    return Known.of(console.session.program if console.session.begun else None, commands)


def keys() -> KeyBindings:
    """Enter runs what is complete, Tab indents where nothing can be completed."""
    bindings = KeyBindings()

    @bindings.add("enter")
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state:
            chosen = buffer.complete_state.current_completion
            buffer.apply_completion(chosen) if chosen else buffer.cancel_completion()
        elif buffer.document.on_last_line and is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n" + indentation(buffer.document.text_before_cursor))

    @Condition
    def is_at_indentation() -> bool:
        before = get_app().current_buffer.document.current_line_before_cursor
        return not before.strip()

    @bindings.add("tab", filter=is_at_indentation)
    def indent(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(" " * INDENT)

    return bindings
