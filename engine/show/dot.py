"""A graph as text for Graphviz: formulas in boxes, functions as clusters, shapes on arrows.

Colours are attributes, light fills with dark words and mid-grey lines: readable on white and black.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from engine.graph import Node
from engine.show.names import Legend, visible
from engine.show.view import Arrow, ArrowKind, Box, BoxKind, View, view

FILLS: Mapping[BoxKind, tuple[str, str]] = {  # fill, outline
    "input": ("#dbeafe", "#3b82f6"),
    "param": ("#fef3c7", "#d99a0b"),
    "value": ("#f1f5f9", "#7c8798"),
    "output": ("#d6f5df", "#22a355"),
    "backward": ("#fde3e6", "#e0566b"),
    "function": ("#ebe6fb", "#8b6fd8"),
}
LINES: Mapping[ArrowKind, str] = {
    "forward": 'color="#7c8798"',
    "backward": 'color="#e0566b"',
    "recalled": 'color="#eb9aa7" constraint=false',
    "again": 'color="#7c8798" style=dashed constraint=false',
    "back": 'color="#e0566b" style=dashed constraint=false',
    "belongs": 'color="#a3acb9" style=dashed arrowhead=none minlen=0 weight=3',
}
WARNING = "#c81e3a"
HEAD = """\
digraph {
  graph [bgcolor=transparent rankdir=TB ranksep=0.15 nodesep=0.22 nslimit=2 mclimit=0.5]
  graph [fontname="Arial" fontsize=11 fontcolor="#7c8798" color="#a3acb9" style=rounded]
  node [fontname="Arial" fontsize=12 fontcolor="#1e293b" shape=box style="rounded,filled"]
  node [height=0.3 width=0.3 margin="0.1,0.05"]
  edge [fontname="Arial" fontsize=9 fontcolor="#7c8798" arrowsize=0.6]"""


def dot(
    outputs: Sequence[Node],
    legend: Legend | None = None,
    *,
    backward: Sequence[Node] = (),
    depth: int | None = None,
) -> str:
    """The outputs as a digraph, derivatives `backward` laid over it, closed below `depth`.

    >>> from engine import ops, var
    >>> print(dot([ops.exp(var("x", ["n"]))]).splitlines()[-2])
      n0 -> n1 [color="#7c8798"]
    """
    return dot_of(view(outputs, legend, backward=backward, depth=depth))


def dot_of(shown: View) -> str:
    """A view as a digraph; boxes and clusters have their keys as ids."""
    return "\n".join([HEAD, *_nested(shown), *map(_arrow, shown.arrows), "}\n"])


def _nested(shown: View) -> Iterator[str]:
    """The boxes, those of one function together in a cluster inside the cluster of its caller."""
    boxes = shown.boxes
    place: dict[tuple[str, ...], int] = {}
    for box in boxes:
        for i in range(len(box.path)):
            place.setdefault(box.path[: i + 1], len(place))
    opened: tuple[str, ...] = ()
    for box in sorted(boxes, key=lambda box: [place[p] for p in _prefixes(box.path)]):
        common = sum(1 for p in _prefixes(box.path) if opened[: len(p)] == p)
        yield from ("}" for _ in opened[common:])
        for path in _prefixes(box.path)[common:]:
            label = _quoted(visible(path[-1]))
            yield f"subgraph cluster_{place[path]} {{ id={shown.keys[path]} label={label}"
            yield "  labeljust=l margin=10"
        opened = box.path
        yield _box(box)
    yield from ("}" for _ in opened)


def _prefixes(path: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [path[: i + 1] for i in range(len(path))]


def _box(box: Box) -> str:
    fill, outline = FILLS[box.kind]
    colours = f'fillcolor="{fill}" color="{WARNING if box.mark else outline}"'
    thick = " penwidth=2.5" if box.mark else ""
    return f"  {box.key} [id={box.key} label={_label(box)} {colours}{thick}]"


def _label(box: Box) -> str:
    """The name in bold, the formula or shape below it in small, then a word of warning."""
    if not box.name and not box.mark:
        return _quoted(box.text)
    lines = [f"<B>{_marked(box.name)}</B>"] if box.name else []
    if box.text:
        lines.append(f'<FONT POINT-SIZE="9.5">{_marked(box.text)}</FONT>')
    if box.mark:
        lines.append(f'<FONT POINT-SIZE="9.5" COLOR="{WARNING}">{_marked(box.mark)}</FONT>')
    return f"<{'<BR/>'.join(lines)}>"


def _marked(text: str) -> str:
    r"""A text inside a label with markup; a single `\N` would be the name of the box there too."""
    return escape(text).replace("\\", r"\\")


def _quoted(text: str) -> str:
    """A plain text, which Graphviz centres by itself; `&` and backslashes mean nothing in it."""
    plain = escape(text, quote=False).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def _arrow(arrow: Arrow) -> str:
    """Derivatives flow upwards: their arrows are laid out from head to tail."""
    label = f" label={_quoted(f' {arrow.shape}')}" if arrow.shape else ""
    if arrow.kind == "backward":
        return f"  {arrow.head} -> {arrow.tail} [dir=back {LINES[arrow.kind]}{label}]"
    return f"  {arrow.tail} -> {arrow.head} [{LINES[arrow.kind]}{label}]"
