"""Sizes: how they agree, broadcast, contract and get values; what is said when they do not."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine import ShapeError
from engine.dims import (
    Dim,
    Shape,
    broadcast,
    canonical,
    complete,
    contract,
    evaluate,
    exact,
    fits,
    known,
    may_agree,
    product,
    same,
    same_shape,
    show,
    show_dim,
    size,
    sizes_in,
    total,
    with_values,
)

B, T, d, H = (size(name) for name in ("B", "T", "d", "H"))
NUMBERS = {"B": 2, "T": 3, "d": 12, "H": 4}

polynomials = st.recursive(
    st.sampled_from([B, T, d, H, sympy.Integer(1), sympy.Integer(2), sympy.Integer(3)]),
    lambda inner: st.builds(lambda a, b, add: a + b if add else a * b, inner, inner, st.booleans()),
    max_leaves=6,
).map(canonical)
shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)
few = settings(max_examples=40)


def result_of(rule: Callable[[], tuple[int, ...]]) -> tuple[int, ...] | None:
    """The shape that numpy comes to, None when it refuses."""
    try:
        return rule()
    except ValueError:
        return None


def ours(rule: Callable[[], Shape]) -> Shape:
    try:
        return rule()
    except ShapeError:
        return None


@given(shapes, shapes)
def test_numbers_broadcast_as_in_numpy(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    assert ours(lambda: broadcast(a, b)) == result_of(lambda: np.broadcast_shapes(a, b))


@given(shapes, shapes)
def test_numbers_contract_as_in_numpy(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    wanted = result_of(lambda: np.matmul(np.zeros(a), np.zeros(b)).shape)
    assert ours(lambda: contract(a, b)) == wanted


@given(shapes, shapes, shapes)
def test_broadcasting_knows_no_order(a: Shape, b: Shape, c: Shape) -> None:
    """It is commutative and associative, and a shape broadcasts with itself to itself."""
    assert ours(lambda: broadcast(a, b)) == ours(lambda: broadcast(b, a))
    assert broadcast(a, a) == broadcast(a) == a
    left = ours(lambda: broadcast(broadcast(a, b), c))
    assume(ours(lambda: broadcast(b, c)) is not None)
    assume(ours(lambda: broadcast(a, b)) is not None)
    assert left == ours(lambda: broadcast(a, broadcast(b, c)))


@few
@given(polynomials, polynomials)
def test_equal_polynomials_are_the_same_size(a: Dim, b: Dim) -> None:
    """Whatever way they are written; and the same sizes have the same numbers."""
    assert a is not None
    assert b is not None
    assert same(a + b, b + a)
    assert same(2 * (a + b), 2 * a + 2 * b)
    assert same(a, b) == (sympy.expand(a - b) == 0)
    assert evaluate(canonical(a * b), NUMBERS) == evaluate(a, NUMBERS) * evaluate(b, NUMBERS)
    assert evaluate(canonical(a + b), NUMBERS) == evaluate(a, NUMBERS) + evaluate(b, NUMBERS)


@few
@given(polynomials, polynomials)
def test_a_product_divided_by_a_factor_is_the_other(a: Dim, b: Dim) -> None:
    assert a is not None
    assert b is not None
    assert same(exact(canonical(a * b), b), a)
    assert evaluate(exact(canonical(a * b), b), NUMBERS) == evaluate(a, NUMBERS)


@few
@given(st.lists(polynomials, max_size=4))
def test_products_and_totals_are_those_of_the_numbers(dims: list[Dim]) -> None:
    values = [evaluate(dim, NUMBERS) for dim in dims if dim is not None]
    found = product(dims), total(dims)
    assert found[0] is not None
    assert found[1] is not None
    assert evaluate(found[0], NUMBERS) == math.prod(values)
    assert evaluate(found[1], NUMBERS) == sum(values)


@pytest.mark.parametrize(
    "a, b, result",
    [
        ((B, T, d), (d,), (B, T, d)),
        ((B, 1, d), (T, 1), (B, T, d)),
        ((B, T), (), (B, T)),
        ((4 * d,), (d * 4,), (4 * d,)),
        ((H * (d / H),), (d,), (d,)),
        ((None, 3), (3,), (None, 3)),
        ((None,), (3,), (3,)),
        ((None,), (1,), (None,)),
        (None, (3,), None),
    ],
)
def test_named_sizes_broadcast(a: Shape, b: Shape, result: Shape) -> None:
    assert broadcast(a, b) == result
    assert broadcast(b, a) == result


@pytest.mark.parametrize(
    "a, b, result",
    [
        ((B, T, d), (d, H), (B, T, H)),
        ((T, d), (B, d, H), (B, T, H)),
        ((d,), (d,), ()),
        ((d,), (B, d, T), (B, T)),
        ((B, T, d), (d,), (B, T)),
        ((T, None), (d, H), (T, H)),
        (None, (d, H), None),
    ],
)
def test_named_sizes_contract(a: Shape, b: Shape, result: Shape) -> None:
    assert contract(a, b) == result


@pytest.mark.parametrize(
    "rule, message, hint",
    [
        (
            lambda: broadcast((B, T, d), (T,), verb="add"),
            "cannot add shapes [B, T, d] and [T]: axis -1 is d on the left and T on the right",
            "the T axis of the right side would have to sit one place further left",
        ),
        (
            lambda: broadcast((B,), (B, T, d)),
            "cannot combine shapes [B] and [B, T, d]: axis -1 is B on the left and d on the right",
            "the B axis of the left side would have to sit 2 places further left",
        ),
        (
            lambda: broadcast((2, 3), (2, 4)),
            "cannot combine shapes [2, 3] and [2, 4]: axis -1 is 3 on the left and 4 on the right",
            None,
        ),
        (
            lambda: contract((B, T, d), (B, T, d)),
            "cannot multiply [B, T, d] by [B, T, d]: the inner sizes are d and T",
            "the last axes agree: did you mean",
        ),
        (
            lambda: contract((d, T), (d, H)),
            "cannot multiply [d, T] by [d, H]: the inner sizes are T and d",
            "the second-last axes agree: did you mean",
        ),
        (
            lambda: contract((d, H), (T, d)),
            "cannot multiply [d, H] by [T, d]: the inner sizes are H and T",
            "the other order fits: did you mean",
        ),
        (
            lambda: contract((), (d,)),
            "cannot multiply [] by [d]: a matrix product needs at least one axis on either side",
            "scale with",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_a_way_out(
    rule: Callable[[], Shape], message: str, hint: str | None
) -> None:
    with pytest.raises(ShapeError) as caught:
        rule()
    assert caught.value.message == message
    assert hint is None or hint in str(caught.value.hint)


def test_a_named_size_is_never_one() -> None:
    with pytest.raises(ShapeError):
        broadcast((T,), (3,))
    assert broadcast((T,), (1,)) == (T,)


def test_sizes_of_one_name_and_value_are_one_symbol() -> None:
    assert size("T") is T
    assert size("d", 64) is not d
    assert pickle.loads(pickle.dumps(size("d", 64))) is size("d", 64)
    assert copy.deepcopy(4 * T) == 4 * T
    assert T * B / T == B


def test_a_size_with_a_value_agrees_with_its_number() -> None:
    fixed = size("d", 64)
    assert broadcast((fixed,), (64,)) == (fixed,)
    assert broadcast((64,), (fixed,)) == (64,)
    assert same(fixed, 64)
    assert same(4 * fixed, 256)
    assert same(fixed * T, 64 * T)
    assert not same(fixed * T, 64 * B)
    assert not same(fixed, d)
    assert known(fixed / size("H", 4)) == 16
    assert known(fixed * T) is None
    assert with_values(fixed * T) == 64 * T


def test_nothing_speaks_against_an_unknown_size() -> None:
    assert may_agree(None, 3)
    assert may_agree(T, None)
    assert not same(None, None)
    assert not same(None, 3)
    assert not may_agree(T, 3)
    assert fits(None, (2,))
    assert fits((None, 3), (2, None))
    assert not fits((2,), (2, 1))
    assert not fits((T,), (B,))
    assert same_shape((T, 2), (T, 2))
    assert not same_shape((None,), (None,))
    assert not same_shape((2,), (2, 1))


def test_a_shape_is_complete_when_every_axis_is_known() -> None:
    assert complete((B, 3))
    assert complete(())
    assert not complete((B, None))
    assert not complete(None)


def test_products_of_unknown_sizes_are_unknown() -> None:
    assert product((2, None)) is None
    assert total((2, None)) is None
    assert product(()) == 1
    assert total(()) == 0


@pytest.mark.parametrize(
    "a, b, message",
    [
        (12, 5, "5 does not divide 12"),
        (size("d", 10), 4, "4 does not divide d = 10"),
        (size("d", 10), size("H", 4), "H = 4 does not divide d = 10"),
        (12, 0, "12 cannot be divided into 0 parts"),
    ],
)
def test_a_division_is_exact_as_soon_as_both_are_known(a: Dim, b: Dim, message: str) -> None:
    assert a is not None
    assert b is not None
    with pytest.raises(ShapeError) as caught:
        exact(a, b)
    assert caught.value.message == message


@pytest.mark.parametrize(
    "dim, sizes, message",
    [
        (d / H, {"d": 10, "H": 4}, "the size d/H is not a whole number of elements: H = 4, d = 10"),
        (T - 2, {"T": 1}, "the size T - 2 is not a whole number of elements: T = 1"),
        (d / H, {"d": 4, "H": 0}, "the size d/H is not a whole number of elements: H = 0, d = 4"),
        (4 * d, {"T": 1}, "the size `d` is not known from any input"),
    ],
)
def test_a_size_must_come_out_as_a_whole_number(
    dim: sympy.Expr, sizes: dict[str, int], message: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        evaluate(dim, sizes)
    assert caught.value.message == message


def test_a_value_of_its_own_counts_more_than_one_that_was_fed() -> None:
    assert evaluate(size("d", 64) + d, {"d": 3}) == 67


@pytest.mark.parametrize(
    "dim, text",
    [
        (4 * d, "4d"),
        (d / H, "d/H"),
        (T + 1, "T + 1"),
        (2 * d * T, "2T*d"),
        (None, "?"),
        (7, "7"),
        (size("d_k'") * 12, "12d_k'"),
        (size("λ") * 2, "2λ"),
    ],
)
def test_a_size_is_shown_as_one_writes_it(dim: Dim, text: str) -> None:
    assert show_dim(dim) == text


def test_a_shape_is_shown_as_one_writes_it() -> None:
    assert show((B, None, 3)) == "[B, ?, 3]"
    assert show(()) == "[]"
    assert show(None) == "[...]"


def test_the_names_in_a_size_are_found() -> None:
    assert sizes_in(4 * d / H + T) == {d, H, T}
    assert sizes_in(3) == sizes_in(None) == frozenset()
