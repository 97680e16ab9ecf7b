"""`A [1, 0]`: a bracket after a blank is an index, where somebody may have meant a product."""

from __future__ import annotations

from collections.abc import Iterator

from engine.dims import known

from ..errors import Diagnostic, one_line
from ..syntax import Dots, Index, Slice
from .seen import Seen


def index(seen: Seen, expr: Index) -> Iterator[Diagnostic]:
    """An index that could be a vector with as many numbers as the operand has columns."""
    at = expr.operand.span.end - expr.span.start
    operand, bracket = expr.span.text[:at], expr.span.text[at:]
    is_close = bracket[:1] in ("[", "")
    if is_close or not _could_multiply(seen, expr):
        return
    message = f"`{one_line(expr.span.text)}` is an index, not a product"
    close, apart = one_line(operand + bracket.lstrip()), one_line(f"{operand} @{bracket}")
    hint = f"close up what is an index: `{close}`; the product is `{apart}`"
    yield Diagnostic(message, expr.span, hint)


def _could_multiply(seen: Seen, expr: Index) -> bool:
    columns = {known(node.shape[-1]) for node in seen.nodes(expr.operand) if node.shape}
    is_list = not any(isinstance(each, Slice | Dots) for each in expr.items)
    return is_list and len(expr.items) in columns
