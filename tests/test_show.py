"""Formulas as text and LaTeX: every operator has one, brackets are right and few, all is short."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import Node, gradients, jvp, ops, var
from engine.dims import size
from engine.show import dot, formula, latex, rails, summary
from engine.show.latex import symbol
from engine.show.spelling import short_number
from tests.samples import SAMPLES
from tests.sampling import Sample, build

FIRST_OF_EACH = list({sample.op: sample for sample in SAMPLES}.values())
A, B, C = (var(name, [3, 3]) for name in "ABC")
s, t = var("s", []), var("t", [])


def and_its_derivatives(sample: Sample) -> list[Node]:
    """The sample, and the nodes that its rules make."""
    built = build(sample)
    if built.y.kind != "float" or not built.floats:
        return [built.y]
    tangents = [var(f"v{i}", x.shape) for i, x in enumerate(built.floats)]
    return [
        built.y,
        *gradients(built.y, built.floats),
        jvp(built.y, built.floats, tangents),
    ]


def squarings(n: int) -> Node:
    x = var("x", [])
    for _ in range(n):
        x = x * x
    return x


def attention() -> tuple[Node, dict[Node, str]]:
    Q, K, V = (var(name, ["T", "d"]) for name in "QKV")
    scores = ops.softmax(Q @ K.T / ops.sqrt(ops.size("d")) + var("mask", ["T", "T"]))
    return scores @ V, {scores: "scores"}


def balanced(text: str) -> bool:
    """Whether every bracket closes."""
    pairs = {")": "(", "]": "[", "}": "{"}
    opened: list[str] = []
    for c in re.sub(r"\\[{}]", "", text):
        if c in "([{":
            opened.append(c)
        elif c in pairs and (not opened or opened.pop() != pairs[c]):
            return False
    return not opened


@pytest.mark.parametrize("sample", FIRST_OF_EACH, ids=lambda sample: sample.op)
@pytest.mark.parametrize("show", [formula, latex, lambda y: rails([y]), lambda y: dot([y])])
def test_every_operator_and_its_derivatives_can_be_shown(
    sample: Sample, show: Callable[[Node], str]
) -> None:
    for node in and_its_derivatives(sample):
        text = show(node)
        assert text.strip()
        assert "…" in text or balanced(text)
        assert "<ops" not in text
        assert "Attrs" not in text


@pytest.mark.parametrize("sample", FIRST_OF_EACH, ids=lambda sample: sample.op)
def test_latex_opens_as_many_brackets_as_it_closes(sample: Sample) -> None:
    for node in and_its_derivatives(sample):
        text = latex(node)
        assert text.count(r"\left") == text.count(r"\right")
        assert text.count(r"\begin") == text.count(r"\end")


def test_a_formula_is_written_in_the_notation_of_the_language() -> None:
    out, names = attention()
    assert formula(out) == "softmax(Q @ K^T / sqrt(d) + mask) @ V"
    assert formula(out, names) == "scores @ V"
    assert formula(var("x", [])) == "x"


E_T = var("E", [5, 2])[var("i", [4], "int")]


@pytest.mark.parametrize(
    "node, text",
    [
        (ops.sum(A, axis=0), "sum(A, axis=-2)"),
        (ops.sum(A, axis=(0, 1), keepdims=True), "sum(A, axis=[-2, -1], keepdims=true)"),
        (ops.mean(A), "mean(A)"),
        (ops.softmax(A, axis=0), "softmax(A, axis=-2)"),
        (A**2.0, "A^2"),
        (s**-1.0, "s^-1"),
        (A**-1.0, "1 / A"),
        (s ** (t + 1.0), "s^(t + 1)"),
        (ops.prod(A, axis=0), "prod(A, axis=-2)"),
        (ops.gelu(A, "tanh"), "gelu_tanh(A)"),
        (ops.triu(ops.full(["T", "T"], -1e9), 1), "causal(T)"),
        (ops.triu(A, 1), "triu(A, diagonal=1)"),
        (ops.normal([2], 7), "normal(shape=[2], key=7)"),
        (s ** var("T", []), "s^(T)"),
        (ops.transpose(var("X", [2, 3, 4]), (1, 0, 2)), "transpose(X, axes=[-2, -3, -1])"),
        (A[:, 1:], "A[:, 1:]"),
        ((A + B)[..., None], "(A + B)[..., None]"),
        (gradients(ops.sum(A[0]), [A])[0], "unindex(expand(1, [3]), zeros([3, 3])[0])"),
        (E_T, "E[i]"),
        (ops.size(4 * size("d")) * s, "(4d) * s"),
        (ops.reshape(A, [9]), "reshape(A, [9])"),
        (ops.concat([A, B], axis=-1), "concat([A, B], axis=-1)"),
        (ops.where(A < B, A, 0.0), "where(A < B, A, 0)"),
        (ops.logical_not(s < t), "not s < t"),
        (ops.const([[1.0, 2.0], [3.0, 4.5]]) @ var("y", [2]), "[1, 2; 3, 4.5] @ y"),
        (ops.const(torch.zeros(8, 8)) @ var("y", [8]), "tensor[8, 8] @ y"),
        (ops.zeros(["n", 2]) + 1.0, "zeros([n, 2]) + 1"),
        (ops.arange("T"), "arange(T)"),
        (ops.full([2], True), "full([2], true)"),
        (ops.einsum("ij,jk->ik", A, B), 'einsum("ij,jk->ik", A, B)'),
        (ops.layer_norm(A), "layernorm(A)"),
    ],
)
def test_operators_are_written_as_one_writes_them(node: Node, text: str) -> None:
    assert formula(node) == text


@pytest.mark.parametrize(
    "value, text",
    [
        (2, "2"), (2.0, "2"), (0.5, "0.5"), (-1e9, "-1e9"), (1e-5, "1e-5"), (10000.0, "10000"),
        (1000000, "1000000"), (1e300, "1e300"), (0.1, "0.1"), (float("inf"), "inf"), (-0.0, "0"),
    ],
)  # fmt: skip
def test_numbers_are_short_and_exact(value: float, text: str) -> None:
    assert short_number(value) == text
    assert float(text) == value


def grown(operands: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    pairs = st.tuples(operands, operands)
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: p[0] - p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: p[0] / p[1]),
        pairs.map(lambda p: p[0] @ p[1]),
        operands.map(lambda x: -x),
        operands.map(lambda x: x**2),
        operands.map(lambda x: x.T),
        operands.map(ops.exp),
    )


EXPRESSIONS = st.recursive(st.sampled_from([A, B, C]), grown, max_leaves=8)


def read_as_python(text: str) -> Node:
    """The formula read by Python, whose precedence is the language's: `^` is `**`, `^T` is `.T`."""
    *definitions, last = text.replace("^T", ".T").replace("^", "**").splitlines()
    known: dict[str, Any] = {"A": A, "B": B, "C": C, "exp": ops.exp}
    for line in definitions:
        name, _, value = line.partition(" = ")
        known[name] = eval(value, known)
    return eval(last, known)


