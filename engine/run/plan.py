"""The plan of a graph: its order, the last use of each value, and the source that runs it.

The source is one line a node, readable, compiled once per graph:

    def bind(B, T, d, dtype, device):           # sizes and precision, once per binding
        mask = torch.triu(…)                    # whatever depends on no leaf
        def step(Q, K, V):
            scores = torch.matmul(Q, K); del K  # freed at its last use
            …
            return (out,)
        return step
"""

from __future__ import annotations

import keyword
import linecache
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, cast

import sympy
import torch
from torch.nn import functional as F

from engine.dims import Size, sizes_in
from engine.errors import EngineError
from engine.graph import Node, depends, toposort
from engine.ops import kernels
from engine.ops import variable as variable_op
from engine.ops.sources import Literal
from engine.run.bind import lacking
from engine.run.obligations import Obligations, obligations

Step = Callable[..., tuple[torch.Tensor, ...]]


@dataclass(frozen=True)
class Plan:
    """A graph ready to run: leaves in the order of the step's arguments, sizes, source."""

    leaves: tuple[Node, ...]
    sizes: tuple[Size, ...]
    lacks: frozenset[str]  # names of the sizes that stand in the shape of no leaf
    owed: Obligations
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
) -> Plan:
    """Order, name, write out and compile; `updates` maps leaves to what is written to them."""
    writer = _Writer(list(outputs), dict(updates or {}), dict(names or {}))
    source, lines = writer.write()
    filename = f"<chalkgrad graph {next(_serial)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"torch": torch, "F": F, "kernels": kernels, **writer.objects}
    exec(compile(source, filename, "exec"), namespace)
    lacks = lacking(writer.leaves, writer.sizes)
    owed = obligations(writer.order)
    bind = namespace["bind"]
    return Plan(writer.leaves, writer.sizes, lacks, owed, source, lines, filename, bind)


class _Writer:
    """Writes the source of one graph; a value once, at plan time."""

    def __init__(
        self, outputs: list[Node], updates: dict[Node, Node], names: dict[Node, str]
    ) -> None:
        self.outputs, self.updates = outputs, updates
        self.order = toposort([*outputs, *updates.values(), *updates])
        self.leaves = tuple(node for node in self.order if node.op is variable_op)
        _refuse_two_of_one_name(self.leaves)
        self.moving = depends(self.order, self.leaves) if self.leaves else set[Node]()
        found = {
            s for node in self.order for value in node.attrs.values() for s in _sizes_of(value)
        }
        found |= {s for leaf in self.leaves for dim in leaf.shape or () for s in sizes_in(dim)}
        self.sizes = tuple(sorted(found, key=lambda s: s.name))
        self.objects: dict[str, Any] = {}
        self.serial: Counter[str] = Counter()
        self.taken = {
            "torch",
            "F",
            "kernels",
            "bind",
            "step",
            "dtype",
            "device",
            *(s.name for s in self.sizes),
        }
        self.name = {node: self._unique(names.get(node, node.label())) for node in self.order}

    def _unique(self, wanted: str) -> str:
        """A fresh Python identifier close to `wanted`."""
        base = re.sub(r"\W", "_", wanted).strip("_") or "v"
        base = f"v{base}" if base[0].isdigit() else base
        name = base
        while name in self.taken or keyword.iskeyword(name):
            self.serial[base] += 1
            name = f"{base}_{self.serial[base]}"
        self.taken.add(name)
        return name

    def write(self) -> tuple[str, dict[int, Node]]:
        """The source and which node each of its lines computes."""
        code = {node: self.expression(node) for node in self.order if node.op is not variable_op}
        used = self._uses(code)
        arguments = ", ".join([*(s.name for s in self.sizes), "dtype", "device"])
        text, lines = [f"def bind({arguments}):"], dict[int, Node]()
        for node in (n for n in code if n not in self.moving and used.get(n)):
            text.append(f"    {self.name[node]} = {code[node]}")
            lines[len(text)] = node
        text.append(f"    def step({', '.join(self.name[leaf] for leaf in self.leaves)}):")
        for node in (n for n in code if n in self.moving):
            dead = [self.name[x] for x in dict.fromkeys(node.inputs) if used.get(x) is node]
            text.append(
                f"        {self.name[node]} = {code[node]}"
                + (f"; del {', '.join(dead)}" if dead else "")
            )
            lines[len(text)] = node
        text += [f"        {line}" for line in self._ending()]
        text.append("    return step")
        return "\n".join(text) + "\n", lines

    def _uses(self, code: dict[Node, str]) -> dict[Node, Node | bool]:
        """The last user of each value computed in the step; True for one that must stay."""
        used: dict[Node, Node | bool] = {}
        for node, text in code.items():
            for x in node.inputs:
                if node.op.code is None or self.name[x] in text:
                    used[x] = node if x in self.moving and x.op is not variable_op else True
        for node in (*self.outputs, *self.updates.values()):
            used[node] = True
        return used

    def expression(self, node: Node) -> str:
        """The torch call that computes a node."""
        names = tuple(self.name[x] for x in node.inputs)
        code = node.op.code(node, names) if node.op.code is not None else None
        if code is not None:
            return code
        attrs = [f"{key}={self.literal(value)}" for key, value in node.attrs.items()]
        placed = ["dtype=dtype", "device=device"] if node.op.placed else []
        return f"{self._callable(node.op.kernel)}({', '.join([*names, *attrs, *placed])})"

    def _callable(self, kernel: Callable[..., Any]) -> str:
        known = _torch_names().get(kernel)
        return known or self._object(kernel, getattr(kernel, "__name__", "kernel"))

    def _object(self, value: object, name: str) -> str:
        for known, other in self.objects.items():
            if other is value:
                return known
        unique = self._unique(name)
        self.objects[unique] = value
        return unique

    def literal(self, value: Any) -> str:
        """An attribute as Python source; sizes by their names."""
        if isinstance(value, sympy.Expr):
            return dim_source(value)
        if isinstance(value, tuple):
            items = [self.literal(item) for item in cast(tuple[Any, ...], value)]
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        if isinstance(value, Literal):
            return self._object(value, "literal")
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            return f"float('{value}')"
        return repr(value)

    def _ending(self) -> list[str]:
        """Write the updates back, when every value is known, and return the outputs."""
        results = [self.name[node] for node in self.outputs]
        if not self.updates:
            return [f"return ({''.join(f'{name}, ' for name in results)})"]
        kept = [
            f"{name}.clone()" if _may_alias(node, self.updates) else name
            for name, node in zip(results, self.outputs, strict=True)
        ]
        targets = ", ".join(self.name[leaf] for leaf in self.updates)
        values = ", ".join(self.name[value] for value in self.updates.values())
        return [
            f"results = ({''.join(f'{name}, ' for name in kept)})",
            f"torch._foreach_copy_([{targets}], [{values}])",
            "return results",
        ]


