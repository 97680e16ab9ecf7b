"""Forward against reverse mode: counted by hand, counted when run, chosen, and nested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import dsl
from engine import (
    Evaluator,
    GradientError,
    KindError,
    Node,
    jacobian,
    modes,
    ops,
    trace,
    var,
)
from engine.calculus import Mode
from engine.dims import Dim, canonical, size
from engine.explain import cost, polynomial
from engine.explain.modes import cheaper
from engine.graph import toposort
from engine.ops.families import elements
from magics import timing
from tests.sampling import Sample, build
from tests.shells import LINE, Shell, fails, opened
from tests.test_op_laws import SMOOTH, over

BOTH: tuple[Mode, Mode] = ("forward", "reverse")
k, m, n, p = (size(name) for name in "kmnp")
A, B, X = var("A", ["m", "k"]), var("B", ["k", "n"]), var("X", ["n", "p"])
x = var("x", ["n"])


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.setattr(timing, "LONGEST", 0)
    with opened() as made:
        made.cell(LINE)
        yield made


def at(dim: Dim, **sizes: int) -> float | None:
    return polynomial.value(dim, sizes)


def test_a_chain_of_matrices_takes_n_passes_forward_and_m_in_reverse() -> None:
    found = modes(A @ (B @ x), x)
    once = 2 * m * k + 2 * k * n
    assert found.value == once
    assert (found.forward.number, found.reverse.number) == (n, m)
    assert found.forward.one == found.reverse.one == once
    assert found.forward.all == canonical(n * once)
    assert found.reverse.all == canonical(m * once)
    assert found.forward.once == found.reverse.once == 0


def test_slopes_are_computed_once_and_every_pass_multiplies_by_them() -> None:
    """exp' = exp is there already; tanh' = 1 - tanh² is three operations an element."""
    assert [modes(ops.exp(x), x).passes(mode).one for mode in BOTH] == [n, n]
    for mode in BOTH:
        passes = modes(ops.tanh(x), x).passes(mode)
        assert (passes.once, passes.each) == (3 * n, n)
        assert passes.all == n**2 + 3 * n


def test_a_gradient_is_one_pass_in_reverse_and_n_forward() -> None:
    W, b = var("W", ["m", "n"]), var("b", ["m"])
    found = modes(ops.sum(ops.tanh(W @ x + b)), [W, b])
    assert (found.reverse.number, found.forward.number) == (1, m * n + m)
    assert found.cheaper == "reverse"
    assert found.memories["reverse"] is not None


class Arithmetic(TorchDispatchMode):
    """Counts the elements that torch adds, subtracts, multiplies and negates."""

    done = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if func.__name__.partition(".")[0] in ("add", "sub", "mul", "neg"):
            self.done += found.numel()
        return found


def test_operations_are_those_that_torch_makes() -> None:
    a, z = var("a", [7]), var("z", [7])
    y = (a * z - a) * z + z * -a
    feeds = {a: torch.randn(7), z: torch.randn(7)}
    found = modes(y, z)
    with Arithmetic() as counter:
        trace([y], feeds)
    assert counter.done == found.value
    for passes, seed in ((found.forward, z.shape), (found.reverse, y.shape)):
        seeds = {leaf: torch.ones(7) for leaf in toposort(passes.made) if leaf.op is ops.variable}
        with Arithmetic() as counter:
            trace([y, *passes.made], {**seeds, **feeds})
        assert counter.done == at(polynomial.added([found.value, passes.one])), seed


@pytest.mark.parametrize("mode", BOTH)
def test_the_passes_of_a_jacobian_make_as_many_multiplications_as_are_counted(mode: Mode) -> None:
    """By torch's own counter of matrix products."""
    a, b, z = var("a", [4, 5]), var("b", [5, 6]), var("z", [6, 2])
    y = a @ (b @ z)
    feeds = {a: torch.randn(4, 5), b: torch.randn(5, 6), z: torch.randn(6, 2)}
    with FlopCounterMode(display=False) as counter:
        trace([y, jacobian(y, z, mode)], feeds)
    found = modes(y, z)
    assert at(polynomial.added([found.value, found.passes(mode).all])) == counter.get_total_flops()


def mlp(z: Node) -> Node:
    return var("V", ["m", "k"]) @ ops.tanh(var("U", ["k", "n"]) @ z)


