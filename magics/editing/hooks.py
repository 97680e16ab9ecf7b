"""Where IPython is taken hold of: its completer, its kernel, the lexer of its terminal.

Nothing is imported for that; what answers is imported when it is asked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

_FIRST = 10_000  # before every matcher of IPython


def complete_in(shell: Any, magics: Any) -> Callable[[], None]:
    """Answer to Tab in a shell; what is returned takes it back."""
    from IPython.core import completer as ipython

    completer = shell.Completer
    if not hasattr(ipython, "context_matcher"):
        return _wrapped(completer, magics)
    matcher = matcher_of(magics)
    completer.custom_matchers.append(matcher)
    return lambda: completer.custom_matchers.remove(matcher)


def matcher_of(magics: Any) -> Any:
    """What IPython from 8.6 on asks for completions."""
    from IPython.core import completer as ipython

    @ipython.context_matcher(priority=_FIRST, identifier="graph")
    def matcher(context: Any) -> Any:
        from magics.editing.completion import answer, kind

        cursor = ipython.cursor_to_position(
            context.full_text, context.cursor_line, context.cursor_position
        )
        found = answer(magics, context.full_text, cursor)
        if found is None:
            return {"completions": []}
        return {
            "completions": [ipython.SimpleCompletion(each.text, type=kind(each)) for each in found],
            "matched_fragment": context.full_text[found[0].start : cursor],
            "suppress": True,
            "ordered": True,
        }

    return matcher


def _wrapped(completer: Any, magics: Any) -> Callable[[], None]:
    """The same where there are no such matchers: IPython before 8.6."""
    from IPython.core.completer import Completion

    others = completer.completions

    def completions(text: str, offset: int) -> Iterator[Any]:
        from magics.editing.completion import answer, kind

        found = answer(magics, text, offset)
        if found is None:
            return others(text, offset)
        return (
            Completion(each.start, offset, each.text, type=kind(each), _origin="graph")
            for each in found
        )

    completer.completions = completions
    return lambda: delattr(completer, "completions")


def inspect_in(shell: Any, magics: Any) -> Callable[[], None]:
    """Answer to Shift-Tab where the shell has a kernel; what is returned takes it back."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return lambda: None
    others = kernel.do_inspect

    def do_inspect(code: str, cursor_pos: int, *rest: Any, **named: Any) -> Any:
        from magics.editing.inspect import help_at, is_ours, reply

        if not is_ours(code, cursor_pos):
            return others(code, cursor_pos, *rest, **named)
        return reply(help_at(magics, code, cursor_pos))

    kernel.do_inspect = do_inspect
    return lambda: delattr(kernel, "do_inspect")


def colour_in(shell: Any, magics: Any) -> Callable[[], None]:
    """Colour cells where the shell is a terminal, as its theme does; returned: what takes it back.

    Until the language is loaded, by the first cell that runs, a cell looks as before: nobody waits
    for that while typing.
    """
    if not hasattr(shell, "pt_app"):
        return lambda: None
    from IPython.terminal.ptutils import IPythonPTLexer

    others = IPythonPTLexer.lex_document

    def lex_document(self: Any, document: Any) -> Any:
        from magics.editing.place import is_cell

        if "dsl" not in sys.modules or not is_cell(document.text):
            return others(self, document)
        return _lexer().lex_document(document)

    IPythonPTLexer.lex_document = lex_document

    def take_back() -> None:
        IPythonPTLexer.lex_document = others

    return take_back


def _lexer() -> Any:
    """The lexer of the language as a terminal takes it."""
    from prompt_toolkit.lexers import PygmentsLexer

    from magics.lexer import GraphLexer

    return PygmentsLexer(GraphLexer)
