"""The language: text written as on the board, parsed and lowered to the engine's graph."""

from .errors import DslError
from .parse import parse

__all__ = ["DslError", "parse"]
