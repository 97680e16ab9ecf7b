"""Every form that the language refuses, compiled: its own words, its place, a way out that works.

A rewrite that an error offers is put where the text was and must compile there.
"""

from __future__ import annotations

import re

import pytest

import dsl
from dsl import DslError
from dsl.errors import Diagnostic
from tests.refused_forms import ADVICE, FORMS, Row
from tests.refused_meanings import MEANINGS
from tests.test_shape_errors import WRONG

REFUSED = {**FORMS, **MEANINGS}


def refused(program: str) -> Diagnostic:
    with pytest.raises(DslError) as caught:
        dsl.compile(program)
    assert len(caught.value.diagnostics) == 1
    return caught.value.diagnostics[0]


@pytest.mark.parametrize("what", REFUSED)
def test_a_refused_form_has_words_of_its_own(what: str) -> None:
    row, found = REFUSED[what], refused(REFUSED[what].program)
    assert (found.message, found.span.text, found.hint) == (row.message, row.place, row.hint)


def test_no_two_kinds_of_refusal_share_their_words() -> None:
    """Except where one form is refused in several surroundings."""
    words = {re.sub(r"`[^`]*`|\[[^\]]*\]", "…", row.message) for row in REFUSED.values()}
    assert len(words) > 0.75 * len(REFUSED)


# Of the programs in the table of wrong shapes and names: where the rewrites go, if not in place.
MENDED = {
    "the gradient of a tensor": "input x : [n]\ng = ∇_x {}",
    "the gradient by a constant": "{0}\n{1} = x^2\n{2}",
    "a function as a value": "input x : []\ny = x + {}",
    "a value called": "input x : []\nz = {0}",
    "too many arguments": "f(x) = x\ninput x : []\ny = {}",
    "an argument missing": "f(x, y) = x y\ninput x, y : []\nz = {}",
    "an axis by a size that occurs twice": "input X : [T, T]\ny = sum(X, {})",
    "recursion": REFUSED["recursion"].mended,
    "a loop of unknown length": "{1}\ninput x : [{0}]\nrepeat n:\n    x = 2 x",
    "a row and a column": "input x, y : [n]\nz = {0} + y\nw = x^T + {1}",
    "a parameter of an open rank": ADVICE,
    "a const without a value": ADVICE,
    "a slice backwards": "input x : [3]\ny = {}",
    "what a reduction took away": "input X : [B, T, d]\ny = X - mean(X, axis=-1){}",
    "a power -1 of a vector": "input x : [n]\ny = {0}",
    "a norm of a matrix that is no sum of squares": "input A : [n, n]\ny = {}²",
    "an index by floats": "input x : [n]\ny = x[{}]",
    "an input in a function": "{}",
    "the derivative of what mixes elements": ADVICE,
}


# Slips of writing, and where the rewrites go: what is said to them stands in the transcript.
SLIPS = {
    "x = 1\nx += 2 x": "x = 1\n{}",
    "x = 1\nx -= 2 x + 1": "x = 1\n{}",
    "x := 1": "{}",
    "a = 5\ny = a // 2": "a = 5\ny = {}",
    "x = 1\ny = x <> 1": "x = 1\ny = {}",
    "x = 1\ny = (x + 1) =< 2": "x = 1\ny = {}",
    "f = lambda x: x^2": "{}",
    "def f(x):\n    x": "{}",
    "y = [1 2; 3 4]": "y = {}",
    "x = 1\ny = x 2": "x = 1\ny = {}",
    "x = 1\ny = sin(x) 2": "x = 1\ny = {}",
    "y = 1 2": "y = {}",
    "input x ∈ R^n": "input x ∈ {}",
    "f(x) = 2 x where x ∈ ℝ^n×m": "f(x) = 2 x where x ∈ {}",
    "_x = 1": "{here}",
    "x = 1\nx' = 1": "{here}",
    "x = [1, 2]\ni = 0\ny = xᵢ": "x = [1, 2]\nx_i = 3\ni = 0\ny = {}",
    "f(x) =\n    y = x": "f(x) =\n    y = x\n    {}",
    "input y, x : []\nz = y x^2\ng = ∂z/∂x^2": "{here}",
    "input w, x : []\ny = 2 * ∑ w x": "{here}",
    "input w, x : []\ny = ½ ∑ w * x": "{here}",
    "f(x) = 2 x\ninput x, y : []\nz = 1/f(x) y": "{here}",
    "a = true\nb = false\ny = a && b": "a = true\nb = false\ny = a {} b",
    "a = true\ny = !a": "a = true\ny = {} a",
    "input X": "{0}",
    "y = s where s": "y = s where {}",
    "x = 2\ny = x^√2": "x = 2\ny = {}",
    "dim n = 3\nx = ones([n])\ny = x(1, 2)": "dim n = 3\nx = ones([n])\ny = {}",
    "a = 1, 2": "a = {}",
    "while x:\n    y": ADVICE,
}


def rows() -> dict[str, Row]:
    """The tables, as far as a hint offers something."""
    wrong = {
        what: Row(program, *said, MENDED.get(what, "{here}"))
        for what, (program, said) in WRONG.items()
    }
    slips = {program: Row(program, "", "", "", mended) for program, mended in SLIPS.items()}
    every = {**wrong, **REFUSED, **slips}
    return {what: row for what, row in every.items() if row.mended != ADVICE}


def offers(hint: str) -> list[str]:
    return hint.split("`")[1::2]


def programs(row: Row) -> list[str]:
    """The program with each rewrite in its place, or with all of them where they go together."""
    found = refused(row.program)
    texts = [each.replace("…", "0") for each in offers(found.hint)]
    start, end, text = found.span.start, found.span.end, found.span.source.text
    if row.mended == "{here}":
        return [text[:start] + each + text[end:] for each in texts]
    if "{0}" in row.mended or "{1}" in row.mended:
        return [row.mended.format(*texts)]
    return [row.mended.replace("{}", each) for each in texts]


@pytest.mark.parametrize("what", rows())
def test_what_is_offered_compiles_in_its_place(what: str) -> None:
    for program in programs(rows()[what]):
        dsl.compile(program)
