"""`%graph watch`: a value at one step of a training beside the same at another."""

from __future__ import annotations

from collections.abc import Sequence

from IPython.core.magic_arguments import argument, magic_arguments
from torch import Tensor

from magics.cards import front
from magics.errors import GraphError
from magics.heatmap import Heatmap, heatmap
from magics.panels import Panel
from magics.shown import Text
from magics.verbs.desk import Desk


@magic_arguments("graph watch")
@argument("names", nargs="*", metavar="NAME", help="values to record while a training goes on")
@argument("--every", type=int, default=100, metavar="K", help="steps between two; 100 by default")
@argument("--at", type=int, nargs=2, metavar=("I", "J"), help="show the value at these two steps")
@argument("--off", action="store_true", help="do not watch these any more, or nothing at all")
def watch(
    desk: Desk,
    names: Sequence[str] = (),
    every: int = 100,
    at: Sequence[int] | None = None,
    off: bool = False,
) -> Text | Heatmap:
    """Record values while training, then compare steps: `%graph watch weights --at 0 500`.

    First say what to watch, `%graph watch weights --every 100`, then train. Values are computed on
    the first batch; of one name at most 200 steps are kept, and 100,000 elements of each.
    """
    session = desk.session
    if at is not None:
        return _beside(desk, names, *at)
    if every < 1:
        raise GraphError(f"cannot look every {every} steps", help="`--every 100`")
    for name in names:
        session.node(name)
    if off:
        for name in names or list(session.watching):
            session.watching.pop(name, None)
            session.watched.pop(name, None)
    else:
        session.watching |= dict.fromkeys(names, every)
    return Text("\n".join(_told(desk)) or "nothing is watched: `%graph watch NAME`, then train")


def _told(desk: Desk) -> list[str]:
    """What is watched, and the steps that were recorded of it."""
    rows = list[str]()
    for name, every in desk.session.watching.items():
        steps = list(desk.session.watched.get(name, {}))
        seen = f"recorded at {_few(steps)}" if steps else "from the next training on"
        rows.append(f"{name}   every {every} steps, {seen}")
    return rows


def _few(steps: Sequence[int]) -> str:
    if len(steps) <= 6:
        return ", ".join(map(str, steps))
    return f"{steps[0]}, {steps[1]}, {steps[2]}, …, {steps[-1]}"


def _beside(desk: Desk, names: Sequence[str], first: int, second: int) -> Heatmap:
    """The value at two steps and its change, in one scale. Raises GraphError for another step."""
    if len(names) != 1:
        raise GraphError("`--at` shows one value", help="`%graph watch weights --at 0 500`")
    [name] = names
    record = desk.session.watched.get(name, {})
    for step in (first, second):
        if step not in record:
            has = f"recorded at {_few(list(record))}" if record else "watch it, then train"
            raise GraphError(f"`{name}` was not recorded at step {step}", help=has)
    before, after = record[first], record[second]
    if before.shape != after.shape or not before.numel():
        shapes = f"{list(before.shape)} and {list(after.shape)}"
        raise GraphError(f"`{name}` has no two values of one shape: {shapes}")
    panels = [
        Panel(f"step {first}", _matrix(before)),
        Panel(f"step {second}", _matrix(after)),
        Panel("change", _matrix(after) - _matrix(before)),
    ]
    shown = "" if before.ndim < 3 else "the first of its matrices"
    return heatmap(f"{name}  {list(before.shape)}", panels, note=shown)


def _matrix(value: Tensor) -> Tensor:
    """A value as rows and columns of floats: of several matrices the first."""
    return front(value if value.ndim else value[None]).double()
