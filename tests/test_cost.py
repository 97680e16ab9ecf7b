"""Costs: counted by hand, by torch's own counter of matrix products, and over all operators."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping

import pytest
import sympy
import torch
from torch.utils.flop_counter import FlopCounterMode

import dsl
from engine import Node, gradients, jvp, ops, trace, var
from engine.dims import Dim, size, sizes_in
from engine.explain import cost, cost_of_generation, cost_of_gradients, polynomial, shares
from engine.graph import toposort
from magics import timing
from magics.costs import amount
from tests.samples import SAMPLES
from tests.sampling import NAMES, Sample, build
from tests.shells import LINE, Shell, fails, opened

B, T, d, k = (size(name) for name in "BTdk")
X = var("X", ["B", "T", "d"])
GPT = """%%graph --quiet
dim B, T, V = 65, d = 8, H = 2
from gpt2 import block
from nn import embedding
input tokens, targets : int[B, T]
wte = embedding(V, d, name="wte")
Z = wte[tokens]
repeat 3:
    Z = block(Z, H, name="h")
logits = Z wte^T
loss = cross_entropy(logits, targets)
"""
MODES = ["numbers", "fixed", "names"]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.setattr(timing, "LONGEST", 0)
    with opened() as made:
        yield made


def term(dim: Dim, *sizes: sympy.Expr) -> sympy.Expr:
    """The coefficient of a product of sizes in a polynomial."""
    found = sympy.Poly(sympy.sympify(dim), *sorted(sizes_in(dim), key=str))
    return found.coeff_monomial(sympy.Mul(*sizes))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_every_operator_costs_a_finite_number_that_is_not_negative(
    sample: Sample, mode: str
) -> None:
    """At all sizes of its inputs and outputs."""
    built = build(sample, mode)
    derived = gradients(built.y, built.floats) if built.y.kind == "float" else []
    nodes = toposort([built.y, *derived])
    named = {name: number for number, name in NAMES.items()}
    for node in nodes:
        found = polynomial.value(node.op.cost(node, *node.inputs), named)
        assert found is not None
        assert math.isfinite(found)
        assert found >= 0


def test_a_linear_layer() -> None:
    y = var("x", ["B", "d"]) @ var("W", ["d", "k"]) + var("b", ["k"])
    assert cost([y]).each == 2 * B * d * k + B * k
    backward = cost_of_gradients(ops.sum(y), [var("x", ["B", "d"]), var("W", ["d", "k"])]).each
    assert term(backward, B, d, k) == 4


def test_attention_is_twice_the_product_of_the_scores() -> None:
    Q, K, V = (var(name, ["B", "T", "d"]) for name in "QKV")
    y = ops.softmax(Q @ K.T) @ V
    assert cost([y]).each == 4 * B * T**2 * d + 7 * B * T**2


def test_an_mlp_four_times_as_wide() -> None:
    W, U = var("W", [d, 4 * d]), var("U", [4 * d, d])
    assert cost([ops.relu(X @ W) @ U]).each == 16 * B * T * d**2 + 4 * B * T * d


def test_a_block_of_gpt2_is_24_d_squared_and_4_t_d_a_token() -> None:
    p = dsl.load("gpt2", layers=1)
    found = cost([p["loss"]]).each
    d = size("d", 768)
    assert term(found, B, T, d**2) == 24
    assert term(found, B, T**2, d) == 4
    backward = cost_of_gradients(p["loss"], list(p.params.values())).each
    assert term(backward, B, T, d**2) == 48
    assert term(backward, B, T**2, d) == 8


def test_matrix_products_cost_what_the_counter_of_torch_says() -> None:
    p = dsl.load("gpt2", V=13, context=7, d=8, H=2, layers=2)
    tokens = {name: torch.randint(0, 13, (3, 5)) for name in ("tokens", "targets")}
    feeds = p.feeds(tokens, p.init())
    outputs = [p["loss"], *gradients(p["loss"], list(p.params.values()))]
    with FlopCounterMode(display=False) as counter:
        trace(outputs, feeds)
    products = [node for node in toposort(outputs) if node.op is ops.matmul]
    ours = polynomial.added([node.op.cost(node, *node.inputs) for node in products])
    assert polynomial.value(ours, {"B": 3, "T": 5}) == counter.get_total_flops() > 0


def test_what_is_used_twice_is_counted_once() -> None:
    y = ops.exp(X)
    assert cost([y + y]).each == 5 * B * T * d
    assert cost([y, y * y]).each == 5 * B * T * d
    assert cost([y * y], beside=[y]).each == B * T * d


def test_what_depends_on_sizes_alone_is_counted_apart() -> None:
    y = ops.sum(X * ops.exp(ops.arange(0, d)))
    assert cost([y]).once == 4 * d
    assert cost([y]).each == 2 * B * T * d


def test_unknown_shapes_are_said_and_not_counted() -> None:
    free = var("free", None)
    found = cost([ops.sum(ops.exp(free)), ops.exp(X)])
    assert (found.each, found.unknown) == (4 * B * T * d, 2)


def test_parts_add_up_to_the_whole() -> None:
    p = dsl.load("gpt2", layers=2)
    parts = {node: ".".join(path[:1]) for node, path in p.places.items()}
    found = shares([p["loss"]], parts)
    assert polynomial.added(found.values()) == cost([p["loss"]]).each
    assert found["h"] == polynomial.added([found["h"]])


def test_a_chain_of_a_hundred_thousand_is_counted() -> None:
    y = var("s", [])
    for _ in range(100_000):
        y = -y
    assert cost([y]).each == 100_000


def test_naive_generation_is_of_third_order_in_the_length() -> None:
    p = dsl.load("gpt2", layers=1)
    made = cost_of_generation(p["logits"])
    assert made is not None
    assert made.orders == (2, 3)
    values = {"B": 2, "T": 7}
    each = [polynomial.value(made.token, {"B": 2, "T": t}) or 0 for t in range(1, 8)]
    assert polynomial.value(made.text, values) == pytest.approx(sum(each))


def test_a_chain_without_attention_is_of_second_order() -> None:
    logits = ops.relu(X @ var("W", ["d", "d"])) @ var("U", ["d", "V"])
    made = cost_of_generation(logits)
    assert made is not None
    assert made.orders == (1, 2)
    assert cost_of_generation(var("one", ["V"])) is None
    assert cost_of_generation(var("numbers", [3, 4])) is None


@pytest.mark.parametrize(
    "dim, text",
    [
        (8 * B * T * d**2 + 4 * B * T**2 * d + 3, "8·B·T·d² + 4·B·T²·d + 3"),
        (0, "0"),
        (None, "?"),
        (T, "T"),
        (T**12 - 2 * T, "T¹² - 2·T"),
        (T**2 / 2 + T * d / k, "1/2·T² + T·d/k"),
        (sum(T**n for n in range(9)), "T⁸ + T⁷ + T⁶ + T⁵ + T⁴ + T³ + … 3 more terms"),
    ],
)
def test_polynomials_are_written_by_degree(dim: Dim, text: str) -> None:
    assert polynomial.text(dim) == text
    tex = polynomial.latex(dim)
    assert tex.count("{") == tex.count("}")


def test_known_sizes_put_the_largest_terms_first() -> None:
    both = T**2 + d
    assert polynomial.text(both, {"T": 2, "d": 1000}) == "d + T²"
    assert polynomial.text(both, {"T": 2}) == "T² + d"
    assert polynomial.text(T**400 + d, {"T": 10**6, "d": 0})


def test_amounts_are_short() -> None:
    numbers = [0, 1, 999, 999.9, 1.5e3, 25.6e9, 1e30, 0.02, 3e-7]
    assert [amount(n).strip() for n in numbers] == [
        *["0", "1", "999", "1 k", "1.5 k", "25.6 G", "1e+12 E", "20 m", "300 n"]
    ]


def test_the_cost_of_a_loss_is_told_in_the_sizes(shell: Shell) -> None:
    shell.cell(LINE)
    found = shell.cell("%graph cost loss")
    assert (found.forward, found.backward) == (2 * size("n") * d + 4 * size("n"), found.backward)
    assert repr(found).splitlines()[:3] == [
        "loss: operations, a multiply-add counts 2",
        "",
        "forward   2·d·n + 4·n",
    ]
    assert "$2 \\, d \\, n + 4 \\, n$" in found._repr_markdown_()


def test_sizes_are_those_of_the_data_or_are_given(shell: Shell) -> None:
    shell.cell(LINE)
    shell.user_ns.update(X=torch.ones(5, 3), y=torch.ones(5))
    found = shell.cell("%graph cost loss")
    assert found.number(found.forward) == 50
    assert "loss at n = 5, d = 3:" in repr(found)
    found = shell.cell("%graph cost loss --at n=10,d=4")
    assert found.number(found.forward) == 120


def test_data_that_do_not_fit_tell_no_sizes(shell: Shell) -> None:
    shell.cell(LINE)
    shell.user_ns.update(X=torch.ones(5, 3), y=torch.ones(4))
    assert "loss: operations" in repr(shell.cell("%graph cost loss"))


def test_parts_are_functions_and_passes_of_a_repeat_are_one(shell: Shell) -> None:
    shell.cell(GPT)
    found = shell.cell("%graph cost loss --at B=2,T=4")
    assert list(found.parts) == ["h × 3", "logits", "loss"]
    assert sum(share or 0 for _, share in found.shares) == pytest.approx(1)
    deeper = shell.cell("%graph cost loss --at B=2,T=4 --depth 2")
    assert {"h.attn × 3", "h.mlp × 3", "h.ln_1 × 3"} < set(deeper.parts)
    text = repr(found)
    assert "O(T²): the whole text anew" in text
    assert "O(T³): T tokens, one by one" in text


def test_a_run_can_be_measured(shell: Shell) -> None:
    shell.cell(LINE)
    shell.user_ns.update(X=torch.ones(5, 3), y=torch.ones(5))
    found = shell.cell("%graph cost loss --time")
    assert set(found.seconds) == {"forward", "forward and backward"}
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert "FLOP/s" in repr(found)
    assert "FLOP/s" in found._repr_markdown_()


def test_the_growth_that_was_measured_stands_beside_the_order(shell: Shell) -> None:
    shell.cell(GPT)
    tokens = torch.randint(0, 65, (2, 16))
    shell.user_ns.update(tokens=tokens, targets=tokens)
    found = shell.cell("%graph cost loss --time")
    assert found.growth.size == 16
    assert math.isfinite(found.growth.exponent)
    [token, text] = [row.note for row in found.rows if row.what.startswith("a t")]
    assert re.fullmatch(r"O\(T²\): the whole text anew; measured T\^\S+ up to 16", token)
    assert re.fullmatch(r"O\(T³\): T tokens, one by one; measured T\^\S+ up to 16", text)
    shell.user_ns.update(tokens=tokens[:, :4], targets=tokens[:, :4])
    assert shell.cell("%graph cost loss --time").growth is None


def test_growth_is_measured_between_a_length_and_its_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that counts elements squared: the exponent is 2."""
    fed: list[tuple[int, ...]] = []

    def squared(nodes: object, feeds: Mapping[Node, torch.Tensor]) -> float:
        fed.append(tuple(feeds[X].shape))
        return float(feeds[X].shape[1] ** 2)

    monkeypatch.setattr(timing, "shortest", squared)
    found = timing.growth(ops.exp(X), {X: torch.ones(2, 9, 3)}, size("T"))
    assert found is not None
    assert fed == [(2, 9, 3), (2, 4, 3)]
    assert (found.size, found.exponent) == (9, pytest.approx(2))


