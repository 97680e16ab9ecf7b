"""What training takes from the prelude: optimisers against torch, schedules, first values."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import dsl
from dsl.lowering.modules import exported, tree_of
from tests.peers import F64


class Lion:
    """c = β₁ m + (1 - β₁) g,  θ ← θ - lr (sign c + λ θ),  m ← β₂ m + (1 - β₂) g."""

    def __init__(self, leaf: Tensor, lr: float, decay: float = 0.0) -> None:
        self.leaf, self.lr, self.decay = leaf, lr, decay
        self.m = torch.zeros_like(leaf)

    def zero_grad(self) -> None:
        self.leaf.grad = None

    @torch.no_grad()
    def step(self) -> None:
        g = self.leaf.grad
        assert g is not None
        c = 0.9 * self.m + 0.1 * g
        self.leaf -= self.lr * (torch.sign(c) + self.decay * self.leaf)
        self.m = 0.99 * self.m + 0.01 * g


Steps = Lion | torch.optim.Optimizer

OPTIMISERS: dict[str, Callable[[Tensor], Steps]] = {
    "sgd": lambda leaf: torch.optim.SGD([leaf], 0.1),
    "momentum": lambda leaf: torch.optim.SGD([leaf], 0.1, momentum=0.9),
    "nesterov": lambda leaf: torch.optim.SGD([leaf], 0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda leaf: torch.optim.RMSprop([leaf], 0.1),
    "adam": lambda leaf: torch.optim.Adam([leaf], 0.1),
    "adamw": lambda leaf: torch.optim.AdamW([leaf], 0.1),
    "lion": lambda leaf: Lion(leaf, 0.1),
}
SETTINGS: dict[str, tuple[dict[str, Any], Callable[[Tensor], Steps]]] = {
    "momentum": ({"μ": 0.5}, lambda leaf: torch.optim.SGD([leaf], 0.1, momentum=0.5)),
    "rmsprop": (
        {"ρ": 0.5, "ε": 0.01},
        lambda leaf: torch.optim.RMSprop([leaf], 0.1, alpha=0.5, eps=0.01),
    ),
    "adamw": (
        {"β1": 0.5, "β2": 0.8, "ε": 0.01, "decay": 0.3},
        lambda leaf: torch.optim.AdamW([leaf], 0.1, (0.5, 0.8), 0.01, 0.3),
    ),
    "lion": ({"decay": 0.3}, lambda leaf: Lion(leaf, 0.1, decay=0.3)),
}


def test_every_optimiser_is_held_against_another() -> None:
    assert set(exported(tree_of("optim"))) == set(OPTIMISERS)


def assert_same_steps(name: str, settings: dict[str, Any], peer: Steps, leaf: Tensor) -> None:
    program = dsl.compile("param W : [3]\ninput x, y : [3]\nloss = sum((W ⊙ x^2 - y)^2 ⊙ x)")
    x, y = torch.randn(2, 3, dtype=F64)
    start = leaf.detach().clone()
    trainer = program.trainer("loss", name, lr=0.1, params={"W": start}, **settings)
    for _ in trainer.fit([{"x": x, "y": y}] * 7):
        peer.zero_grad()
        (((leaf * x**2 - y) ** 2) * x).sum().backward()
        peer.step()
    torch.testing.assert_close(trainer.state["W"], leaf.detach(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers_take_the_steps_of_their_peers(name: str) -> None:
    leaf = torch.randn(3, dtype=F64, requires_grad=True)
    assert_same_steps(name, {}, OPTIMISERS[name](leaf), leaf)


@pytest.mark.parametrize("name", SETTINGS)
def test_optimisers_take_their_settings(name: str) -> None:
    leaf = torch.randn(3, dtype=F64, requires_grad=True)
    settings, peer = SETTINGS[name]
    assert_same_steps(name, settings, peer(leaf), leaf)


def test_lion_steps_by_the_sign_of_a_mean_and_remembers_another() -> None:
    """Of many gradients, so that some means change their sign with β₁."""
    program = dsl.compile(
        "input θ, g, m : [n]\nθ_new, m_new = lion(θ, g, m, 0.1)\n"
        "θ_own, m_own = lion(θ, g, m, 0.1, β1=0.5, β2=0.6, decay=0.2)"
    )
    θ, g, m = torch.randn(3, 1000, dtype=F64)
    found = program.run(["θ_new", "m_new", "θ_own", "m_own"], {"θ": θ, "g": g, "m": m})
    wanted = (
        *(θ - 0.1 * torch.sign(0.9 * m + 0.1 * g), 0.99 * m + 0.01 * g),
        *(θ - 0.1 * (torch.sign(0.5 * m + 0.5 * g) + 0.2 * θ), 0.6 * m + 0.4 * g),
    )
    for ours, paper in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, paper, rtol=0, atol=1e-12)


SCHEDULES: dict[str, Callable[[int], float]] = {
    "warmup(t, 10)": lambda t: min(t / 10, 1),
    "linear_decay(t, 10)": lambda t: max(1 - t / 10, 0),
    "cosine_decay(t, 10)": lambda t: 0.5 * (1 + math.cos(math.pi * min(t, 10) / 10)),
    "inverse_sqrt(t, 10)": lambda t: min(t**-0.5, t * 10**-1.5) / 10**-0.5,
}


def test_every_schedule_is_measured() -> None:
    assert set(exported(tree_of("schedules"))) == {name.split("(")[0] for name in SCHEDULES}


@pytest.mark.parametrize("formula", SCHEDULES)
def test_schedules_go_as_their_papers_say(formula: str) -> None:
    program = dsl.compile(f"input t : int[]\nshare = {formula}")
    for t in (1, 2, 5, 9, 10, 11, 40):
        found = program.run("share", {"t": torch.tensor(t)})
        assert float(found) == pytest.approx(SCHEDULES[formula](t), abs=1e-6), t


def test_an_optimiser_of_ones_own_follows_a_schedule() -> None:
    program = dsl.compile(
        "param W : [3]\ninput x : [3]\nloss = x^T W\n"
        "warm_sgd(θ, g, t, lr) = sgd(θ, g, lr * warmup(t, 4))"
    )
    trainer = program.trainer("loss", "warm_sgd", lr=0.4, params={"W": torch.zeros(3, dtype=F64)})
    for _ in trainer.fit([{"x": torch.ones(3, dtype=F64)}] * 6):
        pass
    steps = 0.1 + 0.2 + 0.3 + 0.4 + 0.4 + 0.4
    torch.testing.assert_close(trainer.state["W"], torch.full((3,), -steps, dtype=F64))


DRAWS = {
    "xavier": (lambda n, m: math.sqrt(2 / (n + m)), True),
    "xavier_normal": (lambda n, m: math.sqrt(2 / (n + m)), False),
    "he": (lambda n, m: math.sqrt(2 / n), False),
    "small": (lambda n, m: 0.02, False),
    "lecun": (lambda n, m: math.sqrt(1 / n), False),
}


def test_every_initialiser_is_measured() -> None:
    assert set(exported(tree_of("initialisers"))) == set(DRAWS)


@pytest.mark.parametrize("name", DRAWS)
def test_initialisers_draw_with_the_spread_of_their_papers(name: str) -> None:
    std, is_bounded = DRAWS[name]
    program = dsl.compile(f"dim n = 300, m = 200\nparam W : [n, m] ~ {name}")
    (drawn,) = program.init(seed=1, dtype=F64).values()
    assert abs(drawn.std() / std(300, 200) - 1) < 0.02
    assert abs(drawn.mean()) < 0.01 * std(300, 200) * 3
    if is_bounded:
        assert drawn.abs().max() <= std(300, 200) * math.sqrt(3)
