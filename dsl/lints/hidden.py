"""`sum(x)` where `sum` is a value: a product, though everybody reads the function."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Diagnostic, one_line
from ..lowering.modules import prelude_functions
from ..syntax import CallOrProduct, Name
from ..values import CALLABLE
from .seen import Seen


def product(seen: Seen, expr: CallOrProduct) -> Iterator[Diagnostic]:
    """`sum(x)` after `sum = 3`."""
    head, text = expr.head, one_line(expr.span.text)
    if not isinstance(head, Name) or not seen.values(head) or not _is_function(seen, head.text):
        return
    at = head.span.end - expr.span.start
    apart = f"{expr.span.text[:at]} · {expr.span.text[at:].lstrip()}"
    message = f"`{text}` is a product: `{head.text}` is a value here and hides the function"
    hint = f"give the value another name; the product is `{one_line(apart)}`"
    yield Diagnostic(message, expr.span, hint)


def _is_function(seen: Seen, name: str) -> bool:
    """Whether every program knows a function of this name."""
    known = seen.low.module.library.names.get(name)
    return isinstance(known, CALLABLE) or name in prelude_functions()
