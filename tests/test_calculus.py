"""Derivatives as graph: accumulation, seeds, any order, against torch; what has none is refused."""

from __future__ import annotations

import gc
import math
import weakref
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from engine import (
    Evaluator,
    GradientError,
    KindError,
    Node,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    ops,
    var,
    vjp,
)
from engine.dims import size
from engine.graph import toposort
from engine.origins import origin
from tests.sample_tables import layer_norm

x = var("x", [3])
X = torch.tensor([0.5, -1.5, 2.0], dtype=torch.float64)


def value(node: Node, feeds: dict[Node, Tensor] | None = None) -> Tensor:
    (found,) = Evaluator([node]).run(feeds or {x: X})
    return found


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def names(nodes: Sequence[Node]) -> Counter[str]:
    """How often each operator stands in the graph of these nodes."""
    return Counter(node.op.name for node in toposort(nodes))


def test_what_is_unreachable_has_zeros_of_its_shape() -> None:
    w, index = var("w", [2, 2]), var("index", [3], "int")
    shapes = [g.shape for g in gradients(ops.sum(x), [w, x])]
    assert shapes == [(2, 2), (3,)]
    assert value(gradients(ops.sum(x), [w])[0]).tolist() == [[0, 0], [0, 0]]
    assert value(gradients(x * 0 + ops.cast(index), [x])[0], {x: X}).tolist() == [0, 0, 0]
    assert value(jvp(ops.sum(w), [x], [x]), {w: torch.ones(2, 2), x: X}).item() == 0


def test_what_is_unreachable_and_of_unknown_shape_has_zeros_like_it() -> None:
    u = var("u")
    found = value(gradients(ops.sum(x), [u])[0], {u: torch.ones(2, 5), x: X})
    assert found.shape == (2, 5)
    assert not found.any()


def test_a_path_through_whole_numbers_carries_nothing() -> None:
    rounded = ops.cast(ops.cast(x, "int"))
    y = ops.sum(rounded * x) + ops.sum(ops.concat([ops.cast(x, "int"), x]) * ops.stop(x[:1]))
    assert value(gradients(y, [x])[0]).tolist() == [0.5, -0.5, 2.5]


def test_a_diamond_adds_what_comes_along_each_side() -> None:
    y = ops.exp(x)
    left, right = ops.sin(y), y * x
    close(value(gradients(left + right, [x])[0]), X.exp() * (X.exp().cos() + X + 1))
    twice = gradients(x + x + x * x, [x])[0]
    close(value(twice), 2 + 2 * X)


def test_a_gradient_with_respect_to_an_inner_node_stops_there() -> None:
    h = ops.exp(x)
    y = ops.sum(h * h + x)
    by_h, by_x = gradients(y, [h, x])
    close(value(by_h), 2 * X.exp())
    close(value(by_x), 2 * (2 * X).exp() + 1)
    assert value(gradients(h, [h])[0]).tolist() == [1, 1, 1]


def test_forward_mode_adds_the_seed_of_an_inner_node_to_what_arrives() -> None:
    """So that ⟨g, J v⟩ = ⟨Jᵀ g, v⟩ for inner nodes too."""
    h = ops.exp(x)
    y = ops.sum(h * h + x)
    u, v = var("u", [3]), var("v", [3])
    tangent = jvp(y, [h, x], [u, v])
    by_h, by_x = gradients(y, [h, x])
    feeds = {x: X, u: X + 1, v: X - 2}
    close(value(tangent, feeds), value(ops.sum(by_h * u + by_x * v), feeds))


def test_a_node_asked_for_twice_is_answered_twice() -> None:
    a, b = gradients(ops.sum(x * x), [x, x])
    assert a is b
    close(value(jvp(ops.sum(x * x), [x, x], [x, x])), 4 * (X * X).sum())


def test_a_seed_takes_the_place_of_ones() -> None:
    g = var("g", [3])
    (seeded,) = gradients(ops.sin(x), [x], g)
    close(value(seeded, {x: X, g: X + 1}), (X + 1) * X.cos())
    assert vjp(ops.sin(x), [x], g) == [seeded]
    close(value(gradients(ops.sin(x), [x])[0]), X.cos())
    by_numbers = value(gradients(ops.sin(x), [x], ops.const([1.0, 2.0, 3.0]))[0])
    close(by_numbers, torch.arange(1, 4) * X.cos())


