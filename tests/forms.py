"""Forms of the language with what they mean: a program over common inputs, its value in torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

import dsl

F64 = torch.float64
HEAD = """
dim n = 4, m = 3
input x, y : [n]
input A : [n, n]
input M : [n, m]
input X, Y : [B, T, n]
input s, t : []
input i : int[B, T]
input j : int[m]
relu2(z) = max(0, z)^2
"""


class Values:
    """What is fed, as attributes: a meaning reads like the formula."""

    def __init__(self) -> None:
        draw = torch.Generator().manual_seed(3)

        def drawn(*shape: int) -> Tensor:
            return torch.randn(shape, dtype=F64, generator=draw)

        self.x, self.y = drawn(4), drawn(4)
        self.A = drawn(4, 4) + 3 * torch.eye(4, dtype=F64)
        self.M = drawn(4, 3)
        self.X, self.Y = drawn(2, 5, 4), drawn(2, 5, 4)
        self.s, self.t = drawn().abs() + 0.5, drawn()
        self.i = torch.tensor([[0, 1, 2, 3, 0], [3, 2, 1, 0, 3]])
        self.j = torch.tensor([2, 0, 1])


Meaning: TypeAlias = Callable[[Values], object]


def slope(f: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """The derivative of f there, by torch."""
    leaf = at.clone().requires_grad_()
    (found,) = torch.autograd.grad(f(leaf), leaf)
    return found


@cache
def values() -> Values:
    """The same feeds for every form."""
    return Values()


def value(text: str) -> Tensor:
    """The value of the last line of a program below HEAD, its parameters at their first values."""
    *lines, last = text.split("\n")
    program = dsl.compile(HEAD + "\n".join([*lines, f"out = {last}"]))
    found = program.run("out", vars(values()), program.init(dtype=F64))
    assert isinstance(found, Tensor)
    return found


def check(text: str, meaning: Meaning) -> None:
    """Hold the value of a program against its meaning: shape, numbers, whether they are whole."""
    found, meant = value(text), meaning(values())
    wanted = meant if isinstance(meant, Tensor) else torch.from_numpy(np.asarray(meant))
    assert found.shape == wanted.shape
    torch.testing.assert_close(found.to(F64), wanted.to(F64), rtol=1e-9, atol=1e-9)
    assert found.dtype.is_floating_point == wanted.dtype.is_floating_point
