"""`%graph hessian`: second derivatives as formulas, with what they are as matrices."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.magic_arguments import argument, magic_arguments

from engine import hessian as second
from magics.shown import Derivatives
from magics.verbs.desk import WRT, Desk


@magic_arguments("graph hessian")
@argument("loss", metavar="LOSS", help="the number to differentiate twice")
@WRT
def hessian(desk: Desk, loss: str, wrt: Sequence[str] = ()) -> Derivatives:
    """Second derivatives as formulas, with their structure and cost: `%graph hessian loss w`."""
    desk = desk.on(loss)
    node = desk.number(loss)
    by = desk.by(loss, wrt)
    found = {name: second(node, x) for name, x in by.items()}
    names = desk.session.names_below(node, *found.values())
    return Derivatives(loss, found, names, order=2, by=by)
