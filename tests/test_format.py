"""The canonical form of a text: only white space changes, and twice is the same as once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dsl
from dsl import DslError
from tests.test_lower_anything import EXPRESSIONS as LOWERED
from tests.test_lower_anything import HEAD, STATEMENTS
from tests.test_parse import EXPRESSIONS, LAYOUTS
from tests.test_parse import STATEMENTS as PARSED
from tests.test_parse_anything import LEAVES, PIECES, PROGRAM, written

PRELUDE = sorted(
    (each.name, each.read_text(encoding="utf-8"))
    for each in files("dsl").joinpath("prelude").iterdir()
    if each.name.endswith(".graph")
)
ROOT = Path(__file__).parent.parent


def texts() -> Iterator[str]:
    """Every program of the repository's tests, its prelude and its documents."""
    yield from (text for _, text in PRELUDE)
    yield PROGRAM
    yield HEAD
    yield from (f"y = {text}" for text, _ in EXPRESSIONS)
    yield from (text for text, _ in (*PARSED, *LAYOUTS))
    for path in (*ROOT.glob("*.md"), *ROOT.glob("dsl/*.md"), *ROOT.glob("tests/*.py")):
        page = path.read_text(encoding="utf-8")
        yield from re.findall(r'"""\n?(.*?)"""', page, re.DOTALL)
        yield from re.findall(r"```\w*\n(.*?)```", page, re.DOTALL)


def parses(text: str) -> bool:
    try:
        dsl.parse(text)
    except DslError:
        return False
    return True


TEXTS = sorted({text for text in texts() if parses(text)})


def solid(text: str) -> str:
    """What of a text is not white space."""
    return "".join(text.removeprefix("\ufeff").split())


def comments(text: str) -> list[str]:
    """The comments of a text without strings, in order."""
    return [found.strip() for found in re.findall(r"#[^\r\n]*", text)]


def check(text: str) -> None:
    """All that holds of the canonical form of a text, or the refusal of one with an error."""
    if not parses(text):
        with pytest.raises(DslError):
            dsl.format(text)
        return
    tree, shown = dsl.parse(text), dsl.format(text)
    assert solid(shown) == solid(text)
    assert dsl.parse(shown) == tree
    assert comments(shown) == comments(text)
    assert dsl.format(shown) == shown
    assert "\n\n\n" not in shown
    assert all(line == line.rstrip() for line in shown.split("\n"))
    assert not shown or (shown.strip(" \n") + "\n") == shown


@pytest.mark.parametrize("name, text", PRELUDE, ids=[name for name, _ in PRELUDE])
def test_the_prelude_is_in_canonical_form(name: str, text: str) -> None:
    assert dsl.format(text) == text


def test_many_programs_are_tried() -> None:
    assert len(TEXTS) > 150


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:20])
def test_every_program_keeps_its_meaning(text: str) -> None:
    check(text)
    check(text.replace("\n", "\r\n"))
    check(text.replace("    ", "  "))


FORMS = [
    ("y=a+b*c-d", "y = a + b * c - d"),
    ("y = - a *-b", "y = -a * -b"),
    ("y = x ^ 2 + K ^ T + x '", "y = x^2 + K^T + x'"),
    ("y = √ x + ∇ f + ∂ y / ∂ x / 2", "y = √x + ∇f + ∂y/∂x / 2"),
    ("y = 2x + 2  x + f(x) + lr  ( g )", "y = 2x + 2 x + f(x) + lr (g)"),
    ("y = f( x,axis = -1 )", "y = f(x, axis=-1)"),
    ("f(x:[... ,n]=2,p = 0.1):[ n ]=x", "f(x : [..., n] = 2, p=0.1) : [n] = x"),
    ("y = X [ : ,1 :,: ] [ 0 ]", "y = X[:, 1:, :][0]"),
    ("y : [T,d / h,h*(d/h),T+1] = z/2", "y : [T, d / h, h * (d/h), T + 1] = z / 2"),
    ("A = [ 1,2 ;3 ,-4 ]", "A = [1, 2; 3, -4]"),
    ("y = | | x | - 2 | + ‖ x ‖ ₁", "y = | |x| - 2| + ‖x‖₁"),
    ("input x ∈ ℝ ^ ( n × m )", "input x ∈ ℝ^(n×m)"),
    ("param  W:[d]~normal( 0 , 1 )", "param W : [d] ~ normal(0, 1)"),
    ("repeat 3 :x=f", "repeat 3: x = f"),
    ("y = not(a)and b if(c)else d", "y = not (a) and b if (c) else d"),
    ("y = a ⊙ b − c", "y = a ⊙ b − c"),
    ("x = 1# one\n#two\n\n\n\ny = 2\n\n", "x = 1  # one\n#two\n\ny = 2"),
    ("\n\nx = 1", "x = 1"),
    ("f(x) =\n\n  # why\n\n  x", "f(x) =\n    # why\n\n    x"),
    ("x = f(\n\n  a)", "x = f(\n    a)"),
    (
        "f(x) =\n\n y = x\n\n y\n # end\n# next\nz = 1",
        "f(x) =\n    y = x\n\n    y\n    # end\n# next\nz = 1",
    ),
    (
        "x = a\n + b # sum\n # more\n\n + f(\nc,\n d\n)",
        "x = a\n    + b  # sum\n    # more\n    + f(\n        c,\n        d\n    )",
    ),
    (
        "f(x) = A x where\n x ∈ ℝ^n\n A : [n,\n n]\n s = 1\n   + 2",
        "f(x) = A x where\n    x ∈ ℝ^n\n    A : [n,\n        n]\n    s = 1\n        + 2",
    ),
]


