"""`%graph grad`: gradients as formulas."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.magic_arguments import argument, magic_arguments

from engine import gradients
from magics.shown import Derivatives
from magics.verbs.desk import LAYOUTS, WRT, Desk


@magic_arguments("graph grad")
@argument("loss", metavar="LOSS", help="the number to differentiate")
@WRT
@argument("--layout", choices=LAYOUTS, default=None, help="rows in the numerator: transposed")
def grad(desk: Desk, loss: str, wrt: Sequence[str] = (), layout: str | None = None) -> Derivatives:
    """Differentiate a number, as formulas: `%graph grad loss W`.

    A gradient has the shape of what it is by (denominator layout); in numerator layout it is
    transposed. `%config GraphMagics.layout` sets what is meant without the option.
    """
    desk = desk.on(loss)
    node = desk.number(loss)
    by = desk.by(loss, wrt)
    found = gradients(node, list(by.values()))
    numerator = (layout or desk.layout) == "numerator"
    names = desk.session.names_below(node, *found)
    return Derivatives(loss, dict(zip(by, found, strict=True)), names, numerator)
