"""`%graph step`: the evaluation of a value and the way back, one box after the other."""

from __future__ import annotations

from IPython.core.magic_arguments import argument, magic_arguments

from magics.display import draw
from magics.legend import legend, with_derivatives
from magics.shown import Stepped
from magics.values import computed
from magics.verbs.desk import Desk
from magics.verbs.grad import grad


@magic_arguments("graph step")
@argument("name", metavar="NAME", help="the value to compute; of a number also its gradients")
@argument("--backward", action="store_true", help="lay the graph of the gradients over it")
def step(desk: Desk, name: str, backward: bool = False) -> Stepped:
    """Step through the evaluation of a value and back through its gradients: `%graph step loss`."""
    node = desk.session.node(name)
    laid_over = grad(desk, name).nodes if backward else {}
    loss = node if node.rank == 0 and desk.leaves(node) else None
    found = computed([node, *laid_over.values()], desk.feeds(node), loss)
    known = with_derivatives(legend(desk.session.program), name, laid_over)
    ends = list(laid_over.values())
    return Stepped(draw([node], known, backward=ends, depth=desk.depth, computed=found, start=1))