def test_a_seed_may_depend_on_the_variable() -> None:
    (g,) = gradients(x * x, [x], x)
    close(value(g), 2 * X * X)


def test_a_seed_or_a_tangent_of_another_shape_is_refused() -> None:
    with pytest.raises(GradientError, match=r"the seed \[2\] is not of the output's shape \[3\]"):
        gradients(x, [x], ops.ones([2]))
    with pytest.raises(GradientError, match=r"a tangent \[2\] is not of the shape \[3\]"):
        jvp(x, [x], [ops.ones([2])])


FUNCTIONS: list[tuple[str, Callable[[Node], Node], Callable[[Tensor], Tensor]]] = [
    ("sin(x²)", lambda x: ops.sin(x * x), lambda x: (x * x).sin()),
    ("softmax", ops.softmax, lambda x: x.softmax(-1)),
    ("layer_norm", ops.layer_norm, lambda x: layer_norm(x, -1)),  # torch's own errs from order 3 on
    ("∏x", ops.prod, torch.prod),
    ("‖x‖", ops.norm, torch.linalg.vector_norm),
    ("x xᵀ", lambda x: x[:, None] @ x[None], lambda x: x[:, None] @ x[None]),
    ("log Σ eˣ", ops.logsumexp, lambda x: x.logsumexp(-1)),
    ("relu(x)³", lambda x: ops.relu(x) ** 3, lambda x: x.relu() ** 3),
    ("x[1]", lambda x: x[1], lambda x: x[1]),
    ("Σx", ops.sum, torch.sum),
]
functions = pytest.mark.parametrize(
    "f, wanted", [row[1:] for row in FUNCTIONS], ids=[row[0] for row in FUNCTIONS]
)


@functions
def test_a_jacobian_is_the_one_of_torch(
    f: Callable[[Node], Node], wanted: Callable[[Tensor], Tensor]
) -> None:
    found = value(jacobian(f(x), x))
    expected = torch.autograd.functional.jacobian(wanted, X)
    assert isinstance(expected, Tensor)
    close(found, expected)


@functions
def test_a_hessian_is_the_one_of_torch(
    f: Callable[[Node], Node], wanted: Callable[[Tensor], Tensor]
) -> None:
    y = ops.sum(f(x) * ops.exp(f(x)))
    expected = torch.autograd.functional.hessian(lambda x: (wanted(x) * wanted(x).exp()).sum(), X)
    assert isinstance(expected, Tensor)
    close(value(hessian(y, x)), expected)
    v = var("v", [3])
    (product,) = hvp(y, [x], [v])
    close(value(product, {x: X, v: X + 1}), expected @ (X + 1))


@functions
def test_a_third_derivative_is_the_one_of_torch(
    f: Callable[[Node], Node], wanted: Callable[[Tensor], Tensor]
) -> None:
    """∇(v · ∇(v · ∇f)) by nesting; torch nests its own."""
    v = torch.tensor([0.3, -0.2, 1.1], dtype=torch.float64)

    def thrice(y: Node) -> Node:
        for _ in range(3):
            y = ops.sum(gradients(y, [x])[0] * ops.const(v))
        return gradients(y, [x])[0]

    at = X.clone().requires_grad_()
    y = wanted(at).exp().sum()
    for _ in range(3):
        (g,) = torch.autograd.grad(y, at, create_graph=True)
        y = (g * v).sum()
    (expected,) = torch.autograd.grad(y, at)
    found = value(thrice(ops.sum(ops.exp(f(x)))))
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


def test_every_higher_derivative_of_a_power_comes_out() -> None:
    t = var("t", [])
    y = t**4
    for order, wanted in enumerate([81.0, 108.0, 108.0, 72.0, 24.0, 0.0]):
        assert value(y, {t: torch.tensor(3.0)}).item() == wanted, order
        (y,) = gradients(y, [t])


def test_a_jacobian_is_of_the_shape_of_output_and_variable() -> None:
    A, B = var("A", [2, 3]), var("B", [3, 4])
    fed = {A: torch.randn(2, 3).double(), B: torch.randn(3, 4).double()}
    for wrt in (A, B):
        assert value(jacobian(A @ B, wrt), fed).shape == (2, 4, *fed[wrt].shape)
    expected = torch.autograd.functional.jacobian(lambda b: fed[A] @ b, fed[B])
    assert isinstance(expected, Tensor)
    close(value(jacobian(A @ B, B), fed), expected)
    assert jacobian(ops.sum(A), A).shape == (2, 3)
    assert jacobian(A, ops.sum(A)).shape == (2, 3)


