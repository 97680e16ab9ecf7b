"""Colours of a `%%graph` cell while it is typed in IPython's terminal, those of the user's theme.

Until the language is loaded, by the first cell that runs, a cell looks as before: nobody waits for
that while typing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from magics.editing.place import is_cell


def colour_in(shell: Any, magics: Any) -> Callable[[], None]:
    """Colour cells where the shell is a terminal; what is returned takes it back."""
    if not hasattr(shell, "pt_app"):
        return lambda: None
    from IPython.terminal.ptutils import IPythonPTLexer

    others = IPythonPTLexer.lex_document

    def lex_document(self: Any, document: Any) -> Any:
        if "dsl" not in sys.modules or not is_cell(document.text):
            return others(self, document)
        return lexer().lex_document(document)

    IPythonPTLexer.lex_document = lex_document

    def take_back() -> None:
        IPythonPTLexer.lex_document = others

    return take_back


def lexer() -> Any:
    """The lexer of the language as a terminal takes it."""
    from prompt_toolkit.lexers import PygmentsLexer

    from magics.lexer import GraphLexer

    return PygmentsLexer(GraphLexer)
