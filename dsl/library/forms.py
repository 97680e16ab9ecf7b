"""Built-ins that look at their arguments as they were written."""

from __future__ import annotations

from engine import ops

from ..errors import refuse
from ..lowering.arguments import Bound
from ..lowering.loops import integer
from ..lowering.state import Lowering
from ..scope import Scope
from ..span import Span
from ..values import Items, Value
from .builtin import form
from .calculus import CALCULUS
from .random import RANDOM
from .rearrange import REARRANGE


def numbers(low: Lowering, scope: Scope, span: Span, bound: Bound) -> Value:
    """`range(n)`, `range(start, stop)`: the whole numbers that a loop goes through."""
    ends = [
        integer(low, each.scope, each.expr, "the end of a range") for each in bound.one.values()
    ]
    if len(ends) == 3 and ends[2] == 0:
        raise refuse("the step of a range is not 0", span, "", "loop")
    passes = range(*ends)
    low.spend(len(passes), span)
    return Items(tuple([ops.const(i) for i in passes]), from_loop=True)


FORMS: dict[str, Value] = {
    each.name: each
    for each in (*RANDOM, *CALCULUS, REARRANGE, form("range(start, stop=None, step=1)", numbers))
}
