"""The prelude: against torch, against the engine's own operators, and against its promises."""

import math

import pytest
import torch
from torch import Tensor

import dsl
from dsl.lowering.modules import available, exported, tree_of
from engine import Evaluator, gradients

F64 = torch.float64
SIZES = {"V": 11, "d": 8, "context": 7, "layers": 3}


def decoder() -> dsl.Program:
    return dsl.load("transformer", **SIZES)


def batch(program: dsl.Program, seed: int = 1) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (2, 6)
    return {
        name: torch.randint(0, SIZES["V"], shape, generator=generator) for name in program.inputs
    }


def spread(params: dict[str, Tensor], seed: int = 2) -> dict[str, Tensor]:
    """Parameters far from 0, biases too, so that no gradient is small by accident."""
    generator = torch.Generator().manual_seed(seed)
    return {
        path: torch.randn(value.shape, dtype=F64, generator=generator) / math.sqrt(value.shape[-1])
        for path, value in params.items()
    }


def torch_loss(w: dict[str, Tensor], tokens: Tensor, targets: Tensor) -> Tensor:
    """The decoder written with torch's own operations."""
    length, d = tokens.shape[1], SIZES["d"]
    mask = torch.full((length, length), -1e9, dtype=F64).triu(1)
    x = w["E"][tokens] + w["P"][:length]
    for i in range(SIZES["layers"]):
        own = {k.removeprefix(f"h.{i}."): v for k, v in w.items() if k.startswith(f"h.{i}.")}
        q, k, v = (x @ own[f"attention.W_{name}"] for name in "qkv")
        scores = torch.softmax(q @ k.mT / math.sqrt(d) + mask, -1)
        a = torch.nn.functional.layer_norm(x + scores @ v @ own["attention.W_o"], (d,))
        hidden = torch.relu(a @ own["ffn.W_1"] + own["ffn.b_1"])
        x = torch.nn.functional.layer_norm(a + hidden @ own["ffn.W_2"] + own["ffn.b_2"], (d,))
    logits = (x @ w["U"]).flatten(0, 1)
    return torch.nn.functional.cross_entropy(logits, targets.flatten())


def test_the_decoder_and_its_gradients_agree_with_torch() -> None:
    program = decoder()
    params, feeds = spread(program.init()), batch(program)
    grads = program.grad("loss")
    assert list(grads) == list(program.params)
    evaluator = Evaluator([program.nodes["loss"], *grads.values()])
    loss, *found = evaluator.run(program.feeds(feeds, params))
    leaves = {path: value.clone().requires_grad_() for path, value in params.items()}
    wanted = torch_loss(leaves, feeds["tokens"], feeds["targets"])
    wanted.backward()
    torch.testing.assert_close(loss, wanted.detach(), rtol=0, atol=1e-10)
    for (path, leaf), value in zip(leaves.items(), found, strict=True):
        assert leaf.grad is not None, path
        assert leaf.grad.abs().max() > 1e-4, path
        torch.testing.assert_close(value, leaf.grad, rtol=0, atol=1e-10, msg=path)


@pytest.mark.parametrize("changed", range(1, 6))
def test_a_later_token_never_changes_an_earlier_logit(changed: int) -> None:
    program = decoder()
    params, feeds = spread(program.init()), batch(program)
    other = {**feeds, "tokens": feeds["tokens"].clone()}
    other["tokens"][:, changed] = (feeds["tokens"][:, changed] + 1) % SIZES["V"]
    before, after = (program.run("logits", each, params) for each in (feeds, other))
    assert torch.equal(before[:, :changed], after[:, :changed])
    assert not torch.equal(before[:, changed:], after[:, changed:])


def test_generation_never_looks_ahead() -> None:
    """The logits at a position are the same with and without the tokens that come later."""
    program = decoder()
    params, feeds = spread(program.init()), batch(program)
    whole = program.run("logits", feeds, params)
    for n in range(1, 6):
        part = program.run("logits", {"tokens": feeds["tokens"][:, :n]}, params)
        torch.testing.assert_close(part, whole[:, :n], rtol=0, atol=1e-12)


def test_the_decoder_generates_from_a_prompt() -> None:
    program = decoder()
    params = spread(program.init())
    tokens = program.generate([3, 1], 8, params=params)
    assert tokens[:2].tolist() == [3, 1]
    for n in range(2, 10):
        seen = tokens[max(0, n - SIZES["context"]) : n]
        logits = program.run("logits", {"tokens": seen[None]}, params)
        assert tokens[n] == logits[0, -1].argmax()


def test_a_block_can_be_imported_and_named() -> None:
    program = dsl.compile(
        "from transformer import block\n"
        "dim m = 16\n"
        "input X : [B, T, m]\n"
        'Y = block(block(X), name="top")\n'
    )
    assert program.nodes["Y"].describe() == "[B, T, m]"
    assert set(program.inputs) == {"X"}
    assert "block.attention.W_q" in program.params
    assert "top.ffn.W_1" in program.params
    assert program.params["top.ffn.W_1"].describe() == "[m, 4m]"


@pytest.mark.parametrize("module", available())
def test_every_file_compiles_and_opens_with_its_sizes(module: str) -> None:
    program = dsl.load(module)
    text = program.tree.span.source.text
    assert text.startswith("# ")
    assert "\n# sizes\n" in text
    assert set(exported(tree_of(module))) == set(program.functions)


