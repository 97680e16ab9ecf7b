"""Derivations: each operator's rule as a formula, the chain rule line by line, why zero is zero."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import dsl
from engine import Evaluator, GradientError, Node, gradients, ops, trace, var, why_zero
from engine.explain import Derivation, chain, derive, rule_of
from engine.graph import substitute, toposort
from engine.show.names import display_width
from magics.legend import legend
from tests.samples import SAMPLES
from tests.sampling import Sample, build
from tests.shells import LINE, Shell, fails, opened

FLOATS = [sample for sample in SAMPLES if build(sample).y.kind == "float" and build(sample).floats]
FIRST_OF_EACH = list({sample.op: sample for sample in SAMPLES}.values())
FLAT = {"sign", "stop", "argmax", "one_hot", "count", "zeros", "ones", "eye", "normal", "uniform"}
x, w = var("x", ["n"]), var("w", ["n"])


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        yield made


def of_its_op(sample: Sample, mode: str = "numbers") -> list[Node]:
    """The nodes of the sample's operator in its graph."""
    return [y for y in toposort([build(sample, mode).y]) if y.op.name == sample.op]


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, equal_nan=True)


@pytest.mark.parametrize("sample", FLOATS, ids=str)
def test_the_formulas_of_a_rule_have_the_value_of_the_gradient(sample: Sample) -> None:
    feeds = build(sample).feeds
    for y in (y for y in of_its_op(sample) if y.kind == "float" and y.inputs):
        rule = rule_of(y)
        known = {t.node: t.value for t in trace([y], feeds)}
        fed = {symbol: known[x] for x, symbol in rule.operands.items()}
        [g] = [x for x in toposort(rule.cotangents.values()) if x.label() == "ȳ"] or [None]
        seed = torch.randn_like(known[y])
        for x, symbol in rule.operands.items():
            if symbol not in rule.cotangents or g is None:
                continue
            [dx] = Evaluator([rule.cotangents[symbol]]).run({**fed, g: seed})
            given = var("seed", y.shape)
            [expected] = Evaluator(gradients(y, [x], given)).run({**feeds, given: seed})
            close(dx, expected)


@pytest.mark.parametrize("sample", FIRST_OF_EACH, ids=str)
def test_every_operator_has_its_rule_in_words_and_in_latex(sample: Sample) -> None:
    for y in of_its_op(sample, "names"):
        rule = rule_of(y)
        told, tex = rule.text(), rule.latex()
        moving = [x for x in y.inputs if x.kind == "float" and x.op is not ops.const]
        flat = y.kind != "float" or not moving or sample.op in FLAT
        assert ("nothing flows back" in told) == flat
        assert tex.count("{") == tex.count("}")
        assert "∂" not in told


def test_rules_are_written_in_symbols_and_constants_stay() -> None:
    assert rule_of(ops.softmax(w)).text() == (
        "softmax(x): x̄ = y * (ȳ - sum(ȳ * y, axis=-1, keepdims=true))"
    )
    assert rule_of(w**2).text() == "x^2: x̄ = ȳ * (2 * x)"
    assert rule_of(var("X", ["B", "n"]) @ w).text() == ("u @ v: ū = ȳ[..., None] * v; v̄ = u^T @ ȳ")
    u = var("u", ["u"])
    assert rule_of(u * var("k", ["u"])).text() == "v * w: v̄ = ȳ * w; w̄ = ȳ * v"


@pytest.mark.parametrize("sample", FLOATS, ids=str)
def test_the_steps_of_a_chain_put_together_are_the_gradient(sample: Sample) -> None:
    built = build(sample)
    loss = ops.sum(ops.sin(built.y) * built.y)
    found = chain(loss, built.floats)
    whole: dict[Node, Node] = {found.symbols[loss]: found.symbols[loss]}
    for step in found.steps[1:]:
        [whole[found.symbols[step.value]]] = substitute([step.cotangent], whole)
    for x in built.floats:
        [expected] = Evaluator(gradients(loss, [x])).run(built.feeds)
        symbol = found.symbols.get(x)
        value = torch.zeros_like(expected)
        if symbol is not None:
            [value] = Evaluator([whole[symbol]]).run(built.feeds)
        close(value, expected)


