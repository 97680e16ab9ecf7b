"""`%graph grad`: gradients as formulas."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.magic_arguments import argument, magic_arguments

from engine import gradients
from magics.shown import Derivatives
from magics.verbs.desk import WRT, Desk


@magic_arguments("graph grad")
@argument("loss", metavar="LOSS", help="the number to differentiate")
@WRT
def grad(desk: Desk, loss: str, wrt: Sequence[str] = ()) -> Derivatives:
    """Differentiate a number, as formulas: `%graph grad loss W`."""
    node = desk.number(loss)
    by = desk.by(loss, wrt)
    found = gradients(node, list(by.values()))
    return Derivatives(loss, dict(zip(by, found, strict=True)), desk.session.names)
