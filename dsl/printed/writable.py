"""What a program cannot say, told with the node: few things, which only Python code makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from engine import EngineError, Node, ops
from engine.dims import Size
from engine.graph import sizes_of
from engine.ops.sources import constant_value
from engine.show import is_infix, word

from ..library import WORDS
from ..parse import is_name
from .calling import is_literal


def check(order: Sequence[Node], leaves: AbstractSet[Node], names: Iterable[str]) -> None:
    """Raise EngineError for the first node that the language has no words for."""
    for name in names:
        base, *items = name.split(".")
        if not is_name(base) or not all(item.isdecimal() for item in items):
            raise EngineError(f"`{name}` cannot be the name of a value")
    sizes: dict[str, Size] = {}
    for node in order:
        trouble = _trouble(node, leaves)
        if trouble:
            raise EngineError(f"no program can say {trouble}", op=node.op, nodes=(node,))
        for size in sizes_of(node):
            if sizes.setdefault(size.name, size) != size or not is_name(size.name):
                raise EngineError(f"no program can say which size `{size.name}` is", nodes=(node,))


def _trouble(node: Node, leaves: AbstractSet[Node]) -> str | None:
    if node.op is ops.variable:
        return _of_leaf(node, leaves)
    number = constant_value(node)
    if number is not None and not is_literal(number):
        return f"{number}, which is too large"
    if node.shape is None:
        return f"what has a shape of which nothing is known: {node!r}"
    if is_infix(node) or node.op in (ops.const, ops.logical_not, ops.index, ops.transpose):
        return None
    if word(node) not in WORDS:
        return f"`{node.op.name}`, which is no function of the language"
    lent = node.inputs[-1].rank if node.inputs else None
    lends = "shape" in node.attrs and node.attrs["shape"] is None and node.op is not ops.unindex
    return "that a number lends its shape" if lends and lent == 0 else None


def _of_leaf(leaf: Node, leaves: AbstractSet[Node]) -> str | None:
    if leaf not in leaves:
        return f"what `{leaf.label()}` is: it is neither an input nor a parameter"
    if leaf.shape is None:
        return f"which shape `{leaf.label()}` has, for nothing is known of it"
    return None
