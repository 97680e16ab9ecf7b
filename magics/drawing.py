"""An SVG drawn by matplotlib, as PNG or PDF: no program and no font of the system is needed.

What Graphviz and our own pictures write is understood: groups, paths, polygons, lines, rectangles,
circles, ellipses, pixels and text. Words are outlines of DejaVu Sans, which comes with matplotlib
and has ∂, √ and Greek, a little smaller, so that they fit where Arial was measured.
"""

from __future__ import annotations

import re
import warnings
from base64 import b64decode
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.colors import is_color_like, to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import BboxImage, imread
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, Bbox, TransformedBbox

from magics.outlines import outline

NARROWED = 0.87  # DejaVu Sans is so much wider than Arial
SHARPNESS = 144  # dots per inch
MOST_DOTS = 8000  # of a side of a PNG
GREY = "#7c8798"
INHERITED = (
    *("fill", "stroke", "stroke-width", "stroke-dasharray", "fill-opacity", "stroke-opacity"),
    *("font-size", "font-weight", "text-anchor", "opacity"),
)

BOX = ("x", "y", "width", "height")

Style = Mapping[str, str]


def png(svg: str) -> bytes:
    """The picture on a transparent ground, 144 dots per inch, fewer where it would be too large."""
    figure = _figure(svg)
    FigureCanvasAgg(figure)
    most = max(*figure.get_size_inches(), 1)
    return _saved(figure, "png", min(SHARPNESS, MOST_DOTS / most))


def pdf(svg: str) -> bytes:
    """The picture as a page of its size, its words as outlines."""
    figure = _figure(svg)
    FigureCanvasPdf(figure)
    return _saved(figure, "pdf", 72)


def size(svg: str) -> tuple[float, float]:
    """Width and height in points."""
    root = ElementTree.fromstring(svg)
    _, _, width, height = _view_box(root)
    return _points(root.get("width"), width), _points(root.get("height"), height)


