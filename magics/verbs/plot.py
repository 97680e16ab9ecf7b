"""`%graph plot`: pictures of functions, minimisers and trainings, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from IPython.core.magic_arguments import argument, magic_arguments

from engine.show import visible
from magics.errors import GraphError
from magics.progress import counted
from magics.supply import needed, usable
from magics.verbs.desk import Desk, takes_negative_numbers

KINDS = ("field", "race", "surface", "landscape", "curves")
RACERS = "gd,momentum,adam,newton,bfgs"
QUOTES = "\"'"


@takes_negative_numbers
@magic_arguments("graph plot")
@argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
@argument(
    "names", nargs="*", metavar="NAME", help="a function or a value; what a value varies with"
)
@argument("--x", metavar="A:B", help="range of the first number, as in `-2:2`")
@argument("--y", metavar="A:B", help="range of the second")
@argument("--uphill", action="store_true", help="field: arrows along ∇f instead of −∇f")
@argument("--minimum", metavar="X,Y", help="field, race: a point to mark, if you know it")
@argument(
    "--from", dest="start", metavar="X,Y", help="race: where to begin; surface: a path from it"
)
@argument("--method", metavar="M,…", help=f"race: minimisers, {RACERS}; surface: of the path")
@argument("--of", metavar="NAME", help="race: what `NAME = %%graph minimise f …` has found")
@argument("--lr", type=float, metavar="X", help="race: learning rate of gd and its kin")
@argument("--steps", type=int, metavar="N", help="race: at most so many steps")
@argument("--by", choices=("value", "slope"), default="value", help="race: f − f* or |∇f| by step")
@argument("--animate", action="store_true", help="race: as a film")
@argument("--seed", type=int, default=0, metavar="N", help="landscape: of the directions")
@argument("--3d", dest="solid", action="store_true", help="landscape: in three dimensions")
@argument("--smooth", type=float, metavar="β", help="curves: 0 for not at all, below 1")
@argument("--to", metavar="FILE", help="into .png .svg .pdf .html, a race also into .gif")
def plot(desk: Desk, kind: str, names: Sequence[str] = (), **options: Any) -> Any:
    """Draw a picture: `%graph plot field f --x -2:2 --y -1:3`.

    field      arrows along −∇f over contours of a function of two numbers
    race       paths of minimisers: `%graph plot race f --from "-1.2, 1" --method gd,newton`
    surface    f in three dimensions
    landscape  the loss around the weights, in two random directions, after a training
    curves     the losses of the trainings so far

    A function is of two numbers or of a vector of two; a value varies with its parameters.
    """
    assert desk.session.program
    try:
        drawn = DRAW[kind](desk, list(names), options)
    except ImportError as error:
        raise GraphError(f"pictures need matplotlib: {error}") from None
    return _saved(drawn, options["to"]) if options.get("to") else drawn


def _saved(drawn: Any, to: str) -> Any:
    file = to.strip(QUOTES)
    try:
        return drawn.save(file)
    except ValueError as error:
        raise GraphError(str(error)) from None
    except OSError as error:
        raise GraphError(f"cannot write {file}: {error.strerror or error}") from None


def _field(desk: Desk, names: list[str], options: Mapping[str, Any]) -> Any:
    from magics.plot import field

    f = _plane(desk, names)
    point = options.get("minimum")
    least = None if point is None else _point(point)
    return field(f, *_ranges(desk, f, options), minimum=least, uphill=bool(options.get("uphill")))


def _surface(desk: Desk, names: list[str], options: Mapping[str, Any]) -> Any:
    from magics.plot import surface

    f = _plane(desk, names)
    path = None
    if options.get("start"):
        _, path = _results(desk, names, {**options, "method": options.get("method") or "bfgs"})[0]
    return surface(f, *_ranges(desk, f, options), path=path)


def _race(desk: Desk, names: list[str], options: Mapping[str, Any]) -> Any:
    from magics.plot import race

    results = dict(_results(desk, names, options))
    film = options.get("animate") or str(options.get("to") or "").strip(QUOTES).endswith(".gif")
    flat = all(np.asarray(found.path)[0].size == 2 for found in results.values())
    point = options.get("minimum")
    return race(
        results,
        _plane(desk, names) if flat else None,
        *(options.get(axis) and _range(options[axis]) for axis in "xy"),
        minimum=None if point is None else _point(point),
        by=options.get("by") or "value",
        animate=bool(film),
    )


def _landscape(desk: Desk, names: list[str], options: Mapping[str, Any]) -> Any:
    from magics.plot import landscape
    from magics.plot.landscape import RANGE

    loss = _only(names, "landscape")
    node = desk.number(loss)
    params, feeds = needed(desk.session.program.params, [node]), desk.feeds(node)
    values = {path: feeds[leaf] for path, leaf in params.items()}
    ranges = (_range(options[axis]) if options.get(axis) else RANGE for axis in "xy")
    with counted(desk.shell, f"landscape of {loss}") as told:
        return landscape(
            *(node, params, values, feeds, *ranges),
            title=loss,
            seed=options.get("seed") or 0,
            path=_watched(desk, params),
            solid=bool(options.get("solid")),
            told=told,
        )


def _watched(desk: Desk, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parameters at the steps that `%graph watch` recorded all of them at."""
    records = [desk.session.watched.get(path, {}) for path in params]
    steps = [step for step in (records or [{}])[0] if all(step in each for each in records)]
    every = [dict(zip(params, (each[step] for each in records), strict=True)) for step in steps]
    shapes = {path: leaf.rank for path, leaf in params.items()}
    return [each for each in every if all(each[p].ndim == rank for p, rank in shapes.items())]


