"""Derivations: each operator's rule as a formula, the chain rule line by line, why zero is zero."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import cast

import pytest
import torch
from torch import Tensor

import dsl
from engine import Evaluator, GradientError, Node, gradients, ops, trace, var, why_zero
from engine.dims import size
from engine.explain import Derivation, chain, derive, partly_zero, rule_of
from engine.graph import Op, rebuild, substitute, toposort
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


WIDE = """input X : [B, T, d], i : int[N], j : int[N]
param g : [d], b : [d], E : [65, d]
normed = sum(layernorm(X, g, b)^2)
weights = sum(softmax(X)^2 @ g)
entropy = cross_entropy(E[i] E^T, j)
attended = sum(softmax(X X^T / sqrt(d)) X)
f(t) = sum(sin(t)^3)
second = sum((∇f)(g))
looped = g
repeat 3:
    looped = tanh(looped * b + looped)
end = sum(looped^2)
"""
LOSSES = ["normed", "weights", "entropy", "attended", "second", "end"]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_derivation_has_lines_with_rules_and_places_and_fits_a_terminal(
    shell: Shell, loss: str
) -> None:
    shell.cell(f"%%graph --quiet\n{WIDE}")
    by = "g" if loss == "second" else ""
    told = shell.cell(f"%graph explain {loss} {by}")
    assert max(map(display_width, repr(told).splitlines())) <= 120
    assert told.lines[0].step == "1"
    for line, tex in zip(told.lines, told.tex, strict=True):
        assert line.place.startswith("Cell In[1], line ")
        assert bool(line.rules) == bool(line.readers) == (line is not told.lines[0])
        assert line.shape
        assert all(": " in rule and " = " in rule for rule in line.rules)
        assert all(part.count("{") == part.count("}") for part in (tex.equation, *tex.rules))
        assert all(r"\dots" not in part for part in (tex.equation, *tex.rules))
    assert told._repr_markdown_()


@pytest.mark.parametrize("sample", FLOATS, ids=str)
def test_every_operator_has_its_line_in_a_derivation(sample: Sample) -> None:
    """A line for each node that is passed: reader, rule, shape, in text and in LaTeX."""
    built = build(sample, "names")
    loss = ops.sum(built.y * built.y)
    told = derive(loss, built.floats)
    assert len(told.lines) == min(40, len(told.chain.steps))
    for line, tex in list(zip(told.lines, told.tex, strict=True))[1:]:
        assert line.shape
        assert line.rules
        assert all(": " in rule and "nothing flows" not in rule for rule in line.rules)
        assert all(part.count("{") == part.count("}") for part in (tex.equation, *tex.rules))
    assert max(map(display_width, repr(told).splitlines())) <= 120


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
    (ops.sum(w * 0.0), None, "flat", "the other factor is zero"),
    (ops.sum(ops.relu(w) * x), [-1.0, -2.0], "flat", "saturated: not positive in all 2 elements"),
    (ops.sum(ops.relu(w)[:1]), [-1.0, 2.0], "flat", "not positive in the 1 of 2 elements that"),
    (ops.sum(ops.minimum(w, 1.0)), [2.0, 3.0], "flat", "clipped: the bound 1 is taken in all 2"),
    (ops.sum(ops.maximum(ops.minimum(w, 1.0), -1.0)), [-2.0, -3.0], "flat", "the bound -1 is"),
    (ops.sum(ops.maximum(w, x)), [0.0, 0.0], "flat", "not taken: the other operand is larger"),
    (ops.sum(ops.minimum(x, w)), [4.0, 4.0], "flat", "not taken: the other operand is smaller"),
    (ops.max(ops.concat([w, x])), [0.0, 0.0], "flat", "left out: the loss does not depend on any"),
    (ops.stack([w[0], x[0]])[1], [1.0, 2.0], "flat", "left out: the loss does not depend on its"),
    (ops.sum(ops.where(x > 0, x, w)), [1.0, 2.0], "flat", "masked: the other branch is taken"),
    (ops.sum(w * ops.cast(x < 0, kind="float")), [1.0, 2.0], "flat", "masked: times 0 in all 2"),
    (
        ops.softmax(w + ops.arange(0, size("n")) * -1e9)[0],
        [1.0, 2.0],
        "flat",
        "masked: the mask leaves a single",
    ),
    (ops.softmax(1e4 * w)[0], [1.0, 2.0], "flat", "saturated: a weight is 1 and the others"),
    (ops.sum((w * 0.5) * (x - x)), [1.0, 2.0], "flat", "the other factor is zero"),
    (ops.sum(x * ops.stop(x) * w * 1e-30) * 1e-30, [1.0, 2.0], "flat", "too small for float32"),
    (ops.sum(w - ops.stop(w)) * 0.0, [1.0, 2.0], "flat", "the other factor is zero"),
    (ops.sum(ops.norm(w)), [0.0, 0.0], "flat", "where it has no slope"),
    (ops.sum(w[2:]), [1.0, 2.0], "flat", "there is no element to depend on"),
    *(
        (ops.sum(saturating(-1e4 * w)), [1.0, 2.0], "flat", "slope is exactly 0 in float32 in all")
        for saturating in (ops.sigmoid, ops.tanh, ops.exp, ops.erf, ops.gelu, ops.silu)
    ),
    (ops.sum(w - ops.sin(w) / ops.cos(w) * 0 - w), [1.0, 2.0], "cancelled", "adds up to zero"),
    (ops.sum(w - w), [1.0, 2.0], "cancelled", "what flows back on 2 ways adds up to zero"),
]


@pytest.mark.parametrize("loss, at, why, reason", ZEROS)
def test_why_a_gradient_is_zero(loss: Node, at: list[float] | None, why: str, reason: str) -> None:
    feeds = None if at is None else {x: torch.tensor([1.0, 3.0]), w: torch.tensor(at)}
    found = why_zero(loss, w, feeds)
    assert found is not None
    assert found.why == why
    assert reason in (found.cuts[0].why if found.cuts else "")
    assert repr(found).startswith("∂")
    if at is not None:
        [slope] = Evaluator(gradients(loss, w)).run({x: [1.0, 3.0], w: torch.tensor(at)})
        assert not slope.any()


@pytest.mark.parametrize("row", [row for row in ZEROS if row[1]], ids=lambda row: row[-1])
def test_what_would_let_a_derivative_through_is_said(row: tuple[object, ...]) -> None:
    loss, at = cast(Node, row[0]), cast(list[float], row[1])
    found = why_zero(loss, w, {x: torch.tensor([1.0, 3.0]), w: torch.tensor(at)})
    assert found is not None
    assert all(cut.way for cut in found.cuts)
    assert found.cuts[0].way in repr(found)


def test_weights_of_zero_after_a_layer_are_called_by_their_name() -> None:
    W, V = var("W", ["n", "k"]), var("V", ["k"])
    loss = ops.sum(ops.tanh(x @ W) @ V)
    found = why_zero(loss, W, {x: [1.0, 2.0], W: torch.ones(2, 3), V: torch.zeros(3)})
    assert found is not None
    assert found.cuts[0].why == "the other factor `V` is zero in all 3 elements"
    assert found.cuts[0].way == "it flows once `V` is not zero, as from another first value"


def test_what_a_disconnected_loss_is_made_of_is_said() -> None:
    assert repr(why_zero(ops.sum(x), w)).endswith("= 0: sum(x) is not made of w, but of x")


def test_rows_that_are_never_read_are_told() -> None:
    W, i = var("W", ["V", "d"]), var("i", ["m"], "int")
    fed = {W: torch.ones(5, 2), i: torch.tensor([1, 3])}
    told = partly_zero(ops.sum(W[i]), W, fed, {W: "wte"})
    assert repr(told) == "∂sum(wte[i])/∂wte is zero in 3 of 5 rows, 0, 2, 4: never read"
    told = partly_zero(ops.sum(W[0]), W, {W: torch.ones(12, 2)})
    assert repr(told).endswith("is zero in 11 of 12 rows, 1, 2, 3, 4, 5, 6, …, 11: never read")
    told = partly_zero(ops.sum(ops.relu(w)), w, {w: [1.0, -1.0]})
    assert repr(told).endswith("in 1 of 2 rows, 1: sum(relu(w)) does not depend on them here")
    assert partly_zero(ops.sum(w), w, {w: [1.0, -1.0]}) is None
    assert partly_zero(ops.sum(w * 0.0), w, {w: [1.0, -1.0]}) is None
    assert partly_zero(ops.sum(W[i]), W, {**fed, i: torch.tensor([], dtype=torch.int64)}) is None


def test_rows_of_an_embedding_stand_below_its_derivation(shell: Shell) -> None:
    shell.cell(
        "%%graph --quiet\ninput t : int[m]\nparam E : [4, 3] = normal(0, 1)\nloss = sum(E[t]^2)"
    )
    shell.user_ns["t"] = torch.tensor([0, 2])
    told = repr(shell.cell("%graph explain loss E"))
    assert told.endswith("\n∂loss/∂E is zero in 2 of 4 rows, 1, 3: never read")


@pytest.mark.parametrize("rule", ["vjp", "jvp"])
@pytest.mark.parametrize("op", Op.table.values(), ids=lambda op: op.name)
def test_a_rule_that_is_missing_raises_and_never_means_zero(op: Op, rule: str) -> None:
    """An operator cannot be made without its rule, and none may answer that it does not know."""
    given = {each.name: getattr(op, each.name) for each in fields(op) if each.name != "name"}
    del given[rule]
    with pytest.raises(TypeError, match=rule):
        Op(name="without_a_rule", **given)
    assert "without_a_rule" not in Op.table


@pytest.mark.parametrize("sample", FLOATS, ids=str)
def test_no_rule_calls_a_derivative_zero_that_differences_find(sample: Sample) -> None:
    """Where an operator sends nothing back to a float, its value does not move with it either."""
    built = build(sample)
    known = {t.node: t.value for t in trace([built.y], built.feeds)}
    for y in (y for y in of_its_op(sample) if y.kind == "float" and y.op is not ops.stop):
        sent = y.op.vjp(var("seed", y.shape), y, *y.inputs) if y.inputs else ()
        for k, dx in enumerate(sent):
            moved = y.inputs[k]
            if dx is None and moved.kind == "float" and known[moved].numel():
                values = [known[x] + 1e-6 if x is moved else known[x] for x in y.inputs]
                bare = [var(f"bare{i}", x.shape, x.kind) for i, x in enumerate(y.inputs)]
                [again] = Evaluator([rebuild(y, tuple(bare))]).run(
                    dict(zip(bare, values, strict=True))
                )
                close(again, known[y])


def test_a_gradient_that_is_not_zero_has_no_reason_to_be() -> None:
    y = ops.sum(ops.relu(w))
    assert why_zero(y, w) is None
    assert why_zero(y, w, {w: [1.0, -1.0]}) is None
    assert why_zero(ops.sum(w * x), w, {w: [1.0, 1.0], x: [float("nan"), 0.0]}) is None


def test_the_reason_shows_the_values_at_the_cut(shell: Shell) -> None:
    shell.cell("%%graph --quiet\ninput x : [n]\nparam b : [] = -9\nh = relu(x + b)\nloss = sum(h)")
    assert "∂loss/∂b = 0" not in repr(shell.cell("%graph explain loss b"))
    shell.user_ns["x"] = torch.tensor([1.0, 2.0])
    assert repr(shell.cell("%graph explain loss b")).splitlines()[-5:] == [
        "∂loss/∂b = 0: every path from loss to b is cut",
        "    Cell In[1], line 4: h = relu(x + b)",
        "    from h = relu(x + b) to x + b: saturated: not positive in all 2 elements",
        "        x + b is -8 … -7  μ=-7.5 σ=0.5",
        "        it flows where an input is positive: a larger bias, or `gelu` in its place",
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
