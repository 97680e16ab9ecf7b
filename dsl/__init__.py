"""The language: text written as on the board, parsed and lowered to the engine's graph."""

from .compiler import compile, load, lower, names_of
from .errors import DslError
from .format import format
from .lowering.modules import register
from .parse import parse
from .program import Program

__all__ = [
    "DslError",
    "Program",
    "compile",
    "format",
    "load",
    "lower",
    "names_of",
    "parse",
    "register",
]
