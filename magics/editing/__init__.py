"""What a shell does for the one who writes cells: completion, help at the cursor, colours.

The language is imported only where a text is one of ours.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from magics.editing.hooks import colour_in, complete_in, inspect_in

PARTS = (complete_in, inspect_in, colour_in)


def attached(shell: Any, magics: Any) -> ExitStack:
    """Everything added to a shell; closing the stack takes it back."""
    stack = ExitStack()
    for part in PARTS:
        stack.callback(part(shell, magics))
    return stack
