"""Polynomials in named sizes, as one writes them: `8·B·T·d² + 4·B·T²·d`, largest terms first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy

from engine.dims import Dim, Size, canonical, sizes_in
from engine.show.latex import symbol

MOST_TERMS = 6
LARGE = 1000
_RAISED = str.maketrans("-0123456789/", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹⸍")


@dataclass(frozen=True)
class Term:
    """A number times powers of sizes."""

    factor: sympy.Number
    powers: tuple[tuple[Size, int], ...]

    @property
    def degree(self) -> int:
        """The sum of the exponents."""
        return sum(exponent for _, exponent in self.powers)

    @property
    def text(self) -> str:
        """`4·B·T²·d`."""
        above = [raised(size.name, n) for size, n in self.powers if n > 0]
        below = [f"/{raised(size.name, -n)}" for size, n in self.powers if n < 0]
        factor = [] if self.factor == 1 and above else [str(self.factor)]
        return "·".join([*factor, *above]) + "".join(below)

    @property
    def latex(self) -> str:
        r"""`4\,B\,T^{2}\,d`."""
        above = [_power(size, n) for size, n in self.powers if n > 0]
        below = [_power(size, -n) for size, n in self.powers if n < 0]
        factor = [] if self.factor == 1 and above else [sympy.latex(self.factor)]
        over = r" \, ".join([*factor, *above])
        return rf"\frac{{{over}}}{{{r' '.join(below)}}}" if below else over


def terms(dim: Dim, sizes: Mapping[str, int] | None = None) -> list[Term]:
    """The terms of a polynomial, the largest at these sizes first; without sizes by their degree.

    >>> from engine.dims import size
    >>> B, T = size("B"), size("T")
    >>> [term.text for term in terms((T + 3) * B * T + 4)]
    ['B·T²', '3·B·T', '4']
    """
    if dim is None:
        return []
    found = [_term(each) for each in sympy.Add.make_args(sympy.expand(canonical(dim)))]
    told = sizes or {}
    if all(told.get(s.name, s.value) is not None for s in sizes_in(dim)):
        return sorted(found, key=lambda term: (-_magnitude(term, told), term.text))
    return sorted(found, key=lambda term: (-term.degree, -float(term.factor), term.text))


def text(dim: Dim, sizes: Mapping[str, int] | None = None, most: int | None = MOST_TERMS) -> str:
    """A polynomial with at most so many of its terms; `?` for an unknown one."""
    if dim is None:
        return "?"
    found = terms(dim, sizes)
    shown = [term.text for term in found[:most]]
    return " + ".join([*shown, *_more(len(found) - len(shown))]).replace("+ -", "- ")


def latex(dim: Dim, sizes: Mapping[str, int] | None = None, most: int | None = MOST_TERMS) -> str:
    """The same in LaTeX."""
    if dim is None:
        return "?"
    found = terms(dim, sizes)
    shown = [term.latex for term in found[:most]]
    more = [rf"\text{{{each}}}" for each in _more(len(found) - len(shown))]
    return " + ".join([*shown, *more]).replace("+ -", "- ")


def value(dim: Dim, sizes: Mapping[str, int]) -> float | None:
    """What a polynomial comes to; None while a size has no value.

    >>> from engine.dims import size
    >>> value(2 * size("T") ** 2, {"T": 10}), value(size("T"), {})
    (200.0, None)
    """
    if dim is None:
        return None
    known = [(s, n) for s in sizes_in(dim) if (n := sizes.get(s.name, s.value)) is not None]
    found = sympy.sympify(dim).subs(known)
    return float(found) if found.is_number else None


def estimate(dim: Dim, sizes: Mapping[str, int]) -> float:
    """What a polynomial comes to when sizes without a value are LARGE; 0 for an unknown one.

    >>> from engine.dims import size
    >>> estimate(size("T") ** 2 + size("B"), {"B": 3})
    1000003.0
    """
    told = {s.name: LARGE for s in sizes_in(dim) if s.value is None}
    return value(dim, {**told, **sizes}) or 0.0


def order(dim: Dim, size: Size) -> int:
    """The largest exponent of a size: how the whole grows with it alone.

    >>> from engine.dims import size
    >>> order(4 * size("B") * size("T") ** 2 + size("T"), size("T"))
    2
    """
    return max((dict(term.powers).get(size, 0) for term in terms(dim)), default=0)


def summed(dim: Dim, size: Size) -> Dim:
    """The sum over this size from 1 to itself: Σ_{t=1}^{T} p(t).

    >>> from engine.dims import size
    >>> summed(2 * size("T"), size("T"))
    T**2 + T
    """
    if dim is None:
        return None
    t = sympy.Dummy("t", integer=True, positive=True)
    return canonical(sympy.expand(sympy.summation(sympy.sympify(dim).subs(size, t), (t, 1, size))))


def _term(expr: sympy.Expr) -> Term:
    factor, rest = expr.as_coeff_Mul()
    powers = rest.as_powers_dict()
    named = sorted(sizes_in(rest), key=lambda size: size.name)
    return Term(factor, tuple((size, int(powers[size])) for size in named))


def _magnitude(term: Term, sizes: Mapping[str, int]) -> float:
    """The logarithm of what a term comes to, which may be larger than any float."""
    logs = (n * math.log(sizes.get(s.name, s.value) or 1) for s, n in term.powers)
    return sum(logs) + math.log(abs(float(term.factor)) or 1)


def added(dims: Iterable[Dim]) -> Dim:
    """The sum of those that are known; equal ones are added as one product."""
    count = Counter(dim for dim in dims if dim is not None)
    return canonical(sympy.Add(*(n * sympy.sympify(dim) for dim, n in count.items())))


def raised(name: str, n: int) -> str:
    """A name to a power: `T³`; 1 to the power of zero."""
    return "1" if n == 0 else name if n == 1 else f"{name}{str(n).translate(_RAISED)}"


def _power(size: Size, n: int) -> str:
    return symbol(size.name) if n == 1 else f"{symbol(size.name)}^{{{n}}}"


def _more(n: int) -> list[str]:
    return [f"… {n} more term{'s' * (n > 1)}"] if n else []
