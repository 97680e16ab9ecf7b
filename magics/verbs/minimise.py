"""`%graph minimise`: a minimum of a function or a value, by one method or by several."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from IPython.core.magic_arguments import argument, magic_arguments

from dsl.minimisers import Interrupted, takes_rate
from engine import EngineError
from magics.errors import GraphError
from magics.minimised import Live, Race
from magics.supply import is_plain, usable
from magics.verbs.desk import WRT, Desk, takes_negative_numbers

QUOTES = "\"'"


@takes_negative_numbers
@magic_arguments("graph minimise")
@argument("f", metavar="F", help="a function of the graph, or a value that is a number")
@WRT
@argument("--from", dest="start", metavar="X", help='where to begin: "-1.2, 1", a name of Python')
@argument(
    "--method", default="bfgs", metavar="M", help="bfgs; or several: gd,adam,newton,trust-ncg"
)
@argument("--lr", type=float, metavar="X", help="learning rate of gd and its kin; 1e-3 by default")
@argument("--steps", type=int, metavar="N", help="at most so many steps")
@argument(
    "--tol", type=float, default=1e-5, metavar="X", help="end where |∇f| ≤ X; 1e-5 by default"
)
def minimise(
    desk: Desk,
    f: str,
    wrt: Sequence[str] = (),
    start: str | None = None,
    method: str = "bfgs",
    lr: float | None = None,
    steps: int | None = None,
    tol: float = 1e-5,
) -> Any:
    """Find a minimum of a function: `%graph minimise f --from "-1.2, 1" --method gd,newton,bfgs`.

    Methods are gd, momentum, nesterov, adam and every optimiser of the language, your own too;
    newton, bfgs, l-bfgs, newton-cg, trust-ncg. A value begins where its inputs are. Interrupt
    shows the path so far.
    """
    methods = [each.strip() for each in method.strip(QUOTES).split(",") if each.strip()]
    program = desk.session.program
    x0 = None if start is None else _start(desk, start)
    given = _function(desk, f, x0) if f in program.functions else _value(desk, f, wrt, x0)
    found, settings = Race(), {"steps": steps, "tol": tol, **given}
    live = Live(desk.shell)
    try:
        for name in methods or ["bfgs"]:
            rate = lr if takes_rate(name) or len(methods) == 1 else None
            found[name] = _found(desk, f, live, method=name, lr=rate, **settings)
    finally:
        live.end()
    return found if len(found) > 1 else next(iter(found.values()))


def _found(desk: Desk, f: str, live: Live, **settings: Any) -> Any:
    try:
        return desk.session.program.minimise(f, callback=live, **settings)
    except Interrupted as interrupted:
        live.end(interrupted.result)
        raise
    except ImportError as error:
        raise GraphError(f"minimisers need SciPy: {error}") from None
    except LookupError as error:
        if isinstance(error, EngineError):
            raise
        raise GraphError(str(error.args[0])) from None


def _start(desk: Desk, text: str) -> Any:
    """Where to begin: numbers as written, or a name of Python."""
    point = text.strip(QUOTES).strip()
    if is_plain(desk.names.get(point)):
        return desk.names[point]
    try:
        return np.asarray(ast.literal_eval(point), dtype=np.float64)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        way = 'as in `--from "-1.2, 1"`, `--from 0.5`, `--from x0`'
        raise GraphError(f"`{point}` is no point to begin at", help=way) from None


def _function(desk: Desk, f: str, x0: Any) -> dict[str, Any]:
    """What a function is minimised with: all names but those of its parameters are held."""
    function = desk.session.program.functions[f]
    own = {each.name.text for each in function.definition.parameters}
    if x0 is None:
        raise GraphError(
            f"say from where to minimise `{function.signature}`",
            help=f'`%graph minimise {f} --from "{", ".join(["0"] * len(own))}"`',
        )
    held = {name: value for name, value in usable(desk.names).items() if name not in own}
    return {"x0": x0, "consts": {**held, **desk.learned}}


def _value(desk: Desk, f: str, wrt: Sequence[str], x0: Any) -> dict[str, Any]:
    """What a value is minimised with: the leaves to vary, from `x0` or from where they are."""
    node, varied = desk.number(f), desk.by(f, wrt)
    names: Mapping[str, Any] = desk.names
    if x0 is not None:
        parts = [x0] if len(varied) == 1 else list(np.atleast_1d(x0))
        names = {**names, **dict(zip(varied, parts, strict=False))}
    feeds = desk.session.supply.feeds(desk.session.program, [node], names)
    now = {name: feeds[leaf] for name, leaf in varied.items() if leaf in feeds}
    if x0 is None:
        x0 = next(iter(now.values())) if len(varied) == 1 else now
    consts = {leaf: value for leaf, value in feeds.items() if leaf not in varied.values()}
    return {"x0": x0, "wrt": list(varied), "consts": consts}
