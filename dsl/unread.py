"""A statement that could not be read, with the names that it was to define.

Whatever uses one of them is not reported: a slip is told once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from .errors import DslError
from .span import Span
from .syntax import Wrong

_NAME = re.compile(r"[^\W\d_][\w\u0300-\u036f]*")
_HEAD = re.compile(rf"(?:def +)?({_NAME.pattern})\s*\(")
_ANNOTATED = re.compile(rf"({_NAME.pattern})\s*(?:\([^)]*\)\s*)?[:∈]\s*\S")
_EQUALS = re.compile(r"[-+*/:]?(?<![<>=!])=(?!=)")


def wrong(text: str, span: Span, error: DslError | None) -> Wrong:
    """The statement `text` in the tree; its error is None where another one tells enough."""
    first, *rest = unicodedata.normalize("NFKC", text).split("\n")
    defined = list(_defined(first))
    inner = [name for line in rest for name in _defined(line)]
    if re.match(r"\s*(repeat|for)\b", first):
        defined, inner = [*defined, *inner], []
    return Wrong(tuple(defined), (*_introduced(first), *inner), error, span=span)


def _defined(line: str) -> Iterator[str]:
    """The names that a line defines: `a, b = …`, `f(x) = …`, `from m import a`."""
    line = line.partition("#")[0].strip()
    word, _, behind = line.partition(" ")
    if word in ("from", "import"):
        names = _NAME.findall(behind.rpartition("import")[2])
        yield from names if word == "from" else names[-1:]
        return
    left, *right = _EQUALS.split(line, maxsplit=1)
    head = _HEAD.match(line)
    if head and (right or word == "def"):
        yield head[1]
    elif right and word not in _DECLARATIONS:
        yield from _NAME.findall(left.partition(":")[0])
    elif annotated := _ANNOTATED.match(line):
        yield annotated[1]


def _introduced(line: str) -> list[str]:
    """The names and sizes that a declaration may introduce, if they are new."""
    word, _, behind = line.partition("#")[0].strip().partition(" ")
    return _NAME.findall(behind) if word in _DECLARATIONS else []


_DECLARATIONS = ("dim", "input", "param", "const")
