"""Graphs shown as text, rails, dot and LaTeX: strings in, strings out, nothing drawn here."""

from engine.show.board import BOARD, in_a_row
from engine.show.dot import dot, dot_of
from engine.show.forms import is_infix, word, write
from engine.show.latex import beside, latex, power_of_ten, symbol
from engine.show.lines import Level, Part, written
from engine.show.names import Legend, display_width, own_name, pad, visible
from engine.show.rails import NOT_COMPUTED, rails, table
from engine.show.spelling import Spelling, short_number
from engine.show.summary import Spread, spread, summary
from engine.show.text import exactly, formula
from engine.show.view import Arrow, Box, View, Views, view

__all__ = [
    "BOARD",
    "NOT_COMPUTED",
    "Arrow",
    "Box",
    "Legend",
    "Level",
    "Part",
    "Spelling",
    "Spread",
    "View",
    "Views",
    "beside",
    "display_width",
    "dot",
    "dot_of",
    "exactly",
    "formula",
    "in_a_row",
    "is_infix",
    "latex",
    "own_name",
    "pad",
    "power_of_ten",
    "rails",
    "short_number",
    "spread",
    "summary",
    "symbol",
    "table",
    "view",
    "visible",
    "word",
    "write",
    "written",
]