def _curves(desk: Desk, names: list[str], options: Mapping[str, Any]) -> Any:
    from magics.plot import curves

    if not desk.session.trained:
        raise GraphError("nothing was trained yet", help="`%graph train loss`, then draw its curve")
    chosen = [run for run in desk.session.trained if not names or run.loss in names]
    if not chosen:
        raise GraphError(f"`{names[0]}` was not trained", help="`%graph plot curves` draws all")
    several = len({run.loss for run in chosen}) > 1
    label = "loss" if several else chosen[0].loss
    titles = [f"{run.loss}, {run.how}" if several else run.how for run in chosen]
    return curves(_apart(titles, chosen), smooth=options.get("smooth"), label=label)


def _apart(titles: list[str], runs: Sequence[Any]) -> dict[str, Any]:
    """The trainings by title, numbered where several have the same."""
    numbered = (
        title if titles.count(title) == 1 else f"{title}  #{titles[: i + 1].count(title)}"
        for i, title in enumerate(titles)
    )
    return dict(zip(numbered, runs, strict=True))


DRAW: dict[str, Callable[[Desk, list[str], Mapping[str, Any]], Any]] = {
    "field": _field,
    "race": _race,
    "surface": _surface,
    "landscape": _landscape,
    "curves": _curves,
}


def _plane(desk: Desk, names: list[str]) -> Any:
    """The function or the value of the first name, over a plane."""
    from magics.plot.plane import of_function, over

    program = desk.session.program
    if not names:
        last = list(program.functions)[-1:]
        way = f"`%graph plot field {last[0]}`" if last else "define one: `f(x, y) = x^2 + y^2`"
        raise GraphError("say which function to draw", help=way)
    name, *by = names
    if name in program.functions:
        _only(names, "picture of a function")
        params = {program.params[path]: value for path, value in desk.learned.items()}
        return of_function(program, name, {**usable(desk.names), **params})
    node = desk.number(_known(desk, name))
    return over(name, node, desk.by(name, by), desk.feeds(node))


def _known(desk: Desk, name: str) -> str:
    """The name, unless it is none and there are functions to choose from. Raises GraphError."""
    program = desk.session.program
    if not program.functions or name in {**program.nodes, **program.params, **program.inputs}:
        return name
    near = get_close_matches(name, program.functions, n=1)
    way = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(program.functions)}"
    raise GraphError(f"`{visible(name)}` is no function of this graph", help=visible(way, 200))


def _ranges(desk: Desk, f: Any, options: Mapping[str, Any]) -> list[tuple[float, float]]:
    """The ranges that are said; else around where the values are now, or from -2 to 2."""
    fed = [leaf for leaf in f.leaves if leaf in {*desk.session.program.params.values()}]
    now = [np.ravel(desk.feeds(leaf)[leaf]) for leaf in fed]
    centre = np.concatenate(now).tolist() if sum(x.size for x in now) == 2 else [0.0, 0.0]
    wide = [max(2.0, 2 * abs(c)) for c in centre]
    default = [(c - w, c + w) for c, w in zip(centre, wide, strict=True)]
    said = [options.get(axis) for axis in "xy"]
    return [_range(x) if x else own for x, own in zip(said, default, strict=True)]


def _range(text: str) -> tuple[float, float]:
    """`-2:2`. Raises GraphError."""
    from magics.plot.ground import checked

    parts = text.strip(QUOTES).split(":")
    try:
        low, high = map(float, parts)
    except ValueError:
        raise GraphError(f"`{text}` is no range", help="as in `--x -2:2`") from None
    return checked((low, high))


def _point(text: str) -> list[float]:
    """`1, 1`. Raises GraphError."""
    try:
        x, y = map(float, text.strip(QUOTES).split(","))
    except ValueError:
        raise GraphError(f"`{text}` is no point", help='as in `--minimum "1, 1"`') from None
    return [x, y]


def _results(desk: Desk, names: list[str], options: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What the minimisers found, by name; or have found."""
    from magics.verbs.minimise import minimise

    if not names:
        _plane(desk, names)
    if options.get("of"):
        return _already(desk, options["of"])
    found = minimise(
        *(desk, names[0], names[1:]),
        start=options.get("start"),
        method=options.get("method") or RACERS,
        lr=options.get("lr"),
        steps=options.get("steps"),
    )
    return [(found.method, found)] if hasattr(found, "path") else list(found.items())


def _already(desk: Desk, name: str) -> list[tuple[str, Any]]:
    """The results that Python has under a name. Raises GraphError."""
    from dsl.minimisers.result import Minimum
    from magics.minimised import Race

    found = desk.names.get(name)
    if isinstance(found, Race):
        return list(found.items())
    if isinstance(found, Minimum):
        return [(found.method, found)]
    way = "`race = %graph minimise f …`, then `--of race`"
    raise GraphError(f"`{visible(name)}` is no result of a minimiser", help=way)


def _only(names: Sequence[str], what: str) -> str:
    if len(names) != 1:
        told = f"a {what} takes one name, not {len(names)}"
        raise GraphError(told, help="`%graph plot landscape loss`")
    return names[0]
