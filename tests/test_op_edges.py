"""The edges of operators: nothing, scalars, negative axes, kinks, ties, zeros; and what is refused.

The eight that a transformer stands on are held against torch over every shape and axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import hypothesis.extra.numpy as npst
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine import Evaluator, Node, gradients, jvp, ops, var
from engine.dims import size
from tests.sample_tables import layer_norm

Numbers = Sequence[Any] | float
INF, NAN = math.inf, math.nan
sides = st.integers(0, 3)
shapes = st.lists(sides, max_size=3).map(tuple)


def randn(shape: Sequence[int], positive: bool = False) -> Tensor:
    """Reproducible numbers, all different, none of them 0."""
    random = torch.Generator().manual_seed(0)
    n = torch.Size(shape).numel()
    values = (torch.randperm(n, generator=random).double() + 0.4) / max(n, 1) * 3 - 1.5
    return (values.abs() + 0.1 if positive else values).reshape(tuple(shape))


def agree(
    f: Callable[..., Node], wanted: Callable[..., Tensor], *tensors: Tensor, known: bool = True
) -> None:
    """Value and gradient of f are those of torch, for known and for unknown shapes."""
    xs = [var(f"x{i}", t.shape if known else None) for i, t in enumerate(tensors)]
    y = f(*xs)
    given = [t.clone().requires_grad_() for t in tensors]
    expected = wanted(*given)
    cotangent = randn(expected.shape)
    g = var("g", expected.shape if known else None)
    found = Evaluator([y, *gradients(y, xs, g)]).run(
        {**dict(zip(xs, tensors, strict=True)), g: cotangent}
    )
    slopes = torch.autograd.grad(expected, given, cotangent, materialize_grads=True)
    for a, b in zip(found, (expected, *slopes), strict=True):
        torch.testing.assert_close(a, b.detach(), rtol=1e-9, atol=1e-9, equal_nan=True)


def both(f: Callable[..., Node], wanted: Callable[..., Tensor], *tensors: Tensor) -> None:
    agree(f, wanted, *tensors)
    agree(f, wanted, *tensors, known=False)


broadcastable = npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0)
few = settings(max_examples=60)


@few
@given(broadcastable)
def test_div_of_any_shapes(two: npst.BroadcastableShapes) -> None:
    a, b = two.input_shapes
    both(ops.div, torch.div, randn(a), randn(b, positive=True))


@few
@given(broadcastable)
def test_pow_of_any_shapes(two: npst.BroadcastableShapes) -> None:
    a, b = two.input_shapes
    both(ops.pow, torch.pow, randn(a, positive=True), randn(b))


@few
@given(st.data(), shapes, st.booleans())
def test_mean_over_any_axes(data: st.DataObject, shape: tuple[int, ...], keep: bool) -> None:
    axes = data.draw(
        st.one_of(st.none(), st.lists(axis_of(shape), unique_by=lambda a: a % max(1, len(shape))))
    )
    chosen = tuple(range(len(shape))) if axes is None else tuple(axes)

    def wanted(x: Tensor) -> Tensor:
        return x.mean(chosen, keep) if chosen else x

    agree(lambda x: ops.mean(x, axes, keep), wanted, randn(shape))


def axis_of(shape: Sequence[int], extra: int = 0) -> st.SearchStrategy[int]:
    rank = max(1, len(shape) + extra)
    return st.integers(-rank, rank - 1)


products = npst.mutually_broadcastable_shapes(
    signature="(n?,k),(k,m?)->(n?,m?)", max_dims=2, max_side=3, min_side=0
)


@few
@given(products)
def test_matmul_of_any_shapes(two: npst.BroadcastableShapes) -> None:
    a, b = two.input_shapes
    both(ops.matmul, torch.matmul, randn(a), randn(b))


@few
@given(st.data(), shapes)
def test_transpose_by_any_order(data: st.DataObject, shape: tuple[int, ...]) -> None:
    order = data.draw(st.permutations(range(len(shape))))
    signed = [a - len(shape) if data.draw(st.booleans()) else a for a in order]
    agree(lambda x: ops.transpose(x, signed), lambda x: x.permute(order), randn(shape))
    both(ops.transpose, lambda x: x.permute(tuple(range(x.ndim))[::-1]), randn(shape))


@few
@given(shapes)
def test_relu_of_any_shape(shape: tuple[int, ...]) -> None:
    both(ops.relu, torch.relu, randn(shape))


@few
@given(st.data(), shapes)
def test_softmax_along_any_axis(data: st.DataObject, shape: tuple[int, ...]) -> None:
    axis = data.draw(axis_of(shape))
    both(lambda x: ops.softmax(x, axis), lambda x: torch.softmax(x, axis), randn(shape))


@few
@given(st.data(), shapes)
def test_layer_norm_along_any_axis(data: st.DataObject, shape: tuple[int, ...]) -> None:
    axis = data.draw(axis_of(shape))
    both(lambda x: ops.layer_norm(x, axis=axis), lambda x: layer_norm(x, axis), randn(shape))


x = var("x")


def at(node: Node, point: Numbers, *more: tuple[Node, Numbers]) -> Any:
    """The value of a node at x = `point`."""
    feeds = {x: torch.tensor(point, dtype=torch.float64)} | {
        leaf: torch.tensor(data, dtype=torch.float64) for leaf, data in more
    }
    return Evaluator([node]).run(feeds)[0].tolist()


def slope(node: Node, point: Numbers) -> Any:
    """The gradient by x at `point`; forward mode says the same."""
    (g,) = gradients(node, [x])
    backward = at(g, point)
    forward = at(ops.sum(jvp(node, [x], [ops.ones(x)])), point)
    assert forward == pytest.approx(sum(torch.tensor(backward).reshape(-1).tolist()), nan_ok=True)
    return backward


@pytest.mark.parametrize(
    "f, point, wanted",
    [
        (ops.relu, [-1, 0, 1], [0, 0, 1]),
        (ops.abs, [-1, 0, 1], [-1, 0, 1]),
        (ops.sign, [-1, 0, 1], [0, 0, 0]),
        (lambda x: ops.maximum(x, 0), [-1, 0, 1], [0, 0.5, 1]),
        (lambda x: ops.minimum(x, 0), [-1, 0, 1], [1, 0.5, 0]),
        (lambda x: ops.maximum(x, x), [2], [1]),
        (ops.max, [1, 3, 3, 2], [0, 0.5, 0.5, 0]),
        (ops.min, [1, 3, 1, 1], [1 / 3, 0, 1 / 3, 1 / 3]),
        (ops.norm, [0, 0], [0, 0]),
        (ops.norm, [3, 4], [0.6, 0.8]),
        (lambda x: x**2, [0], [0]),
        (lambda x: x**1, [0], [1]),
        (lambda x: x**0, [0, 2], [0, 0]),
        (lambda x: x**0.5, [0], [INF]),
        (lambda x: x**3, [-2], [12]),
        (lambda x: x**-1, [-2], [-0.25]),
        (lambda x: x**2.0, [-2], [-4]),
        (lambda x: 0**x, [2.0, 0.0], [0, 0]),
        (lambda x: 2**x, [3], [8 * math.log(2)]),
        (lambda x: x**x, [1, 2], [1, 4 * (1 + math.log(2))]),
        (ops.sqrt, [0], [INF]),
        (ops.prod, [2, 0, 3], [0, 6, 0]),
        (ops.prod, [0, 0, 3], [0, 0, 0]),
        (ops.prod, [5], [1]),
        (ops.logsumexp, [1000, 1000], [0.5, 0.5]),
        (ops.log_softmax, [0, 0], [0, 0]),
        (ops.softplus, [-800, 800], [0, 1]),
        (ops.sigmoid, [-800, 800], [0, 0]),
        (ops.tanh, [-800, 800], [0, 0]),
        (ops.gelu, [-80, 0, 80], [0, 0.5, 1]),
        (ops.silu, [-800, 0, 800], [0, 0.5, 1]),
        (ops.cumsum, 3, 1),
        (ops.flip, 3, 1),
        (lambda x: ops.cast(ops.cast(x, "int")), [1.5], [0]),
        (lambda x: ops.where(x < 1, x, 2 * x), [0, 1], [1, 2]),
    ],
)
def test_the_derivative_at_a_kink_a_tie_or_a_bound(
    f: Callable[[Node], Node], point: Numbers, wanted: Numbers
) -> None:
    assert slope(f(x), point) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("f", [lambda x: x**0, lambda x: ops.pow(x, ops.zeros(x))])
def test_second_derivatives_at_the_origin_are_numbers(f: Callable[[Node], Node]) -> None:
    (g,) = gradients(ops.sum(f(x)), [x])
    assert at(gradients(ops.sum(g), [x])[0], [0.0, 0.0]) == [0, 0]


def test_the_norm_has_no_second_derivative_at_the_origin() -> None:
    """It grows as 1 / ‖x‖ there: 0, the slope of the slope that is put in, would be wrong."""
    (g,) = gradients(ops.norm(x), [x])
    assert all(map(math.isnan, at(gradients(ops.sum(g), [x])[0], [0.0, 0.0])))
    (g,) = gradients(ops.norm(x) ** 2, [x])
    assert all(map(math.isnan, at(gradients(ops.sum(g), [x])[0], [0.0, 0.0])))


def test_zero_to_the_zero_has_no_nan_in_any_derivative() -> None:
    b = var("b")
    first = gradients(x**b, [x, b])
    second = [g for f in first for g in gradients(f, [x, b])]
    found = [at(node, [0.0, 0.0], (b, [0.0, 2.0])) for node in (x**b, *first, *second)]
    assert not any(math.isnan(value) for row in found for value in row)
    assert found[:3] == [[1, 0], [0, 0], [0, 0]]


def test_a_negative_base_has_no_real_power() -> None:
    assert math.isnan(at(x**0.5, [-1.0])[0])
    assert at(x ** ops.const(2), [-3.0]) == [9]


@pytest.mark.parametrize(
    "f, wanted",
    [
        (ops.sum, 0),
        (ops.prod, 1),
        (ops.mean, NAN),
        (ops.var, NAN),
        (ops.logsumexp, -INF),
        (ops.norm, 0),
        (lambda x: ops.sum(ops.softmax(x)), 0),
        (lambda x: ops.mean(x, -1, keepdims=True)[0], NAN),
    ],
)
def test_a_reduction_of_nothing(f: Callable[[Node], Node], wanted: float) -> None:
    for nothing in (x, var("x", [0])):
        (value, g) = Evaluator([f(nothing), *gradients(f(nothing), [nothing])]).run(
            {"x": torch.ones(0)}
        )
        assert value.item() == pytest.approx(wanted, nan_ok=True)
        assert g.shape == (0,)


@pytest.mark.parametrize(
    "f", [ops.sum, ops.mean, ops.max, ops.min, ops.prod, ops.logsumexp, ops.norm, ops.softmax]
)
@pytest.mark.parametrize("axis", [None, 0, -1, ()])
def test_a_scalar_is_its_own_reduction(f: Callable[..., Node], axis: Any) -> None:
    if f is ops.softmax and axis in (None, ()):
        return
    scalar = var("x", [])
    value, g = Evaluator([f(scalar, axis), *gradients(f(scalar, axis), [scalar])]).run({"x": 3.0})
    assert (value.item(), g.item()) == ((1, 0) if f is ops.softmax else (3, 1))


def test_a_scalar_has_no_variance_and_is_normalised_to_zero() -> None:
    scalar = var("x", [])
    for y in (ops.var(scalar), ops.layer_norm(scalar), ops.log_softmax(scalar)):
        value, g = Evaluator([y, *gradients(y, [scalar])]).run({"x": 3.0})
        assert (value.item(), g.item()) == (0, 0)


def test_large_numbers_do_not_overflow_where_they_cancel() -> None:
    assert at(ops.softmax(x), [1e4, 0, -1e4]) == [1, 0, 0]
    assert at(ops.log_softmax(x), [1e4, 0]) == [0, -1e4]
    assert at(ops.logsumexp(x), [1e4, 1e4]) == 1e4 + math.log(2)
    assert at(ops.softmax(x), [0, -INF]) == [1, 0]
    assert at(ops.softmax(x - 1e9 * ops.const([0.0, 1.0])), [1, 1]) == [1, 0]


def test_cross_entropy_chooses_along_any_axis() -> None:
    logits, targets = randn((2, 5, 3)), torch.tensor([[0, 4, 2], [1, 1, 3]])
    y = ops.cross_entropy(var("x", [2, 5, 3]), var("t", [2, 3], "int"), axis=1)
    (found,) = Evaluator([y]).run({"x": logits, "t": targets})
    torch.testing.assert_close(found, torch.nn.functional.cross_entropy(logits, targets))


def test_an_index_of_any_kind_reads_as_in_numpy() -> None:
    data = randn((3, 4, 2)).numpy()
    cube = var("cube", [3, 4, 2])
    keys: list[Any] = [0, -1, (1, 2), (..., 1), None, (None, 0, ..., None), slice(1, None)]
    keys += [(slice(None), slice(1, 3)), (slice(None, None, 2),), (..., slice(-1, None)), ()]
    keys += [slice(5, 9), slice(2, 1), (slice(-9, 2), 3, slice(0, 0)), data.argmax() // 9]
    for key in keys:
        (found,) = Evaluator([cube[key]]).run({cube: data})
        assert found.tolist() == data[key].tolist(), key
        assert cube[key].shape == data[key].shape, key


def test_rows_are_gathered_by_a_list_an_array_or_a_node() -> None:
    table, rows = var("table", [3, 2]), torch.tensor([2, 0, 2])
    index = var("index", [3], "int")
    for key in ([2, 0, 2], rows, rows.numpy(), index):
        (found,) = Evaluator([table[key]]).run({table: randn((3, 2)), index: rows})
        assert torch.equal(found, randn((3, 2))[rows])


def test_a_range_the_wrong_way_round_is_empty() -> None:
    for args in [(5, 2), (0, 0), (2, 5, -1), (-3, 3), (5, -1, -2)]:
        (found,) = Evaluator([ops.arange(*args)]).run({})
        assert found.tolist() == list(range(*args))
        assert ops.arange(*args).shape == (len(range(*args)),)


def test_joining_needs_no_size_known() -> None:
    a, b, c = (var(name, shape) for name, shape in [("a", None), ("b", [None, 2]), ("c", ["n", 2])])
    y = ops.concat([a, b, c])
    fed = {"a": randn((1, 2)), "b": randn((2, 2)), "c": randn((3, 2))}
    value, *slopes = Evaluator([ops.sum(y * y), *gradients(ops.sum(y * y), [a, b, c])]).run(fed)
    assert value.item() == pytest.approx(sum((t * t).sum().item() for t in fed.values()))
    for name, found in zip("abc", slopes, strict=True):
        torch.testing.assert_close(found, 2 * fed[name])
    assert ops.concat([b, c]).shape == (None, 2)
    assert ops.concat([c, c], axis=1).shape == (size("n"), 4)


def test_sizes_that_are_not_known_are_not_taken_to_be_equal() -> None:
    """Two axes of unknown size may be 1 and 3: the gradient of either has its own."""
    a, b = var("a", [None]), var("b", [None])
    y = ops.sum(ops.exp(a) * ops.exp(b))
    fed = {a: randn((1,)), b: randn((3,))}
    for x in (a, b):
        (found,) = Evaluator(gradients(y, [x])).run(fed)
        assert found.shape == fed[x].shape


def test_numbers_become_constants_of_the_kind_that_fits() -> None:
    A = var("A", [2, 3])
    assert (A * 2).inputs[1].kind == "int"
    assert (A / 2).inputs[1].kind == "float"
    assert ops.exp(2).kind == "float"
    assert (A > 0).kind == "bool"
    assert ops.sum(A > 0).kind == "int"
    assert (ops.argmax(A) + 1).kind == "int"
    assert (ops.argmax(A) / 2).kind == "float"


@pytest.mark.parametrize("exponent", [INF, -INF, NAN])
def test_an_exponent_may_be_no_finite_number(exponent: float) -> None:
    x, fed = var("x", ["n"]), torch.tensor([0.0, 0.5, 1.0, 2.0])
    [value] = Evaluator([x**exponent]).run({x: fed})
    assert torch.equal(value.nan_to_num(7.0), (fed**exponent).nan_to_num(7.0))
