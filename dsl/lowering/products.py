"""Products: juxtaposition, `@` and `·`, rows and columns, powers and inverses.

Juxtaposition and `·` scale if one side is a number, else they are the matrix product. A vector is
a column; under `^T` it is a row, which is all that the four products of two vectors hang on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from engine import Node, ops
from engine.dims import same

from ..errors import Diagnostic, DslError, refuse, two_readings
from ..offers import in_place
from ..scope import Scope
from ..static import LARGEST_INT
from ..syntax import Binary, Expr, Juxtapose, Name, Number, Power, Transpose
from ..values import CALLABLE, Row, Value
from .arguments import Argument, Arguments
from .located import Term, located, text_of
from .norms import is_squared_length, squared_length
from .state import Lowering


def juxtapose(low: Lowering, scope: Scope, expr: Juxtapose) -> Value:
    """`A x`, `2 x`; `sin x` is refused, `(∇f)(x)` is a call."""
    if _ends_in_function(expr.left, scope):
        raise _no_brackets(expr.left.right, expr)
    left = low.value(expr.left, scope)
    if isinstance(left, CALLABLE):
        if text_of(expr.right).startswith("("):  # `(f')(t)`, which the parser takes for a product
            return low.apply(left, scope, Arguments((Argument(expr.right, scope),), {}, expr.span))
        raise _no_brackets(expr.left, expr)
    sides = (low.as_term(left, expr.left, "left"), low.term(expr.right, scope, "right"))
    return multiply(low, scope, expr, *sides)


def _ends_in_function(left: Expr, scope: Scope) -> TypeGuard[Juxtapose]:
    """Whether this is `2 sin` of `2 sin x`."""
    last = left.right if isinstance(left, Juxtapose) else None
    return isinstance(last, Name) and isinstance(scope.find(last.text), CALLABLE)


def _no_brackets(function: Expr, expr: Juxtapose) -> DslError:
    name, argument = text_of(function), text_of(expr.right)
    message = f"`{name}` is a function: its argument stands in brackets"
    span = function.span.to(expr.span)
    return refuse(message, span, f"write `{name}({argument})`", "call")


def multiply(
    low: Lowering, scope: Scope, expr: Juxtapose | Binary, left: Term, right: Term
) -> Value:
    """The product of two values by the rules of matrices."""
    scales = not isinstance(expr, Binary) or expr.op == "·"
    if scales and () in (left.node.shape, right.node.shape):
        return _finish(low, scope, expr, ops.mul, left, right)
    if left.node.rank == right.node.rank == 1:
        return _of_vectors(low, scope, expr, left, right)
    if right.is_row and left.node.rank != 0:
        message = f"`{right.text}` is a row, and a matrix multiplies a column from the left"
        raise refuse(message, expr.span, f"write `{left.atom} {right.column}`", "shape")
    return _finish(low, scope, expr, ops.matmul, left, right)


def _finish(
    low: Lowering, scope: Scope, expr: Expr, op: Callable[..., Node], left: Term, right: Term
) -> Value:
    with located(expr.span, (left, right)):
        node = op(left.node, right.node)
    low.keep(node, expr.span, scope)
    return Row(node) if (left.is_row or right.is_row) and node.rank == 1 else node


def _of_vectors(
    low: Lowering, scope: Scope, expr: Juxtapose | Binary, left: Term, right: Term
) -> Value:
    """xᵀ y is a number, x yᵀ a matrix; x y has no meaning without a sign."""
    if right.is_row and not left.is_row:
        with located(expr.span, (left, right)):
            outer = left.node[:, None] * right.node[None, :]
        return low.keep(outer, expr.span, scope)
    if left.is_row == right.is_row and isinstance(expr, Juxtapose):
        raise _no_direction(expr, left, right)
    with located(expr.span, (left, right)):
        dot = ops.matmul(left.node, right.node)
    return low.keep(dot, expr.span, scope)


def _no_direction(expr: Expr, left: Term, right: Term) -> DslError:
    what = "row" if left.is_row else "column"
    shapes = f"{left.node.describe()} and {right.node.describe()}"
    x, y = left.column, right.column
    dot, outer, each = (
        in_place(expr.span, offer) for offer in (f"{x}^T {y}", f"{x} {y}^T", f"{x} ⊙ {y}")
    )
    hint = f"dot product `{dot}`, outer product `{outer}`, elementwise `{each}`"
    message = f"`{text_of(expr)}`: both are {what} vectors ({shapes})"
    return DslError(Diagnostic(message, expr.span, hint, "shape"))


def transpose(low: Lowering, scope: Scope, expr: Transpose) -> Value:
    """`x^T`: a vector becomes a row, a row a vector, a matrix its transpose."""
    return transposed(low, scope, expr, low.value(expr.operand, scope), expr.operand)


def transposed(low: Lowering, scope: Scope, expr: Expr, value: Value, operand: Expr) -> Value:
    """A value with its last two axes exchanged."""
    if isinstance(value, Row):
        return value.node
    node = low.tensor(value, operand)
    if node.rank == 0 and expr.span.text.endswith("T") and scope.find("T") is not None:
        text = text_of(operand)
        raise two_readings(expr.span, (f"{text}^(T)", text))
    if node.rank == 1:
        return Row(node)
    return low.keep(node.T, expr.span, scope)


def power(low: Lowering, scope: Scope, expr: Power) -> Value:
    """`x^n` element by element; `A^-1` is the inverse of a matrix; `‖x‖²` the sum of squares."""
    if is_squared_length(expr):
        return squared_length(low, scope, expr)
    base = low.term(expr.base, scope, "base")
    if expr.exponent == Number(-1, span=expr.span):
        return _inverse(low, scope, expr, base)
    exponent = low.term(expr.exponent, scope, "exponent")
    with located(expr.span, (base, exponent)):
        node = ops.pow(_fit_for(low, base.node, exponent.node), exponent.node)
    low.keep(node, expr.span, scope)
    return Row(node) if base.is_row and node.rank == 1 else node


def _fit_for(low: Lowering, base: Node, exponent: Node) -> Node:
    """The base as a float where a whole one would overflow or has no such power."""
    if "float" in (base.kind, exponent.kind):
        return base
    n, number = low.statics.number(exponent), low.statics.number(base)
    bits = number.bit_length() if isinstance(number, int) else 1
    is_whole = isinstance(n, int) and n >= 0 and n * bits < LARGEST_INT.bit_length()
    return base if is_whole else ops.cast(base, kind="float")


def _inverse(low: Lowering, scope: Scope, expr: Power, base: Term) -> Value:
    """1/x of a number, A⁻¹ of a square matrix."""
    shape = base.node.shape
    is_square = shape is not None and len(shape) > 1 and same(shape[-1], shape[-2])
    if shape != () and not is_square:
        message = (
            f"`{text_of(expr)}`: {base.node.describe()} is neither a number nor a square matrix"
        )
        each = in_place(expr.span, f"1/{base.atom}")
        hint = f"elementwise `{each}`, the inverse of a matrix `inv({base.text})`"
        raise refuse(message, expr.span, hint, "shape")
    with located(expr.span, (base,)):
        node = ops.inv(base.node) if shape else ops.div(1.0, base.node)
    return low.keep(node, expr.span, scope)
