"""`%graph answer`: one's own answer, held against what a verb finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from IPython.core.error import UsageError
from IPython.core.magic_arguments import argument, magic_arguments
from torch import Tensor

from engine import Evaluator, Node
from magics.answers import COMPUTED, TYPED, Verdict, blank, compare, compare_order
from magics.costs import Cost
from magics.errors import GraphError
from magics.supply import is_plain
from magics.verbs import VERBS, find
from magics.verbs.cost import cost
from magics.verbs.desk import Desk
from magics.verbs.grad import grad

ASKED = ("run", "grad", "cost")


@magic_arguments("graph answer")
@argument("mine", metavar="MINE", help="your answer: a name of Python, or of a %%graph cell")
@argument("verb", choices=ASKED, help="what finds the right one: a value, a gradient, a cost")
@argument("rest", nargs="...", metavar="…", help="of which name, as that verb takes it")
@argument("--row", default="forward", metavar="ROW", help="of a cost: forward, backward, text …")
def answer(
    desk: Desk, mine: str, verb: str, rest: Sequence[str] = (), row: str = "forward"
) -> Verdict:
    """Hold your own answer against the right one: `%graph answer g grad loss w`.

    Numbers, nested lists, tensors and formulas of the language are answers of `run` and `grad`, a
    text as "T^2" is one of `cost`. One that is None, ... or not defined yet is no mistake.
    """
    options = _options(verb, rest)
    given = desk.session.program.nodes.get(mine, desk.names.get(mine))
    if verb == "cost":
        return _order(mine, given, row, cost(desk, **options))
    what, right = _gradient(desk, **options) if verb == "grad" else _value(desk, **options)
    if given is None or given is ...:
        return blank(mine)
    if isinstance(given, Node):
        own, true = Evaluator([given, right]).run(desk.feeds(given, right))
        return compare(mine, own, what, true, COMPUTED)
    own = _tensor(mine, given)
    (true,) = Evaluator([right]).run(desk.feeds(right))
    typed = type(given) in (int, float, list, tuple)
    return compare(mine, own, what, true, TYPED if typed else COMPUTED)


def _options(verb: str, rest: Sequence[str]) -> dict[str, Any]:
    """The options of the verb that is asked. Raises UsageError, which says how it is written."""
    function: Any = find(verb)
    try:
        return vars(function.parser.parse_args(list(rest)))
    except UsageError as error:
        raise UsageError(f"%graph {verb}: {error}; it is `%graph {VERBS[verb].written}`") from None


def _value(desk: Desk, names: Sequence[str]) -> tuple[str, Node]:
    if len(names) > 1:
        raise GraphError("an answer is to one value", help="`%graph answer y run loss`")
    return names[0], desk.session.node(names[0])


def _gradient(
    desk: Desk, loss: str, wrt: Sequence[str], layout: str | None = None
) -> tuple[str, Node]:
    """The gradient; in numerator layout that of a matrix is transposed."""
    found = grad(desk, loss, wrt, layout).laid_out
    if len(found) > 1:
        raise GraphError(
            f"an answer is to one gradient, and here are those by {', '.join(found)}",
            help=f"name it: `%graph answer g grad {loss} {next(iter(found))}`",
        )
    ((name, node),) = found.items()
    return f"∂{loss}/∂{name}", node


def _order(mine: str, given: Any, row: str, found: Cost) -> Verdict:
    """An answer to how a row of a cost grows."""
    rows = {each.what.removeprefix("a "): each.operations for each in found.rows}
    if row not in rows:
        raise GraphError(f"this cost has no row `{row}`", help=f"there are {', '.join(rows)}")
    if given is None or given is ...:
        return blank(mine)
    if not isinstance(given, str):
        raise GraphError(f"`{mine}` is no power of a size", help=f'write `{mine} = "n^2"`')
    return compare_order(mine, given, f"the cost of {found.name}, {row},", rows[row])


def _tensor(mine: str, given: Any) -> Tensor:
    """An answer of Python. Raises GraphError for one that is no numbers."""
    if is_plain(given) or type(given) in (list, tuple):
        try:
            return torch.as_tensor(given)
        except (TypeError, ValueError, OverflowError, RuntimeError):
            pass
    told = f"`{mine}` is {type(given).__name__}, and no tensor can be made of it"
    raise GraphError(told, help="an answer is a number, a nested list, an array or a tensor")
