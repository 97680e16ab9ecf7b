"""Programs with parameters: call paths, gradients by path, first values; what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import dsl

F64 = torch.float64
PARTS = """
lin(x : [..., n], m) =
    param W : [n, m] = 1
    param b : [m] = 0
    x W + b
mlp(x, h, o) = lin(relu(lin(x, h)), o)
input x : [3]
"""

# A program below PARTS and the value of its last line, for x > 0.
PATHS: dict[str, Callable[[Tensor], object]] = {
    # a parameter by its path, below the call that made it or from the top
    "loss = sum(mlp(x, 4, 2))\ngrad(loss, mlp.lin.W)": lambda x: 2 * x[:, None].expand(3, 4),
    "loss = sum(mlp(x, 4, 2))\n∇_mlp.lin.W loss": lambda x: 2 * x[:, None].expand(3, 4),
    "loss = sum(mlp(x, 4, 2))\n∂loss/∂mlp.lin_2.b": lambda x: [1.0, 1.0],
    "loss = sum(mlp(x, 4, 2))\ngrad(loss, [mlp.lin_2.b, mlp.lin_2.W])[1]": lambda x: x.sum().expand(
        4, 2
    ),
    "loss = sum(mlp(x, 4, 2))\nsum(‖g‖² for g in grad(loss, [mlp.lin.b, mlp.lin_2.b]))": lambda x: (
        4 * 4 + 2.0
    ),
    "y = mlp(x, 4, 2)\n½ sum(‖w‖² for w in [mlp.lin.W, mlp.lin_2.W])": lambda x: 10.0,
    "y = lin(x, 2)\nlin.W.shape": lambda x: [3, 2],
    "y = lin(x, 2)\nlin.W[0] + (lin.W^T x)": lambda x: 1 + x.sum().expand(2),
    "net(x) =\n    y = lin(x, 3)\n    y + sum(lin.W)\nnet(x)": lambda x: x.sum().expand(3) + 9,
    # loops number the steps
    'y = x\nrepeat 2: y = lin(y, 3, name="h")\n∇_h.1.b sum(y^2)': lambda x: 6 * x.sum().expand(3),
    'y = x\nrepeat 2: y = lin(lin(y, 4, name="up"), 3, name="down")\n'
    "up.1.W[0] + up.0.W[0]": lambda x: [2.0] * 4,
    'net(x) =\n    y = x\n    repeat 2: y = lin(y, 3, name="h")\n    sum(h.0.W) + 0 y\n'
    "net(x)": lambda x: [9.0] * 3,
    'ys = [lin(x, 2, name="head") for k in range(3)]\nhead.2.W[0]': lambda x: [1.0, 1.0],
    'y = lin(x, 2, name="a.b.c")\na.b.c.b': lambda x: [0.0, 0.0],
    'y = lin(x, 2, name="a") + lin(x, 2, name="a")\na.b + a_2.b': lambda x: [0.0, 0.0],
    # what is shared is passed in; gradients meet in it
    "param V : [3, 3] = 1\nuse(x, V) = x V\nloss = sum(use(use(x, V), V))\n∇_V loss": lambda x: (
        3 * x[:, None] + x.sum()
    ).expand(3, 3),
    "f(x) = sum(lin(x, 2)^2)\n∇f(x)": lambda x: 4 * x.sum().expand(3),
    "f(x) = sum(lin(x, 2)^2)\nz = f(x)\n∇_x z": lambda x: 4 * x.sum().expand(3),
}


@pytest.mark.parametrize("text", PATHS)
def test_parameters_are_found_by_their_paths(text: str) -> None:
    *lines, last = text.split("\n")
    program = dsl.compile(PARTS + "\n".join([*lines, f"out = {last}"]))
    x = torch.tensor([0.5, 1.5, 2.0], dtype=F64)
    found = program.run("out", {"x": x}, program.init(dtype=F64))
    torch.testing.assert_close(found, torch.as_tensor(PATHS[text](x)), check_dtype=False)


FIRST = {
    "mine": 3.0,
    "mine()": 3.0,
    "mine(gain=2)": 6.0,
    "mine(2, 3)": 6.0,
    "mine(fan_out)": None,
    "2 mine()": 6.0,
    "both": 3.0 + 40,
    "nested": 4.0,
    "normal(0, 0) + 1": 1.0,
}


@pytest.mark.parametrize("draw", FIRST)
def test_what_is_drawn_from_is_told_the_sizes_of_the_parameter(draw: str) -> None:
    text = (
        "mine(fan_in, gain=1) = gain fan_in\nboth(fan_out, fan_in) = fan_in + 10 fan_out\n"
        f"nested(extra=1) = mine() + extra\nparam W : [2, 3, 4] ~ {draw}"
    )
    first = FIRST[draw]
    if first is None:
        with pytest.raises(dsl.DslError, match="`fan_out` is not defined"):
            dsl.compile(text)
    else:
        assert torch.equal(dsl.compile(text).init()["W"], torch.full((2, 3, 4), first))


REFUSED = {
    "a power that is read as a transpose": (
        "T = 5\ny = 2^T",
        "`2^T` can be read two ways",
        "write `2^(T)` or `2`",
    ),
    "a function inside itself": ("f(x) = f(x)\ny = f(1)", "`f` calls itself", ""),
    "a function inside itself by way of another": (
        "f(x) = g(x)\ng(x) =\n    h(u) = f(u)\n    h(x)\ny = f(1)",
        "`f` calls itself",
        "",
    ),
    "functions made without end": (
        "f(g) = h where h(u) = f(h)(u)\ny = f(sin)(1)",
        "calls and brackets are nested too deep here",
        "",
    ),
    "a tensor of indices that stands apart": (
        "input A : [2, 3, 4]\ninput j : int[k]\ny = A[0, :, j]",
        "an index tensor stands apart from the other indices: where its axes go is not clear",
        "index twice, as in `A[0][:, i]`",
    ),
    "an index by truth": (
        "input x : [n]\ny = x[x > 0]",
        "`x > 0` is bool[n], and an index is a whole number",
        "choose by truth with `where(condition, a, b)`",
    ),
    "an index by a size that lies outside": (
        "dim n = 3\ninput x : [n]\ny = x[n]",
        "index n is outside axis 0 of [n]",
        "",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_be_misread_is_refused(what: str) -> None:
    text, message, hint = REFUSED[what]
    with pytest.raises(dsl.DslError) as caught:
        dsl.compile(text)
    assert caught.value.message == message
    assert hint in caught.value.hint
