"""The decoder of the prelude: against torch, and what it promises of later tokens."""

import math

import pytest
import torch
from torch import Tensor

import dsl
from tests.peers import F64, assert_agrees, spread

SIZES = {"V": 11, "d": 8, "context": 7, "layers": 3}


def decoder() -> dsl.Program:
    return dsl.load("transformer", **SIZES)


def batch(program: dsl.Program, seed: int = 1) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (2, 6)
    return {
        name: torch.randint(0, SIZES["V"], shape, generator=generator) for name in program.inputs
    }


def torch_loss(w: dict[str, Tensor]) -> Tensor:
    """The decoder written with torch's own operations."""
    length, d = w["tokens"].shape[1], SIZES["d"]
    mask = torch.full((length, length), -1e9, dtype=F64).triu(1)
    x = w["E"][w["tokens"]] + w["P"][:length]
    for i in range(SIZES["layers"]):
        own = {k.removeprefix(f"h.{i}."): v for k, v in w.items() if k.startswith(f"h.{i}.")}
        q, k, v = (x @ own[f"attention.W_{name}"] for name in "qkv")
        scores = torch.softmax(q @ k.mT / math.sqrt(d) + mask, -1)
        a = torch.nn.functional.layer_norm(x + scores @ v @ own["attention.W_o"], (d,))
        hidden = torch.relu(a @ own["ffn.W_1"] + own["ffn.b_1"])
        x = torch.nn.functional.layer_norm(a + hidden @ own["ffn.W_2"] + own["ffn.b_2"], (d,))
    logits = (x @ w["U"]).flatten(0, 1)
    return torch.nn.functional.cross_entropy(logits, w["targets"].flatten())


def test_the_decoder_and_its_gradients_agree_with_torch() -> None:
    program = decoder()
    assert list(program.grad("loss")) == list(program.params)
    assert_agrees(program, "loss", batch(program), torch_loss)


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


def test_first_values_of_the_decoder() -> None:
    drawn = dsl.load("transformer", V=150, d=100, context=120).init(dtype=F64)
    for path, value in drawn.items():
        if value.ndim == 1:
            assert not value.any(), path
        else:
            assert abs(value.std() / 0.02 - 1) < 0.04, path