TEXTBOOK = """
import textbook
input x : [4, 5]
input targets : int[4]
input g : [4, 5]
{name}_book = {book}
{name}_engine = {engine}
"""
SPELLED_OUT = {
    "softmax": ("sum(g * textbook.softmax(x))", "sum(g * softmax(x))"),
    "layernorm": ("sum(g * textbook.layernorm(x))", "sum(g * layernorm(x))"),
    "cross_entropy": ("textbook.cross_entropy(x, targets)", "cross_entropy(x, targets)"),
    "relu": ("sum(g * textbook.relu(x))", "sum(g * relu(x))"),
    "sigmoid": ("sum(g * textbook.sigmoid(x))", "sum(g * sigmoid(x))"),
    "gelu": ("sum(g * textbook.gelu(x))", "sum(g * gelu(x))"),
}


def test_every_function_of_the_textbook_is_held_against_the_engine() -> None:
    assert set(exported(tree_of("textbook"))) == set(SPELLED_OUT)


@pytest.mark.parametrize("name", SPELLED_OUT)
def test_the_textbook_has_the_values_and_gradients_of_the_engine(name: str) -> None:
    book, engine = SPELLED_OUT[name]
    program = dsl.compile(TEXTBOOK.format(name=name, book=book, engine=engine))
    generator = torch.Generator().manual_seed(5)
    feeds = {
        "x": 3 * torch.randn(4, 5, dtype=F64, generator=generator),
        "g": torch.randn(4, 5, dtype=F64, generator=generator),
        "targets": torch.tensor([0, 4, 2, 2]),
    }
    x = program.inputs["x"]
    pair = [program.nodes[f"{name}_{kind}"] for kind in ("book", "engine")]
    grads = [gradients(node, [x])[0] for node in pair]
    values = Evaluator([*pair, *grads]).run(program.feeds(feeds, {}))
    torch.testing.assert_close(values[0], values[1], rtol=0, atol=1e-10)
    torch.testing.assert_close(values[2], values[3], rtol=0, atol=1e-10)
    assert values[3].abs().max() > 0.01


LOSSES = {
    "mse(y, target)": torch.nn.functional.mse_loss,
    "mae(y, target)": torch.nn.functional.l1_loss,
    "huber(y, target, δ=0.5)": lambda y, target: torch.nn.functional.huber_loss(
        y, target, delta=0.5
    ),
    "binary_cross_entropy(y, σ)": lambda y, target: (
        torch.nn.functional.binary_cross_entropy_with_logits(y, torch.sigmoid(target))
    ),
    "perplexity(mse(y, target))": lambda y, target: torch.exp(
        torch.nn.functional.mse_loss(y, target)
    ),
}


@pytest.mark.parametrize("call", LOSSES)
def test_losses_agree_with_torch(call: str) -> None:
    program = dsl.compile(f"input y, target : [n]\nσ = sigmoid(target)\nloss = {call}")
    y, target = torch.randn(2, 9, dtype=F64)
    found = program.run("loss", {"y": y, "target": target})
    torch.testing.assert_close(found, LOSSES[call](y, target), rtol=0, atol=1e-12)


def peer(name: str, leaf: Tensor) -> torch.optim.Optimizer:
    lr = 0.1
    return {
        "sgd": lambda: torch.optim.SGD([leaf], lr),
        "momentum": lambda: torch.optim.SGD([leaf], lr, momentum=0.9),
        "nesterov": lambda: torch.optim.SGD([leaf], lr, momentum=0.9, nesterov=True),
        "rmsprop": lambda: torch.optim.RMSprop([leaf], lr),
        "adam": lambda: torch.optim.Adam([leaf], lr),
        "adamw": lambda: torch.optim.AdamW([leaf], lr),
    }[name]()


def test_every_optimiser_of_the_prelude_has_a_peer() -> None:
    for name in exported(tree_of("optim")):
        assert peer(name, torch.zeros(1, requires_grad=True))


@pytest.mark.parametrize("name", exported(tree_of("optim")))
def test_optimisers_take_the_steps_of_torch(name: str) -> None:
    program = dsl.compile("param W : [3]\ninput x, y : [3]\nloss = sum((W ⊙ x^2 - y)^2 ⊙ x)")
    start, x, y = torch.randn(3, 3, dtype=F64)
    trainer = program.trainer("loss", name, lr=0.1, params={"W": start})
    leaf = start.clone().requires_grad_()
    other = peer(name, leaf)
    for _ in trainer.fit([{"x": x, "y": y}] * 7):
        other.zero_grad()
        (((leaf * x**2 - y) ** 2) * x).sum().backward()
        other.step()
    torch.testing.assert_close(trainer.state["W"], leaf.detach(), rtol=0, atol=1e-9)


DRAWS = {
    "xavier": (lambda n, m: math.sqrt(2 / (n + m)), True),
    "xavier_normal": (lambda n, m: math.sqrt(2 / (n + m)), False),
    "he": (lambda n, m: math.sqrt(2 / n), False),
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


def test_attention_with_keys_of_another_length() -> None:
    program = dsl.compile(
        "input Q : [B, T, m]\ninput K : [B, S, m]\ninput V : [B, S, d]\nout = weigh(Q, K, V)"
    )
    q, k, v = torch.randn(2, 3, 4), torch.randn(2, 5, 4), torch.randn(2, 5, 6)
    found = program.run("out", {"Q": q, "K": k, "V": v})
    wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(found, wanted)
