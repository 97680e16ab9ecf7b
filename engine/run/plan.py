"""The plan of a graph: its leaves, sizes and memory, and its source compiled once."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch.nn import functional as F

from engine.dims import Size
from engine.errors import EngineError
from engine.graph import Node, toposort
from engine.ops import kernels
from engine.passes import kernels as fused_kernels
from engine.run.bind import lacking
from engine.run.memory import Memory
from engine.run.obligations import Obligations, obligations
from engine.run.source import Writer

Step = Callable[..., list[torch.Tensor]]


@dataclass(frozen=True)
class Plan:
    """A graph ready to run: leaves in the order of the step's arguments, sizes, source."""

    leaves: tuple[Node, ...]
    sizes: tuple[Size, ...]
    lacks: frozenset[str]  # names of the sizes that stand in the shape of no leaf
    asks: bool  # whether the feeds of other leaves tell a size or the precision
    owed: Obligations
    memory: Memory
    source: str
    lines: Mapping[int, Node]
    filename: str
    bind: Callable[..., Step]

    def node_at(self, line: int) -> Node | None:
        """The node that a line of the source computes."""
        return self.lines.get(line)


_serial = count()


def make_plan(
    outputs: Sequence[Node],
    updates: Mapping[Node, Node] | None = None,
    names: Mapping[Node, str] | None = None,
    order: Callable[[Sequence[Node]], list[Node]] = toposort,
) -> Plan:
    """Order, name, write out and compile; `updates` maps leaves to what is written to them."""
    writer = Writer(outputs, updates or {}, names or {}, order)
    refuse_two_of_one_name(writer.leaves)
    source, lines = writer.write()
    filename = f"<chalkgrad graph {next(_serial)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    modules = {"torch": torch, "F": F, "kernels": kernels, "fused": fused_kernels}
    namespace: dict[str, Any] = {**modules, **writer.objects}
    exec(compile(source, filename, "exec"), namespace)
    lacks = lacking(writer.leaves, writer.sizes)
    return Plan(
        leaves=writer.leaves,
        sizes=writer.sizes,
        lacks=lacks,
        asks=bool(lacks) or all(leaf.kind != "float" for leaf in writer.leaves),
        owed=obligations(writer.order),
        memory=writer.memory,
        source=source,
        lines=lines,
        filename=filename,
        bind=namespace["bind"],
    )


def refuse_two_of_one_name(leaves: Sequence[Node]) -> None:
    """Raise EngineError for two variables that only their shapes or kinds tell apart."""
    seen: dict[str, Node] = {}
    for leaf in leaves:
        other = seen.setdefault(leaf.attrs["name"], leaf)
        if other is not leaf:
            raise EngineError(
                f"two variables are called `{leaf.label()}`: "
                f"{other.describe()} and {leaf.describe()}",
                hint="a name is a variable's identity: rename one",
            )
