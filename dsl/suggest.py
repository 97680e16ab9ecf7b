"""Did you mean: names close by edit distance, and names run together (`XW_q` for `X W_q`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MOST = 3
LONGEST = 100  # letters; nobody is asked about a longer name


def suggest(name: str, known: Iterable[str]) -> list[str]:
    """What was perhaps meant: a product of names, else names at a small distance, best first.

    >>> suggest("sofmax", ["softmax", "sum"]), suggest("XW_q", ["X", "W_q"])
    (['softmax'], ['X W_q'])
    """
    names = list(dict.fromkeys(known))
    return _split(name, set(names)) or close(name, names)


def close(name: str, known: Sequence[str]) -> list[str]:
    """Names at a small edit distance that have a letter in common, best first."""
    ranked = sorted((_distance(name, each), place) for place, each in enumerate(known))
    letters = set(name.casefold())
    return [
        known[place]
        for distance, place in ranked
        if distance <= (1 if len(name) < 5 else 2) and letters & set(known[place].casefold())
    ][:MOST]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The question, or an empty text when nothing is near."""
    return _question(suggest(name, known))


def did_you_mean_one_of(name: str, known: Iterable[str]) -> str:
    """The question where a product of names makes no sense: for sizes, modules, parameters."""
    return _question(close(name, list(dict.fromkeys(known))))


def _question(found: list[str]) -> str:
    return f"did you mean {' or '.join(f'`{each}`' for each in found)}?" if found else ""


def _split(name: str, known: set[str]) -> list[str]:
    """The name cut into two or three known names."""
    found: list[str] = []
    if len(name) > LONGEST:
        return found
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
    if abs(len(a) - len(b)) > 2 or len(a) > LONGEST:
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
