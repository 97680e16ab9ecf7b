"""A notebook whose live outputs are made static, so that every viewer shows them.

A live output is HTML with an SVG as an image, and a script. GitHub takes scripts and styles out of
HTML, and puts an output of kind image/svg+xml into its page cleaned, where letters and boxes break;
nbviewer does so too. What all of them show, and GitLab, VS Code, Colab and JupyterLab as well, is
image/png beside text/plain: that is written here. An output with words beside its image becomes
two, since a viewer shows one kind of each.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Output = dict[str, Any]

OURS = re.compile(r'class="cg[ "]|<img src="data:image/svg\+xml;base64,')
LIVE = re.compile(r'<script\b|<svg\b|<img src="data:|<(?:button|input)\b')
UNSEEN = re.compile(r"<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
PIECES = re.compile(r"<svg\b.*?</svg>|<img\b[^>]*>|<pre\b[^>]*>(.*?)</pre>", re.DOTALL)
IMAGE = re.compile(r'<img\b[^>]*?\bsrc="data:image/(svg\+xml|png);base64,([^"]*)"')
ALT = re.compile(r'\balt="([^"]*)"')


@dataclass(frozen=True)
class Frozen:
    """The text of a notebook, and how many of its outputs were changed."""

    text: str
    count: int


def freeze(text: str) -> Frozen:
    """The notebook with our live outputs as PNG and text; the same text where there are none.

    Other outputs stay as they are, and so does one whose image cannot be drawn. What is frozen
    is not changed again. Raises ValueError for what is no notebook of format 4.
    """
    notebook, count = _notebook(text), 0
    for cell in notebook["cells"]:
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        if not isinstance(outputs, list):
            continue
        made = [_static(output) for output in outputs]
        count += sum(each is not None for each in made)
        cell["outputs"] = [
            each
            for output, several in zip(outputs, made, strict=True)
            for each in ([output] if several is None else several)
        ]
    if not count:
        return Frozen(text, 0)
    return Frozen(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", count)


def _notebook(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"it is no notebook: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("nbformat"), int):
        raise ValueError("it is no notebook: there is no `nbformat`")
    if found["nbformat"] != 4 or not isinstance(found.get("cells"), list):
        raise ValueError(
            "it is no notebook of format 4; `jupyter nbconvert --to notebook` makes one"
        )
    return found


def _static(output: Any) -> list[Output] | None:
    """What takes the place of an output, None where it may stay."""
    data = output.get("data") if isinstance(output, dict) else None
    if not isinstance(data, dict):
        return None
    page = _joined(data.get("text/html"))
    if not (OURS.search(page) and LIVE.search(page)):
        return None
    words = _joined(data.get("text/plain"))
    try:
        pieces = list(_pieces(page, words))
    except (ValueError, SyntaxError, ArithmeticError):  # an image that cannot be drawn
        return None
    rest = {kind: value for kind, value in data.items() if kind not in ("text/html", "text/plain")}
    first = {**output, "data": {**rest, **pieces[0].data}}
    first["metadata"] = {**output.get("metadata", {}), **pieces[0].metadata}
    others = [
        {"data": each.data, "metadata": each.metadata, "output_type": "display_data"}
        for each in pieces[1:]
    ]
    return [first, *others]


@dataclass(frozen=True)
class _Piece:
    data: dict[str, Any]
    metadata: dict[str, Any]


def _pieces(page: str, words: str) -> Iterator[_Piece]:
    """The images and texts of a page in their order; then the words, if nothing has said them."""
    told = False
    for found in PIECES.finditer(UNSEEN.sub("", page)):
        if found[0].startswith("<pre"):
            yield _text(html.unescape(re.sub(r"<[^>]*>", "", found[1])))
            told = True
        elif (image := _image(found[0])) is not None:
            png, width, alt = image
            told = told or alt == words
            plain = _lines(alt or words)
            yield _Piece(
                {"image/png": b64encode(png).decode(), "text/plain": plain},
                {"image/png": {"width": round(width)}} if width else {},
            )
    if not told:
        yield _text(words)


def _text(words: str) -> _Piece:
    return _Piece({"text/plain": _lines(words)}, {})


def _image(tag: str) -> tuple[bytes, float, str] | None:
    """A PNG, its width in pixels of a page (0: its own) and its text; None for another image."""
    from magics.drawing import png, size

    alt = ALT.search(tag)
    words = html.unescape(alt[1]) if alt and tag.startswith("<img") else ""
    if tag.startswith("<svg"):
        return png(tag), size(tag)[0] / 0.75, words
    found = IMAGE.search(tag)
    if found is None:
        return None
    content = b64decode(found[2])
    if found[1] == "png":
        return content, 0, words
    svg = content.decode()
    return png(svg), size(svg)[0] / 0.75, words


def _joined(text: Any) -> str:
    """A text as notebooks keep it: whole or as lines."""
    return (
        "".join(map(str, text)) if isinstance(text, list) else text if isinstance(text, str) else ""
    )


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
