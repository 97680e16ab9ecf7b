"""The outlines of SVG's shapes as paths of matplotlib."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from matplotlib.path import Path
from matplotlib.transforms import Affine2D

Point = tuple[float, float]
TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
MOVE, LINE, CLOSE = int(Path.MOVETO), int(Path.LINETO), int(Path.CLOSEPOLY)
CODES = {1: [LINE], 2: [int(Path.CURVE3)] * 2, 3: [int(Path.CURVE4)] * 3}  # by points


def outline(tag: str, shape: Mapping[str, str]) -> Path | None:
    """The path of a shape, None for what is no shape."""
    match tag:
        case "path":
            return _path(shape.get("d", ""))
        case "polygon" | "polyline":
            numbers = _numbers(shape.get("points", ""))
            points = list(zip(numbers[::2], numbers[1::2], strict=False))
            closed = points[:1] if tag == "polygon" else []
            return Path([*points, *closed]) if points else None
        case "line":
            return Path([_at(shape, "x1", "y1"), _at(shape, "x2", "y2")])
        case "rect":
            return _rectangle(shape)
        case "circle" | "ellipse":
            radii = _at(shape, "r", "r") if tag == "circle" else _at(shape, "rx", "ry")
            placed = Affine2D().scale(*radii).translate(*_at(shape, "cx", "cy"))
            return placed.transform_path(Path.unit_circle())
        case _:
            return None


def _numbers(text: str) -> list[float]:
    return [float(x) for x in re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", text)]


def _at(shape: Mapping[str, str], across: str, down: str) -> Point:
    x, y = ([*_numbers(shape.get(name, "")), 0.0][0] for name in (across, down))
    return x, y


def _rectangle(shape: Mapping[str, str]) -> Path:
    """A rectangle, its corners rounded by `rx`."""
    (x, y), (width, height) = _at(shape, "x", "y"), _at(shape, "width", "height")
    r = min(max(_at(shape, "rx", "ry")), width / 2, height / 2)
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    if not r:
        return Path([*corners, corners[0]])
    points, codes = list[Point](), list[int]()
    for before, corner in pairwise([corners[-1], *corners]):
        after = corners[(corners.index(corner) + 1) % 4]
        points += [_towards(corner, before, r), corner, _towards(corner, after, r)]
        codes += [LINE, *CODES[2]]
    codes[0] = MOVE
    return Path([*points, points[0]], [*codes, CLOSE])


def _towards(here: Point, there: Point, by: float) -> Point:
    across, down = there[0] - here[0], there[1] - here[1]
    length = abs(across) + abs(down)  # along an axis
    return here[0] + across / length * by, here[1] + down / length * by


def _path(text: str) -> Path | None:
    """Lines and curves; an arc is drawn as the line to its end."""
    points, codes = list[Point](), list[int]()
    here = start = (0.0, 0.0)
    for command, inside in re.findall(r"([MLHVCSQTAZmlhvcsqtaz])([^MLHVCSQTAZmlhvcsqtaz]*)", text):
        kind, numbers = command.upper(), _numbers(inside)
        takes = TAKES[kind]
        if kind == "Z":
            points.append(start)
            codes.append(CLOSE)
            here = start
        for i in range(0, len(numbers) - takes + 1, takes or 1) if takes else ():
            made = _absolute(command, numbers[i : i + takes], here)
            here = made[-1]
            begins = kind == "M" and i == 0
            start = here if begins else start
            points += made
            codes += [MOVE] if begins else CODES[len(made)]
    return Path(points, codes) if points and codes[0] == MOVE else None


def _absolute(command: str, numbers: list[float], here: Point) -> list[Point]:
    """The points of one step, wherever they were counted from."""
    kind, relative = command.upper(), command.islower()
    x, y = here if relative else (0.0, 0.0)
    if kind == "H":
        return [(x + numbers[0], here[1])]
    if kind == "V":
        return [(here[0], y + numbers[0])]
    if kind == "A":
        numbers = numbers[5:]
    pairs = [(x + a, y + b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
    return [here, *pairs] if kind == "S" else pairs
