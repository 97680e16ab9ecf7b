"""The names that every program knows: functions of the engine under the words of the field."""

from __future__ import annotations

import math

from engine import ops

from ..scope import Frame, Scope
from ..values import NOTHING, Value
from .forms import FORMS
from .functions import FUNCTIONS

CONSTANTS: dict[str, Value] = {
    "true": ops.const(True),
    "false": ops.const(False),
    "None": NOTHING,
    "inf": ops.const(math.inf),
    "∞": ops.const(math.inf),
    "nan": ops.const(math.nan),
    "pi": ops.const(math.pi),
    "π": ops.const(math.pi),
}


WORDS = frozenset({*CONSTANTS, *FUNCTIONS, *FORMS})


def library() -> Scope:
    """The outermost scope; its names may be shadowed."""
    return Scope(Frame(), names={**CONSTANTS, **FUNCTIONS, **FORMS})
