"""Layers and norms of the prelude: against torch, and what dropout promises."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import dsl
from dsl.lowering.modules import exported, tree_of
from tests.peers import F64, Peer, assert_agrees


def dense(w: dict[str, Tensor], x: Tensor, path: str) -> Tensor:
    return F.linear(x, w[f"{path}.weight"].mT, w[f"{path}.bias"])


def two_hidden(w: dict[str, Tensor]) -> Tensor:
    h = torch.tanh(dense(w, w["X"], "mlp.hidden.0"))
    return dense(w, torch.tanh(dense(w, h, "mlp.hidden.1")), "mlp.out")


LAYERS: dict[str, Peer] = {
    "linear(X, 5)": lambda w: dense(w, w["X"], "linear"),
    "linear(X, 2d, he)": lambda w: dense(w, w["X"], "linear"),
    "mlp(X, [], 3)": lambda w: dense(w, w["X"], "mlp.out"),
    "mlp(X, [8], 3)": lambda w: dense(w, torch.relu(dense(w, w["X"], "mlp.hidden.0")), "mlp.out"),
    "mlp(X, [3d, d], 3, tanh)": two_hidden,
    "embedding(7, d)[tokens]": lambda w: F.embedding(w["tokens"], w["embedding.weight"]),
    "embedding(7, d)[:3]": lambda w: w["embedding.weight"][:3],
    "X embedding(7, d)^T": lambda w: w["X"] @ w["embedding.weight"].mT,
    "LayerNorm(X)": lambda w: F.layer_norm(
        w["X"], (4,), w["LayerNorm.weight"], w["LayerNorm.bias"]
    ),
    "LayerNorm(X, ε=0.1)": lambda w: F.layer_norm(
        w["X"], (4,), w["LayerNorm.weight"], w["LayerNorm.bias"], eps=0.1
    ),
    "rmsnorm(X)": lambda w: F.rms_norm(w["X"], (4,), eps=1e-5),
    "RMSNorm(X)": lambda w: F.rms_norm(w["X"], (4,), w["RMSNorm.weight"], eps=1e-5),
    "RMSNorm(X, ε=0.1)": lambda w: F.rms_norm(w["X"], (4,), w["RMSNorm.weight"], eps=0.1),
}


DECLARED = {"X": "input X : [B, T, d]\n", "tokens": "input tokens : int[B, T]\n"}
FED = {
    "X": torch.linspace(-2, 3, 24, dtype=F64).exp().sin().reshape(2, 3, 4),
    "tokens": torch.tensor([[0, 6, 2], [2, 2, 5]]),
}


def network(formula: str) -> dsl.Program:
    inputs = [line for name, line in DECLARED.items() if name in formula]
    return dsl.compile(f"dim d = 4\n{''.join(inputs)}y = {formula}")


@pytest.mark.parametrize("formula", LAYERS)
def test_layers_have_the_values_and_gradients_of_torch(formula: str) -> None:
    program = network(formula)
    feeds = {name: FED[name] for name in program.inputs}
    assert_agrees(program, "y", feeds, LAYERS[formula])


def test_every_layer_is_held_against_torch() -> None:
    names = {*exported(tree_of("nn")), *exported(tree_of("norms"))}
    assert names - {"dropout"} == {formula.removeprefix("X ").split("(")[0] for formula in LAYERS}


def test_first_values_of_layers() -> None:
    drawn = network("RMSNorm(LayerNorm(linear(X, 300, lecun)))").init(dtype=F64)
    assert abs(drawn["linear.weight"].std() - 0.5) < 0.02
    assert torch.equal(drawn["linear.bias"], torch.zeros(300, dtype=F64))
    assert torch.equal(drawn["LayerNorm.weight"], torch.ones(300, dtype=F64))
    assert torch.equal(drawn["LayerNorm.bias"], torch.zeros(300, dtype=F64))
    assert torch.equal(drawn["RMSNorm.weight"], torch.ones(300, dtype=F64))
    table = network("embedding(500, 20)").init(dtype=F64)["embedding.weight"]
    assert abs(table.std() / 0.02 - 1) < 0.03


def test_weights_are_drawn_as_they_are_without_a_word() -> None:
    drawn = network("linear(X, 300)").init(dtype=F64)["linear.weight"]
    alone = dsl.compile("param W : [4, 300]").init(dtype=F64)["W"]
    assert abs(drawn.std() / alone.std() - 1) < 0.05
    assert abs(drawn.abs().max() / alone.abs().max() - 1) < 0.05


def test_an_embedding_used_twice_is_one_parameter() -> None:
    program = dsl.compile(
        "dim V = 7, d = 4\ninput tokens : int[B, T]\n"
        'E = embedding(V, d, name="wte")\nlogits = E[tokens] E^T'
    )
    assert list(program.params) == ["wte.weight"]
    tokens = {"tokens": FED["tokens"]}
    assert_agrees(
        program, "logits", tokens, lambda w: w["wte.weight"][w["tokens"]] @ w["wte.weight"].mT
    )


DROPOUT = """
input X : [n, m]
input key : int[]
y = dropout(X, key, p=0.3)
other = dropout(X, key + 1, p=0.3)
again = dropout(2 X, key, p=0.3)
slope = grad(sum(y), X)
nothing = dropout(X, key, p=1)
no_slope = grad(sum(nothing), X)
everything = dropout(X, key, p=0)
by_default = dropout(X, key)
"""


def dropped(name: str, key: int = 5) -> Tensor:
    program = dsl.compile(DROPOUT)
    feeds = {"X": torch.full((400, 500), 2.0, dtype=F64), "key": torch.tensor(key)}
    return program.run(name, feeds)


def test_dropout_keeps_the_mean() -> None:
    for name, p in {"y": 0.3, "by_default": 0.1}.items():
        kept = dropped(name)
        assert abs((kept == 0).double().mean() - p) < 0.005
        assert abs(kept.mean() - 2) < 0.02
        torch.testing.assert_close(kept[kept != 0], torch.full_like(kept[kept != 0], 2 / (1 - p)))


def test_the_key_alone_says_what_is_dropped() -> None:
    assert torch.equal(dropped("y"), dropped("y"))
    assert torch.equal(dropped("y") == 0, dropped("again") == 0)
    assert torch.equal(dropped("other"), dropped("y", key=6))
    overlap = ((dropped("y") == 0) & (dropped("other") == 0)).double().mean()
    assert abs(overlap - 0.09) < 0.005


def test_the_gradient_of_dropout_passes_where_the_value_did() -> None:
    torch.testing.assert_close(dropped("slope"), dropped("y") / 2)


def test_dropout_of_all_and_of_nothing() -> None:
    assert not dropped("nothing").any()
    assert not dropped("no_slope").any()
    assert torch.equal(dropped("everything"), torch.full((400, 500), 2.0, dtype=F64))


def test_a_key_is_fed_at_every_step_of_training() -> None:
    program = dsl.compile(
        "input X : [8, 4]\ninput key : int[]\n"
        "y = mlp(dropout(X, key, p=0.5), [6], 1)\nloss = mean(y^2)"
    )
    x = torch.randn(8, 4)
    trained: list[Tensor] = []
    for keys in ((1, 2), (1, 2), (1, 3)):
        trainer = program.trainer("loss", "sgd", lr=0.1)
        for _ in trainer.fit([{"X": x, "key": torch.tensor(key)} for key in keys]):
            pass
        trained.append(trainer.state["mlp.hidden.0.weight"])
    assert torch.equal(trained[0], trained[1])
    assert not torch.equal(trained[0], trained[2])
