"""What nodes are called where they are shown: the user's names, in visible characters, bounded."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from string import ascii_lowercase

from engine.graph import Node, sizes_of

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, formats, halves, line ends


@dataclass(frozen=True)
class Legend:
    """What a user calls the nodes.

    `names` of values, `paths` of the functions they stand in, outermost first (block, attention),
    `roles` of leaves (`input` or `param`), `notes` on where they were written, and `marks`: words
    of warning.
    """

    names: Mapping[Node, str] = field(default_factory=dict[Node, str])
    paths: Mapping[Node, tuple[str, ...]] = field(default_factory=dict[Node, tuple[str, ...]])
    roles: Mapping[Node, str] = field(default_factory=dict[Node, str])
    notes: Mapping[Node, str] = field(default_factory=dict[Node, str])
    marks: Mapping[Node, str] = field(default_factory=dict[Node, str])


def visible(text: str, most: int | None = 40) -> str:
    r"""The text with what no one can see replaced, and cut to `most` characters (None: not cut).

    >>> visible("loss\x1b[31m"), visible("a" * 50, most=4)
    ('loss�[31m', 'aaa…')
    """
    most = len(text) if most is None else most
    shown = "".join("�" if unicodedata.category(c) in _UNSEEN else c for c in text[: most + 1])
    return shown if len(text) <= most else f"{shown[: most - 1]}…"


def distinct(legend: Legend) -> dict[Node, str]:
    """The names, each with its path before it where several nodes have the same."""
    count = Counter(legend.names.values())
    return {
        node: name if count[name] == 1 else ".".join((*legend.paths.get(node, ()), name))
        for node, name in legend.names.items()
    }


def own_name(node: Node, names: Mapping[Node, str], most: int | None = 40) -> str | None:
    """The user's name of a node, else the name of a leaf, else None; cut to `most` characters."""
    if node in names:
        return visible(names[node], most)
    return visible(node.label(), most) if node.op.name == "variable" else None


def display_width(text: str) -> int:
    """How many columns of a terminal a text takes: accents none, wide characters two."""
    return sum(_width(c) for c in text)


def pad(text: str, width: int) -> str:
    """The text and as many blanks as it lacks to `width` columns."""
    return text + " " * (width - display_width(text))


def fresh_names(nodes: Iterable[Node], names: Iterable[str]) -> Iterator[str]:
    """a, b, c, … z, a1, …: every name that is not taken and that neither a node nor a size has."""
    taken = set(names)
    for node in nodes:
        taken.add(node.label())
        taken |= {size.name for size in sizes_of(node)}
    for serial in count():
        for letter in ascii_lowercase:
            name = f"{letter}{serial or ''}"
            if name not in taken:
                yield name


def some(items: list[str], most: int = 8) -> list[str]:
    """The items, or when they are many the first, an ellipsis and the last."""
    return items if len(items) <= most else [*islice(items, most - 2), "…", items[-1]]


def _width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
