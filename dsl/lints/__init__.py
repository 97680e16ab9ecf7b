"""Lints: what is allowed and probably not meant. Each has a number, a sentence and a way out.

A lint looks at the syntax of the program and at the nodes that each expression came to, so that
nothing of it stands in the lowering. A comment `# ok: W1` (several: `# ok: W1, W3`) on a line of
the place silences it there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..errors import Diagnostic
from ..lowering.state import Lowering
from ..span import Span
from ..syntax import Binary, Call, CallOrProduct, Conditional, Index, Power, Syntax
from . import apart, branches, elementwise, hidden, logarithms, powers, sizes, unused
from .seen import Seen


@dataclass(frozen=True)
class Lint:
    """A kind of warning: what it says in general, and how it is found in syntax of some kinds.

    Without kinds it is asked once about the program as a whole.
    """

    code: str
    sentence: str
    check: Callable[..., Iterator[Diagnostic]]
    kinds: tuple[type[Syntax], ...] = ()


LINTS = (
    Lint(
        "W1",
        "`A * x` of a square matrix and a vector goes element by element, as do `+`, `-` and `/`.",
        elementwise.matrix_and_vector,
        (Binary,),
    ),
    Lint("W2", "`A^2` of a square matrix squares its entries.", powers.squared, (Power,)),
    Lint("W3", "Two sizes agree only because both have the same value now.", sizes.by_value),
    Lint("W4", "Nothing uses this `input`, `param`, `const`, `dim` or import.", unused.declared),
    Lint("W5", "Nothing uses this name inside a definition.", unused.inside),
    Lint(
        "W6",
        "What `where` or `if` does not choose makes the gradient NaN.",
        branches.not_taken,
        (Call, Conditional),
    ),
    Lint(
        "W7",
        "A column [n, 1] with a vector [n] makes a matrix [n, n].",
        elementwise.column_and_vector,
        (Binary, Call),
    ),
    Lint(
        "W8",
        "A value hides a function of the library, and `f(x)` is a product.",
        hidden.product,
        (CallOrProduct,),
    ),
    Lint(
        "W9",
        "The logarithm of a softmax or of a sum of exponentials is ∞ or NaN too early.",
        logarithms.unstable,
        (Call,),
    ),
    Lint("W10", "A bracket after a blank is an index, not a product.", apart.index, (Index,)),
)

_OK = re.compile(r"#.*?\bok: *(W\d+(?: *, *W\d+)*)")


def find(low: Lowering) -> tuple[Diagnostic, ...]:
    """The lints of a compiled program in the order of its text, each place once."""
    seen = Seen(low)
    found: dict[tuple[str, Span], Diagnostic] = {}
    for each in _all(seen):
        found.setdefault((each.code, each.span), each)
    shown = [each for each in found.values() if not _is_silenced(each)]
    order = {source: i for i, source in enumerate(seen.sources)}
    return tuple(sorted(shown, key=lambda d: (order[d.span.source], d.span.start, d.code)))


def _all(seen: Seen) -> Iterator[Diagnostic]:
    by_kind: dict[type[Syntax], list[Lint]] = {}
    for lint in LINTS:
        for kind in lint.kinds:
            by_kind.setdefault(kind, []).append(lint)
    for piece in seen.pieces:
        for lint in by_kind.get(type(piece), ()):
            yield from _numbered(lint, lint.check(seen, piece))
    for lint in LINTS:
        if not lint.kinds:
            yield from _numbered(lint, lint.check(seen))


def _numbered(lint: Lint, found: Iterator[Diagnostic]) -> Iterator[Diagnostic]:
    return (replace(each, code=lint.code) for each in found)


def _is_silenced(lint: Diagnostic) -> bool:
    """Whether a line of the place says `# ok:` with this number."""
    return any(lint.code in re.findall(r"W\d+", match[1]) for match in _comments(lint.span))


def _comments(span: Span) -> Iterator[re.Match[str]]:
    last = span.source.position(max(span.start, span.end - 1))[0]
    for number in range(span.line, last + 1):
        if match := _OK.search(span.source.line(number)):
            yield match
