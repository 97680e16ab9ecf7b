"""`%graph run`: values."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.magic_arguments import argument, magic_arguments

from engine import Evaluator
from magics.computed import AllComputed, Computed, computed
from magics.verbs.desk import Desk


@magic_arguments("%graph run")
@argument("names", nargs="+", metavar="NAME", help="values to compute")
def run(desk: Desk, names: Sequence[str]) -> Computed | AllComputed:
    """Compute the tensor of a name, or those of several by name: `%graph run loss`."""
    nodes = [desk.session.node(name) for name in names]
    found = [computed(value) for value in Evaluator(nodes).run(desk.feeds(*nodes))]
    return found[0] if len(names) == 1 else AllComputed(zip(names, found, strict=True))
