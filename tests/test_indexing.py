"""Indexing beyond numbers and slices: tensors among the entries, sizes, what lies outside."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from engine import Evaluator, gradients, ops, var
from engine.dims import size

ROWS, COLUMNS = [[2, 0], [1, 1], [0, 2]], [1, 3]
KEYS: list[Any] = [
    (slice(None), COLUMNS),
    (ROWS, 0),
    (0, COLUMNS),
    (..., [1, 0, 1]),
    (ROWS, None),
    (None, ROWS),
    (slice(1, None), COLUMNS, 1),
    (ROWS, COLUMNS),
    ([2, 1], COLUMNS, [0, 1]),
    (ROWS, slice(None), 1),
    (None, slice(None), COLUMNS, [[0], [1]]),
    (slice(None), COLUMNS, slice(0, 1)),
]


def numbers(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_tensors_among_other_indices_read_as_in_numpy(key: Any) -> None:
    data = numbers(3, 4, 2)
    wanted, leaf = data.numpy()[key], data.clone().requires_grad_()
    (leaf[key] ** 2).sum().backward()
    assert leaf.grad is not None
    for x in (var("named", ["a", "b", "c"]), var("cube", [3, 4, 2])):
        part = x[key]
        found, slope = Evaluator([part, *gradients(ops.sum(part**2), [x])]).run({x: data})
        assert found.tolist() == wanted.tolist()
        torch.testing.assert_close(slope, leaf.grad)
    assert part.shape == wanted.shape


@pytest.mark.parametrize("table", [(5,), (5, 3), (5, 2, 3)])
def test_one_row_is_read_at_a_number_that_comes_with_the_data(table: tuple[int, ...]) -> None:
    x, i, data = var("x", table), var("i", [], "int"), numbers(*table)
    (found,) = Evaluator([x[i]]).run({x: data, i: 3})
    assert torch.equal(found, data[3])


def test_a_size_with_a_minus_counts_from_the_end() -> None:
    k, x, data = size("k", 2), var("x", ["T"]), numbers(5)
    for part, wanted in [(x[-k], data[-2]), (x[:-k], data[:-2]), (x[-k:], data[-2:])]:
        assert torch.equal(Evaluator([part]).run({x: data})[0], wanted)
    assert x[k:].shape == x[:-k].shape
    assert x[-k:].shape == (k,)


def test_a_slice_of_a_size_with_a_value_is_clamped_as_in_numpy() -> None:
    n = size("n", 4)
    x, data = var("x", [n]), numbers(4)
    for start, stop, step in [(2, 100, None), (3, 1, None), (-9, 2, None), (n, None, 1), (1, n, 2)]:
        part = x[start:stop:step]
        (found,) = Evaluator([part]).run({x: data})
        first, last = (4 if k is n else k for k in (start, stop))
        assert torch.equal(found, data[first:last:step])
        assert part.shape == found.shape
    assert x[: size("m", 3)].shape == (size("m", 3),)
