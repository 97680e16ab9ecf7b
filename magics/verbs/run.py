"""`%graph run`: values."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.magic_arguments import argument, magic_arguments

from engine import Evaluator
from magics.results import Result, Results, result
from magics.verbs.desk import Desk


@magic_arguments("graph run")
@argument("names", nargs="+", metavar="NAME", help="values to compute")
def run(desk: Desk, names: Sequence[str]) -> Result | Results:
    """Compute the tensor of a name, or those of several by name: `%graph run loss`."""
    nodes = [desk.session.node(name) for name in names]
    found = [result(value) for value in Evaluator(nodes).run(desk.feeds(*nodes))]
    return found[0] if len(names) == 1 else Results(zip(names, found, strict=True))
