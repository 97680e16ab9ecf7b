"""A graph as it is written into files: a picture, a page, data, formulas, code.

The ending of a file says which. A picture alone has .svg, .png, .pdf, .html, .dot and .txt; values
of a program have .json, .tex and .py beside.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dsl import Program
from engine import Node
from engine.show import latex, symbol
from magics.display import Picture
from magics.files import Forms
from magics.graph_data import graph_data
from magics.legend import legend
from magics.torch_code import torch_code

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<body style="font-family: Arial, sans-serif; margin: 1.5em">
{body}
</body>
</html>
"""


@dataclass(frozen=True)
class Values:
    """Some values of a program by name, and the gradients of `loss` by what they are taken by."""

    program: Program
    asked: Mapping[str, Node]
    loss: str | None = None
    slopes: Mapping[str, Node] = field(default_factory=dict[str, Node])

    def forms(self, picture: Picture) -> Forms:
        """What is written of the values and of their picture, by ending."""
        return {**picture_forms(picture, self._title), **self._own}

    @property
    def _own(self) -> Forms:
        return {".json": self._json, ".tex": self._tex, ".py": self._py}

    @property
    def _title(self) -> str:
        return ", ".join(self.asked)

    def _json(self) -> str:
        data = graph_data(self.program, self.asked, self.loss, self.slopes)
        return json.dumps(data, ensure_ascii=False, indent=1) + "\n"

    def _tex(self) -> str:
        """A line for each value as it was written, then one for each gradient; needs amsmath."""
        names = legend(self.program).names
        lines = [self._line(name, node, names) for name, node in self.asked.items()]
        for name, node in self.slopes.items():
            lines.append(rf"{symbol(f'∂{self.loss}/∂{name}')} = {latex(node, names)}")
        return "\n".join(f"\\[\n{line}\n\\]" for line in lines) + "\n"

    def _line(self, name: str, node: Node, names: Mapping[Node, str]) -> str:
        try:
            return self.program.latex(name)
        except LookupError:  # a parameter of a function, or an item of a list
            return f"{symbol(name)} = {latex(node, names)}"

    def _py(self) -> str:
        return torch_code(self.program, self.asked, self.slopes).text


def picture_forms(picture: Picture, title: str = "graph") -> Forms:
    """What is written of a picture, by ending.

    All but .html, .dot and .txt raise RuntimeError where no drawing program is found, .png and .pdf
    also where matplotlib cannot be imported.
    """
    return {
        ".svg": lambda: _svg(picture),
        ".png": lambda: _drawn(picture, "png"),
        ".pdf": lambda: _drawn(picture, "pdf"),
        ".html": lambda: _page(picture, title),
        ".dot": lambda: picture.dot,
        ".txt": lambda: f"{picture.text}\n",
    }


def _svg(picture: Picture) -> str:
    if picture.svg is None:
        raise RuntimeError("no drawing program: `pip install graphviz-pure`")
    return picture.svg


def _drawn(picture: Picture, how: str) -> bytes:
    try:
        from magics import drawing
    except ImportError as error:
        raise RuntimeError(f"cannot draw a {how}: {error}") from None
    draw: Callable[[str], bytes] = getattr(drawing, how)
    return draw(_svg(picture))


def _page(picture: Picture, title: str) -> str:
    """The live picture; one too large for that still, without a drawing program its text."""
    shown = picture.html or picture.svg or f"<pre>{html.escape(picture.text)}</pre>"
    return PAGE.format(title=html.escape(title), body=shown)