@pytest.mark.parametrize("outputs, inputs", [(0, 2), (2, 0), (0, 0)])
def test_a_jacobian_of_nothing_is_empty(outputs: int, inputs: int) -> None:
    z = var("z", [inputs])
    y = ops.ones([outputs]) * ops.sum(z)
    assert value(jacobian(y, z), {z: torch.ones(inputs)}).shape == (outputs, inputs)


def test_a_jacobian_takes_the_smaller_side() -> None:
    """A tall one is made of columns, by forward mode; a wide one of rows, by reverse mode."""
    tall, wide = var("t", [2]), var("w", [50])
    by_columns = jacobian(ops.concat([ops.sin(tall)] * 20), tall)
    by_rows = jacobian(ops.stack([ops.sum(ops.sin(wide)), ops.sum(wide * wide)]), wide)
    for node, feeds in ((by_columns, {tall: X[:2]}), (by_rows, {wide: torch.ones(50)})):
        assert names([node])["cos"] == 1
        assert len(toposort([node])) < 60
        assert value(node, feeds).shape == node.shape


def test_sizes_with_values_are_as_good_as_numbers() -> None:
    z = var("z", [size("n", 2)])
    assert value(jacobian(z * z, z), {z: torch.ones(2)}).tolist() == [[2, 0], [0, 2]]


def test_named_sizes_have_no_jacobian_by_passes_but_a_product_with_one() -> None:
    z, v = var("z", ["n"]), var("v", ["n"])
    with pytest.raises(GradientError, match="a Jacobian needs sizes known as numbers") as caught:
        jacobian(z * z, z, "forward")
    assert "jvp, vjp and hvp" in str(caught.value.hint)
    (product,) = hvp(ops.sum(z**3), [z], [v])
    close(value(product, {z: X, v: X}), 6 * X * X)


def test_named_sizes_have_a_jacobian_that_is_one_formula() -> None:
    z, A, B = var("z", ["n"]), var("A", ["m", "k"]), var("B", ["k", "n"])
    close(value(jacobian(z * z, z), {z: X}), torch.diag(2 * X))
    assert jacobian(B @ z, z) is B
    fed = {A: torch.randn(2, 4).double(), B: torch.randn(4, 3).double(), z: X}
    slope = 1 - (fed[B] @ X).tanh() ** 2
    close(value(jacobian(A @ ops.tanh(B @ z), z), fed), fed[A] @ torch.diag(slope) @ fed[B])


def test_a_hessian_is_of_a_scalar() -> None:
    with pytest.raises(GradientError, match=r"a Hessian is of a scalar, not of \[3\]"):
        hessian(x, x)
    with pytest.raises(GradientError, match="a Hessian is of a scalar"):
        hvp(x, [x], [x])


def test_stop_holds_back_the_derivative_in_both_modes() -> None:
    y = ops.sum(x * ops.stop(x))
    close(value(gradients(y, [x])[0]), X)
    close(value(jvp(y, [x], [x])), (X * X).sum())
    assert value(gradients(ops.stop(x), [x])[0]).tolist() == [0, 0, 0]


@pytest.mark.parametrize("kind", ["int", "bool"])
def test_only_floats_have_a_gradient(kind: str) -> None:
    i = var("i", [3], kind)  # pyright: ignore[reportArgumentType]
    with pytest.raises(GradientError, match=rf"no gradient with respect to {kind}\[3\]"):
        gradients(x * i if kind == "int" else x, [i])
    with pytest.raises(GradientError, match=rf"no gradient of {kind}\[3\]"):
        gradients(i, [x])


def test_a_gradient_is_taken_of_nodes() -> None:
    with pytest.raises(KindError, match="with respect to a node, not a str"):
        gradients(x, ["x"])  # pyright: ignore[reportArgumentType]
    with pytest.raises(KindError, match="of a node, not a float"):
        gradients(1.0, [x])  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("op", ["softmax", "log_softmax", "layer_norm"])
def test_the_backward_of_a_normalisation_uses_its_value(op: str) -> None:
    g = var("g", [3])
    y = getattr(ops, op)(x)
    assert names([y, *gradients(y, [x], g), jvp(y, [x], [g])])[op] == 1


