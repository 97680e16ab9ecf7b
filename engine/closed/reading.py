"""A graph read as sums of terms: each operator of linear algebra by its rule, all else as it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from engine import ops
from engine.closed import elements, products
from engine.closed.elements import repeated
from engine.closed.terms import Sum, as_it_is, settled
from engine.closed.writing import instead, write
from engine.dims import same_shape
from engine.graph import Node, rebuild, toposort

FUNCTIONS = (ops.pow, ops.sqrt, ops.exp, ops.log, ops.div)  # of scalars that are kept as [1]


def read(outputs: Sequence[Node], keep: Collection[Node] = ()) -> dict[Node, Sum]:
    """The sums of the outputs and of all below them; nodes in `keep` are not opened."""
    kept, found = frozenset(keep), dict[Node, Sum]()
    for node in toposort(outputs, stop=kept.__contains__):
        rule = None if node in kept else RULES.get(node.op.name)
        as_sum = rule(node, *(found[x] for x in node.inputs)) if rule else None
        as_sum = settled(as_sum) if as_sum else None
        if as_sum is None:
            as_sum = as_it_is(node) if node in kept else _opened(node, found)
        found[node] = as_sum
    return found


def _opened(node: Node, found: Mapping[Node, Sum]) -> Sum:
    """A node over its inputs in their textbook form; one of shape [1] as the scalar that it is."""
    made = _rebuilt(node, found)
    scalar = _as_scalar(made, [found[x] for x in node.inputs]) if made.shape == (1,) else None
    as_one = None if scalar is None else repeated(as_it_is(scalar), (1,))
    return as_one or as_it_is(made)


def _as_scalar(x: Node, inputs: Sequence[Sum]) -> Node | None:
    """The scalar that was kept as one element: of a reduction, or a function of such."""
    if x.attrs.get("keepdims") and x.inputs[0].rank == 1:
        return x.op.node(x.inputs, **{**x.attrs, "keepdims": False})
    numbers = [repeated(each, ()) for each in inputs]
    if x.op not in FUNCTIONS or None in numbers:
        return None
    return x.op.node(tuple(write(each) for each in numbers if each), **x.attrs)


def _rebuilt(node: Node, found: Mapping[Node, Sum]) -> Node:
    """The node over its inputs in their textbook form."""
    return rebuild(node, tuple(instead(x, found[x]) for x in node.inputs))


RULES: Mapping[str, Callable[..., Sum | None]] = {
    "const": elements.constant,
    "zeros": elements.filled,
    "ones": elements.filled,
    "full": elements.filled,
    "eye": products.identity,
    "expand": products.expand,
    "neg": elements.negated,
    "add": elements.add,
    "sub": lambda y, a, b: elements.add(y, a, b, -1),
    "mul": elements.mul,
    "div": elements.div,
    "pow": elements.power,
    "matmul": products.matmul,
    "transpose": products.transpose,
    "index": products.index,
    "stack": products.stack,
    "reshape": lambda y, x, *like: x if same_shape(x.shape, y.shape) else None,
    "unindex": products.unindex,
    "sum": products.summed,
    "sum_to": products.sum_to,
    "place": products.place,
    "trace": products.trace,
    "inv": products.inv,
    "det": products.determinant,
    "logdet": products.determinant,
    "diag": products.diag,
    "exp": elements.exp,
    "where": elements.where,
}
