"""Colours of code that are readable on white and on black."""

from __future__ import annotations

from typing import ClassVar

from pygments.style import Style
from pygments.token import Comment, Keyword, Name, Number, Operator, String


class Chalk(Style):
    """Words of Python violet, functions blue, numbers and texts green, comments grey."""

    styles: ClassVar = {
        Comment: "#7c8798",
        Keyword: "#8b6fd8",
        Operator.Word: "#8b6fd8",
        Name.Function: "#3b82f6",
        Number: "#22a355",
        String: "#22a355",
    }
