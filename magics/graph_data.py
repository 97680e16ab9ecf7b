"""A graph as data for other programs: nodes, what they are made of, what users call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsl import Program
from engine import Node
from engine.dims import show_dim
from engine.graph import toposort
from engine.origins import origins
from engine.show import Legend, Part, write
from magics.legend import legend, with_derivatives

SCHEMA = "chalkgrad-graph/1"


def graph_data(
    program: Program,
    asked: Mapping[str, Node],
    loss: str | None = None,
    slopes: Mapping[str, Node] | None = None,
) -> dict[str, Any]:
    r"""The graph of some values and of the gradients of a loss, operands before what reads them.

    schema    "chalkgrad-graph/1"; keys are added under the same number, never changed
    outputs   {name: id} of the values asked for
    gradients {name: id} of the derivatives of `loss` by each name; empty without them
    sizes     {name: number}, null where the data tell
    loss      the name of what was differentiated, or null
    nodes     each with
        id       "n0", "n1", …, the operands first
        name     what the user calls it, or null
        kind     "input", "param", "value", "output" or "gradient"
        op       the operator: "matmul"; "variable" for a leaf
        element  "float", "int" or "bool"
        shape    sizes as numbers or texts ("T", "4d"), or null where the rank is not known
        formula  the operator applied to names, and ids where there are none: "X @ w", "n3 - y"
        path     the functions it stands in, outermost first: ["block", "attention"]
        source   where it was written: {"file", "line", "column", "text"}, from 1; or null
        of       the id of the value that a derivative belongs to, or null
    edges     each with "from", "to" (ids) and "position", the place among the operands, from 0

    >>> import dsl
    >>> program = dsl.compile("input x : [n]\ny = 2 x")
    >>> [node["formula"] for node in graph_data(program, {"y": program["y"]})["nodes"]]
    ['2', 'x', '2 * x']
    """
    by = slopes or {}
    told = _Told(program, asked, with_derivatives(legend(program), loss, by), by)
    return {
        "schema": SCHEMA,
        "outputs": {name: told.ids[node] for name, node in asked.items()},
        "gradients": {name: told.ids[node] for name, node in by.items()},
        "sizes": dict(program.sizes),
        "loss": loss,
        "nodes": [told.node(node) for node in told.ids],
        "edges": [edge for node in told.ids for edge in told.edges(node)],
    }


class _Told:
    """What is said of each node of a graph."""

    def __init__(
        self,
        program: Program,
        asked: Mapping[str, Node],
        known: Legend,
        slopes: Mapping[str, Node],
    ) -> None:
        nodes = toposort([*asked.values(), *slopes.values()])
        self.ids = {node: f"n{i}" for i, node in enumerate(nodes)}
        self.program, self.known, self.outputs = program, known, set(asked.values())
        self.forward = set(toposort(list(asked.values())))

    def node(self, node: Node) -> dict[str, Any]:
        values = (each.forward for each in origins(node) if node not in self.forward)
        return {
            "id": self.ids[node],
            "name": self._name(node),
            "kind": self._kind(node),
            "op": node.op.name,
            "element": node.kind,
            "shape": _shape(node),
            "formula": self._formula(node),
            "path": list(self.known.paths.get(node, ())),
            "source": _source(self.program, node),
            "of": next((self.ids[x] for x in values if x in self.forward), None),
        }

    def edges(self, node: Node) -> list[dict[str, Any]]:
        return [
            {"from": self.ids[x], "to": self.ids[node], "position": i}
            for i, x in enumerate(node.inputs)
        ]

    def _name(self, node: Node) -> str | None:
        leaf = node.label() if node.op.name == "variable" else None
        return self.known.names.get(node) or leaf

    def _kind(self, node: Node) -> str:
        if node.op.name == "variable":
            return self.known.roles.get(node, "input")
        if node not in self.forward:
            return "gradient"
        return "output" if node in self.outputs else "value"

    def _formula(self, node: Node) -> str:
        """The operator applied to its operands, numbers written out."""
        if node.op.name == "variable":
            return self._name(node) or self.ids[node]
        parts = [
            write(x, ()) if x.op.name == "const" else Part(self._name(x) or self.ids[x])
            for x in node.inputs
        ]
        return write(node, parts).text


def _shape(node: Node) -> list[int | str | None] | None:
    if node.shape is None:
        return None
    return [dim if dim is None or isinstance(dim, int) else show_dim(dim) for dim in node.shape]


def _source(program: Program, node: Node) -> dict[str, Any] | None:
    span = program.origins.get(node)
    if span is None:
        return None
    return {"file": span.source.name, "line": span.line, "column": span.column, "text": span.text}
