"""`%graph check`: gradients held against central differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from IPython.core.magic_arguments import argument, magic_arguments

from engine import check_gradients
from magics.verbs.desk import WRT, Desk


@magic_arguments("graph check")
@argument("loss", metavar="LOSS", help="the number whose gradients are checked")
@WRT
def check(desk: Desk, loss: str, wrt: Sequence[str] = ()) -> Any:
    """Hold gradients against central differences, in double precision: `%graph check loss`."""
    node = desk.session.node(loss)
    return check_gradients(node, list(desk.by(loss, wrt).values()), desk.feeds(node))
