"""Whatever the text asks for, an answer comes before time or memory runs out: a limit speaks."""

from __future__ import annotations

import pytest

import dsl
from dsl import DslError
from dsl.static import Statics
from engine import var

M = 1_000_000
DOUBLED = "".join(f"a{i} = [a{i - 1}, a{i - 1}]\n" for i in range(1, 40))
TOWER = "dim n0 = 99\n" + "".join(f"dim n{i} = n{i - 1}^8\n" for i in range(1, 9))

TOO_LONG = "this text is too long"
STEPS = "this makes more than 1,000,000 steps"
MODULE = "there is no module"

# What is typed, and what the error says first.
REFUSED = {
    "a power of powers": ("y = 10^10^10", "can be read two ways"),
    "a power in brackets": ("y = 9^(9^9)", "is too large"),
    "many digits": ("y = " + "9" * 10_000, "is too large"),
    "many digits of a size": (f"dim n = {'9' * 300}", "this size is too large"),
    "a tower of sizes": (TOWER, "this size is too large"),
    "a size of many terms": (
        "dim a, b, c, d, e\nx = zeros([(a + b + c + d + e + 1)^8])",
        "this size has too many terms",
    ),
    "many passes": ("repeat 1000000000:\n    y = 1", "more than 1,000,000 passes"),
    "a long range": ("y = range(1000000000000)", STEPS),
    "a sum of a long range": ("y = sum(i for i in range(999999))", STEPS),
    "passes over a long axis": ("input x : [1000001]\ny = sum(a for a in x)", STEPS),
    "lists that double": ("a0 = [1, 1]\n" + DOUBLED, STEPS),
    "lists that double, taken as a tensor": (
        "a0 = [1, 1]\n" + DOUBLED.partition("a18")[0] + "y = " + " + ".join(["sum(a17)"] * 9),
        STEPS,
    ),
    "axes": (f"input x : [{', '.join(['1'] * 65)}]", "a tensor has at most 64 axes"),
    "axes of a tensor of zeros": (f"y = zeros([{', '.join(['1'] * 65)}])", "at most 64 axes"),
    "axes by index": (
        f"input x : [3]\ny = x[{', '.join(['None'] * 64)}]",
        "a tensor has at most 64 axes, not 65",
    ),
    "a path as a module": ("from ../../etc import x", "a name is due after `from`"),
    "a module of Python": ("from os import system", MODULE),
    "a module in a module of Python": ("from os.path import join", MODULE),
    "a class": ("x = 1\ny = x.__class__", "a name begins with a letter"),
    "a scope": ("f(x) = x\ny = f.scope", "there is no parameter `f.scope`"),
    "an operator of a node": ("input x : []\ny = x.op", "has no attribute `op`"),
    "a module of a long name": (f"import {'a' * 5_000}", MODULE),
    "a module deep in folders": (f"from {'a.' * 5_000}b import x", MODULE),
    "a name of a million": ("x" * M, "is not defined"),
    "a long name but for a letter": (
        f"{'x' * 400_000} = 1\ny = {'x' * 399_999}y",
        "is not defined",
    ),
    "a long name that nothing has": (f"y = {'q' * 5_000}", "is not defined"),
    "letters of einsum": (
        f'input x : [n]\ny = einsum("{"i" * 50_000}->", x)',
        "names 50000 axes of [n]",
    ),
    "diagonals without letters": (
        f'input x : [{", ".join(["2"] * 60)}]\ny = einsum("{"i" * 60}->", x)',
        "einsum has no letters left",
    ),
    "axes of a pattern": (
        f'input x : [n]\ny = rearrange(x, "{"a " * 200_000}-> a")',
        "the pattern names 200000 axes",
    ),
    "parts of an axis": (
        "input x : [1000000000000]\ny = split(x, 1000000000000)",
        "an axis is split into at most 10,000 parts",
    ),
    "recursion": ("f(x) = f(x)\ny = f(1)", "`f` calls itself"),
    "recursion by handing itself over": ("f(g) = g(g)\ny = f(f)", "`f` calls itself"),
    "a text of a million and one": ("#" * (M + 1), TOO_LONG),
    **{
        f"a million of {piece!r}": ((start + piece * M)[:M], TOO_LONG)
        for start, piece in (
            *[("", "("), ("", "["), ("", "|"), ("", "‖"), ("", "∇"), ("", "√"), ("", ")")],
            *[("x", "^T"), ("x", "'"), ("y = ", "-"), ("", "|x"), ("", "x "), ("", "x,")],
            *[("", "x<x<"), ("", "a = a + a\n"), ("", "x\n"), ("", "not "), ("", "x if c else ")],
            *[("", "repeat 2: "), ("", "for i in x: "), ("", "∂"), ("", "."), ("", '"')],
            *[("", "="), ("", "\\"), ("x = f(", "1 ")],
        )
    },
    "many digits in a million": ("9" * M, "is too large"),
    "a million of exponents": ("x" + "²" * (M - 1), "is too large"),
    "a million of NUL": ("\x00" * M, TOO_LONG),
    "NUL": ("\x00" * 9_000, "an invisible character: U+0000"),
    "half a character": ("y = 1\ud800", "an invisible character: U+D800"),
    "nobody's characters": ("\u200b" * 9_000, "an invisible character: ZERO WIDTH SPACE"),
    "lists in lists": (f"y = [0] + {'[' * 190}1{']' * 190}", "a tensor has at most 64 axes"),
}

# What is long or deep and means something all the same.
COMPILED = {
    "a comment": "#" * M,
    "empty lines": "\n" * M,
    "blanks": " " * M,
    "a long name": f"{'x' * 300_000} = 1\n{'y' * 300_000} = {'x' * 300_000}",
    "many digits behind the point": "y = 1." + "9" * 100_000,
    "a product that grows": "y = 9000000000\n" + "y = y * y\n" * 60,
    "tensors that nobody could hold": "zeros([1000000000, 1000000000])",
    "a tensor that doubles": "a = [1.0, 2.0]\n" + "a = concat(a, a)\n" * 60,
    "readings that could double": "a = 2\ny = " + "a (" * 60 + "1" + ")" * 60,
    "derivatives in each other": "f(x) = x^2\ny = " + "f'(" * 30 + "1" + ")" * 30,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_limit_speaks(name: str) -> None:
    text, message = REFUSED[name]
    with pytest.raises(DslError) as caught:
        dsl.compile(text)
    assert message in caught.value.message
    assert len(str(caught.value)) < 30_000


@pytest.mark.parametrize("name", COMPILED)
def test_what_is_long_or_deep_compiles(name: str) -> None:
    dsl.compile(COMPILED[name]).latex()


@pytest.mark.parametrize("name", [*REFUSED, *COMPILED])
def test_the_formatter_answers_too(name: str) -> None:
    text = REFUSED[name][0] if name in REFUSED else COMPILED[name]
    try:
        assert isinstance(dsl.format(text), str)
    except DslError:
        assert name in REFUSED


def test_a_long_chain_that_nobody_has_read_is_read_without_recursion() -> None:
    node = var("x", ())
    for _ in range(30_000):
        node = node + 1
    assert Statics()[node] is None
