"""A film of a picture: a player for a notebook, which needs no other address, or a GIF.

What stands still is drawn once, and on a copy of that what moves, frame by frame.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from magics.files import File, save
from magics.plot.page import Chart, quietly

FRAMES_A_SECOND = 8
SHARPNESS = 72  # dots per inch
SIGNS = {
    "minus": "−",
    "plus": "+",
    "fast-backward": "|◀",
    "step-backward": "‹",
    "play fa-flip-horizontal": "◀",
    "pause": "‖",
    "play": "▶",
    "step-forward": "›",
    "fast-forward": "▶|",
}


class Film:
    """A figure, what moves on it, and what puts each frame there in turn; the last one is whole."""

    def __init__(
        self, figure: Figure, moving: Sequence[Artist], frames: Iterable[Callable[[], None]]
    ) -> None:
        self.figure, self._moving, self._frames = figure, list(moving), list(frames)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def html(self) -> str:
        """A player with all frames in it, its signs letters instead of a font from elsewhere."""
        player = self._animation("none").to_jshtml(FRAMES_A_SECOND, default_mode="once")
        player = re.sub(r"<link[^>]*>", "", player)
        for name, sign in SIGNS.items():
            player = player.replace(f'<i class="fa fa-{name}"></i>', sign)
        return f'<div role="img" aria-label="{html.escape(repr(self))}">{player}</div>'

    @property
    def gif(self) -> bytes:
        """The frames on white, again and again."""
        with TemporaryDirectory() as folder:
            file = Path(folder) / "film.gif"
            self._animation("white").save(file, writer=PillowWriter(fps=FRAMES_A_SECOND))
            return file.read_bytes()

    def save(self, path: str | Path) -> File:
        """Write the film to .gif, or to .html with the player. Raises ValueError for others."""
        from magics.export import PAGE

        title = html.escape(repr(self))
        page = lambda: PAGE.format(title=title, body=self.html)  # noqa: E731
        return save(path, {".gif": lambda: self.gif, ".html": page})

    def pictures(self) -> list[Any]:
        """The frames as arrays [height, width, 4] of bytes."""
        with self._on_own_canvas() as canvas, quietly():
            canvas.draw()
            still: Any = canvas.copy_from_bbox(self.figure.bbox)
            return [self._picture(canvas, still, frame) for frame in self._frames]

    def _picture(self, canvas: FigureCanvasAgg, still: Any, frame: Callable[[], None]) -> Any:
        frame()
        canvas.restore_region(still)
        for artist in self._moving:
            self.figure.draw_artist(artist)
        return np.array(canvas.buffer_rgba())

    @contextmanager
    def _on_own_canvas(self) -> Generator[FigureCanvasAgg]:
        """The figure on a canvas of the film's sharpness, and afterwards as it was."""
        canvas, dots = self.figure.canvas, self.figure.dpi
        try:
            for artist in self._moving:
                artist.set_animated(True)
            self.figure.set_dpi(SHARPNESS)
            yield FigureCanvasAgg(self.figure)
        finally:
            self._frames[-1]()
            for artist in self._moving:
                artist.set_animated(False)
            self.figure.set_dpi(dots)
            self.figure.set_canvas(canvas)

    def _animation(self, ground: str) -> Any:
        """matplotlib's animation of the finished frames."""
        pictures = self.pictures()
        height, width = pictures[0].shape[:2]
        size = (width / SHARPNESS, height / SHARPNESS)
        screen = Figure(figsize=size, dpi=SHARPNESS, facecolor=ground)
        FigureCanvasAgg(screen)
        image = screen.figimage(pictures[0])
        put = lambda picture: (image.set_data(picture), [image])[1]  # noqa: E731
        return FuncAnimation(screen, put, frames=pictures, cache_frame_data=False)

    def __repr__(self) -> str:
        said = self.figure.said if isinstance(self.figure, Chart) else "a film"
        return f"{said}; {len(self)} frames"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html}
