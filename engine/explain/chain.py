"""The chain rule of one formula, value by value: x̄ = Σ ȳ ∂y/∂x, each ȳ a symbol of its own.

`gradients` makes whole formulas; here each cotangent is written in those of the values that read
it, so that a derivation can be told line by line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine import ops
from engine.calculus.vjp import check_differentiable
from engine.dims import complete
from engine.explain.reasons import always
from engine.graph import Node, depends, several, toposort
from engine.ops.families import shape_of, unbroadcast
from engine.passes.simplify import tidy


@dataclass(frozen=True)
class Step:
    """A value x, those that read it, and x̄ in their cotangents' symbols."""

    value: Node
    users: tuple[Node, ...]
    cotangent: Node


@dataclass(frozen=True)
class Cut:
    """`user` reads `value`, but no derivative flows back, for a reason in words.

    `way` says what would let it through.
    """

    user: Node
    value: Node
    why: str
    way: str = ""


@dataclass(frozen=True)
class Chain:
    """The steps from the output down, the symbol of each value's cotangent, and where paths end.

    The steps are those on the way to `wrt`; if no derivative arrives there, all there are.
    """

    output: Node
    wrt: tuple[Node, ...]
    steps: tuple[Step, ...]
    symbols: dict[Node, Node]
    cuts: tuple[Cut, ...]


def chain(output: Node, wrt: Sequence[Node] | Node) -> Chain:
    """The derivative of the sum of `output` by each of `wrt`, one step for each value on the way.

    Raises GradientError for an output or a `wrt` of whole numbers or truth values.

    >>> from engine import ops, var
    >>> x = var("x", [])
    >>> [step.value.label() for step in chain(ops.exp(ops.sin(x)), x).steps]
    ['exp', 'sin', 'x']
    """
    wrt = tuple(several(wrt))
    check_differentiable(output, wrt)
    forward = toposort([output])
    active = depends([output], wrt)
    seed = ops.ones(shape_of(output))
    parts: dict[Node, list[Node]] = {output: [seed]}
    users: dict[Node, list[Node]] = {output: []}
    symbols: dict[Node, Node] = {}
    found: dict[Node, Node] = {}
    cuts: list[Cut] = []
    for y in reversed(forward):
        if y not in parts:
            continue
        found[y] = _added(parts[y], y)
        symbols[y] = seed if y is output else _symbol(len(symbols), y)
        for x, dx in flows(symbols[y], y):
            if x in active and dx is None:
                told = always(y, x)
                cuts.append(Cut(y, x, told.why, told.way))
            elif x in active and dx is not None:
                parts.setdefault(x, []).append(dx)
                users.setdefault(x, []).append(y)
    tidied = tidy(list(found.values()), keep=set(forward))
    readers = {x: tuple(dict.fromkeys(users[x])) for x in found}
    passed = _above(wrt, readers) or set(found)
    steps = tuple(Step(x, readers[x], g) for x, g in zip(found, tidied, strict=True) if x in passed)
    return Chain(output, wrt, steps, symbols, tuple(dict.fromkeys(cuts)))


def _above(wrt: Sequence[Node], readers: Mapping[Node, tuple[Node, ...]]) -> set[Node]:
    """What is passed on the way from the output to any of `wrt`; nothing if none is reached."""
    passed, waiting = set[Node](), [x for x in wrt if x in readers]
    while waiting:
        x = waiting.pop()
        if x not in passed:
            passed.add(x)
            waiting.extend(readers[x])
    return passed


def flows(g: Node, y: Node) -> list[tuple[Node, Node | None]]:
    """Each operand of y with what its rule sends back of the cotangent g."""
    return list(zip(y.inputs, y.op.vjp(g, y, *y.inputs), strict=True)) if y.inputs else []


def _symbol(serial: int, y: Node) -> Node:
    """The cotangent of y as a variable; no name of a user has a slash."""
    return ops.variable(f"∂/∂{serial}", y.shape)


def _added(parts: Sequence[Node], x: Node) -> Node:
    """What the users of x send back, in the order they were written."""
    total = parts[-1]
    for part in parts[-2::-1]:
        total = total + part
    return unbroadcast(total, x) if complete(x.shape) else total
