"""Several errors of one text: independent ones together, consequences not; and what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

import dsl
from dsl import DslError
from dsl.lowering import modules
from tests.test_refused import refused

# A program and the place of each of its errors: independent ones together, in the order of the
# text, what follows from another not at all.
TOGETHER = {
    "a form and a name": ("input X : [n]\na = X**2\nb = X + nothing\nc = a + b", ["2:6", "3:9"]),
    "a name and a form": ("a = nothing\nb = 1 2\nc = a + b", ["1:5", "2:7"]),
    "a declaration that cannot be read": (
        "input X : [n, m\nparam W : [n, m]\ny = X @ W^T\nz = zeta",
        ["1:11", "4:5"],
    ),
    "a function that cannot be read": (
        "f(x) =\n    y = x**2\n    y\nz = f(1) + 1\nw = zeta",
        ["2:10", "5:5"],
    ),
    "a function with a shape and no value": ("f(x) : [n]\ny = f(1)\nz = zeta", ["1:1", "3:5"]),
    "Python's definition": ("def f(x): x^2\ny = f(1)\nz = zeta", ["1:1", "3:5"]),
    "a loop that cannot be read": ("repeat 3:\n    x = 1**2\ny = x\nz = zeta", ["2:10", "4:5"]),
    "two targets": ("a, b = 1 2\nc = a + b\nz = zeta", ["1:10", "3:5"]),
    "an import that cannot be read": ("from m import a,\ny = a\nz = zeta", ["1:16", "3:5"]),
    "an import of nothing": ("from m import a\ny = a\nz = zeta", ["1:6", "3:5"]),
    "a statement indented by mistake": ("x = 1\n  y = 2\nz = x + y\nw = zeta", ["2:3", "4:5"]),
    "an open bracket over lines": ("y = f(a +\nb +\nc\nz = 1\nw = zeta", ["1:6", "5:5"]),
    "an invisible character in a comment": (
        "y = 1 # \N{ZERO WIDTH SPACE}\nz = zeta",
        ["1:9", "2:5"],
    ),
    "a tab": ("f(x) =\n\tx\ny = f(1)\nz = zeta", ["2:1", "4:5"]),
    "a name given anew": ("x = 1\nx = 1/2 x\ny = x + [1, 2] @ x\nz = zeta", ["2:5", "4:5"]),
}


def places(program: str) -> list[str]:
    with pytest.raises(DslError) as caught:
        dsl.compile(program)
    return [each.span.label.removeprefix("cell:") for each in caught.value.diagnostics]


@pytest.mark.parametrize("what", TOGETHER)
def test_independent_errors_are_told_together_and_what_follows_is_not(what: str) -> None:
    program, expected = TOGETHER[what]
    assert places(program) == expected


def test_five_errors_at_most_are_told_of_both_kinds() -> None:
    assert places("a = x**2\nb = zeta\n" * 5) == ["1:6", "2:5", "3:6", "4:5", "5:6"]


def test_a_text_that_only_ends_too_early_is_not_held_against_its_names() -> None:
    with pytest.raises(DslError) as caught:
        dsl.compile("a = zeta\ny = f(")
    assert [each.code for each in caught.value.diagnostics] == ["incomplete"]


# A slip, and what was meant: of every kind of name.
MEANT = {
    "a value": ("input duration : [n]\ny = duratoin", "did you mean `duration`?"),
    "a product of names": ("input X, W_q : [n, n]\ny = XW_q", "did you mean `X W_q`?"),
    "a function": ("y = sofmax([1, 2])", "did you mean `softmax`?"),
    "a function of the prelude": ("y = atention(1)", "did you mean `attention`?"),
    "a module": ("y = textbook(1, 2)", "it is a module: `import textbook`"),
    "a module not imported": ("y = textbook.softmax(1)", "it is a module: `import textbook`"),
    "a module misspelled": ("import txtbook", "did you mean `textbook`?"),
    "a name of a module": ("import textbook\ny = textbook.sofmax(1)", "did you mean `softmax`?"),
    "a name imported": ("from textbook import sofmax", "did you mean `softmax`?"),
    "a size": ("dim width\nparam W : [widht]", "known sizes: width; did you mean `width`?"),
    "a keyword": ("y = sum([1, 2], axes=0)", "did you mean `axis`?"),
    "a keyword of a function": ("f(x, rate=1) = x\ny = f(1, rat=2)", "did you mean `rate`?"),
    "an attribute": ("input x : [n]\ny = x.shpe", "did you mean `shape`?"),
    "a path": (
        "f(x) =\n    param W_q : [2]\n    W_q\ny = f(1)\nz = f.W_k",
        "did you mean `f.W_q`?",
    ),
    "a function that nothing is near": (
        "y = unheard_of(1, 2)",
        "define it above: `unheard_of(…) = …`",
    ),
    "a kind of element": (
        "input x : integer[n]",
        "did you mean `int`? the kinds are `float`, `int` and `bool`; a shape is written `[n, m]`",
    ),
}


@pytest.mark.parametrize("what", MEANT)
def test_what_was_perhaps_meant_is_asked(what: str) -> None:
    program, hint = MEANT[what]
    assert refused(program).hint == hint


def test_a_function_of_a_module_is_found_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modules, "FOLDERS", [tmp_path])
    (tmp_path / "broken.graph").write_text("f(x) = x**2")
    (tmp_path / "mine.graph").write_text("variance(x) = mean(x^2) - mean(x)^2")
    assert refused("y = variance([1, 2])").hint == "import it: `from mine import variance`"
    dsl.compile("from mine import variance\ny = variance([1, 2])")
