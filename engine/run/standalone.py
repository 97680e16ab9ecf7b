"""A graph as a Python file of its own: a function of its leaves that needs torch and nothing else.

    def loss(
        X,  # [n, d]
        w,  # [d]
    ):
        matmul = torch.matmul(X, w)  # [n]
        loss = torch.mean(matmul)  # scalar
        return loss

One line a node, nothing fused, nothing written over: this text is read. What runs fast is
`Evaluator.source()`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.dims import Size, argument, source
from engine.graph import Node, toposort
from engine.ops import kernels, variable
from engine.ops.sources import Literal
from engine.run.excerpt import excerpt
from engine.run.source import Writer

LARGEST = 1000  # elements of a constant that is written out; a larger one is an argument


@dataclass(frozen=True)
class Standalone:
    """A file of Python. It defines `function`, whose arguments stand for these nodes by name.

    A size that no argument has in its shape is an argument of its own, by its name.
    """

    text: str
    function: str
    arguments: Mapping[str, Node]


def standalone(
    outputs: Sequence[Node],
    names: Mapping[Node, str] | None = None,
    paths: Mapping[Node, Sequence[str]] | None = None,
    function: str = "compute",
) -> Standalone:
    """The file whose function returns the outputs, one alone, several as a tuple.

    `names` are what the nodes are called, `paths` the functions they stand in, told by comments.
    Precision and device are those of the arguments. A constant of more than 1,000 elements becomes
    an argument.

    >>> from engine import ops, var
    >>> x = var("x", ["n"])
    >>> print(standalone([ops.exp(x) * 2], function="f").text, end="")
    import torch
    <BLANKLINE>
    <BLANKLINE>
    def f(
        x,  # [n]
    ):
        device = x.device
        exp = torch.exp(x)  # [n]
        const = torch.tensor(2, dtype=torch.int64, device=device)  # int[]
        mul = torch.mul(exp, const)  # [n]
        return mul
    """
    return _Readable(outputs, names or {}).write_file(paths or {}, function)


class _Readable(Writer):
    """Writes each node as a line of one function."""

    def __init__(self, outputs: Sequence[Node], names: Mapping[Node, str]) -> None:
        super().__init__(outputs, {}, names, toposort)
        self.kernels: set[str] = set()
        self.code = self._needed()
        self.arguments = [x for x in self.order if x.op is variable or x in self._large]

    def _needed(self) -> dict[Node, str]:
        """The code of each node that an output needs, operands first."""
        code, needed = dict[Node, str](), set(self.outputs)
        self._large = {node for node in self.order if _is_large(node)}
        for node in reversed(self.order):
            if node in needed and node.op is not variable and node not in self._large:
                code[node] = self._call(node)
                needed.update(x for x in node.inputs if _says(code[node], self.name[x]))
        self._large &= needed
        return dict(reversed(code.items()))

    def _call(self, node: Node) -> str:
        plain = PLAIN.get(node.op.name)
        return plain(self, node) if plain else super()._call(node)

    def _callable(self, kernel: Callable[..., Any]) -> str:
        """A torch function, or one of ours, whose text will stand in the file."""
        known = super()._callable(kernel)
        if not known.startswith("kernels."):
            return known
        self.kernels.add(known.removeprefix("kernels."))
        return known.replace("kernels.", "_")

    def write_file(self, paths: Mapping[Node, Sequence[str]], wanted: str) -> Standalone:
        """The imports, the kernels, the function."""
        function = wanted if wanted in self.name.values() else self._unique(wanted)
        body = list(self._body(paths))
        lines = [f"def {function}(", *self._signature(), "):", *body, *self._returned()]
        ours = excerpt(kernels, self.kernels)
        functional = ["from torch.nn import functional as F"] * any(_says(x, "F") for x in body)
        parts = [
            _imports(["import torch", *functional, *ours.imports], bool(ours.functions)),
            "\n".join(ours.aliases),
            *ours.functions,
            "\n".join(lines),
        ]
        text = "\n\n\n".join(filter(None, parts)) + "\n"
        return Standalone(text, function, {self.name[x]: x for x in self.arguments})

    def _returned(self) -> list[str]:
        names = [self.name[x] for x in self.outputs]
        if len(names) <= 4:
            return [f"    return {', '.join(names)}"]
        return ["    return (", *(f"        {name}," for name in names), "    )"]

    def _signature(self) -> Iterator[str]:
        """The leaves and large constants, then the sizes that none of them has in its shape."""
        for leaf in self.arguments:
            own = leaf.attrs["name"] if leaf.op is variable else self.name[leaf]
            known = "" if own == self.name[leaf] else f"{_seen(own)} : "
            yield f"    {self.name[leaf]},  # {known}{_seen(leaf.describe())}"
        for size in self.sizes:
            if size not in self._told:
                yield f"    {argument(size.name)},  # size"

    @property
    def _told(self) -> dict[Size, str]:
        """The sizes that stand in the shape of an argument, with the place."""
        return {
            dim: f"{self.name[leaf]}.shape[{axis}]"
            for leaf in reversed(self.arguments)
            for axis, dim in enumerate(leaf.shape or ())
            if isinstance(dim, Size)
        }

    def _body(self, paths: Mapping[Node, Sequence[str]]) -> Iterator[str]:
        """Sizes and precision where they are used, then a line for each node."""
        lines = list(self._lines(paths))
        for size, place in self._told.items():
            if size in self.sizes and any(_says(line, argument(size.name)) for line in lines):
                yield f"    {argument(size.name)} = {place}"
        floats = [x for x in self.arguments if x.kind == "float"]
        if any(_says(line, "dtype") for line in lines):
            of = f"{self.name[floats[0]]}.dtype" if floats else "torch.get_default_dtype()"
            yield f"    dtype = {of}"
        if any(_says(line, "device") for line in lines):
            of = f"{self.name[self.arguments[0]]}.device" if self.arguments else '"cpu"'
            yield f"    device = {of}"
        yield from lines

    def _lines(self, paths: Mapping[Node, Sequence[str]]) -> Iterator[str]:
        here: Sequence[str] = ()
        for node, code in self.code.items():
            there = paths.get(node, here)
            if there != here:
                yield f"    # {_seen('.'.join(there)) or 'at top level'}"
            here = there
            yield f"    {self.name[node]} = {code}  # {_seen(node.describe())}"


def _const(writer: _Readable, node: Node) -> str:
    """`torch.tensor(2.0, dtype=dtype, device=device)`."""
    value = node.attrs["value"]
    plain = value.tensor.tolist() if isinstance(value, Literal) else value
    text = re.sub(r"\b(nan|inf)\b", r"float('\1')", repr(plain))
    return f"torch.tensor({text}, dtype={_dtype(node)}, device=device)"


def _size(writer: _Readable, node: Node) -> str:
    """`torch.tensor(B*T, device=device)`."""
    return f"torch.tensor({source(node.attrs['dim'])}, device=device)"


def _cast(writer: _Readable, node: Node) -> str:
    """`x.to(dtype)`."""
    return f"{writer.name[node.inputs[0]]}.to({_dtype(node)})"


PLAIN: Mapping[str, Callable[[_Readable, Node], str]] = {
    "const": _const,
    "size": _size,
    "cast": _cast,
    "relu": lambda writer, node: f"torch.relu({writer.name[node.inputs[0]]})",
}


def _dtype(node: Node) -> str:
    return {"float": "dtype", "int": "torch.int64", "bool": "torch.bool"}[node.kind]


def _is_large(node: Node) -> bool:
    value = node.attrs.get("value")
    return isinstance(value, Literal) and value.tensor.numel() > LARGEST


def _says(code: str, name: str) -> bool:
    """Whether a name stands in a line of code, beside its comment."""
    return re.search(rf"(?<![\w.]){re.escape(name)}\b(?!=)", code.partition("  # ")[0]) is not None


def _seen(text: str) -> str:
    """A text that stays in its comment."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _imports(lines: Sequence[str], annotated: bool) -> str:
    """The imports in two groups: Python's own, then torch."""
    torch = sorted({line for line in lines if "torch" in line}, key=_modules_first)
    own = sorted({line for line in lines if "torch" not in line}, key=_modules_first)
    head = ["from __future__ import annotations"] if annotated else []
    return "\n\n".join("\n".join(group) for group in (head, own, torch) if group)


def _modules_first(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line