@given(EXPRESSIONS)
def test_a_formula_read_again_is_the_same_node(node: Node) -> None:
    assert read_as_python(formula(node)) is node


@given(EXPRESSIONS)
def test_no_pair_of_brackets_can_be_left_out(node: Node) -> None:
    text = formula(node)
    for opening in re.finditer(r"(?<!\w)\((?!-)", text):  # -(-A) reads better than --A
        closing = matching(text, opening.start())
        inside = text[opening.end() : closing]
        if inside.endswith("^T"):  # (x^T)^2, since x^y^z can be read two ways
            continue
        without = text[: opening.start()] + inside + text[closing + 1 :]
        assert not_python(without) or read_as_python(without) is not node, without


def not_python(text: str) -> bool:
    try:
        read_as_python(text)
    except SyntaxError:
        return True
    return False


def matching(text: str, start: int) -> int:
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    raise AssertionError(f"`{text}` has an open bracket")


def test_what_is_used_twice_is_written_once() -> None:
    y = ops.exp(s)
    assert formula(y / (1.0 + y)) == "a = exp(s)\na / (1 + a)"


def test_forty_squarings_stay_short() -> None:
    text = formula(squarings(40))
    assert len(text.splitlines()) == 40
    assert len(text) < 800
    assert len(latex(squarings(40))) < 4000


