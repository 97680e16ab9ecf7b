"""Closed forms at the edges: sizes 1 and unknown, numbers beyond floats, kinds, long sums."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from engine import Evaluator, Node, gradients, ops, var
from engine.closed import textbook
from engine.closed.chains import is_symmetric
from tests.test_closed import A, M, board, values, x
from tests.test_op_laws import close

one, cube, four = var("one", [1]), var("cube", ["k", "m", "n"]), var("four", [2, "k", "m", "n"])
truth, whole, unknown = var("truth", [], "bool"), var("whole", ["n"], "int"), var("u", None)
EDGES: dict[str, Node] = {
    "a softmax along the rows alone": ops.exp(A - ops.logsumexp(A, -1)),
    "a softmax along the rows, with an axis": ops.exp(A - ops.logsumexp(A, -1)[None, :]),
    "a softmax along the last axis": ops.exp(A - ops.logsumexp(A, -1)[:, None]),
    "zeros over a batch": ops.zeros(cube.shape) / cube,
    "zeros of rank 4, summed": gradients(ops.sum(four * ops.zeros(four.shape) * x), [x])[0],
    "a diagonal of zeros": ops.diag(0 * x) + A,
    "a determinant of one element": ops.det(one[:, None]),
    "a row by a vector": ops.diag(one[None, :] @ one),
    "one element scales a matrix": (M * one[None, :]) @ x,
    "one element scales the rows of a matrix": (one[:, None] * M) @ x,
    "a truth value everywhere": ops.where(ops.expand(truth, x.shape), x, 0.0),
    "whole numbers": (whole + whole) * x - whole,
    "a number beyond floats": ops.const(1e300) * x * ops.const(1e300),
    "a number below floats": ops.const(1e-300) * x * ops.const(1e-300),
    "not a number": ops.const(float("nan")) * x + x,
}


@pytest.mark.parametrize("name", EDGES)
def test_at_the_edges_a_form_has_its_value(name: str) -> None:
    before, after = values([EDGES[name], textbook([EDGES[name]])[0]])
    assert after.shape == before.shape
    torch.testing.assert_close(after, before, equal_nan=True)


@pytest.mark.parametrize(
    "y", [0 * unknown, unknown - unknown, gradients(ops.sum(unknown), [unknown])[0]]
)
def test_what_has_no_known_rank_stays_as_it_is(y: Node) -> None:
    (form,) = textbook([y])
    point = {unknown: torch.rand(2, 3).double()}
    before, after = Evaluator([y, form], fuse=False).run(point)
    close(after, before)


@pytest.mark.parametrize(
    "times, step",
    [
        (1200, lambda p: p * p),
        (300, lambda p: p**64),
        (9000, lambda p: p * 3.0),
        (400, lambda p: p * 0.1),
    ],
)
def test_powers_and_numbers_beyond_every_float_are_told(
    times: int, step: Callable[[Node], Node]
) -> None:
    power = 2 * x
    for _ in range(times):
        power = step(power)
    before, after = values([power, textbook([power])[0]])
    torch.testing.assert_close(after, before)


def test_one_element_beside_a_matrix_is_no_diagonal_matrix() -> None:
    assert board(M * one[None, :]) == "M * one[None, :]"
    assert board(textbook([M * x[None, :]])[0]) == "M diag(x)"


def test_a_long_sum_of_symmetric_matrices_is_told() -> None:
    long = A + A.T
    for i in range(1500):
        long = long + ops.diag(var(f"d{i}", ["n"]))
    assert is_symmetric(long)
    assert not is_symmetric(long + A)
