"""Names that nothing uses: declarations of the program, and what is defined inside a definition."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Diagnostic
from ..syntax import Assign, For, FunctionDef, Repeat, Show
from .seen import Seen

DECLARED = {
    "input": "input",
    "param": "parameter",
    "const": "const",
    "size": "size",
    "import": "import",
}
SAYS_SOMETHING = (Assign, FunctionDef, For, Repeat, Show)


def declared(seen: Seen) -> Iterator[Diagnostic]:
    """What is declared or imported at top level; not of a program that is nothing else."""
    if not any(isinstance(each, SAYS_SOMETHING) for each in seen.low.tree.statements):
        return
    for each in seen.bindings:
        if not each.is_inner and not each.is_used and each.what in DECLARED:
            message = f"nothing uses the {DECLARED[each.what]} `{each.name.text}`"
            yield Diagnostic(message, each.name.span, "take it out")


def inside(seen: Seen) -> Iterator[Diagnostic]:
    """What stands inside a definition; of several names bound at once one use is enough."""
    for each in seen.bindings:
        if not each.is_inner or each.is_used or each.what == "pass":
            continue
        if any(other.is_used for other in each.together):
            continue
        name = each.name.text
        message = f"nothing uses this `{name}`"
        if each.what == "parameter":
            message = f"`{each.home}` does not use its parameter `{name}`"
        yield Diagnostic(message, each.name.span, "take it out")
