"""LaTeX of programs: every kind of syntax has a rule, and the mathematics is the author's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsl
from dsl import syntax
from dsl.typeset.formulas import EXPRESSIONS
from dsl.typeset.statements import STATEMENTS
from tests.shells import opened
from tests.test_format import TEXTS, parses
from tests.test_parse_anything import LEAVES, written

# What KaTeX and MathJax both know, as far as it is used here.
COMMANDS = set(
    """begin end left right quad text frac sqrt hat bar tilde dot ddot mathrm mathbb top sum prod
    nabla partial infty times in sim ldots odot cdot le ge ne land lor lnot backslash square
    sin cos tanh exp log max min det alpha beta gamma delta varepsilon theta lambda mu pi rho sigma
    varphi Delta Omega""".split()  # noqa: SIM905 a table of words
)


def test_every_kind_of_expression_and_of_statement_has_a_rule() -> None:
    assert set(EXPRESSIONS) == set(get_args(syntax.Expr))
    assert set(STATEMENTS) == {*get_args(syntax.Statement)} - {syntax.Wrong}  # parse raises it


def latex(text: str) -> str:
    return dsl.latex(dsl.parse(text))


def left_open(tex: str) -> Iterator[str]:
    """What LaTeX opens, each closed before what holds it; anything left open comes at the end."""
    waiting: list[str] = []
    closing = {"}": "{", r"\right": r"\left", r"\end": r"\begin"}
    for sign in re.findall(r"\\(?:[a-zA-Z]+|.)|[{}]", tex):
        if sign in closing:
            assert waiting, tex
            assert waiting.pop() == closing[sign], tex
        elif sign in closing.values():
            waiting.append(sign)
    yield from waiting


def check(tex: str) -> None:
    """That brackets, braces and environments are balanced, and each script stands on one base."""
    assert list(left_open(tex)) == []
    assert not re.search(r"[\^_](?![{])", re.sub(r"\\_", "", tex)), tex
    assert set(re.findall(r"\\([A-Za-z]+)", tex)) <= COMMANDS


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:20])
def test_every_program_can_be_typeset(text: str) -> None:
    check(latex(text))


@given(st.recursive(st.sampled_from(LEAVES), written, max_leaves=12))
@settings(max_examples=200, deadline=None)
def test_any_expression_can_be_typeset(text: str) -> None:
    if parses(f"y = {text}"):
        check(latex(f"y = {text}"))


FORMULAS = [
    ("softmax(Q K^T / √d + causal(T)) V", r"\mathrm{softmax}\left(\frac{Q K^{\top}}{\sqrt{d}} + "
     r"\mathrm{causal}\left(T\right)\right) \, V"),
    ("Q @ K^T / sqrt(d)", r"\frac{Q K^{\top}}{\sqrt{d}}"),
    ("(a + b) (c - d)", r"\left(a + b\right) \left(c - d\right)"),
    ("a - (b - c)", r"a - \left(b - c\right)"),
    ("a - b - c", "a - b - c"),
    ("a + (-b)", r"a + \left(-b\right)"),
    ("-(a + b)", r"-\left(a + b\right)"),
    ("-x^2", "-x^{2}"),
    ("(-x)²", r"\left(-x\right)^{2}"),
    ("(x / y)^n", r"\left(\frac{x}{y}\right)^{n}"),
    ("a ⊙ b * c", r"a \odot b \odot c"),
    ("2 * x · y", r"2 \cdot x \cdot y"),
    ("2 (3)", r"2 \cdot 3"),
    ("2 (1/3)", r"2 \cdot \frac{1}{3}"),
    ("x^T A x", r"x^{\top} A x"),
    ("lr (g + μ u)", r"\mathrm{lr} \, \left(g + \mu u\right)"),
    ("ŷ - ȳ_1 + θ̂", r"\hat{y} - \bar{y}_{1} + \hat{\theta}"),
    ("W_q x₁ + Δ_max", r"W_{q} x_{1} + \Delta_{\mathrm{max}}"),
    ("∞ + pi + 1e-5 + ½ + 50_257", r"\infty + \pi + 10^{-5} + \frac{1}{2} + 50257"),
    ("A^-1 b", "A^{-1} b"),
    ("f''(t)", r"f''\left(t\right)"),
    ("x[i]^2 + X[:, 1:, None] + W_q[..., ::2]", r"x_{i}^{2} + X_{{:}, 1{:}, \mathrm{None}} + "
     r"W_{q}\left[\ldots, {:}{:}2\right]"),
    ("h.3.attn.W", r"h.3.\mathrm{attn}.W"),
    ("‖x‖ + ‖x‖₁ + ‖A‖_F² + ‖x‖_∞ + |x|", r"\left\|x\right\| + \left\|x\right\|_{1} + "
     r"\left\|A\right\|_{F}^{2} + \left\|x\right\|_{\infty} + \left|x\right|"),
    ("∑ (x - y)^2 / n", r"\frac{\sum \left(x - y\right)^{2}}{n}"),
    ("(∑ x) * y", r"\left(\sum x\right) \odot y"),
    ("2 ∑ x", r"2 \sum x"),
    ("sum(x, axis=-1, keepdims=true)", r"\sum_{\mathrm{axis}=-1} x"),
    ("mean(x, axis=[0, 1])", r"\mathrm{mean}_{\mathrm{axis}=0,1}\left(x\right)"),
    ("sum((x[i] - 1)^2 for i in range(n))", r"\sum_{i=0}^{n - 1} \left(x_{i} - 1\right)^{2}"),
    ("sum(i a for i in range(1, 5))", r"\sum_{i=1}^{4} i a"),
    ("prod(x for x in xs)", r"\prod_{x \in \mathrm{xs}} x"),
    ("[head(X, h) for h in range(H)]",
     r"\left[\mathrm{head}\left(X, h\right)\right]_{h=0}^{H - 1}"),
    ("∇_W loss + ∂loss/∂W + grad(loss, [W, b])", r"\nabla_{W} \, \mathrm{loss} + "
     r"\frac{\partial \mathrm{loss}}{\partial W} + \nabla_{W, b} \, \mathrm{loss}"),
    ("∇f(x)", r"\nabla f\left(x\right)"),
    ("[1, 2; 3, 4] x", r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} x"),
    ("[[1, 2], [3]]", r"\left[\left[1, 2\right], \left[3\right]\right]"),
    ("a if x > 0 else b if x == 0 else c", r"\begin{cases} a & \text{if } x > 0 \\ "
     r"b & \text{if } x = 0 \\ c & \text{otherwise} \end{cases}"),
    ("1 + where(x ≤ 0, 0, x)", r"1 + \left(\begin{cases} 0 & \text{if } x \le 0 \\ "
     r"x & \text{otherwise} \end{cases}\right)"),
    ("not a and (b or c ≠ d)", r"\lnot a \land \left(b \lor c \ne d\right)"),
    ("einsum(\"i_{j}, k->^~\\\\\", x)", r"\mathrm{einsum}\left(\text{i\_\{j\}, k->}\hat{\ }\text{}"
     r"\sim\text{}\backslash\text{}\backslash\text{}, x\right)"),
    ("sin(x)^2 + f(x)^2", r"\left(\sin\left(x\right)\right)^{2} + f\left(x\right)^{2}"),
    ("cross_entropy(logits, y)", r"\mathrm{cross\_entropy}\left(\mathrm{logits}, y\right)"),
]  # fmt: skip


@pytest.mark.parametrize("text, tex", FORMULAS, ids=[text for text, _ in FORMULAS])
def test_an_expression_is_written(text: str, tex: str) -> None:
    assert latex(f"y = {text}") == rf"\begin{{aligned}} y &= {tex} \end{{aligned}}"


LINES = [
    ("dim B, d = 64, h = 4d", r"B, d = 64, h = 4 d &\in \mathbb{N}"),
    ("input Q, K : [B, T, d]", r"Q, K &\in \mathbb{R}^{B \times T \times d}"),
    ("input t : int[B], m : bool[_]",
     r"t &\in \mathbb{Z}^{B},\quad m \in \left\{0, 1\right\}^{\_}"),
    ("input s : [], x ∈ ℝ^(n×m)", r"s &\in \mathbb{R},\quad x \in \mathbb{R}^{n \times m}"),
    ("const A : [T + 1], lr",
     r"A &\in \mathbb{R}^{\left(T + 1\right)},\quad \mathrm{lr} \text{ given}"),
    ("param W : [d, 4d] ~ he", r"W &\in \mathbb{R}^{d \times 4 d} \sim \mathrm{he}"),
    ("param b : [h] = 0", r"b &\in \mathbb{R}^{h} \quad \text{initially } 0"),
    ("a, b = b, a", "a, b &= b, a"),
    ("y : [n] = x", r"y &= x \quad \left(\in \mathbb{R}^{n}\right)"),
    ("f(x : [..., n], p=0.1) = p x",
     r"f\left(x \in \mathbb{R}^{\ldots \times n}, p = 0.1\right) &= p x"),
    ("f(x) = A x where x ∈ ℝ^n, A = 2",
     r"f\left(x\right) &= A x \quad \text{where } x \in \mathbb{R}^{n},\; A = 2"),
    ("f(x) =\n  y = x\n  y^2",
     r"f\left(x\right) &= \left\{\begin{aligned} &y = x \\ &y^{2} \end{aligned}\right."),
    ("repeat 3: x = f(x)",
     r"&3 \text{ times: } \left\{\begin{aligned} &x = f\left(x\right) \end{aligned}\right."),
    ("for i in range(n): x = i",
     r"&\text{for } i=0, \ldots, n - 1\text{: } \left\{\begin{aligned} &x = "
     r"i \end{aligned}\right."),
    ("from nets.gpt import block, W_q", r"&\mathrm{block}, W_{q} \text{ from } \text{nets.gpt}"),
    ("import nets", r"&\text{import } \text{nets}"),
    ("x + 1, y", "&x + 1, y"),
]  # fmt: skip


@pytest.mark.parametrize("text, tex", LINES, ids=[text for text, _ in LINES])
def test_a_statement_is_written(text: str, tex: str) -> None:
    assert latex(text) == rf"\begin{{aligned}} {tex} \end{{aligned}}"


@pytest.mark.parametrize(
    "text, tex",
    [
        ("f(x) = x\ny = √f (2)", r"\sqrt{f\left(2\right)}"),
        ("a = 2 + 1\ny = √a(2)", r"\sqrt{a} \cdot 2"),
        ("y = √a(2)", r"\sqrt{a\left(2\right)}"),
        ("y = √a (2)", r"\sqrt{a} \cdot 2"),
        ("abs(x) = x\ny = abs(2)", r"\mathrm{abs}\left(2\right)"),
    ],
)
def test_a_bracket_is_an_argument_or_a_factor_by_what_the_name_is(text: str, tex: str) -> None:
    found = dsl.latex(dsl.parse(text), "y").removeprefix("y = ")
    assert found == tex


def test_the_line_of_one_name_is_its_last() -> None:
    program = dsl.compile("input x : [n]\ny = x\ny = x / 2\nx^T y")
    assert program.latex("y") == r"y = \frac{x}{2}"
    assert program.latex("x") == r"x \in \mathbb{R}^{n}"
    assert program._repr_latex_() == f"$${program.latex()}$$"
    with pytest.raises(LookupError, match="no line that defines `z`"):
        program.latex("z")
    assert dsl.compile("")._repr_latex_() is None


def test_the_deepest_program_can_be_typeset() -> None:
    check(latex(f"y = {'√' * 190}x"))
    check(latex(f"y = {'x[' * 190}0{']' * 190}"))
    check(latex(f"y = {'a (' * 90}b{')' * 90}"))
    check(latex(f"a = 2 + 1\ny = {'a (' * 90}b{')' * 90}"))
    check(latex("\n".join(f"{' ' * i}repeat 2:" for i in range(60)) + f"\n{' ' * 60}x = 1"))


def test_a_cell_shows_itself_as_mathematics() -> None:
    with opened() as shell:
        found = shell.cell("%%graph --latex\ninput x:[n]\ny = x^T x/2")
    assert repr(found) == "input x : [n]\ny = x^T x / 2"
    tex = r"$$\begin{aligned} x &\in \mathbb{R}^{n} \\ y &= \frac{x^{\top} x}{2} \end{aligned}$$"
    assert found._repr_mimebundle_() == {"text/plain": repr(found), "text/latex": tex}