def test_what_cannot_be_counted_so_is_refused_in_words(shell: Shell) -> None:
    shell.cell(LINE)
    assert "`n` gives no sizes" in fails(shell, "%graph cost loss --at n")
    assert "`q` is no size of this graph" in fails(shell, "%graph cost loss --at q=3")
    assert "leave `--at` off" in fails(shell, "%graph cost loss --at n=3 --time")
    assert "has no value" in fails(shell, "%graph cost loss --time")


def test_a_value_that_is_no_number_has_no_backward(shell: Shell) -> None:
    shell.cell(LINE)
    assert shell.cell("%graph cost r").backward is None
    assert shell.cell("%graph cost X").forward == 0


def test_hostile_names_are_not_markup(shell: Shell) -> None:
    shell.cell("%%graph --quiet\ninput x : [n]\na_b = exp(x)\ny = sum(a_b)")
    assert r"a\_b" in shell.cell("%graph cost y")._repr_markdown_()


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_every_cost_is_a_polynomial_forward_backward_and_along_a_direction(sample: Sample) -> None:
    """In named sizes, none left out: of the value, of its gradients and of its jvp."""
    built = build(sample, "names")
    moving = built.y.kind == "float" and bool(built.floats)
    tangents = [var(f"d{i}", x.shape) for i, x in enumerate(built.floats)]
    derived = [
        *(gradients(built.y, built.floats) if moving else []),
        *([jvp(built.y, built.floats, tangents)] if moving else []),
    ]
    for node in toposort([built.y, *derived]):
        dim = node.op.cost(node, *node.inputs)
        assert dim is not None
        assert sympy.sympify(dim).is_polynomial(*sizes_in(dim))
    assert cost([built.y, *derived]).unknown == 0