@pytest.mark.parametrize("show", [formula, latex, lambda y: rails([y]), lambda y: dot([y])])
def test_a_long_chain_and_a_wide_node_have_bounded_text(show: Callable[[Node], str]) -> None:
    chain = s
    for _ in range(20_000):
        chain = ops.sin(chain) + 1.0
    wide = ops.stack([var(f"x{i}", []) for i in range(2_000)])
    assert len(show(chain)) < 60_000
    assert len(show(wide)) < 60_000


def test_no_line_of_a_formula_is_wider_than_a_screen() -> None:
    y = A
    for i in range(30):
        y = ops.softmax(y @ var(f"weight_{i}", [3, 3]) + var(f"bias_{i}", [3]))
    assert max(map(len, formula(y).splitlines())) <= 80


def test_names_for_shared_values_avoid_the_users() -> None:
    a, y = var("a", ["b"]), ops.exp(var("a", ["b"]))
    assert formula(ops.sum(y * y) + ops.sum(a)) == "c = exp(a)\nsum(c * c) + sum(a)"


@pytest.mark.parametrize(
    "node, text",
    [
        (ops.softmax(A @ B.T / 2.0), r"\operatorname{softmax}(\frac{A {B}^{\top}}{2})"),
        ((A + B) @ C, r"\left(A + B\right) C"),
        (-(A + B), r"-\left(A + B\right)"),
        ((-A) ** 2, r"{\left(-A\right)}^{2}"),
        (A - (B - C), r"A - \left(B - C\right)"),
        (2.0 * A, r"2 \cdot A"),
        (A * (B + C), r"A \odot \left(B + C\right)"),
        ((A / B) ** 2, r"{\left(\frac{A}{B}\right)}^{2}"),
        (ops.sum(A * B), r"\textstyle\sum \left(A \odot B\right)"),
        (ops.sum(A, axis=-1), r"\textstyle\sum_{\mathrm{axis}=-1} A"),
        (ops.mean(A, axis=(0, 1)), r"\operatorname{mean}_{\mathrm{axis}=-2,-1}(A)"),
        (ops.norm(A, axis=0), r"\left\lVert A \right\rVert_{\mathrm{axis}=-2}"),
        (var("rate", [1, 3]) @ B, r"\mathrm{rate} \, B"),
        (-1e9 * s, r"-10^{9} \cdot s"),
        (ops.size(4 * size("d") + 1) * s, r"\left(4 d + 1\right) \cdot s"),
        (ops.exp(A + 1.0), r"e^{A + 1}"),
        (ops.triu(ops.full(["T", "T"], -1e9), 1), r"\mathrm{causal}(T)"),
        (ops.triu(A, 1), r"\operatorname{triu}(A)"),
    ],
)
def test_latex_has_the_brackets_that_mathematics_needs(node: Node, text: str) -> None:
    assert latex(node) == text


def test_latex_names_what_is_used_twice() -> None:
    y = ops.exp(s)
    assert latex(y / (1.0 + y)) == (r"\begin{aligned} a &= e^{s} \\ &\frac{a}{1 + a} \end{aligned}")


@pytest.mark.parametrize(
    "name, tex",
    [
        ("W_q", "W_{q}"),
        ("x1", "x_{1}"),
        ("W_q_1", "W_{q,1}"),
        ("x̄", r"\bar{x}"),
        ("α", r"\alpha"),
        ("Ω_δ", r"\Omega_{\delta}"),
        ("Φ", r"\Phi"),
    ],
)
def test_names_become_symbols(name: str, tex: str) -> None:
    assert symbol(name) == tex


@pytest.mark.parametrize(
    "value, text",
    [
        (torch.tensor(3.41421), "3.414"),
        (torch.tensor(7), "7"),
        (torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "1 … 4  μ=2.5 σ=1.118"),
        (torch.tensor([3, 9]), "3 … 9"),
        (torch.tensor([True, False]), "1 of 2 true"),
        (torch.zeros(0, 3), "empty"),
        (torch.tensor([1.0, float("nan")]), "1 … 1  μ=1 σ=0  NaN! (1 of 2)"),
        (torch.tensor([float("inf")] * 2), "inf! (2 of 2)"),
    ],
)
def test_a_value_is_told_in_a_few_words(value: torch.Tensor, text: str) -> None:
    assert summary(value) == text
