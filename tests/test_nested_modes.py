"""Modes nested in each other: every order of them gives the same derivative, up to the fourth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations, product

import pytest
import torch
from torch import Tensor

from engine import Evaluator, Node, gradients, jvp, ops, var
from engine.calculus import Mode
from tests.forms import check

BOTH: tuple[Mode, Mode] = ("forward", "reverse")
WORDS = [*product(BOTH, repeat=4)]
CURVE = "f0(z) = sin(z) exp(z / 2) + z^5 / (1 + z^2)"
FIELD = "f0(z) = sum(tanh(A z)^2) + log(sum(exp(z))) z[0] z[1]^3"


def curve(z: Tensor) -> Tensor:
    return z.sin() * (z / 2).exp() + z**5 / (1 + z**2)


def field(A: Tensor, z: Tensor) -> Tensor:
    return ((A @ z).tanh() ** 2).sum() + z.logsumexp(0) * z[0] * z[1] ** 3


def along(f: Callable[[Tensor], Tensor], at: Tensor, directions: Sequence[Tensor]) -> Tensor:
    """The derivative of f along one direction after another, by torch."""
    leaf = at.clone().requires_grad_()
    y = f(leaf)
    for v in directions:
        (slope,) = torch.autograd.grad(y, leaf, create_graph=True)
        y = torch.sum(slope * v)
    return y.detach()


def named(word: Sequence[Mode]) -> str:
    return " over ".join(word[::-1])


@pytest.mark.parametrize("word", WORDS, ids=named)
def test_four_derivatives_of_a_curve_agree_in_every_order_of_modes(word: Sequence[Mode]) -> None:
    forms = {"forward": "jvp(f{i}, z, 1)", "reverse": "grad(f{i})(z)"}
    nested = [f"f{i + 1}(z) = {forms[mode].format(i=i)}" for i, mode in enumerate(word)]
    one = torch.ones(())
    check(
        "\n".join([CURVE, *nested, "f1(s) + f2(s) + f3(t) + f4(t)"]),
        lambda v: sum(along(curve, v.s if i < 3 else v.t, [one] * i) for i in (1, 2, 3, 4)),
    )


@pytest.mark.parametrize("word", WORDS, ids=named)
def test_four_derivatives_along_directions_agree_in_every_order_of_modes(
    word: Sequence[Mode],
) -> None:
    forms = {"forward": "jvp(f{i}, z, {v})", "reverse": "∇f{i}(z)^T {v}"}
    directions = ("y", "x", "y", "ones([n])")
    nested = [
        f"f{i + 1}(z) = {forms[mode].format(i=i, v=v)}"
        for i, (mode, v) in enumerate(zip(word, directions, strict=True))
    ]
    check(
        "\n".join([FIELD, *nested, "f4(x)"]),
        lambda v: along(lambda z: field(v.A, z), v.x, [v.y, v.x, v.y, torch.ones_like(v.x)]),
    )


@pytest.mark.parametrize("word", [*product(BOTH, repeat=3)], ids=named)
def test_mixed_partials_commute(word: Sequence[Mode]) -> None:
    """∂³f/∂a∂b∂c in any order of the three, the modes nested as the word says."""
    a, b, c = leaves = [var(name, []) for name in "abc"]
    y = ops.exp(a * b) * ops.sin(b * c) / (1 + c**2 + a**2)
    found = list[Node]()
    for order in permutations(leaves):
        node = y
        for mode, z in zip(word, order, strict=True):
            forward = mode == "forward"
            node = jvp(node, z, ops.ones([])) if forward else gradients(node, z)[0]
        found.append(node)
    feeds = {z: torch.tensor(0.3 + i, dtype=torch.float64) for i, z in enumerate(leaves)}
    first, *others = Evaluator(found).run(feeds)
    assert first != 0
    for other in others:
        torch.testing.assert_close(other, first, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("inner, outer", [*product(BOTH, BOTH)])
@pytest.mark.parametrize(
    "body, wanted",
    [("z + w", lambda s: 1.0), ("z w", lambda s: 2 * s), ("z^2 w^3", lambda s: 9 * s**2)],
)
def test_a_derivative_inside_another_is_not_confused_with_it(
    inner: Mode, outer: Mode, body: str, wanted: Callable[[Tensor], object]
) -> None:
    """d/dz (z · d/dw body) at w = 1 (Siskind and Pearlmutter, Perturbation Confusion, 2005)."""
    forms = {"forward": "jvp({f}, {at}, 1)", "reverse": "grad({f})({at})"}
    inside, outside = forms[inner].format(f="g", at="1"), forms[outer].format(f="f", at="s")
    check(
        f"f(z) = z * {inside} where g(w) = {body}\n{outside}",
        lambda v: torch.as_tensor(wanted(v.s)).to(torch.float64),
    )
