"""Whatever the text, parsing gives a tree or a DslError that points into it."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dsl
from dsl import DslError
from dsl.limits import DEEPEST
from dsl.syntax import Program, Syntax, children

PROGRAM = """dim B, T, d = 64, h = 4d
input X, Y : [B, T, d]
input tokens ∈ ℝ^(n×m)
param W, U : [d, h] ~ normal(0, 0.02)
param b : [h] = 0
const A : [n, n]
from nets.gpt import block
f(x : [..., n], m, p=0.1) = x^T A x where x ∈ ℝ^n, A ∈ ℝ^(n×n)
attention(X : int[B, _]) =
    K = X[:, 1:]  # keys
    repeat 3: K = |K|² + ‖K‖₁
    softmax(K K^T / √d + causal(T)) V
        - 1 / f(x)
for i in range(n):
    y = [head(X, i) for i in range(2)]
z = ∇_W loss + ∂loss/∂W - ∑ (x - y')^2 if not a <= b else [1, 2; 3, ½]
‖θ̂‖ where θ̂ = f''(t), name = g(x, name="a")
"""

PIECES = [
    *["(", ")", "[", "]", "|", "||", "‖", "=", ":", ",", ";", "\n", "\n    ", "  ", "^", "^T", "'"],
    *["∇", "∇_W ", "∂", "/∂x", "∑", "√", "²", "⁻¹", "×", "ℝ", "∈", "~", "...", "_", ".", "#", '"'],
    *["-", "+", "*", "/", "<", "==", " if ", " else ", " for ", " in ", " where ", "not ", "and "],
    *["dim ", "input ", "param ", "const ", "repeat ", "from ", "import ", "return ", "def "],
    *[
        "x",
        "f(x)",
        "12",
        ".5",
        "1e999",
        "½",
        "₁",
        "\u0302",
        "\t",
        "\\",
        "{",
        "}",
        "%",
        "\r",
        "\ufeff",
    ],
    *["\u200b", "А", "ⁿ", "ᵢ", "𝐱", "’", "∥", "\x00", "\ud800", "T"],  # noqa: RUF001 look-alikes
]


def outcome(text: str) -> Program | DslError:
    try:
        return dsl.parse(text)
    except DslError as error:
        return error


def check(text: str) -> None:
    """Parse a text and check what comes out of it."""
    found = outcome(text)
    if isinstance(found, Program):
        assert depth(found) <= DEEPEST + 1
        return
    assert 1 <= len(found.diagnostics) <= 5
    for each in found.diagnostics:
        assert 0 <= each.span.start <= each.span.end <= len(each.span.source.text)
        assert each.message
    assert str(found).startswith("error: ")


def depth(program: Program) -> int:
    level, count = [*children(program)], 1
    while level:
        level, count = [child for node in level for child in children(node)], count + 1
    return count


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_parses_or_is_refused(text: str) -> None:
    check(text)


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@settings(max_examples=300, deadline=None)
@example("x = ‖‖‖")
@example("∑∑ a(b)")
@example("1/∑ a (b)^c (d)")
@example("y = f(x=∂")
@example("a\n   where\n  b")
@example("y = f(x 2")
@example("dim d =\n  2")
def test_any_row_of_tokens_parses_or_is_refused(text: str) -> None:
    check(text)


@given(
    at=st.integers(0, len(PROGRAM)),
    removed=st.integers(0, 8),
    piece=st.one_of(st.sampled_from(PIECES), st.text(max_size=3)),
)
@settings(max_examples=200, deadline=None)
def test_a_program_with_a_slip_parses_or_is_refused(at: int, removed: int, piece: str) -> None:
    check(PROGRAM[:at] + piece + PROGRAM[at + removed :])


LEAVES = ["x", "f", "2", "½", "∞", "W_q", "(y)", "‖x‖₁", "|a|", "[1, 2]", '"t"']
FORMS = [
    *["{0} {1}", "({0})", "{0}({1})", "{0} ({1})^2", "{0}^{1}", "{0}^-1", "{0}^T", "{0}²", "{0}'"],
    *["√{0}", "∑ {0}", "∇{0}", "∇_W {0}", "∂{0}/∂x", "∑({0}, axis=1)^2", "{0}[{1}, 1:]", "{0}.a"],
    *["{0} / {1}", "{0} * {1}", "-{0}", "{0} + {1}", "{0} < {1}", "{0} and {1}", "not {0}"],
    *["{0} if {1} else {0}", "f({0}, a={1})", "[{0} for i in {1}]", "sum({0} for i in {1})"],
]


def written(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(str.format, st.sampled_from(FORMS), inner, inner)


@given(st.recursive(st.sampled_from(LEAVES), written, max_leaves=12))
@settings(max_examples=200, deadline=None)
def test_any_expression_has_nested_spans_or_is_refused(text: str) -> None:
    check(f"y = {text}")
    found = outcome(f"y = {text}")
    nodes: list[Syntax] = [] if isinstance(found, DslError) else [found]
    for node in nodes:
        for child in children(node):
            assert node.span.start <= child.span.start < child.span.end <= node.span.end
            nodes.append(child)


def test_the_program_without_a_slip_parses() -> None:
    dsl.parse(PROGRAM)


@pytest.mark.parametrize(
    "text",
    [
        *(
            f"y = {sign * 2000}x"
            for sign in ("-", "√", "∑ ", "∇", "not ", "x + ", "1/", "f(x)/", "x ")
        ),
        *(f"y = x{tail * 2000}" for tail in ("'", "(x)", "[0]", ".a", "^2", "²", " + x", " x")),
        *(f"y = {start * 2000}" for start in ("(", "[", "|", "‖", "f(", "x if c else ", "∂", '"')),
        "repeat 2: " * 2000 + "x = 1",
        "\n".join(" " * depth + "repeat 2:" for depth in range(400)) + "\n" + " " * 400 + "x = 1",
        "9" * 2000,
        "x^" + "9" * 2000,
        "x" + "²" * 2000,
    ],
    ids=lambda text: text[:12],
)
def test_no_depth_is_too_deep_for_an_answer(text: str) -> None:
    check(text)
