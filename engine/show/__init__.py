"""Graphs shown as text, rails, dot and LaTeX: strings in, strings out, nothing drawn here."""

from engine.show.dot import dot
from engine.show.latex import latex, symbol
from engine.show.names import Legend, visible
from engine.show.rails import rails
from engine.show.summary import summary
from engine.show.text import formula, short_number
from engine.show.view import Arrow, Box, View, view

__all__ = [
    "Arrow",
    "Box",
    "Legend",
    "View",
    "dot",
    "formula",
    "latex",
    "rails",
    "short_number",
    "summary",
    "symbol",
    "view",
    "visible",
]
