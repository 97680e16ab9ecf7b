"""What a `%%graph` cell answers: its graph, and what its bare lines come to."""

from __future__ import annotations

from collections.abc import Iterator

import dsl
from engine.show import formula
from magics.display import Picture, draw
from magics.errors import from_lint
from magics.legend import legend, sinks, with_derivatives
from magics.session import Built, nodes_of, told_of
from magics.shown import Graph, Written
from magics.values import computed, in_words
from magics.verbs.desk import Desk
from magics.verbs.grad import grad


def present(
    desk: Desk,
    built: Built,
    how: str = "dot",
    evaluate: bool = False,
    loss: str | None = None,
) -> Graph:
    """The graph of what a cell defines, and what its bare lines come to."""
    words = tuple(_words(desk, built))
    nodes = sinks([*built.nodes.values(), *(node for _, node, _ in built.lines)])
    nodes = nodes or list(built.leaves.values())
    if how == "none" or not nodes:
        return Graph(built.program, words=words)
    backward = grad(desk, loss).nodes if loss else {}
    found = None
    if evaluate:
        ends = [*nodes, *backward.values()]
        feeds = desk.session.supply.feeds(built.program, ends, desk.names)
        found = computed(ends, feeds, desk.session.node(loss) if loss else None)
    known = with_derivatives(legend(built.program), loss, backward)
    drawn = draw(nodes, known, backward=list(backward.values()), depth=desk.depth, computed=found)
    shown = Picture(drawn.text) if how == "rails" else drawn
    return Graph(built.program, shown, words, with_values=evaluate)


def typeset(built: Built) -> Written:
    """A cell in LaTeX as its author wrote it."""
    text = dsl.format(built.cell.source.text, built.cell.source.name)
    return Written(text.rstrip("\n"), dsl.latex(built.cell.tree))


def _words(desk: Desk, built: Built) -> Iterator[str]:
    """Cells set aside; functions; bare lines, with values if every input has one; lints."""
    session = desk.session
    yield from built.lost
    yield from (function.signature for function in built.functions)
    for text, node, told in built.lines:
        value = session.value(built.program, node, told, desk.names)
        if value is not None:
            yield f"{text} = {in_words(value)}"
        elif told:
            yield told.text(session.names_below(node), text)
        else:
            yield f"{text} : {node.describe()} = {formula(node, session.names)}"
    yield from (told_of(each.value) for each in built.shown if not nodes_of(each.value))
    yield from map(from_lint, built.lints)
