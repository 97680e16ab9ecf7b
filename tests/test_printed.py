"""A program printed from its graph compiles to the same nodes: one law over all that there is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import dsl
from dsl.lowering.modules import available
from dsl.printed import Contents, printed
from engine import EngineError, Node, gradients, jvp, ops, var
from engine.dims import size
from engine.graph import toposort
from tests.samples import SAMPLES
from tests.sampling import Sample, build
from tests.test_lower_anything import HEAD, STATEMENTS, outcome

SIZES = {"V": 11, "d": 8, "context": 7}


def same(p: dsl.Program) -> str:
    """The text of a program, which has come back the same."""
    text = p.text()
    again = dsl.compile(text, consts=p.consts)
    assert {name: again.nodes.get(name) for name in p.nodes} == dict(p.nodes), text
    assert list(again.inputs.items()) == list(p.inputs.items())
    assert list(again.params.items()) == list(p.params.items())
    assert again.text() == text
    return text


def back(node: Node, *leaves: Node) -> Node:
    """The node that the text of a node compiles to."""
    made = printed(Contents({"y": node}, {leaf.label(): leaf for leaf in leaves}))
    return dsl.compile(made.text, consts=made.consts).nodes["y"]


def program(text: str, consts: Mapping[str, object] | None = None) -> str:
    """The text of the program of a text, without its declarations of sizes and inputs."""
    lines = same(dsl.compile(text, consts=consts)).splitlines()
    return "\n".join(line for line in lines if not line.startswith(("dim ", "input ")))


@pytest.mark.parametrize("module", available())
def test_every_file_of_the_prelude_comes_back(module: str) -> None:
    given = SIZES if module == "transformer" else {}
    same(dsl.load(module))
    same(dsl.load(module, **given))


def test_the_gradients_of_the_transformer_come_back() -> None:
    program = dsl.load("transformer", **SIZES)
    slopes = {f"slope_{i}": node for i, node in enumerate(program.grad("loss").values())}
    text = program.text(slopes)
    again = dsl.compile(text)
    assert {name: again.nodes[name] for name in slopes} == slopes
    assert again.text() == text


def test_first_values_come_back() -> None:
    text = """
    dim n = 6, m = 3
    param A : [n, m]
    param B, C : [n, m] ~ he
    param D : [n/2, 2m] ~ uniform(-1, 1) + n
    param E : [2] ~ normal(uniform(0, 1), 2)
    param b : [n] = 1 / n
    param c : []
    """
    for p in (dsl.compile(text), dsl.load("transformer", **SIZES)):
        again = dsl.compile(same(p))
        first, second = p.init(seed=3), again.init(seed=3)
        assert all(torch.equal(first[path], second[path]) for path in first)


@settings(max_examples=200, deadline=None)
@given(st.lists(STATEMENTS, min_size=1, max_size=2))
def test_whatever_compiles_comes_back(lines: list[str]) -> None:
    found = outcome(HEAD + "\n".join(lines))
    if isinstance(found, dsl.Program):
        same(found)


NUMBERS = st.one_of(
    st.floats(-1e308, 1e308),
    st.sampled_from([math.inf, -math.inf, math.nan, -0.0, 5e-324, 2.0, -3.0]),
)
WHOLE = st.integers(-(2**63) + 1, 2**63 - 1)


@given(st.one_of(NUMBERS, WHOLE, st.booleans()))
def test_numbers_come_back_to_the_last_bit(value: float) -> None:
    x = var("x", [])
    for node in (ops.const(value), ops.where(x < 0, value, x), x - value, ops.maximum(value, x)):
        assert back(node, x) is node


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=1, max_size=3))
def test_tensors_come_back_to_the_last_bit(rows: list[list[float]]) -> None:
    for dtype in (torch.float64, torch.float32, torch.bool):
        table = ops.const(torch.tensor(rows, dtype=dtype))
        for node in (table, table[0], ops.einsum("ij->j", table), ops.concat([table, table])):
            assert back(node) is node


X, K = var("x", []), var("k", [], "int")
KINDS = {
    "exp(k)": ops.exp(K),
    "exp(float(x))": ops.exp(ops.cast(X, kind="float")),
    "float(3) / x": ops.cast(ops.const(3), kind="float") / X,
    "k / 2": K / 2,
    "float(k) * 2": ops.cast(K, kind="float") * 2,
    "x * 2.0": X * 2.0,
    "x * 2": X * 2,
    "-k": -K,
    "neg(2)": ops.neg(2),
    "x^(-1.0)": X**-1.0,
    "pow(k, k)": K**K,
}


@pytest.mark.parametrize("text", KINDS)
def test_kinds_are_written_where_they_do_not_follow(text: str) -> None:
    made = printed(Contents({"y": KINDS[text]}, {"x": X, "k": K})).text
    assert made.splitlines()[-1] == f"y = {text}"
    assert back(KINDS[text], X, K) is KINDS[text]


def test_long_tensors_are_constants_that_the_caller_gives() -> None:
    table = torch.randn(40, 3)
    p = dsl.compile("const A : [n, m]\ninput x : [m]\ny = A x", consts={"A": table})
    assert "const A : [40, 3]" in same(p)
    assert list(p.consts) == ["A"]
    assert torch.equal(p.consts["A"], table)


@pytest.mark.parametrize(
    "text, lines",
    [
        ("input x : [n]\nx = x + 1\ny = 2 * x", "x_2 = x + 1\ny = 2 * x_2\nx = x_2"),
        ("input x, y : [n]\nx, y = y, x", "x, y = y, x"),
        ("input exp : [n]\ny = perplexity(exp)", "exp_2 = exp\ny = exp_2(exp)"),
        ("input x : [n]\nn = x[0]", "n_2 = x[0]\nn = n_2"),
        ("input x : [n]\nmax = |x|\ny = max + 1", "max_2 = abs(x)\ny = max_2 + 1\nmax = max_2"),
        ("input x : [n]\nk = 2\ny = x^k\nz = y", "y = x^2\nk = 2\nz = y"),
        ("input x : [n]\nlist = [x, x[0]]", "list_2 = x[0]\nlist = [x, list_2, None]"),
        (
            "input x : [n]\nf(x) =\n    r = x²\n    r + r\ny = f(x)\nr = 1",
            "r_2 = x^2\ny = r_2 + r_2\nr = 1",
        ),
    ],
)
def test_a_name_that_means_two_things_is_numbered(text: str, lines: str) -> None:
    assert program(text) == lines


def test_parameters_keep_their_paths() -> None:
    text = same(dsl.load("transformer", layers=1))
    assert "param h.0.attention.W_q : [d, d] ~ normal(0.0, 0.02)\n" in text
    assert "Q = X_2 @ h.0.attention.W_q\n" in text


def test_the_text_is_as_long_as_the_graph() -> None:
    squarings = dsl.compile("input x : []\ny = x\n" + "y = y * y\n" * 40)
    assert len(same(squarings).splitlines()) == 41
    lengths = [len(same(dsl.load("transformer", layers=n))) for n in (6, 12)]
    assert lengths[1] < 2.1 * lengths[0]


def and_its_derivatives(sample: Sample, mode: str) -> tuple[dict[str, Node], tuple[Node, ...]]:
    """The sample in a mode, what its rules make of it, and the leaves of both."""
    built = build(sample, mode)
    nodes, leaves = {"y": built.y}, built.xs
    if built.y.kind == "float" and built.floats:
        tangents = [var(f"v{i}", x.shape) for i, x in enumerate(built.floats)]
        nodes |= {f"g{i}": g for i, g in enumerate(gradients(built.y, built.floats))}
        nodes["t"] = jvp(built.y, built.floats, tangents)
        leaves = (*leaves, *tangents)
    return nodes, leaves


def lends_from_a_number(node: Node) -> bool:
    """Whether a shape comes from a number's value: only Python code can say that."""
    return any(
        n.attrs.get("shape", ()) is None and n.inputs[-1].rank == 0 and n.op is not ops.unindex
        for n in toposort([node])
        if n.inputs
    )


