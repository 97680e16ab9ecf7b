"""`%graph modes`: the same derivatives forward and in reverse, counted and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from IPython.core.magic_arguments import argument, magic_arguments

from engine import Node, gradients, jvp
from engine import modes as counted
from magics.compared import Compared
from magics.timing import shortest
from magics.verbs.cost import AT, sizes_of
from magics.verbs.desk import WRT, Desk


@magic_arguments("graph modes")
@argument("value", metavar="NAME", help="the value that is differentiated; any shape")
@WRT
@AT
@argument("--time", action="store_true", help="measure a pass of each too")
def modes(
    desk: Desk, value: str, wrt: Sequence[str] = (), at: str = "", time: bool = False
) -> Compared:
    """Count the same derivatives forward and in reverse: `%graph modes y x`."""
    desk = desk.on(value)
    node, by = desk.session.node(value), desk.by(value, wrt)
    sizes, xs = sizes_of(desk, node, at, time), list(by.values())
    return Compared(
        value, list(by), counted(node, xs, sizes), _seconds(desk, node, xs) if time else {}
    )


def _seconds(desk: Desk, node: Node, xs: Sequence[Node]) -> Mapping[str, float]:
    """What a run of the value takes, and one with a pass of each mode: along x, and of ones."""
    feeds = desk.feeds(node)
    return {
        "value": shortest([node], feeds),
        "forward": shortest([node, jvp(node, xs, xs)], feeds),
        "reverse": shortest([node, *gradients(node, xs)], feeds),
    }
