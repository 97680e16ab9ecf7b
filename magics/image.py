"""An SVG as an image of a page: it is seen where scripts and inline SVG are taken out."""

from __future__ import annotations

import html
from base64 import b64encode

LARGEST = 300_000  # characters of SVG in a notebook


def as_image(svg: str | None, alt: str) -> str:
    """The image with this text in its place; empty where there is none or it is too large."""
    if svg is None or len(svg) > LARGEST:
        return ""
    data = b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(alt)}">'