FUNCTIONS: dict[str, Callable[[Node], Node]] = {
    "linear": lambda z: A @ (B @ z),
    "mlp": mlp,
    "deep": lambda z: ops.sum(ops.sigmoid(ops.tanh(ops.sin(ops.exp(z))))),
    "softmax": ops.softmax,
    "layer_norm": ops.layer_norm,
    "logsumexp": ops.logsumexp,
    "quadratic form": lambda z: z @ (var("Q", ["n", "n"]) @ z),
    "log det": lambda z: ops.logdet(z[:, None] * z[None] + var("Q", ["n", "n"])),
    "attention": lambda z: (
        ops.softmax((z[:, None] * var("q", ["k"])) @ (z[:, None] * var("r", ["k"])).T) @ z
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gradient_is_cheap_however_many_elements_there_are(name: str) -> None:
    """A value with one pass costs at most five times the value; the ratio does not grow."""
    y = FUNCTIONS[name](x)
    for mode in BOTH:
        few, many = (
            modes(y, x, {"n": size, "m": 10, "k": 10}).ratio(mode) for size in (100, 100_000)
        )
        assert few is not None
        assert many is not None
        assert 1 < many <= 5
        assert many < 1.05 * few


QUADRATIC = {"prod": "exact at zeros: a product of the others for each element"}


@over(s for s in SMOOTH if s.op not in QUADRATIC)
def test_a_pass_costs_at_most_five_times_the_value_and_what_it_reads_and_makes(
    sample: Sample,
) -> None:
    """The cheap-gradient principle operator by operator, at its sizes and at large ones."""
    for known in ("numbers", "names"):
        if known in sample.refused:
            continue
        built = build(sample, known)
        found = modes(built.y, built.floats)
        base = polynomial.added([found.value, found.forward.number, found.reverse.number])
        if all(polynomial.estimate(found.passes(mode).number, {}) for mode in BOTH):
            for mode in BOTH:
                one = polynomial.estimate(found.passes(mode).one, {})
                assert one <= 5 * polynomial.estimate(base, {})


def test_the_gradient_of_a_model_costs_three_times_its_value() -> None:
    loaded = dsl.load("gpt2", layers=2)
    found = modes(loaded["loss"], list(loaded.params.values()), {"B": 4, "T": 512})
    assert found.ratio("reverse") == pytest.approx(3, rel=0.01)
    assert found.cheaper == "reverse"


def test_where_both_take_the_same_neither_is_the_cheaper() -> None:
    found = modes(ops.tanh(x), x)
    assert found.cheaper is None
    assert "cheaper" not in repr(found)
    assert cheaper(ops.tanh(var("z", [3])), var("z", [3])) == "reverse"
    assert modes(A @ (B @ x), x).cheaper is None  # open sizes are alike
    assert modes(A @ (B @ x), x, {"m": 3, "n": 4}).cheaper == "reverse"


def test_a_tall_jacobian_is_made_forward_and_a_wide_one_in_reverse() -> None:
    y = A @ ops.exp(B @ x)
    assert modes(y, x, {"m": 100, "k": 5, "n": 2}).cheaper == "forward"
    assert modes(y, x, {"m": 2, "k": 5, "n": 100}).cheaper == "reverse"
    assert modes(ops.sum(y), x).cheaper == "reverse"
    assert modes(ops.concat([x, ops.exp(x)]), x).cheaper == "forward"


def test_the_choice_is_by_operations_and_not_by_elements_alone() -> None:
    """Six columns, eight rows; but a pass forward makes three times the operations of one back."""
    z, w = var("z", [2, 3]), var("w", [4])
    y = ops.einsum("ij,k->ik", z, w)
    found = modes(y, z)
    assert (found.forward.number, found.reverse.number) == (6, 8)
    assert found.forward.each == 3 * (found.reverse.each or 0)
    assert found.cheaper == cheaper(y, z) == "reverse"
    assert jacobian(y, z) is jacobian(y, z, mode="reverse")


def test_one_formula_is_taken_where_it_takes_less_than_the_passes() -> None:
    """(A B) C of A B C, whose passes from the right are two products with a vector."""
    a, b, c = var("a", [50, 50]), var("b", [50, 50]), var("c", [50, 2])
    z, w = var("z", [2]), var("w", [50])
    by_passes, by_formula = jacobian(a @ (b @ (c @ z)), z), jacobian(a @ ops.tanh(b @ w), w)
    assert by_passes is jacobian(a @ (b @ (c @ z)), z, "forward")
    assert by_formula is not jacobian(a @ ops.tanh(b @ w), w, "reverse")
    passes = polynomial.estimate(modes(a @ ops.tanh(b @ w), w).reverse.all, {})
    once = polynomial.estimate(cost([by_formula], beside=[ops.tanh(b @ w)]).each, {})
    assert 0 < once < passes


def test_moving_elements_counts_too_where_nothing_is_computed() -> None:
    """A look-up in a large table: each pass forward moves a tangent as large as the table."""
    table, tokens = var("table", [1000]), var("tokens", [3], "int")
    found = modes(table[tokens], table)
    assert found.forward.all == 0
    assert found.cheaper == "reverse"


MOST = 12  # passes


@over(SMOOTH)
def test_a_jacobian_is_the_same_by_columns_and_by_rows(sample: Sample) -> None:
    built = build(sample)
    for z in built.floats:
        if max(elements(z) or 0, elements(built.y) or 0) > MOST:
            continue
        made = [jacobian(built.y, z, mode) for mode in (None, *BOTH)]
        chosen, forward, reverse, y = Evaluator([*made, built.y]).run(built.feeds)
        assert forward.shape == (*y.shape, *built.feeds[z].shape)
        torch.testing.assert_close(forward, reverse, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(chosen, reverse, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("mode", [None, *BOTH])
@pytest.mark.parametrize("outputs, inputs", [(0, 2), (2, 0), (0, 0)])
def test_a_jacobian_with_an_empty_side_is_empty(outputs: int, inputs: int, mode: Mode) -> None:
    z = var("z", [inputs])
    y = ops.ones([outputs]) * ops.sum(z)
    (found,) = Evaluator([jacobian(y, z, mode)]).run({z: torch.ones(inputs)})
    assert found.shape == (outputs, inputs)


@pytest.mark.parametrize("mode", [None, *BOTH])
def test_a_jacobian_of_what_is_not_reached_is_zeros_without_a_pass(mode: Mode) -> None:
    z, other = var("z", [3]), var("other", [2, 2])
    assert jacobian(ops.exp(z), other, mode) is ops.zeros([3, 2, 2])
    found = modes(ops.exp(z), other)
    assert (found.forward.all, found.reverse.all) == (0, 0)


def test_what_has_no_jacobian_says_why() -> None:
    z, i = var("z", [3]), var("i", [3], "int")
    for wrong in (jacobian, modes):
        with pytest.raises(GradientError, match=r"no gradient of int\[3\]"):
            wrong(i, z)
        with pytest.raises(GradientError, match=r"no gradient with respect to bool\[3\]"):
            wrong(z, z > 0)
        with pytest.raises(KindError, match="of a node, not a float"):
            wrong(1.0, z)  # pyright: ignore[reportArgumentType]
    with pytest.raises(GradientError, match=r"sizes known as numbers, not \[n\]"):
        jacobian(x * x, x, "forward")
    with pytest.raises(KindError, match="there is no mode 'sideways'") as caught:
        jacobian(z * z, z, mode="sideways")  # pyright: ignore[reportArgumentType]
    assert caught.value.hint == "it is `forward` or `reverse`"


def test_unknown_shapes_are_said_and_their_passes_are_not_chosen() -> None:
    free = var("free", None)
    found = modes(ops.sum(ops.exp(free)), free)
    assert found.unknown > 0
    assert found.forward.number is found.forward.all is None
    assert found.cheaper == "reverse"
    assert "forward: ? passes of" in repr(found)


def test_a_pass_is_along_all_that_is_asked_for_once() -> None:
    W = var("W", ["m", "n"])
    found = modes(W @ x, [W, x, x])
    assert found.forward.number == m * n + n


def test_the_modes_are_told_beside_each_other(shell: Shell) -> None:
    found = shell.cell("%graph modes r w --at n=500,d=3")
    assert repr(found).splitlines() == [
        "r by w at n = 500, d = 3: a multiply-add counts 2, a number takes 4 bytes",
        "",
        "                   r                  forward, the cheaper  reverse",
        "passes                                d = 3                 n = 500",
        "operations         2·d·n + n = 3.5 k  2·d·n = 3 k           2·d·n = 3 k",
        "of all passes                         2·d²·n = 9 k          2·d·n² = 1.5 M",
        "value with a pass                     1.86 times the value  1.86 times the value",
        "live memory        4·n = 2 kB         8·n = 4 kB            4·n + 4·d = 2.01 kB",
    ]
    told = found._repr_markdown_()
    assert "| of all passes |  | $2 \\, d^{2} \\, n$ = 9 k | $2 \\, d \\, n^{2}$ = 1.5 M |" in told


def test_a_loss_is_differentiated_in_reverse_and_by_all_parameters(shell: Shell) -> None:
    found = shell.cell("%graph modes loss")
    assert (found.by, found.modes.cheaper) == (["w"], "reverse")
    assert "reverse, the cheaper" in repr(found)
    assert "n =" not in repr(found)


def test_a_pass_of_each_can_be_measured(shell: Shell) -> None:
    shell.user_ns.update(X=torch.ones(5, 3), y=torch.ones(5))
    found = shell.cell("%graph modes r w --time")
    assert list(found.seconds) == ["value", "forward", "reverse"]
    assert all(seconds > 0 for seconds in found.seconds.values())
    measured = repr(found).splitlines()[-1]
    assert measured.startswith("measured ")
    assert measured.count("times the value") == 2
    assert "leave `--at` off" in fails(shell, "%graph modes r w --at n=3 --time")


def test_long_sums_and_long_lists_of_names_are_cut(shell: Shell) -> None:
    shell.cell(
        "%%graph --quiet\ninput x : [n], U : [k, n], V : [m, k], a : [m]\ny = a ⊙ V tanh(U x)"
    )
    told = repr(shell.cell("%graph modes y"))
    assert told.startswith("y by x, U, V and 1 more:")
    assert " + …" in told


def test_the_cost_tells_what_lives_at_once(shell: Shell) -> None:
    found = shell.cell("%graph cost loss --at n=500,d=3")
    assert found.memory["forward"] == 4 * n + 4
    assert "memory    4·n + 4      2 kB  at once, forward\n" in repr(found)
    assert "memory    8·n + 4      4 kB  at once, forward and backward" in repr(found)
