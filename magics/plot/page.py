"""The page of a picture: a figure that shows itself, and the one look of all pictures.

The ground is transparent and words are grey, so that a picture can be read on white and on black.
"""

from __future__ import annotations

import html
import warnings
from base64 import b64encode
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.legend import Legend

from engine.show import visible
from magics.files import File, save

GREY = "#7c8798"
BLUE, RED, GREEN, AMBER, VIOLET, TEAL = (
    *("#3b82f6", "#e0566b", "#22a355", "#d98a0b", "#8b6fd8", "#0d9aa8"),
)
COLOURS = (BLUE, RED, GREEN, AMBER, VIOLET, TEAL, "#c757b5", "#7a8b1f", "#a4673c", GREY)
RAMP = LinearSegmentedColormap.from_list("chalk", ["#3159c4", BLUE, VIOLET, RED, AMBER])
WIDTH, HEIGHT = 6.6, 4.4  # inches, of which a notebook shows 96 dots
SMALL, MIDDLE = 9, 10  # points of numbers, and of names
SHARPNESS = 144  # dots per inch of a PNG
LARGEST = 280_000  # bytes of a PNG in a notebook
LETTERS = 40  # of a name
FONT: Mapping[str, Any] = {
    "family": "DejaVu Sans",
    "color": GREY,
    "parse_math": False,
    "usetex": False,
}


class Chart(Figure):
    """A figure of matplotlib that shows itself: as a PNG in a notebook, else as a sentence."""

    said = ""

    def __repr__(self) -> str:
        return self.said

    __str__ = __repr__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.said, "text/html": self._image}

    @property
    def _image(self) -> str:
        """The picture at its size on the screen, coarser where it would be too large."""
        dots = SHARPNESS
        while len(data := drawn(self, "png", dots)) > LARGEST and dots > 40:
            dots = dots * 2 // 3
        width, source = round(self.get_figwidth() * 96), b64encode(data).decode()
        alt = html.escape(self.said)
        return f'<img width="{width}" src="data:image/png;base64,{source}" alt="{alt}">'

    def save(self, path: str | Path) -> File:
        """Write the picture to a file: .png, .svg, .pdf or .html. Raises ValueError for others."""
        from magics.export import PAGE

        title, body = html.escape(self.said), self._image
        forms = {f".{kind}": lambda kind=kind: drawn(self, kind) for kind in ("png", "svg", "pdf")}
        return save(path, {**forms, ".html": lambda: PAGE.format(title=title, body=body)})


def chart(width: float = WIDTH, height: float = HEIGHT) -> Chart:
    """An empty page of this size in inches, on which nothing overlaps."""
    figure = Chart(figsize=(width, height), dpi=96, facecolor="none", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def page(ax: Axes | None) -> tuple[Figure, Axes]:
    """These axes with their figure, or new ones alone on a page."""
    drawn_on: Any = chart().add_subplot() if ax is None else ax
    return figure_of(drawn_on), drawn_on


def figure_of(ax: Axes) -> Figure:
    """The figure that axes stand in."""
    figure: Any = ax.figure
    return figure.figure if isinstance(figure, SubFigure) else figure


def tell(figure: Figure, said: str) -> Figure:
    """The figure with a sentence that stands for it, if it is one of ours."""
    if isinstance(figure, Chart):
        figure.said = visible(said, 600)
    return figure


def drawn(figure: Figure, kind: str, dots: float = SHARPNESS) -> bytes:
    """The picture as a file of a kind."""
    out, told = BytesIO(), {"png": {"Software": None}, "svg": {"Date": None}}
    with quietly():
        known = told.get(kind, {"CreationDate": None})
        figure.savefig(out, format=kind, dpi=dots, metadata=known, facecolor="none")
    return out.getvalue()


@contextmanager
def quietly() -> Generator[None]:
    """While matplotlib draws: it warns of each letter that its font lacks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def plain(name: str) -> str:
    """A name of the user's as it stands in a picture."""
    return visible(name, LETTERS)


def dress(ax: Axes, x: str, y: str, title: str = "", z: str = "") -> None:
    """Names on the axes, and all lines and numbers grey."""
    ax.set_facecolor("none")
    ax.set_xlabel(x, fontsize=MIDDLE, **FONT)
    ax.set_ylabel(y, fontsize=MIDDLE, **FONT)
    ax.set_title(title, fontsize=MIDDLE, pad=8, **FONT)
    ax.tick_params(colors=GREY, labelsize=SMALL, which="both", labelfontfamily="DejaVu Sans")
    for spine in ax.spines.values():
        spine.set_color(GREY)
        spine.set_linewidth(0.8)
    if z:
        solid: Any = ax
        solid.set_zlabel(z, fontsize=MIDDLE, **FONT)


def bar(figure: Figure, ax: Axes, of: Any, label: str) -> None:
    """The scale of some colours, beside the axes."""
    scale = figure.colorbar(of, ax=ax, fraction=0.05, pad=0.03)
    scale.set_label(label, fontsize=SMALL, **FONT)
    scale.ax.tick_params(colors=GREY, labelsize=SMALL, which="both")
    outline: Any = scale.outline
    outline.set_visible(False)


def legend(ax: Axes, handles: Sequence[Any], names: Sequence[str], **where: Any) -> Legend:
    """What each line is; a name is plain text, whatever it begins with."""
    stand_ins = [str(i) for i in range(len(names))]  # matplotlib leaves out what begins with `_`
    made = ax.legend(handles, stand_ins, fontsize=SMALL, labelcolor=GREY, frameon=False, **where)
    for text, name in zip(made.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_usetex(False)
        text.set_fontfamily("DejaVu Sans")
        text.set_text(plain(name))
    return made
