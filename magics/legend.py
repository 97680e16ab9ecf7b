"""What a program calls its nodes, as pictures want it: names, functions, inputs and parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from dsl import Program, Span
from engine import Node
from engine.graph import toposort
from engine.show import Legend, visible

T = TypeVar("T")


def legend(program: Program) -> Legend:
    """The user's names, the calls that nodes stand in, and which leaves are learned."""
    inputs = {leaf: name for name, leaf in program.inputs.items()}
    params = {leaf: path for path, leaf in program.params.items()}
    paths = {node: _calls(path) for node, path in written_at(program, program.places).items()}
    names = {**program.labels, **inputs}
    for leaf, path in params.items():
        names[leaf] = ".".join(path.split(".")[len(program.places.get(leaf, ())) :])
    return Legend(
        names,
        paths,
        {**dict.fromkeys(inputs, "input"), **dict.fromkeys(params, "param")},
        {node: _place(span) for node, span in written_at(program, program.origins).items()},
    )


def written_at(program: Program, known: Mapping[Node, T]) -> dict[Node, T]:
    """What is known of the places of nodes; what a call made on the way stands with its result."""
    found = dict(known)
    for node in reversed(toposort(program.nodes.values())):
        if node in found:
            for x in node.inputs:
                found.setdefault(x, found[node])
    return found


def _calls(path: tuple[str, ...]) -> tuple[str, ...]:
    """The calls of a path; the number of a pass goes with the call it repeats: `h.0`."""
    calls: list[str] = []
    for part in path:
        if part.isdigit() and calls:
            calls[-1] += f".{part}"
        else:
            calls.append(part)
    return tuple(calls)


def _place(span: Span) -> str:
    """`Cell In[3], line 2: loss = mean(r^2)`."""
    line, _ = span.source.position(span.start)
    return f"{span.source.name}, line {line}: {visible(span.source.line(line).strip(), 80)}"


def with_derivatives(known: Legend, loss: str | None, nodes: Mapping[str, Node]) -> Legend:
    """The legend with names for the gradients of a loss: `∂loss/∂W`."""
    names = {node: f"∂{loss}/∂{name}" for name, node in nodes.items()}
    return replace(known, names={**names, **known.names})


def sinks(nodes: Iterable[Node]) -> list[Node]:
    """Those of the nodes that no other of them is made of, in their order."""
    unique = list(dict.fromkeys(nodes))
    inner = set(toposort([x for node in unique for x in node.inputs]))
    return [node for node in unique if node not in inner]


def within(program: Program) -> dict[str, Node]:
    """Values inside calls and passes: `h.0.attention`, the result of a call, `h.0.attention.Q`.

    Where passes of a `repeat` give one name to several values they are called x.0, x.1, …
    """
    results: dict[str, Node] = {}
    named: dict[str, list[Node]] = {}
    for node in toposort(program.nodes.values()):
        path = program.places.get(node, ())
        if path:
            results[".".join(path)] = node  # what a call makes last is its result
        if node in program.labels and node.op.name != "variable":
            named.setdefault(".".join((*path, program.labels[node])), []).append(node)
    for name, nodes in named.items():
        results |= {name if len(nodes) == 1 else f"{name}.{i}": x for i, x in enumerate(nodes)}
    return results
