"""`%graph check`: closed form, autodiff and difference of a gradient, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from IPython.core.magic_arguments import argument, magic_arguments

from engine import check_gradients
from engine.calculus import GradientReport
from magics.errors import GraphError
from magics.verbs.desk import WRT, Desk

METHODS = ("best", "complex", "central")


@magic_arguments("graph check")
@argument("loss", metavar="LOSS", help="the number whose gradients are checked")
@WRT
@argument("--closed", nargs="+", metavar="FORM", help="your own formulas of the gradients, by name")
@argument("--rtol", type=float, default=1e-5, metavar="X", help="relative tolerance; 1e-5 if not")
@argument("--elements", type=int, default=64, metavar="N", help="of each value at most so many")
@argument("--seed", type=int, default=0, metavar="N", help="which elements are drawn of many")
@argument("--method", choices=METHODS, default="best", help="complex steps, central differences")
@argument("--order", type=int, choices=(1, 2), default=1, help="2 checks second derivatives")
def check(
    desk: Desk, loss: str, wrt: Sequence[str] = (), closed: Sequence[str] | None = None, **how: Any
) -> GradientReport:
    """Hold gradients against differences, in double precision: `%graph check loss W`.

    For each value three derivatives stand side by side, at the element where they differ most:
    the closed form, the graph of reverse mode, and the difference of two losses.
    """
    desk = desk.on(loss)
    node, by = desk.session.node(loss), desk.by(loss, wrt)
    own = [desk.session.node(name) for name in closed or ()]
    if own and len(own) != len(by):
        raise GraphError(
            f"there are {len(own)} formulas for the gradients by {', '.join(by)}",
            help="name the values: `%graph check loss W --closed g`",
        )
    feeds, renamed = desk.feeds(node, *own), {"elements": "max_elements"}
    options = {renamed.get(name, name): value for name, value in how.items()}
    names = desk.session.names_below(node, *by.values(), *own)
    return check_gradients(
        node, list(by.values()), feeds, closed=own or None, names=names, **options
    )