def test_a_derivation_goes_back_through_the_lines_of_the_text(shell: Shell) -> None:
    shell.cell(LINE)
    told = re.sub("   +", " | ", repr(shell.cell("%graph explain loss w")))
    assert (
        told
        == """\
Cell In[1], line 5: loss = mean(r^2)
 | ∂loss/∂loss = 1 | scalar
 | ā = expand(1 / n, [n]) | [n] | loss = mean(a) | mean(x): x̄ = expand(ȳ / n, [n])
 | ∂loss/∂r = ā * (2 * r) = 2 * r / n | [n] | a = r^2 | x^2: x̄ = ȳ * (2 * x)
Cell In[1], line 4: r = X w - y
 | b̄ = ∂loss/∂r = 2 * r / n | [n] | r = b - y | u - v: ū = ȳ
 | ∂loss/∂w = X^T @ b̄ = X^T @ (2 * r / n) | [d] | b = X @ w | u @ v: v̄ = u^T @ ȳ"""
    )


def test_the_columns_of_a_derivation_stand_below_each_other(shell: Shell) -> None:
    shell.cell(LINE)
    rows = [row for row in repr(shell.cell("%graph explain loss w")).splitlines() if "[n]  " in row]
    assert len({display_width(row[: row.index("[n]  ")]) for row in rows}) == 1


def test_without_a_name_it_is_by_all_parameters(shell: Shell) -> None:
    shell.cell(LINE)
    assert repr(shell.cell("%graph explain loss")) == repr(shell.cell("%graph explain loss w"))


def test_a_value_read_several_times_adds_up_what_each_reader_sends_back() -> None:
    h = ops.exp(x)
    last = derive(ops.sum(h + ops.sin(h)), x, {h: "h"}).lines[-2]
    assert last.name.endswith("/∂h")
    assert last.readers == ("b = h + c", "c = sin(h)")
    assert last.rules == ("u + v: ū = ȳ", "sin(x): x̄ = ȳ * cos(x)")


