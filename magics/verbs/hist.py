"""`%graph hist`: how values lie, and the gradients of a loss by them."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.magic_arguments import argument, magic_arguments

from dsl import Program
from engine import Evaluator, Node, gradients
from engine.graph import depends, toposort
from magics.errors import GraphError
from magics.histograms import Histograms
from magics.legend import within
from magics.measured import ends_of, measured
from magics.verbs.desk import Desk

MOST = 40  # rows


@magic_arguments("graph hist")
@argument("loss", nargs="?", metavar="LOSS", help="a number: its gradients by the values too")
@argument("names", nargs="*", metavar="NAME", help="the values; by default those with a name")
def hist(desk: Desk, loss: str | None = None, names: Sequence[str] = ()) -> Histograms:
    """Count how values and gradients lie, layer by layer: `%graph hist loss h.0.attention`."""
    target = desk.number(loss) if loss else None
    found = {name: desk.session.node(name) for name in names} or layers(desk.session.program)
    if not found:
        raise GraphError("there is no value of floats to count", help="name one after the loss")
    chosen = dict(list(found.items())[:MOST])
    slopes = _slopes(target, list(chosen.values())) if target is not None else {}
    feeds = desk.feeds(*chosen.values(), *slopes.values())
    wanted = list(dict.fromkeys([*chosen.values(), *slopes.values()]))
    known = dict(zip(wanted, Evaluator(wanted).run(feeds), strict=True))
    steep = {node: known[g] for node, g in slopes.items()}
    ends = ends_of(list(steep.values()))
    rows = (
        measured(name, node.op.name, known[node], steep.get(node), ends)
        for name, node in chosen.items()
    )
    left = len(found) - len(chosen)
    return Histograms(tuple(rows), loss, ends, f"… and {left} more: name them" if left else "")


def layers(program: Program) -> dict[str, Node]:
    """The values of floats by name, in the order of evaluation, as deep in calls as they fit."""
    named: dict[Node, str] = {}
    for name, node in {**program.nodes, **within(program)}.items():
        if node.kind == "float" and node.rank != 0:
            named.setdefault(node, name)
    order = [node for node in toposort(program.nodes.values()) if node in named]
    deep = {node: sum(not part.isdigit() for part in named[node].split(".")) for node in order}
    fitting = [
        depth
        for depth in range(max(deep.values(), default=0), 0, -1)
        if sum(each <= depth for each in deep.values()) <= MOST
    ]
    depth = next(iter(fitting), 1)
    return {named[node]: node for node in order if deep[node] <= depth}


def _slopes(loss: Node, nodes: Sequence[Node]) -> dict[Node, Node]:
    """The gradient by each of the nodes that it depends on by way of a leaf of floats."""
    leaves = [x for x in toposort([loss]) if x.op.name == "variable" and x.kind == "float"]
    below = set(toposort([loss])) & depends([loss], leaves)
    by = [node for node in nodes if node in below and node.kind == "float"]
    return dict(zip(by, gradients(loss, by), strict=True)) if by else {}
