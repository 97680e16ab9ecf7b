"""The losses of the prelude against torch, value and gradients."""

import pytest
import torch
from torch.nn import functional as F

import dsl
from dsl.lowering.modules import exported, tree_of
from tests.peers import F64, Peer, assert_agrees

LOSSES: dict[str, Peer] = {
    "mse(y, target)": lambda w: F.mse_loss(w["y"], w["target"]),
    "mae(y, target)": lambda w: F.l1_loss(w["y"], w["target"]),
    "huber(y, target)": lambda w: F.huber_loss(w["y"], w["target"]),
    "huber(y, target, δ=0.5)": lambda w: F.huber_loss(w["y"], w["target"], delta=0.5),
    "hinge(y, sign)": lambda w: torch.clamp(1 - w["y"] * w["sign"], min=0).mean(),
    "binary_cross_entropy(y, sigmoid(target))": lambda w: F.binary_cross_entropy_with_logits(
        w["y"], torch.sigmoid(w["target"])
    ),
    "smoothed_cross_entropy(y, class)": lambda w: F.cross_entropy(
        w["y"], w["class"], label_smoothing=0.1
    ),
    "smoothed_cross_entropy(y, class, ε=0.5)": lambda w: F.cross_entropy(
        w["y"], w["class"], label_smoothing=0.5
    ),
    "kl_divergence(target, y)": lambda w: F.kl_div(
        F.log_softmax(w["y"], dim=-1),
        F.log_softmax(w["target"], dim=-1),
        log_target=True,
        reduction="batchmean",
    ),
    "perplexity(mse(y, target))": lambda w: torch.exp(F.mse_loss(w["y"], w["target"])),
}
DECLARED = {
    "y": "input y : [B, V]",
    "target": "input target : [B, V]",
    "sign": "input sign : int[B, V]",
    "class": "input class : int[B]",
}


def network(formula: str) -> dsl.Program:
    asked = formula.partition("(")[2]
    lines = [line for name, line in DECLARED.items() if name in asked]
    return dsl.compile("\n".join([*lines, f"loss = {formula}"]))


@pytest.mark.parametrize("formula", LOSSES)
def test_losses_have_the_values_and_gradients_of_torch(formula: str) -> None:
    program = network(formula)
    y, target = torch.randn(2, 4, 3, dtype=F64)
    fed = {"y": y, "target": target}
    fed |= {"sign": torch.where(target < 0, -1, 1), "class": torch.tensor([0, 2, 2, 1])}
    feeds = {name: fed[name] for name in program.inputs}
    assert_agrees(program, "loss", feeds, LOSSES[formula])


def test_every_loss_is_held_against_torch() -> None:
    assert set(exported(tree_of("losses"))) == {formula.split("(")[0] for formula in LOSSES}


def test_losses_stay_finite_far_from_the_truth() -> None:
    program = dsl.compile(
        "input y, target : [B, V]\ninput class : int[B]\n"
        "a = binary_cross_entropy(y, 1 - sigmoid(y))\n"
        "b = kl_divergence(y, target)\nc = smoothed_cross_entropy(y, class)\n"
        "loss = a + b + c\nslope = grad(loss, y)"
    )
    y = torch.tensor([[1e4, -1e4, 0.0]], dtype=F64)
    feeds = {"y": y, "target": -y, "class": torch.tensor([1])}
    assert program.run("loss", feeds).isfinite()
    assert program.run("slope", feeds).isfinite().all()