def test_the_second_derivative_of_softmax_still_uses_the_one_value() -> None:
    g, v = var("g", [3]), var("v", [3])
    (first,) = gradients(ops.softmax(x), [x], g)
    (second,) = gradients(ops.sum(first * v), [x])
    assert names([second])["softmax"] == 1
    assert names([second])["exp"] == 0


def test_the_gradient_of_a_loss_is_probabilities_minus_targets() -> None:
    logits, targets = var("logits", [4, 5]), var("targets", [4], "int")
    (g,) = gradients(ops.cross_entropy(logits, targets), [logits])
    fed = {logits: torch.randn(4, 5).double(), targets: torch.tensor([0, 4, 2, 2])}
    hot = torch.nn.functional.one_hot(fed[targets], 5)
    close(value(g, fed), (fed[logits].softmax(-1) - hot) / 4)
    assert names([g])["softmax"] == 1


def test_gradients_of_a_linear_function_need_no_value_of_the_variable() -> None:
    W, v = var("W", ["m", "n"]), var("v", ["n"])
    (g,) = gradients(ops.sum(W @ v), [W])
    found = value(g, {W: torch.zeros(2, 3, dtype=torch.float64), v: X})
    close(found, X.expand(2, 3))


def test_the_graph_of_a_gradient_is_linear_in_the_depth() -> None:
    y = x
    for _ in range(100):
        y = ops.tanh(y) + y
    (g,) = gradients(ops.sum(y), [x])
    assert len(toposort([g])) < 1500
    close(
        value(g),
        torch.autograd.functional.jacobian(lambda t: deep(t).sum(), X),  # pyright: ignore[reportArgumentType]
    )


def deep(t: Tensor) -> Tensor:
    for _ in range(100):
        t = t.tanh() + t
    return t


def test_every_derivative_node_knows_its_origin() -> None:
    y = ops.sin(x) * x
    (g,) = gradients(y, [x])
    (second,) = gradients(ops.sum(g * g), [x])
    for node in set(toposort([g])) - set(toposort([y])):
        made = origin(node)
        assert made is not None
        assert made.rule in ("vjp", "seed")
        assert made.forward in toposort([y])
    assert origin(y) is origin(x) is None
    assert origin(second) is not None


def test_what_a_user_wrote_as_a_seed_or_a_tangent_has_no_origin() -> None:
    g = var("a user's seed", [3])
    seed = ops.exp(g)
    gradients(ops.sin(x) * x, [x], seed)
    jvp(ops.sin(x), [x], [seed])
    assert origin(seed) is origin(g) is None


def test_an_origin_keeps_no_derivative_alive() -> None:
    (g,) = gradients(ops.sin(ops.cos(var("short lived", []))), [var("short lived", [])])
    seen = weakref.ref(g)
    del g
    gc.collect()
    assert seen() is None


def test_a_sum_over_a_batch_is_the_sum_of_the_gradients_of_its_examples() -> None:
    W, batch = var("W", [3, 2]), var("batch", ["B", 3])
    (g,) = gradients(ops.sum(ops.tanh(batch @ W)), [W])
    data, weight = torch.randn(5, 3).double(), torch.randn(3, 2).double()
    each = [value(g, {W: weight, batch: data[i : i + 1]}) for i in range(5)]
    close(value(g, {W: weight, batch: data}), torch.stack(each).sum(0))


def test_where_hides_a_nan_in_the_value_but_in_the_gradient_only_of_a_safe_argument() -> None:
    """The slope of the hidden branch is 0 · ∞ unless its argument is safe there."""
    t = var("t", [])
    unsafe = ops.where(t > 0, ops.sqrt(t), 0.0)
    safe = ops.where(t > 0, ops.sqrt(ops.where(t > 0, t, 1.0)), 0.0)
    at = {t: torch.tensor(0.0, dtype=torch.float64)}
    assert value(unsafe, at).item() == 0
    assert math.isnan(value(gradients(unsafe, [t])[0], at).item())
    assert value(gradients(safe, [t])[0], at).item() == 0


def test_one_node_alone_stands_for_a_list_of_one() -> None:
    x, v = var("x", [3]), var("v", [3])
    y = ops.sum(x**3)
    assert gradients(y, x) == gradients(y, [x])
    assert jvp(y, x, v) is jvp(y, [x], [v])
    assert hvp(y, x, v) == hvp(y, [x], [v])
