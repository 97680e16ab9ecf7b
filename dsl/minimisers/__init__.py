"""Minimisers: from a function and a start to a minimum, every point on the way recorded."""

from .methods import Interrupted, Method, minimised
from .table import METHODS, takes_rate

__all__ = ["METHODS", "Interrupted", "Method", "minimised", "takes_rate"]
