"""`%graph cost`: floating-point operations as a polynomial in the sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from IPython.core.magic_arguments import argument, magic_arguments

from dsl import Program
from engine import EngineError, Node, gradients, live
from engine.dims import Dim
from engine.explain import Generation, cost_of_generation, cost_of_gradients, shares
from engine.explain import cost as count
from magics.costs import Cost
from magics.errors import GraphError
from magics.legend import legend
from magics.supply import needed, sizes_told
from magics.timing import Growth, growth, shortest
from magics.verbs.desk import Desk

AT = argument("--at", metavar="SIZES", default="", help="sizes, as in B=32,T=1024; else the data's")


@magic_arguments("graph cost")
@argument("name", metavar="NAME", help="the value whose operations are counted")
@AT
@argument("--depth", type=int, default=1, metavar="N", help="functions nested so deep are parts")
@argument("--time", action="store_true", help="measure a run too; inputs by name from Python")
def cost(desk: Desk, name: str, at: str = "", depth: int = 1, time: bool = False) -> Cost:
    """Count operations, forward and backward, in terms of the sizes: `%graph cost loss`."""
    desk = desk.on(name)
    node, program = desk.session.node(name), desk.session.program
    by = desk.leaves(node) if node.rank == 0 and node.kind == "float" else {}
    made, sizes = _generation(program, node), sizes_of(desk, node, at, time)
    return Cost(
        name,
        count([node]),
        cost_of_gradients(node, list(by.values())) if by else None,
        made,
        shares([node], parts(program, max(depth, 0))),
        _memory(node, list(by.values()), sizes),
        sizes,
        _seconds(desk, node, list(by.values())) if time else {},
        _growth(desk, made) if time else None,
    )


def parts(program: Program, depth: int) -> dict[Node, str]:
    """The part each value belongs to: its function, passes of a repeat together, or its name."""
    known = legend(program)
    calls = {node: path[:depth] for node, path in known.paths.items() if path[:depth]}
    passes: dict[str, set[tuple[str, ...]]] = {}
    for path in calls.values():
        passes.setdefault(_unnumbered(path), set()).add(path)
    found = {node: name for node, name in known.names.items() if node not in known.roles}
    for node, path in calls.items():
        name = _unnumbered(path)
        found[node] = name if len(passes[name]) == 1 else f"{name} × {len(passes[name])}"
    return found


def _unnumbered(path: Sequence[str]) -> str:
    return ".".join(re.sub(r"(\.\d+)+$", "", part) for part in path)


def _generation(program: Program, node: Node) -> Generation | None:
    """The cost of generating with the logits of the program, if it has any."""
    logits = program.nodes.get("logits")
    if logits is None or all(
        leaf.kind != "int" for leaf in needed(program.inputs, [logits]).values()
    ):
        return None
    return cost_of_generation(logits)


def sizes_of(desk: Desk, node: Node, at: str, timed: bool) -> dict[str, int]:
    """The sizes that are given, else those of the data there are; those of the text where none.

    Raises GraphError for text that gives none, and where a run at other sizes is to be `timed`.
    """
    if at and timed:
        raise GraphError("a run is measured at the sizes of its data", help="leave `--at` off")
    own = {name: n for name, n in desk.session.program.sizes.items() if n is not None}
    told = dict[str, int]()
    with suppress(EngineError):  # data that do not fit tell nothing
        told = _given(at) if at else sizes_told(_inputs(desk, node), desk.names)
    unknown = [name for name in told if name not in desk.session.program.sizes]
    if at and unknown:
        known = ", ".join(desk.session.program.sizes) or "none"
        raise GraphError(f"`{unknown[0]}` is no size of this graph", help=f"its sizes: {known}")
    return {**own, **told}


def _inputs(desk: Desk, node: Node) -> dict[str, Node]:
    return needed(desk.session.program.inputs, [node])


def _given(text: str) -> dict[str, int]:
    """Sizes from `B=32,T=1024`. Raises GraphError."""
    pairs = [part.partition("=") for part in text.replace(" ", "").split(",") if part]
    if not all(name and value.isdecimal() for name, _, value in pairs):
        raise GraphError(f"`{text}` gives no sizes", help="write them as `B=32,T=1024`")
    return {name: int(value) for name, _, value in pairs}


def _memory(node: Node, wrt: Sequence[Node], sizes: Mapping[str, int]) -> dict[str, Dim]:
    """The bytes that live at once in a run, and in one with gradients."""
    found = {"forward": live([node], sizes)}
    if wrt:
        found["forward and backward"] = live([node, *gradients(node, wrt)], sizes)
    return found


def _seconds(desk: Desk, node: Node, wrt: Sequence[Node]) -> Mapping[str, float]:
    """What a run takes, and one with gradients."""
    feeds = desk.feeds(node)
    found = {"forward": shortest([node], feeds)}
    if wrt:
        found["forward and backward"] = shortest([node, *gradients(node, wrt)], feeds)
    return found


def _growth(desk: Desk, made: Generation | None) -> Growth | None:
    """How the time of a token grows with the text before it."""
    return growth(made.logits, desk.feeds(made.logits), made.length) if made else None
