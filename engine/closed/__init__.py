"""Closed forms: derivatives as a textbook writes them, and what they are as matrices."""

from engine.closed.form import Closed, all_closed, closed, is_reduced, textbook
from engine.closed.linear import matrix
from engine.closed.structure import Structure, structure

__all__ = [
    "Closed",
    "Structure",
    "all_closed",
    "closed",
    "is_reduced",
    "matrix",
    "structure",
    "textbook",
]
