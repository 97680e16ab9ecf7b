"""What is known of a number before anything runs: its value, or its polynomial in the sizes.

`4 d` is a node like any other, built of the size d; where a size is wanted (in a shape, in
`arange`, in `repeat`) it is read as the polynomial. Every node that the program makes is read once,
from what is known of its inputs, so that a long chain of them costs no more than its length.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TypeAlias, cast

import sympy

from engine import Node
from engine.dims import canonical, exact, known
from engine.graph import toposort

Static: TypeAlias = int | float | bool | sympy.Expr | None

LARGEST_INT = 2**53
MOST_TERMS = 10
HIGHEST_POWER = 8


class Statics:
    """The numbers and sizes among the nodes of a program."""

    def __init__(self) -> None:
        self._of: dict[Node, Static] = {}

    def __getitem__(self, node: Node) -> Static:
        """The number or polynomial of a node, None if it depends on data or is no scalar."""
        if node not in self._of:
            for each in toposort([node], stop=self._is_read):
                self._of.setdefault(each, self._value(each))
        return self._of[node]

    def _is_read(self, node: Node) -> bool:
        """Whether nothing below the node has to be read first."""
        return node in self._of or node.shape != ()

    def _value(self, node: Node) -> Static:
        """What the node is, from what its inputs are, as floats hold it where it is a float."""
        value = self._read(node) if node.shape == () else None
        if isinstance(value, int) and abs(value) > LARGEST_INT and node.kind == "float":
            return _as_float(value)
        return value

    def _read(self, node: Node) -> Static:
        match node.op.name:
            case "const":
                return node.attrs["value"]
            case "size":
                return node.attrs["dim"]
            case "cast":
                return self[node.inputs[0]] if node.attrs["kind"] != "bool" else None
            case name if name in _RULES:
                inputs = [self[x] for x in node.inputs]
                return _apply(_RULES[name], inputs) if None not in inputs else None
            case _:
                return None

    def number(self, node: Node) -> int | float | bool | None:
        """The number a node stands for, when every size in it has a value."""
        value = self[node]
        return known(value) if isinstance(value, sympy.Expr) else value

    def size(self, node: Node) -> int | sympy.Expr | None:
        """The node as a size: a whole number or a polynomial."""
        value = self[node]
        return (
            value if isinstance(value, int | sympy.Expr) and not isinstance(value, bool) else None
        )


def _as_float(value: int) -> float | None:
    """A whole number as the float that it is when the program runs."""
    try:
        return float(value)
    except OverflowError:
        return None


def _apply(rule: Callable[..., Static], inputs: list[Static]) -> Static:
    try:
        return rule(*inputs)
    except (ArithmeticError, ValueError, TypeError):
        return None


def _polynomial(rule: Callable[..., Static]) -> Callable[..., Static]:
    """A rule that holds for numbers and for sizes, whose result is put into its one form."""

    def apply(*inputs: Static) -> Static:
        if not any(isinstance(x, sympy.Expr) for x in inputs):
            return rule(*inputs)
        whole = [_whole(x) for x in inputs]
        value = None if None in whole else rule(*whole)
        return None if value is None else short(canonical(cast(sympy.Expr, value)))

    return apply


def _whole(x: Static) -> int | sympy.Expr | None:
    """A number among sizes: 2.0 counts as 2, 0.5 as no size."""
    if isinstance(x, float):
        return int(x) if x.is_integer() else None
    return x


def _quotient(a: Static, b: Static) -> Static:
    """a / b: whole where it comes out even, as between sizes."""
    x, y = _whole(a), _whole(b)
    if isinstance(x, sympy.Expr) or isinstance(y, sympy.Expr):
        return None if x is None or y is None else exact(x, y)
    if x is not None and y is not None and x % y == 0:
        return x // y
    return cast(float, a) / cast(float, b)


def short(dim: int | sympy.Expr) -> int | sympy.Expr | None:
    """A polynomial that stays workable: None for one of too many terms."""
    return dim if isinstance(dim, int) or len(dim.args) <= MOST_TERMS else None


def power(a: int | sympy.Expr, n: int) -> int | sympy.Expr | None:
    """aⁿ factor by factor, so that no long polynomial is ever expanded."""
    result: int | sympy.Expr | None = 1
    for _ in range(n):
        result = None if result is None else short(canonical(result * a))
    return result


def _power(a: Static, b: Static) -> Static:
    if isinstance(b, int) and 0 <= b <= HIGHEST_POWER and isinstance(a, int | sympy.Expr):
        return power(a, b)
    if isinstance(a, sympy.Expr) or isinstance(b, sympy.Expr):
        return None
    value = cast(float, float(cast(float, a)) ** cast(float, b))
    return None if isinstance(value, complex) else value


def _compare(rule: Callable[..., bool]) -> Callable[..., Static]:
    def apply(*inputs: Static) -> Static:
        if rule in (operator.eq, operator.ne) and inputs[0] == inputs[1]:
            return rule is operator.eq
        values = [known(x) if isinstance(x, sympy.Expr) else x for x in inputs]
        return None if None in values else rule(*values)

    return apply


_RULES: dict[str, Callable[..., Static]] = {
    "add": _polynomial(lambda a, b: a + b),
    "sub": _polynomial(lambda a, b: a - b),
    "mul": _polynomial(lambda a, b: a * b),
    "neg": _polynomial(lambda a: -a),
    "div": _quotient,
    "pow": _power,
    "maximum": _compare(max),
    "minimum": _compare(min),
    "less": _compare(operator.lt),
    "less_equal": _compare(operator.le),
    "equal": _compare(operator.eq),
    "not_equal": _compare(operator.ne),
    "logical_and": _compare(lambda a, b: a and b),
    "logical_or": _compare(lambda a, b: a or b),
    "logical_not": _compare(operator.not_),
}
