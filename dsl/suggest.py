"""Did you mean: names close by edit distance, and names run together (`XW_q` for `X W_q`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MOST = 3


def suggest(name: str, known: Iterable[str]) -> list[str]:
    """What was perhaps meant, best first: names at a small distance, or a product of names.

    >>> suggest("sofmax", ["softmax", "sum"]), suggest("XW_q", ["X", "W_q"])
    (['softmax'], ['X W_q'])
    """
    names = list(dict.fromkeys(known))
    ranked = sorted((_distance(name, each), place) for place, each in enumerate(names))
    close = [names[place] for distance, place in ranked if distance <= _tolerance(name)]
    return [*_split(name, set(names)), *(each for each in close if _related(name, each))][:MOST]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The question, or an empty text when nothing is close."""
    found = suggest(name, known)
    return f"did you mean {' or '.join(f'`{each}`' for each in found)}?" if found else ""


def _tolerance(name: str) -> int:
    return 1 if len(name) < 5 else 2


def _related(name: str, other: str) -> bool:
    """One letter for another is no slip, unless only its case differs."""
    shorter = min(len(name), len(other))
    return name.casefold() == other.casefold() or _distance(name, other) < max(2, shorter)


def _split(name: str, known: set[str]) -> list[str]:
    """The name cut into two or three known names."""
    found: list[str] = []
    for i in range(1, len(name)):
        head, tail = name[:i], name[i:]
        if head not in known:
            continue
        if tail in known:
            found.append(f"{head} {tail}")
        found += [f"{head} {rest}" for rest in _pairs(tail, known)]
    return found[:1]


def _pairs(name: str, known: set[str]) -> list[str]:
    cuts = ((name[:i], name[i:]) for i in range(1, len(name)))
    return [f"{head} {tail}" for head, tail in cuts if head in known and tail in known]


def _distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Insertions, deletions, replacements and swaps of neighbours (Damerau, 1964)."""
    if abs(len(a) - len(b)) > 2:
        return 3
    before, row = list[int](), list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                best = min(best, older[j - 2] + 1)
            row.append(best)
    return row[-1]
