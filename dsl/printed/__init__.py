"""A program written from its graph alone: compiled again, it has the same nodes.

Sizes, constants, inputs and parameters are declared; then every named or shared value has a line.
What must have the name of a leaf, of a size or of a word of the library gets it in the last line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from torch import Tensor

from engine import Node
from engine.dims import Dim, Size
from engine.graph import sizes_of, toposort
from engine.show import Spelling, exactly, write, written

from ..lowering.state import Parameter
from .beginnings import Beginnings
from .calling import Names, named
from .writable import check


@dataclass(frozen=True)
class Contents:
    """What a program has: values and leaves by name, sizes, and what its author called values.

    The constants of `others` are declared even if no value reads them.
    """

    nodes: Mapping[str, Node]
    inputs: Mapping[str, Node] = field(default_factory=dict[str, Node])
    params: Sequence[Parameter] = ()
    sizes: Mapping[str, Dim] = field(default_factory=dict[str, Dim])
    labels: Mapping[Node, str] = field(default_factory=dict[Node, str])
    others: Sequence[Node] = ()


@dataclass(frozen=True)
class Printed:
    """A text, and the tensors that its `const` lines ask for."""

    text: str
    consts: Mapping[str, Tensor]


def printed(of: Contents) -> Printed:
    """The text of a program.

    Raises EngineError for a node that the language has no words for, naming it.
    """
    first = [each.initial for each in of.params]
    leaves = [*of.inputs.values(), *(each.leaf for each in of.params)]
    order = toposort([*leaves, *first, *of.others, *of.nodes.values()])
    check(order, {*leaves, *(each.key for each in of.params)}, of.nodes)
    fixed = [*of.sizes, *of.inputs, *(each.path for each in of.params)]
    names = named(order, of.nodes, fixed, of.labels)
    how = Spelling(exact=True, words=names.words)
    beginnings = Beginnings(names, how)
    learned = [f"param {p.path} : {_shape(how, p.leaf)} {beginnings.of(p)}" for p in of.params]
    body = [
        *_dims(how, of, order),
        *(f"const {name} : {_shape(how, node)}" for node, name in names.constants.items()),
        *_inputs(how, of.inputs),
        *beginnings.text,
        *learned,
        *_values(how, names),
        *_last(how, of.nodes, names),
    ]
    text = "".join(f"{line}\n" for line in body)
    hidden = (f"{other} = {word}\n" for word, other in names.words.items() if other in text)
    consts = {name: node.attrs["value"].tensor for node, name in names.constants.items()}
    return Printed("".join([*hidden, text]), consts)


def _dims(how: Spelling, of: Contents, order: Sequence[Node]) -> Iterator[str]:
    """Sizes of the program, those of its functions, and what is made of them."""
    inner = {size.name: size for node in order for size in sizes_of(node)}
    sizes = {**of.sizes, **{name: inner[name] for name in sorted({*inner} - {*of.sizes})}}
    own = [d for name, d in sizes.items() if isinstance(d, Size) and d.name == name]
    made = [(name, d) for name, d in sizes.items() if d is not None and d not in own]
    texts = [size.name if size.value is None else f"{size.name} = {size.value}" for size in own]
    texts += [f"{name} = {how.dim(dim)}" for name, dim in made]
    if texts:
        yield f"dim {', '.join(texts)}"


def _shape(how: Spelling, leaf: Node) -> str:
    """`int[B, T]`, `[_, d]`."""
    sizes = ", ".join("_" if dim is None else how.dim(dim) for dim in leaf.shape or ())
    return f"{leaf.kind if leaf.kind != 'float' else ''}[{sizes}]"


def _inputs(how: Spelling, inputs: Mapping[str, Node]) -> Iterator[str]:
    """One line for neighbours of one shape: `input Q, K, V : [B, T, d]`."""
    for shape, names in groupby(inputs, lambda name: _shape(how, inputs[name])):
        yield f"input {', '.join(names)} : {shape}"


def _values(how: Spelling, names: Names) -> list[str]:
    known = {**names.values, **names.constants}
    lines = written(
        [*names.values], known, exactly(how), stop=names.constants.__contains__, taken=names.taken
    )
    return [f"{line.name} = {line.text}" for line in lines]


def _last(how: Spelling, nodes: Mapping[str, Node], names: Names) -> Iterator[str]:
    """Further names of values, names of leaves and numbers; then at once all that hide others."""
    further = [name for name, node in nodes.items() if names.values.get(node) != name]
    texts: dict[str, str] = {}
    for base, group in groupby(further, lambda name: name.partition(".")[0]):
        each = {name: _called(how, nodes[name], names) for name in group}
        texts[base] = each[base] if base in each else _nested(each, base)
    hiding = [name for name in texts if name in names.hiding]
    yield from (f"{name} = {text}" for name, text in texts.items() if name not in hiding)
    if hiding:
        yield f"{', '.join(hiding)} = {', '.join(texts[name] for name in hiding)}"


def _called(how: Spelling, node: Node, names: Names) -> str:
    """A value by its name, or a number."""
    if node.op.name == "variable":
        return node.label()
    return names.values.get(node) or names.constants.get(node) or write(node, [], how).text


def _nested(texts: Mapping[str, str], path: str) -> str:
    """The list of `heads.0`, `heads.2.1`: `None` for what is no tensor, and last, for the list."""
    if path in texts:
        return texts[path]
    rest = [name[len(path) + 1 :] for name in texts if name.startswith(f"{path}.")]
    last = max((int(each.partition(".")[0]) for each in rest), default=-1)
    items = [_nested(texts, f"{path}.{i}") for i in range(last + 1)]
    return f"[{', '.join(items)}, None]" if items else "None"