PRODUCTS = ("matmul", "matmul_left", "matmul_right", "einsum")
COUNTED = [
    (lambda a, b: a @ b, (5, 3), (3, 4)),
    (lambda a, b: a @ b, (2, 5, 3), (3, 4)),
    (lambda a, b: a @ b, (2, 5, 3), (2, 3, 4)),
    (lambda a, b: ops.einsum("bij,bjk->bik", a, b), (2, 5, 3), (2, 3, 4)),
    (lambda a, b: ops.einsum("bhid,bhjd->bhij", a, b), (2, 2, 5, 3), (2, 2, 4, 3)),
]


@pytest.mark.parametrize("product, one, other", COUNTED)
def test_products_and_their_gradients_cost_what_the_counter_of_torch_says(
    product: Callable[[Node, Node], Node], one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    a, b = var("a", one), var("b", other)
    y = product(a, b)
    outputs = [y, *gradients(y, [a, b], var("seed", y.shape))]
    products = [node for node in toposort(outputs) if node.op.name in PRODUCTS]
    ours = polynomial.added([node.op.cost(node, *node.inputs) for node in products])
    with FlopCounterMode(display=False) as counter:
        fed = torch.randn(one, requires_grad=True), torch.randn(other, requires_grad=True)
        letters = y.attrs["pattern"] if y.op is ops.einsum else None
        theirs = torch.einsum(letters, *fed) if letters else fed[0] @ fed[1]
        theirs.backward(torch.ones_like(theirs))
    assert polynomial.value(ours, {}) == counter.get_total_flops() > 0


ATTENTION = """\
input X : [B, T, d]
param Wq : [d, d], Wk : [d, d], Wv : [d, d], Wo : [d, d]
Q = X Wq
K = X Wk
V = X Wv
Y = softmax(Q K^T / sqrt(d)) V Wo
loss = sum(Y)
"""


def test_attention_as_derived_by_hand(shell: Shell) -> None:
    """Four projections 2·B·T·d², scores and mixing 2·B·T²·d each; backward twice of all."""
    shell.cell(f"%%graph --quiet\n{ATTENTION}")
    found = shell.cell("%graph cost loss")
    assert (term(found.forward, B, T, d**2), term(found.forward, B, T**2, d)) == (8, 4)
    assert term(found.backward, B, T**2, d) == 8
    assert "8·B·T·d² + 4·B·T²·d" in repr(found)


def test_a_block_of_the_prelude_as_derived_by_hand(shell: Shell) -> None:
    """Four projections and an MLP four times as wide: 8 + 16 by B·T·d², and 4·B·T²·d."""
    shell.cell(GPT)
    found, found_d = shell.cell("%graph cost loss"), size("d", 8)
    assert (term(found.forward, B, T, found_d**2), term(found.forward, B, T**2, found_d)) == (
        72,
        12,
    )
