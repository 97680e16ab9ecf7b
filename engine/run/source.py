"""The source of a step: straight-line Python, one torch call a line.

    def bind(B, T, d, dtype, device, memory):    # sizes and precision, once per binding
        mask = torch.triu(…)                     # whatever depends on no leaf
        def step(Q, K, V):
            scores = torch.bmm(Q, K, out=memory[0]); del K    # freed at its last use
            …
            return [out]
        return step

`memory` holds places for large values, or None for each: then they are allocated and freed.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import sympy
import torch
from torch.nn import functional as F

from engine.dims import RESERVED, Size, argument, sizes_in, source
from engine.graph import Node, depends, toposort
from engine.ops import kernels, variable
from engine.ops.sources import Literal, in_python
from engine.passes import kernels as fused_kernels
from engine.passes.fused import Fused, item
from engine.run.memory import looks_into, plan_memory
from engine.run.obligations import expressions
from engine.run.updates import plan_updates


class Writer:
    """Writes the source of one graph; a value once, at plan time."""

    def __init__(
        self,
        outputs: Sequence[Node],
        updates: Mapping[Node, Node],
        names: Mapping[Node, str],
        order: Callable[[Sequence[Node]], list[Node]],
    ) -> None:
        self.outputs, self.leaves_written = outputs, set(updates)
        self.updates = plan_updates(outputs, updates, self._lies_in_updated)
        self.order = order([*outputs, *self.updates.needed(), *updates])
        self.leaves = tuple(node for node in self.order if node.op is variable)
        self.moving = depends(self.order, self.leaves) if self.leaves else set[Node]()
        lines = [node for node in self.order if node in self.moving and node.op is not variable]
        self.memory = plan_memory(lines, outputs, self.updates.needed())
        self.sizes = _sizes(self.order, [place.shape for place in self.memory.places])
        self.objects: dict[str, Any] = {}
        self.serial: Counter[str] = Counter()
        self.taken = {*RESERVED, *(argument(s.name) for s in self.sizes)}
        self.name = self._names(names)

    def _lies_in_updated(self, x: Node) -> bool:
        """Whether a value may lie in the memory of a leaf that is about to be overwritten."""
        return any(leaf in self.leaves_written for leaf in _looked_into(x))

    def _names(self, names: Mapping[Node, str]) -> dict[Node, str]:
        """A Python name for each value; a tuple is named by its parts."""
        several = {node: ["_"] * len(_parts(node)) for node in self.order if _parts(node)}
        found = {
            node: self._unique(names.get(node, _label(node)))
            for node in self.order
            if node not in several
        }
        for part in (node for node in self.order if node.op is item):
            several[part.inputs[0]][part.attrs["which"]] = found[part]
        for node, parts in several.items():
            found[node] = ", ".join(parts)
        return found

    def _unique(self, wanted: str) -> str:
        """A fresh Python identifier close to `wanted`."""
        plain = unicodedata.normalize("NFKC", wanted)  # as Python reads identifiers
        base = re.sub(r"\W", "_", plain).strip("_") or "v"
        base = base if base.isidentifier() else f"v{base}"
        name = base
        while name in self.taken or keyword.iskeyword(name):
            self.serial[base] += 1
            name = f"{base}_{self.serial[base]}"
        self.taken.add(name)
        return name

    def write(self) -> tuple[str, dict[int, Node]]:
        """The source and which node each of its lines computes."""
        silent = (variable, item)  # an argument; named where its tuple is made
        code = {node: self.expression(node) for node in self.order if node.op not in silent}
        used = self._uses(code)
        arguments = ", ".join(
            [*(argument(s.name) for s in self.sizes), "dtype", "device", "memory"]
        )
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

    def _uses(self, code: Mapping[Node, str]) -> dict[Node, Node | bool]:
        """The last user of each value computed in the step; True for one that must stay."""
        used: dict[Node, Node | bool] = {}
        for node, text in code.items():
            for x in node.inputs:
                if node.op.code is None or self.name[x] in text:
                    used[x] = node if x in self.moving and x.op is not variable else True
        for node in (*self.outputs, *self.updates.needed()):
            used[node] = True
        for node in (n for n in self.order if n.op is item):
            used[node.inputs[0]] = True
        return used

    def expression(self, node: Node) -> str:
        """The torch call that computes a node, into memory where there is some for it."""
        call = self._call(node)
        if node in self.memory.over:
            return f"{call[:-1]}, out={self.name[self.memory.over[node]]})"
        if node in self.memory.place_of:
            return f"{call[:-1]}, out=memory[{self.memory.place_of[node]}])"
        return call

    def _call(self, node: Node) -> str:
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
            return source(value)
        if isinstance(value, tuple):
            items = [self.literal(item) for item in cast(tuple[Any, ...], value)]
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        if isinstance(value, Literal):
            return self._object(value, "literal")
        return in_python(value) if isinstance(value, float) else repr(value)

    def _ending(self) -> list[str]:
        """Write the updates back, when every value is known, and return the outputs."""
        returned = f"[{', '.join(map(self._result, self.outputs))}]"
        written = self.updates.lines(self.name, self._lies_in_updated)
        if not written:
            return [f"return {returned}"]
        return [f"results = {returned}", *written, "return results"]

    def _result(self, x: Node) -> str:
        """An output, copied where its memory is the binding's own or is about to change."""
        kept = any(y not in self.moving and y.op is not variable for y in _looked_into(x))
        return self.name[x] + ".clone()" * (kept or self._lies_in_updated(x))


def _parts(node: Node) -> tuple[str, ...]:
    """The names of the results of a kernel with several."""
    return node.op.parts if isinstance(node.op, Fused) else ()


def _label(node: Node) -> str:
    return _parts(node.inputs[0])[node.attrs["which"]] if node.op is item else node.label()


def _looked_into(x: Node) -> list[Node]:
    """The values in whose memory a value may lie, itself among them."""
    return toposort([x], stop=lambda n: not looks_into(n))


def _sizes(order: Sequence[Node], shapes: Sequence[Any]) -> tuple[Size, ...]:
    """The sizes without a value in the attributes, the leaves and the places of a step."""
    told = [value for node in order for value in node.attrs.values()]
    leaves = [node.shape for node in order if node.op is variable]
    found = {s for dim in expressions((*told, *leaves, *shapes)) for s in sizes_in(dim)}
    return tuple(sorted((s for s in found if s.value is None), key=lambda s: s.name))


@cache
def _torch_names() -> dict[Any, str]:
    """The public name of each torch function that serves as a kernel."""
    names: dict[Any, str] = {}
    for prefix, module in (
        ("kernels", kernels),
        ("fused", fused_kernels),
        ("F", F),
        ("torch.linalg", torch.linalg),
        ("torch", torch),
    ):
        for name, value in vars(module).items():
            if callable(value) and not name.startswith("_") and getattr(value, "__hash__", None):
                names[value] = f"{prefix}.{name}"
    return names