@pytest.mark.parametrize("number, sample", list(enumerate(SAMPLES)), ids=str)
def test_every_operator_comes_back_with_its_derivatives(number: int, sample: Sample) -> None:
    mode = ("numbers", "names", "fixed", "ranks")[number % 4]
    try:
        nodes, leaves = and_its_derivatives(sample, mode)
    except EngineError:
        assert mode in sample.refused
        return
    inputs = {leaf.label(): leaf for leaf in leaves}
    sayable = {name: node for name, node in nodes.items() if not lends_from_a_number(node)}
    made = printed(Contents(sayable, inputs))
    again = dsl.compile(made.text, consts=made.consts)
    assert {name: again.nodes[name] for name in sayable} == sayable, made.text
    assert again.text() == made.text


CANNOT = {
    "which shape `x` has": lambda: var("x", None) + 1,
    "what `z` is": lambda: var("z", []) + 1,
    "which size `n` is": lambda: ops.sum(ops.zeros([size("n", 2)])) * ops.size("n"),
    "9223372036854775808, which is too large": lambda: ops.const(2**63),
    "1.1e+308, which is too large": lambda: ops.const(1.1e308),
    "that a number lends its shape": lambda: ops.zeros(var("x", [])),
}


@pytest.mark.parametrize("why", CANNOT)
def test_what_no_program_can_say_is_told(why: str) -> None:
    node = CANNOT[why]()
    leaves = {leaf.label(): leaf for leaf in toposort([node]) if leaf.label() == "x"}
    with pytest.raises(EngineError, match=re.escape(f"no program can say {why}")):
        printed(Contents({"y": node}, leaves))


def test_a_name_that_is_no_name_is_told() -> None:
    with pytest.raises(EngineError, match="`2 x` cannot be the name of a value"):
        dsl.compile("input x : []").text({"2 x": var("x", [])})
