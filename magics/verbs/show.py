"""`%graph show`: the picture of some values, of all if none is named."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.magic_arguments import argument, magic_arguments

from magics.display import Picture, draw
from magics.errors import GraphError
from magics.legend import legend, sinks, with_derivatives
from magics.verbs.desk import Desk
from magics.verbs.grad import grad


@magic_arguments("graph show")
@argument("names", nargs="*", metavar="NAME", help="values to draw with all they are made of")
@argument("--depth", type=int, metavar="N", help="close functions nested deeper than this")
@argument("--backward", action="store_true", help="lay the gradients of the first name over it")
def show(
    desk: Desk, names: Sequence[str] = (), depth: int | None = None, backward: bool = False
) -> Picture:
    """Draw some values, or all: `%graph show loss --backward`."""
    loss = (names[0] if names else only_loss(desk)) if backward else None
    return picture(desk, names, depth, loss)


def picture(desk: Desk, names: Sequence[str], depth: int | None, loss: str | None) -> Picture:
    """The picture of some values, of all if none is named, the gradients of a loss over it."""
    session, program = desk.session, desk.session.program
    nodes = [session.node(name) for name in names] or sinks(program.nodes.values())
    nodes = nodes or [*program.inputs.values(), *program.params.values()]
    laid_over = grad(desk, loss).nodes if loss else {}
    known = with_derivatives(legend(program), loss, laid_over)
    return draw(
        nodes,
        known,
        backward=list(laid_over.values()),
        depth=desk.depth if depth is None else depth,
    )


def only_loss(desk: Desk) -> str:
    """The last number that the program defines."""
    numbers = [name for name, node in desk.session.program.nodes.items() if node.rank == 0]
    if not numbers:
        raise GraphError("there is no number to differentiate", help="name it: `%graph show loss`")
    return numbers[-1]
