"""Literals: numbers, raised digits, orders of norms."""

from __future__ import annotations

import unicodedata

from lark import Token

from ..limits import check_size
from ..syntax import Number
from .built import Built


def number(b: Built, token: Token) -> Number:
    """`12` and `50_257` are ints; `1.`, `1e-5` and `½` floats."""
    value = float(token) if token.isascii() else unicodedata.numeric(token)
    check_size(value, b.span(token))
    is_int = all(char in "0123456789_" for char in token)
    return Number(int(token) if is_int else value, span=b.span(token))


def superscript(b: Built, token: Token) -> Number:
    """`⁻¹` is -1."""
    digits = raised_digits(token)
    check_size(float(digits), b.span(token))
    return Number(int(digits), span=b.span(token))


def raised_digits(text: str) -> str:
    """`⁻¹²` as `-12`."""
    return unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-")


def norm_order(token: Token) -> str:
    """`₁` is 1, `_F` is F, `_∞` is inf."""
    return unicodedata.normalize("NFKC", str(token)).removeprefix("_").replace("∞", "inf")