def _saved(figure: Figure, kind: str, dots: float) -> bytes:
    out, told = BytesIO(), {"png": {"Software": None}, "pdf": {"CreationDate": None}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box
        figure.savefig(out, format=kind, dpi=dots, transparent=True, metadata=told[kind])
    return out.getvalue()


def _figure(svg: str) -> Figure:
    """The picture in points, the origin above on the left."""
    root = ElementTree.fromstring(svg)
    left, top, width, height = _view_box(root)
    across, down = size(svg)
    figure = Figure(figsize=(across / 72, down / 72))
    page = Affine2D().translate(-left, -top).scale(across / width, -down / height)
    page = page.translate(0, down).scale(1 / 72)
    place = page + figure.dpi_scale_trans
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for artist in _artists(root, place, across / width):
            figure.add_artist(artist)
    return figure


def _view_box(root: ElementTree.Element) -> tuple[float, float, float, float]:
    found = [float(x) for x in re.findall(r"[-+.\deE]+", root.get("viewBox", ""))]
    if len(found) == 4 and found[2] > 0 and found[3] > 0:
        return found[0], found[1], found[2], found[3]
    return 0, 0, _points(root.get("width"), 300) / 0.75, _points(root.get("height"), 150) / 0.75


def _points(length: str | None, default: float) -> float:
    """A length in points; a bare number counts dots of the screen, 96 per inch."""
    found = re.fullmatch(r"\s*([\d.]+(?:e-?\d+)?)\s*(pt|px)?\s*", length or "")
    if not found or not float(found[1]):
        return default * 0.75
    return float(found[1]) * (1 if found[2] == "pt" else 0.75)


def _artists(root: ElementTree.Element, page: Any, unit: float) -> Iterator[Artist]:
    """The shapes of a picture, each placed on the page."""
    stack: list[tuple[ElementTree.Element, Style, Any]] = [(root, {}, page)]
    while stack:
        each, style, place = stack.pop()
        style, place = {**style, **_own_style(each)}, _moved(each.get("transform", "")) + place
        tag = str(each.tag).rpartition("}")[2]
        if tag in ("defs", "title", "style", "script") or style.get("display") == "none":
            continue
        if tag == "image":
            yield from _pixels(each, place)
        path = _words(each, style) if tag == "text" else outline(tag, each.attrib)
        if path is not None and np.size(path.vertices):
            yield _patch(path, style, place, unit, words=tag == "text")
        stack += [(inner, style, place) for inner in reversed(each)]


def _own_style(element: ElementTree.Element) -> dict[str, str]:
    own = {name: element.attrib[name] for name in INHERITED if name in element.attrib}
    written = re.findall(r"([\w-]+)\s*:\s*([^;]+)", element.get("style", ""))
    return {**own, **{name: value.strip() for name, value in written}}


def _moved(text: str) -> Any:
    """The transform that an attribute says, the last part applied first."""
    moved = Affine2D()
    for name, inside in re.findall(r"(\w+)\(([^)]*)\)", text):
        numbers = [float(x) for x in re.findall(r"[-+]?[\d.]+(?:e[-+]?\d+)?", inside)]
        part = Affine2D()
        if name == "translate":
            part.translate(*[*numbers, 0][:2])
        elif name == "scale":
            part.scale(*numbers[:2])
        elif name == "rotate" and numbers:
            angle, x, y = [*numbers, 0, 0][:3]
            part.rotate_deg_around(x, y, angle)
        elif name == "matrix" and len(numbers) == 6:
            part = Affine2D.from_values(*numbers)
        moved = part + moved
    return moved


def _patch(path: Path, style: Style, place: Any, unit: float, words: bool) -> PathPatch:
    line = "none" if words else style.get("stroke", "none")
    dashes = [float(x) * unit for x in re.findall(r"[\d.]+", style.get("stroke-dasharray", ""))]
    width = float(re.sub(r"[^\d.]", "", style.get("stroke-width", "1")) or 1) * unit
    return PathPatch(
        path,
        facecolor=_colour(style.get("fill", "black"), style, "fill-opacity"),
        edgecolor=_colour(line, style, "stroke-opacity"),
        linewidth=0 if line == "none" else width,
        linestyle=(0, dashes) if dashes else "solid",
        transform=place,
    )


def _pixels(element: ElementTree.Element, place: Any) -> Iterator[BboxImage]:
    """A PNG that stands in the picture as data, with sharp edges."""
    source = element.get("href") or element.get("{http://www.w3.org/1999/xlink}href") or ""
    kind, _, data = source.partition(";base64,")
    if kind == "data:image/png":
        x, y, width, height = (float(element.get(name, "0")) for name in BOX)
        corners = Bbox([[x, y + height], [x + width, y]])
        image = BboxImage(TransformedBbox(corners, place), interpolation="nearest", origin="upper")
        image.set_data(imread(BytesIO(b64decode(data)), format="png"))
        yield image


def _colour(text: str, style: Style, opacity: str) -> Any:
    """A colour of SVG; grey, which is seen on any ground, for one that is not known."""
    if text in ("none", "transparent"):
        return "none"
    mixed = re.fullmatch(r"rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+).*\)", text)
    named: Any = tuple(float(x) / 255 for x in mixed.groups()) if mixed else text
    seen = float(style.get(opacity, 1)) * float(style.get("opacity", 1))
    return to_rgba(named if is_color_like(named) else GREY, seen)


def _words(element: ElementTree.Element, style: Style) -> Path | None:
    """A line of text as outlines, at its place."""
    text = "".join(element.itertext()).strip()
    if not text:
        return None
    height = float(re.sub(r"[^\d.]", "", style.get("font-size", "16")) or 16) * NARROWED
    bold = style.get("font-weight") in ("bold", "600", "700")
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    path = TextPath((0, 0), text.replace("$", r"\$"), size=height, prop=font)
    width = float(np.max(path.vertices[:, 0], initial=0))
    before = {"middle": width / 2, "end": width}.get(style.get("text-anchor", "start"), 0)
    x, y = (float(re.split(r"[\s,]", element.get(name, "0"))[0]) for name in ("x", "y"))
    return Affine2D().translate(-before, 0).scale(1, -1).translate(x, y).transform_path(path)
