"""The live picture: an image that shows itself anywhere, and what a script makes of it if it may.

The image is the SVG with its text as `alt`; beside it stand one JSON and one script, which swaps
the SVG in and answers to hovering, the keyboard and the slider. Where scripts are taken out the
image stays. Nothing is fetched, and no kernel is needed.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any

from engine import Node
from engine.origins import origins
from engine.show import (
    NOT_COMPUTED,
    Box,
    Legend,
    View,
    Views,
    dot_of,
    formula,
    own_name,
    table,
    visible,
)
from magics.image import as_image
from magics.layout import layout
from magics.values import Computed

LARGEST = 300_000  # bytes in a notebook
LONGEST = 1.0  # seconds that the other depths may take together
FORMULA = 200  # characters of a formula
OPENED, DERIVED = 8, 3  # how deep a formula goes, and that of a derivative, which has few names
HINT = "Hover, or go in with Tab and the arrows: formula, shape, value and gradient of each box."

Json = dict[str, Any]


def payload(
    views: Views, depth: int, legend: Legend, computed: Computed | None, start: int | None
) -> Json:
    """The JSON of a picture that is shown at a depth.

    levels   each depth from 0 on: `svg` and `steps`; no `svg` for the shown one, null for others
             that took too long
    shown    which of the levels the image is
    boxes    by key: kind, name, formula, shape, source, value, slope, mark; `within`, the key of
             the function a box stands in; depth of a function
    start    the step that the slider begins at, null for the last
    """
    shown = min(depth, views.deepest)
    drawn = _drawn(views, shown)
    levels: list[Json | None] = [None] * (views.deepest + 1)
    boxes: Json = {key: {"depth": len(path) - 1} for path, key in views.functions.items()}
    places = {key: path[:-1] for path, key in views.functions.items()}
    for at, (view, svg) in drawn.items():
        levels[at] = {"steps": _steps(view, views.order, computed), **({"svg": svg} if svg else {})}
        places |= {box.key: box.path for box in view.boxes}
        for box in view.boxes:
            boxes[box.key] = {**boxes.get(box.key, {}), **_detail(box, legend, computed)}
    for key, path in places.items():
        boxes[key] |= {"within": views.functions[path]} if path else {}
    return {"hint": HINT, "shown": shown, "start": start, "levels": levels, "boxes": boxes}


def _drawn(views: Views, shown: int) -> dict[int, tuple[View, str | None]]:
    """The depths that are laid out in time, the nearest to the shown one first; that has no SVG."""
    found: dict[int, tuple[View, str | None]] = {shown: (views.at(shown), None)}
    until = time.perf_counter() + LONGEST
    for at in sorted(range(views.deepest + 1), key=lambda at: abs(at - shown))[1:]:
        view, left = views.at(at), until - time.perf_counter()
        svg = layout(dot_of(view), left) if left > 0 else None
        if svg is not None:
            found[at] = view, svg
    return found


def html(svg: str, text: str, told: Json) -> str:
    """The image with what makes it live; empty if it is too large.

    Of what is too much, first the other depths go, then everything but the image.
    """
    tries = (_page(svg, text, each) for each in _lighter(told))
    pages = chain(tries, [as_image(svg, text)])
    return next((page for page in pages if len(page.encode()) <= LARGEST), "")


def _lighter(told: Json) -> Iterator[Json]:
    """All depths, then without the farthest from the shown one, and so on to that one alone."""
    kept = sorted(range(len(told["levels"])), key=lambda at: abs(at - told["shown"]))
    while kept:
        levels = [level if at in kept else None for at, level in enumerate(told["levels"])]
        keys = {key for level in levels if level for key, _ in level["steps"]}
        boxes = {k: box for k, box in told["boxes"].items() if k in keys or "depth" in box}
        yield {**told, "levels": levels, "boxes": boxes}
        kept.pop()


def listed(view: View, order: Mapping[Node, int], legend: Legend, computed: Computed | None) -> str:
    """The steps as a table: number, name, formula, shape, value; then back with the gradients."""
    boxes, many = {box.key: box for box in view.boxes}, Counter(box.name for box in view.boxes)
    names = {box.key: _full(box) if many[box.name] > 1 else box.name for box in view.boxes}
    rows = [
        (str(i), *_told(names[key], _detail(boxes[key], legend, computed), what))
        for i, (key, what) in enumerate(_steps(view, order, computed), start=1)
    ]
    return "\n".join(table(rows))


def _full(box: Box) -> str:
    """The name with the functions that it stands in, empty if there is none."""
    return ".".join((*map(visible, box.path), box.name)) if box.name else ""


def _told(name: str, known: Mapping[str, str], what: str) -> tuple[str, str, str, str]:
    formula = known.get("formula", known["kind"])
    if what == "gradient":
        return f"∂/∂{name or f'({formula})'}", "", known["shape"], known.get("slope", NOT_COMPUTED)
    return name, formula, known["shape"], known.get("value", NOT_COMPUTED)


def _page(svg: str, text: str, told: Json) -> str:
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div class="cg">{as_image(svg, text)}'
        f'<script type="application/json">{data}</script><script>{_script()}</script></div>'
    )


@cache
def _script() -> str:
    """The script without its indentation, comments and line ends that say nothing."""
    source = (files("magics") / "static" / "live.js").read_text(encoding="utf-8")
    return re.sub(r"^\s*//.*\n|^\s+|(?<=[;{,(])\n", "", source, flags=re.MULTILINE)


def _steps(
    view: View, order: Mapping[Node, int], computed: Computed | None
) -> list[tuple[str, str]]:
    """The boxes in the order of evaluation, then back those that a gradient is known for."""
    slopes = computed.slopes if computed and computed.slopes else {}
    boxes = sorted(view.boxes, key=lambda box: order[box.nodes[-1]])
    back = [box for box in reversed(boxes) if any(node in slopes for node in box.nodes)]
    return [*((box.key, "value") for box in boxes), *((box.key, "gradient") for box in back)]


def _detail(box: Box, legend: Legend, computed: Computed | None) -> Mapping[str, str]:
    """What the panel says of a box; what is not known is left out."""
    node = box.nodes[0] if box.kind != "function" else box.nodes[-1]
    values, slopes = (computed.values, computed.slopes or {}) if computed else ({}, {})
    names = _with_far(node, legend.names, DERIVED if box.kind == "backward" else OPENED)
    written = "" if node.op.name == "variable" else formula(node, names)
    named = own_name(node, legend.names) if box.kind == "function" else None
    found = {
        "kind": box.kind,
        "name": box.name,
        "formula": visible(written.replace("\n", ";  "), FORMULA),
        "shape": visible(node.describe()),
        "source": _source(node, legend),
        "value": _words(box, values),
        "slope": _words(box, slopes),
        "mark": box.mark,
    }
    if box.kind == "function":
        found["formula"] = f"{box.text}, the last: {named or found['formula']}"
    return {name: text for name, text in found.items() if text}


def _source(node: Node, legend: Legend) -> str:
    """Where a node was written, or the value that a derivative belongs to."""
    nodes = (node, *(each.forward for each in origins(node)))
    return next((legend.notes[each] for each in nodes if each in legend.notes), "")


def _with_far(node: Node, names: Mapping[Node, str], depth: int) -> Mapping[Node, str]:
    """The names, and `…` for what stands deeper in the formula of a node."""
    reached = {node}
    for _ in range(depth):
        reached = {x for each in reached for x in each.inputs if x not in names}
    return {**names, **{x: "…" for x in reached if x.inputs}}


def _words(box: Box, known: Mapping[Any, str]) -> str:
    """What is known of a box: of a repeated one, of its first pass and its last."""
    if box.kind == "function":
        return known.get(box.nodes[-1], "")
    told = [known[node] for node in box.nodes if node in known]
    if len(told) > 1:
        return f"{told[0]} in pass 1, {told[-1]} in pass {len(told)}"
    return told[0] if told else ""