def _refuse_two_of_one_name(leaves: Sequence[Node]) -> None:
    seen: dict[str, Node] = {}
    for leaf in leaves:
        other = seen.setdefault(leaf.attrs["name"], leaf)
        if other is not leaf:
            raise EngineError(
                f"two variables are called `{leaf.label()}`: "
                f"{other.describe()} and {leaf.describe()}",
                hint="a name is a variable's identity: rename one",
            )


_VIEWS = frozenset(
    (
        "variable",
        "reshape",
        "expand",
        "sum_to",
        "transpose",
        "index",
        "part",
        "stop",
        "cast",
        "concat",
        "diag",
    )
)


def _may_alias(node: Node, updates: Mapping[Node, Node]) -> bool:
    """Whether a value may share memory with a leaf that is about to be overwritten."""
    below = toposort([node], stop=lambda n: n.op.name not in _VIEWS)
    return any(leaf in updates for leaf in below)


def _sizes_of(value: Any) -> frozenset[Size]:
    if isinstance(value, sympy.Expr):
        return sizes_in(value)
    if isinstance(value, tuple):
        parts = [_sizes_of(item) for item in cast(tuple[Any, ...], value)]
        return frozenset[Size]().union(*parts)
    return frozenset()


def dim_source(dim: sympy.Expr) -> str:
    """A size as Python source, divisions exact: `4*d`, `d // H`."""
    above, below = sympy.fraction(sympy.together(dim))
    return str(above) if below == 1 else f"({above}) // ({below})"


@cache
def _torch_names() -> dict[Any, str]:
    """The public name of each torch function that serves as a kernel."""
    names: dict[Any, str] = {}
    for prefix, module in (
        ("kernels", kernels),
        ("F", F),
        ("torch.linalg", torch.linalg),
        ("torch", torch),
    ):
        for name, value in vars(module).items():
            if callable(value) and not name.startswith("_") and getattr(value, "__hash__", None):
                names[value] = f"{prefix}.{name}"
    return names