def test_a_notebook_gets_a_table_of_mathematics_with_equal_rows(shell: Shell) -> None:
    shell.cell(
        "%%graph --quiet\ninput x : [n]\n"
        "y = sum(|x|) + sum(relu(x)) # `<img onerror>` | $ </script>"
    )
    told = shell.cell("%graph explain y")._repr_markdown_()
    rows = [row for row in told.splitlines() if row.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
    assert r"$\displaystyle \frac{\partial y}{\partial x}" in rows[-1]
    assert told.count("<img") == len(re.findall(r"`[^`]*<img[^`]*`", told)) == 1


def test_many_steps_are_shown_from_both_ends() -> None:
    y = x
    for _ in range(500):
        y = ops.sin(y)
    told = derive(ops.sum(y), x, {x: "x"})
    assert len(told.lines) == 40
    assert "… 462 more lines" in repr(told)
    assert "… 462 more lines" in told._repr_markdown_()
    assert repr(told).splitlines()[-1].startswith("∂")
    assert told.lines[-1].name.endswith("/∂x")


def test_a_hundred_thousand_steps_are_told_without_recursion() -> None:
    y = var("deep", [])
    for _ in range(3000):
        y = ops.sin(y)
    assert len(chain(y, var("deep", [])).steps) == 3001


def test_where_a_path_is_cut_the_derivation_says_so() -> None:
    p = dsl.compile("input x : [n]\nloss = sum(x) + sum(stop(x)) + sum(sign(x)) + sum(x * (x > 0))")
    told = derive(p["loss"], p["x"], legend(p).names).cuts
    assert {re.sub(r".*` to ", "", cut) for cut in told} == {
        "`x`: `stop` holds it constant",
        "`x`: `sign` is flat: its slope is zero wherever it has one",
        "`0 < x`: truth values do not vary continuously",
    }


ZEROS = [
    (ops.sum(x), None, "disconnected", ""),
    (ops.sum(x * ops.stop(w)), None, "cut", "`stop` holds it constant"),
    (ops.sum(ops.where(w > 0, x, 0.0)), None, "cut", "truth values do not vary continuously"),
    (ops.sum(ops.sign(w) * x), None, "cut", "`sign` is flat"),
    (ops.sum(x[ops.argmax(w)]), None, "cut", "whole numbers do not vary"),
    (ops.sum(w**0), None, "flat", "its slope is zero everywhere"),
    (ops.sum(ops.relu(w) * x), [-1.0, -2.0], "flat", "saturated"),
    (ops.sum(ops.where(x > 0, x, w)), [1.0, 2.0], "flat", "masked"),
    (ops.sum((w * 0.5) * (x - x)), [1.0, 2.0], "flat", "the other factor is zero"),
    (ops.sum(ops.sigmoid(1e4 * w)), [1.0, 2.0], "flat", "its slope is zero at these values"),
    (ops.sum(w - ops.sin(w) / ops.cos(w) * 0 - w), [1.0, 2.0], "cancelled", ""),
]


@pytest.mark.parametrize("loss, at, why, reason", ZEROS)
def test_why_a_gradient_is_zero(loss: Node, at: list[float] | None, why: str, reason: str) -> None:
    feeds = None if at is None else {x: [1.0, 3.0], w: at}
    found = why_zero(loss, w, feeds)
    assert found is not None
    assert found.why == why
    assert reason in (found.cuts[0].why if found.cuts else "")
    assert repr(found).startswith("∂")


def test_a_gradient_that_is_not_zero_has_no_reason_to_be() -> None:
    y = ops.sum(ops.relu(w))
    assert why_zero(y, w) is None
    assert why_zero(y, w, {w: [1.0, -1.0]}) is None
    assert why_zero(ops.sum(w * x), w, {w: [1.0, 1.0], x: [float("nan"), 0.0]}) is None


def test_the_reason_shows_the_values_at_the_cut(shell: Shell) -> None:
    shell.cell("%%graph --quiet\ninput x : [n]\nparam b : [] = -9\nh = relu(x + b)\nloss = sum(h)")
    assert "∂loss/∂b = 0" not in repr(shell.cell("%graph explain loss b"))
    shell.user_ns["x"] = torch.tensor([1.0, 2.0])
    assert repr(shell.cell("%graph explain loss b")).splitlines()[-2:] == [
        "∂loss/∂b = 0: every path from loss to b is cut",
        "    from h = relu(x + b) to x + b: saturated: no input is positive where the loss depends "
        "on the result; x + b is -8 … -7  μ=-7.5 σ=0.5",
    ]


def test_data_that_do_not_fit_are_left_out_of_account(shell: Shell) -> None:
    shell.cell(LINE)
    expected = repr(shell.cell("%graph explain loss w"))
    shell.user_ns.update(X=torch.ones(5, 3), y=torch.ones(4))
    assert repr(shell.cell("%graph explain loss w")) == expected
    shell.user_ns.update(X="<script>", y=float("nan"))
    assert repr(shell.cell("%graph explain loss w")) == expected


def test_what_cannot_be_explained_is_refused_in_words(shell: Shell) -> None:
    shell.cell(LINE + "z = 3\nk = sum(X > 0)")
    assert "a gradient is of a number, and `r` is [n]" in fails(shell, "%graph explain r")
    assert "depends on no parameter" in fails(shell, "%graph explain z")
    assert "`nothing` is no value" in fails(shell, "%graph explain loss nothing")
    assert "only floats vary" in fails(shell, "%graph explain k X")


def test_shapes_that_are_not_known_can_be_explained_too() -> None:
    free = var("free", None)
    told = derive(ops.sum(ops.softmax(free) * free), free)
    assert isinstance(told, Derivation)
    assert told.lines[-1].name == "∂a/∂free"
    assert told._repr_markdown_()


def test_a_gradient_is_by_floats_alone() -> None:
    with pytest.raises(GradientError, match="only floats"):
        derive(ops.sum(ops.one_hot(var("i", ["n"], "int"), 3)), var("i", ["n"], "int"))