@pytest.mark.parametrize("text, shown", FORMS, ids=[text for text, _ in FORMS])
def test_a_text_is_written(text: str, shown: str) -> None:
    assert dsl.format(text) == f"{shown}\n"


def test_a_long_line_is_broken_where_it_holds_together_most_loosely() -> None:
    loss = "loss = mean((predict(X, W_1, W_2, b_1, b_2) - target)^2) + λ (‖W_1‖² + ‖W_2‖²) / n"
    rest = "- log(prior(W_1, W_2))"
    assert dsl.format(f"{loss} {rest}") == f"{loss}\n    {rest}\n"
    head = (
        "adam(θ, g, m, v, t, lr, β1=0.9, β2=0.999, ε=1e-8, decay=0.01, threshold=0.0, warmup=100,"
    )
    assert dsl.format(f"{head} last=None) =\n  θ") == f"{head}\n        last=None) =\n    θ\n"


def test_no_line_is_wider_than_a_hundred_columns_if_it_can_be_broken() -> None:
    sums = " + ".join(f"f(x_{i}, weights[{i}, :], axis=-1)" for i in range(40))
    for text in (f"y = {sums}", f"y = sum([{sums}])", f"y = a where a = {sums}, b = {sums}"):
        assert max(map(len, dsl.format(text).splitlines())) <= 100


EXPRESSION = st.recursive(st.sampled_from(LEAVES), written, max_leaves=12)
SPACES = st.sampled_from([" ", "  ", "", "\n   ", "  # why\n        ", "\n\n\n  # so\n    "])


@given(EXPRESSION)
@settings(max_examples=100, deadline=None)
@example("| |x| - y|")
@example("2 .a")
def test_any_expression_keeps_its_meaning(text: str) -> None:
    check(f"y = {text}")
    check(f"f(x) =\n  y = 1\n  {text}")
    check("y =" + re.sub(" ", "   ", f" {text}"))


@given(st.lists(STATEMENTS, min_size=1, max_size=4), st.lists(SPACES, min_size=1, max_size=9))
@settings(max_examples=100, deadline=None)
def test_any_white_space_keeps_its_meaning(lines: list[str], spaces: list[str]) -> None:
    """Blanks of a program replaced by other blanks, line ends and comments."""
    parts = "\n".join(lines).split(" ")
    check("".join(f"{part}{spaces[at % len(spaces)]}" for at, part in enumerate(parts)))


@given(st.lists(LOWERED, min_size=2, max_size=8).map(" + ".join))
@settings(max_examples=60, deadline=None)
def test_a_long_line_is_broken_and_keeps_its_meaning(text: str) -> None:
    for line in (f"y = {text}", f"y = g(a, {text})", f"y = a where a = {text}, b = {text}"):
        check(line)


@given(st.lists(st.sampled_from([*PIECES, "    x = 1\n", "# c\n", "x"]), max_size=25).map("".join))
@settings(max_examples=300, deadline=None)
@example("\ufeffx = 1")
@example("x where\n  y = 1\n  z = 2\n    + 3")
@example("f() =\n  # a\n      # b\n   x\n # c\n  # d\n   # e\ny")
def test_any_text_is_refused_or_keeps_its_meaning(text: str) -> None:
    check(text)


@given(at=st.integers(0, len(PROGRAM)), piece=st.sampled_from([*PIECES, "  # c\n", "\n\n\n"]))
@settings(max_examples=60, deadline=None)
def test_a_program_with_a_slip_is_refused_or_keeps_its_meaning(at: int, piece: str) -> None:
    check(PROGRAM[:at] + piece + PROGRAM[at:])
