"""The language: text written as on the board, parsed and lowered to the engine's graph."""

from .compiler import compile, load, lower
from .errors import Diagnostic, DslError
from .format import format
from .lowering.modules import register
from .minimise import minimise
from .minimisers import Interrupted
from .names import names_of
from .parse import parse, read
from .program import Program
from .span import Span
from .typeset import latex

__all__ = [
    "Diagnostic",
    "DslError",
    "Interrupted",
    "Program",
    "Span",
    "compile",
    "format",
    "latex",
    "load",
    "lower",
    "minimise",
    "names_of",
    "parse",
    "read",
    "register",
]
