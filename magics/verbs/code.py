"""`%graph code`: values as code of torch that runs without this package."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.magic_arguments import argument, magic_arguments

from magics.torch_code import Code, torch_code
from magics.verbs.desk import Desk
from magics.verbs.grad import grad


@magic_arguments("graph code")
@argument("names", nargs="+", metavar="NAME", help="values to compute")
@argument("--backward", action="store_true", help="and the gradients of the first")
def code(desk: Desk, names: Sequence[str], backward: bool = False) -> Code:
    """Write values as a function of torch: `%graph code loss --backward`.

    The function takes inputs and parameters and returns the values in their order, then the
    gradients. A constant of more than 1,000 numbers is an argument too, and so is a size that
    stands in no shape.
    """
    asked = {name: desk.session.node(name) for name in names}
    slopes = grad(desk, names[0]).nodes if backward else {}
    return torch_code(desk.session.program, asked, slopes)
