"""`A^2` of a square matrix: the squares of its entries, which on the board are `A A`."""

from __future__ import annotations

from collections.abc import Iterator

from engine import Node, ops

from ..errors import Diagnostic, one_line
from ..lowering.located import Term, is_bracketed
from ..syntax import (
    Attribute,
    Binary,
    Block,
    Call,
    Declared,
    FunctionDef,
    Juxtapose,
    Keyword,
    List,
    Name,
    Norm,
    Number,
    Param,
    Power,
    Syntax,
)
from .elementwise import equal
from .seen import Seen

REDUCTIONS = frozenset(["sum", "mean", "prod", "max", "min", "var", "std", "norm", "logsumexp"])
MOST_FACTORS = 4


def squared(seen: Seen, expr: Power) -> Iterator[Diagnostic]:
    """`A^2` for A [n, n], where the reader knows A as a matrix and no sum of squares is meant."""
    nodes = seen.nodes(expr.base) if _factors(expr) else []
    if not nodes or not all(_is_square(node) for node in nodes):
        return
    if not _is_factor(seen, expr) and (_is_reduced(seen, expr) or not _is_known(seen, expr)):
        return
    base = Term("base", nodes[0], expr.base)
    factors = [base.atom] * _factors(expr)
    message = f"`{one_line(expr.span.text)}` is the power of every entry of `{base.text}`"
    product, entries = " ".join(factors), " * ".join(factors)
    if not _is_apart(seen, expr):
        product, entries = f"({product})", f"({entries})"
    hint = f"the matrix product is `{product}`; as it is: `{entries}`"
    yield Diagnostic(message, expr.span, hint, operands=(base.operand,))


def _factors(expr: Power) -> int:
    """How many factors the power has, 0 if that is not written or is no power of a matrix."""
    n = expr.exponent.value if isinstance(expr.exponent, Number) else 0
    return n if isinstance(n, int) and 2 <= n <= MOST_FACTORS else 0


def _is_apart(seen: Seen, expr: Power) -> bool:
    """Whether a product may stand in its place without brackets."""
    if is_bracketed(expr):
        return False
    match next(seen.around(expr)):
        case Binary(op):
            return op not in ("*", "/", "@", "·")
        case Block() | Call() | List() | Keyword():
            return True
        case _:
            return False


def _is_square(node: Node) -> bool:
    return node.rank == 2 and node.shape is not None and node.shape[0] != 1 and equal(*node.shape)


def _is_factor(seen: Seen, expr: Power) -> bool:
    """Whether it stands in a matrix product: `A² x`."""
    match next(seen.around(expr), expr):
        case Juxtapose() | Binary("@" | "·") as outer:
            return any(node.op is ops.matmul for node in seen.nodes(outer))
        case _:
            return False


def _is_reduced(seen: Seen, expr: Power) -> bool:
    """Whether it stands in a sum or another reduction: `sum(W²)`, `‖A²‖`."""
    return any(_reduces(outer) for outer in seen.around(expr))


def _reduces(outer: Syntax) -> bool:
    match outer:
        case Call(Name(word)):
            return word in REDUCTIONS
        case _:
            return isinstance(outer, Norm)


def _is_known(seen: Seen, expr: Power) -> bool:
    """Whether a name with a written shape is squared, not whatever a function was called with."""
    function = seen.function(expr)
    if not isinstance(expr.base, Name):
        return isinstance(expr.base, Attribute)
    return function is None or expr.base.text in _declared_in(function)


def _declared_in(function: FunctionDef) -> set[str]:
    """The parameters of a function, learned or not, whose shapes are written there."""
    inner = [each for each in function.body.statements if isinstance(each, Param)]
    given = [each for each in function.parameters if each.annotation is not None]
    later = [each for each in function.body.where if isinstance(each, Declared)]
    names = [*given, *later, *(each for statement in inner for each in statement.names)]
    return {each.name.text for each in names}
