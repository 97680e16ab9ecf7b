"""`%graph explain`: the chain rule of one's own formula, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from IPython.core.magic_arguments import argument, magic_arguments

from dsl import Program
from engine import Node, why_zero
from engine.explain import Derivation, derive
from engine.show.names import distinct
from magics.errors import GraphError
from magics.legend import legend
from magics.verbs.desk import Desk

MOST_ZEROS = 8


@magic_arguments("%graph explain")
@argument("loss", metavar="LOSS", help="the number that is differentiated")
@argument("wrt", nargs="*", metavar="NAME", help="by these values; all parameters, else all inputs")
def explain(desk: Desk, loss: str, wrt: Sequence[str] = ()) -> Derivation:
    """Tell the chain rule from a number down to a value, line by line: `%graph explain loss W`."""
    node, program = desk.number(loss), desk.session.program
    by = {name: desk.session.node(name) for name in wrt} or desk.leaves(node)
    if not by:
        raise GraphError(f"`{loss}` depends on no parameter and on no input of floats")
    names, nodes = distinct(legend(program)), list(by.values())
    told = derive(node, nodes, names, places(program))
    reached = {step.value for step in told.chain.steps}
    values = _values(desk, node) if wrt else None  # a run for all parameters may take long
    doubtful = nodes if wrt else [x for x in nodes if x not in reached]
    found = (why_zero(node, x, values, names) for x in doubtful[:MOST_ZEROS])
    return replace(told, zeros=tuple(zero for zero in found if zero))


def _values(desk: Desk, node: Node) -> Mapping[Node, Any] | None:
    """A value for each leaf; None where an input has none."""
    try:
        return desk.feeds(node)
    except GraphError:
        return None


def places(program: Program) -> Mapping[Node, str]:
    """The line of the text in which each value was written: `Cell In[3], line 4: r = X w - y`."""
    return {node: _place(span) for node, span in program.origins.items()}


def _place(span: Any) -> str:
    text = " ".join(span.source.line(span.line).split())
    return f"{span.source.name}, line {span.line}: {text}"
