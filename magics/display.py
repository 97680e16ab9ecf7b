"""Pictures: a graph laid out as SVG by Graphviz where one is found, and always as rails.

A drawing program comes with the package `graphviz-pure`; `dot` on PATH is the second choice, the
text alone the third. No repr raises, whatever is missing.
"""

from __future__ import annotations

import html
import importlib.metadata
import shutil
import subprocess
import sysconfig
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from dsl import Program
from engine import Node
from engine.show import Legend, dot, rails
from magics.legend import legend as legend_of
from magics.legend import sinks

LONGEST = 20  # seconds that a layout may take
LARGEST = 300_000  # bytes of SVG in a notebook


class Picture:
    """A drawn graph: SVG in a notebook, rails in a terminal.

    `svg` is None where no drawing program works; `dot` and `text` are always there.
    """

    def __init__(self, dot: str, text: str) -> None:
        self.dot, self.text = dot, text

    @cached_property
    def svg(self) -> str | None:
        """The picture as an SVG document, laid out when it is first asked for."""
        return layout(self.dot) if self.dot else None

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file: `.svg`, `.dot` or, as rails, `.txt`.

        Raises ValueError for another ending, RuntimeError when no drawing program is found.
        """
        path = Path(path)
        texts = {".svg": lambda: self.svg, ".dot": lambda: self.dot, ".txt": lambda: self.text}
        if path.suffix not in texts:
            raise ValueError(f"cannot write {path.name}: a picture is .svg, .dot or .txt")
        text = texts[path.suffix]()
        if text is None:
            raise RuntimeError("no drawing program: `pip install graphviz-pure`")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, **as_image(self.svg, self.text)}


def draw(
    what: Program | Sequence[Node] | Node,
    legend: Legend | None = None,
    *,
    backward: Sequence[Node] = (),
    depth: int | None = None,
    values: Mapping[Node, str] | None = None,
    slopes: Mapping[Node, str] | None = None,
) -> Picture:
    r"""The picture of a program or of nodes; `backward` are derivatives to lay over it.

    Functions nested deeper than `depth` are closed. `values` and `slopes` are words for the rails.

    >>> import dsl
    >>> draw(dsl.compile("input x : [n]\ny = x^2"))
    ●  x  input  [n]
    ●  y  x^2    [n]
    """
    if isinstance(what, Program):
        nodes, legend = sinks(what.nodes.values()), legend or legend_of(what)
    else:
        nodes = [what] if isinstance(what, Node) else list(what)
    drawn = dot(nodes, legend, backward=backward, depth=depth)
    return Picture(drawn, rails([*nodes, *backward], legend, values, slopes))


def as_image(svg: str | None, alt: str) -> dict[str, str]:
    """The SVG as an image of a notebook, nothing where there is none or it is too large."""
    if svg is None or len(svg) > LARGEST:
        return {}
    data = b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{data}"
    return {"text/html": f'<img src="{source}" alt="{html.escape(alt)}">'}


def layout(source: str) -> str | None:
    """The SVG that the first working drawing program makes of a DOT text, None without one."""
    for program in drawing_programs():
        svg = _run(program, source)
        if svg is not None:
            return svg[svg.index("<svg") :]
    return None


def drawing_programs() -> Iterator[Path]:
    """Where Graphviz may be: the file of the package `graphviz-pure`, then `dot` on PATH."""
    try:
        packaged = importlib.metadata.files("graphviz-pure") or []
    except importlib.metadata.PackageNotFoundError:
        packaged = []
    found = [str(file.locate()) for file in packaged if file.stem == "graphviz-pure"]
    found.append(shutil.which("graphviz-pure", path=sysconfig.get_path("scripts")) or "")
    found.append(shutil.which("dot") or "")
    programs = dict.fromkeys(Path(program).resolve() for program in found if program)
    yield from (program for program in programs if program.is_file())


def _run(program: Path, source: str) -> str | None:
    try:
        from graphviz.backend import dot_command, execute

        command = [program, *dot_command.command("dot", "svg")[1:]]
        done = execute.run_check(
            command, input=source.encode(), capture_output=True, quiet=True, timeout=LONGEST
        )
        svg = done.stdout.decode()
    except (ImportError, OSError, RuntimeError, UnicodeError, subprocess.SubprocessError):
        return None
    return svg if "<svg" in svg else None
