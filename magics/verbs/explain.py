"""`%graph explain`: the chain rule of one's own formula, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from IPython.core.magic_arguments import argument, magic_arguments

from engine import EngineError, Node, why_zero
from engine.explain import Derivation, Partly, Zero, derive, partly_zero
from engine.show import Legend
from engine.show.names import distinct
from magics.errors import GraphError
from magics.legend import legend
from magics.verbs.desk import WRT, Desk

MOST_ZEROS = 8


@magic_arguments("graph explain")
@argument("loss", metavar="LOSS", help="the number that is differentiated")
@WRT
def explain(desk: Desk, loss: str, wrt: Sequence[str] = ()) -> Derivation:
    """Tell the chain rule from a number down to a value, line by line: `%graph explain loss W`."""
    desk = desk.on(loss)
    node, nodes = desk.number(loss), list(desk.by(loss, wrt).values())
    known = legend(desk.session.program)
    known = replace(known, names=distinct(known))
    told = derive(node, nodes, known.names, known.notes)
    reached = {step.value for step in told.chain.steps}
    doubtful = nodes if wrt else [x for x in nodes if x not in reached]
    zeros = (_zero(desk, node, x, known, bool(wrt)) for x in doubtful[:MOST_ZEROS])
    return replace(told, zeros=tuple(zero for zero in zeros if zero))


def _zero(
    desk: Desk, loss: Node, x: Node, known: Legend, with_values: bool
) -> Zero | Partly | None:
    """Why a gradient or some rows of it are zero, at the data there are if they fit.

    Else it is as the graph alone tells. A run for all parameters may take long, so values are
    for those that were asked about.
    """
    if with_values:
        with suppress(GraphError, EngineError):
            feeds = desk.feeds(loss)
            zero = why_zero(loss, x, feeds, known.names, known.notes)
            return zero or partly_zero(loss, x, feeds, known.names)
    return why_zero(loss, x, None, known.names, known.notes)
