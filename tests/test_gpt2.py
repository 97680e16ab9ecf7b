"""GPT-2 of the prelude: its published sizes and names, and torch's own computation of it."""

import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import dsl
from dsl.syntax import FunctionDef
from engine import EngineError, Node
from engine.dims import known, product, total
from tests.peers import F64, assert_agrees, spread

V, CONTEXT, D, H, LAYERS = 13, 7, 8, 2, 3


def small() -> dsl.Program:
    return dsl.load("gpt2", V=V, context=CONTEXT, d=D, H=H, layers=LAYERS)


def count(params: Mapping[str, Node]) -> int | None:
    """How many numbers there are, by the shapes alone."""
    return known(total(product(leaf.shape or ()) for leaf in params.values()))


def sizes_of(leaf: Node) -> list[int | None]:
    return [known(dim) for dim in leaf.shape or ()]


def batch() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(4)
    tokens, targets = torch.randint(0, V, (2, 2, 6), generator=generator)
    return {"tokens": tokens, "targets": targets}


def published(d: int = 768, vocabulary: int = 50_257, context: int = 1024) -> dict[str, list[int]]:
    """The tensors of the checkpoint that was published as `gpt2`."""
    block = {"ln_1": [d], "attn.c_attn": [d, 3 * d], "attn.c_proj": [d, d]}
    block |= {"ln_2": [d], "mlp.c_fc": [d, 4 * d], "mlp.c_proj": [4 * d, d]}
    found = {"wte.weight": [vocabulary, d], "wpe.weight": [context, d]}
    for i in range(12):
        for name, shape in block.items():
            found[f"h.{i}.{name}.weight"] = shape
            found[f"h.{i}.{name}.bias"] = shape[-1:]
    return found | {"ln_f.weight": [d], "ln_f.bias": [d]}


def test_the_parameters_have_the_published_names_and_shapes() -> None:
    shapes = {path: sizes_of(leaf) for path, leaf in dsl.load("gpt2").params.items()}
    assert shapes == published()
    assert list(shapes) == list(published())


def test_there_are_124_439_808_parameters_in_148_tensors() -> None:
    params = dsl.load("gpt2").params
    assert len(params) == 148
    assert count(params) == 124_439_808


@pytest.mark.parametrize(
    "d, heads, layers, numbers",
    [
        (1024, 16, 24, 354_823_168),
        (1280, 20, 36, 774_030_080),
        (1600, 25, 48, 1_557_611_200),
    ],
)
def test_its_larger_kin_have_the_published_counts(
    d: int, heads: int, layers: int, numbers: int
) -> None:
    assert count(dsl.load("gpt2", d=d, H=heads, layers=layers).params) == numbers


def test_a_block_has_at_most_12_lines() -> None:
    functions = {
        each.name.text: each
        for each in dsl.load("gpt2").tree.statements
        if isinstance(each, FunctionDef)
    }
    lines = [functions[name].span.text.count("\n") + 1 for name in ("attention", "mlp", "block")]
    assert sum(lines) <= 12


def torch_logits(w: dict[str, Tensor]) -> Tensor:
    """GPT-2 as its authors published it, with torch's operations."""

    def dense(x: Tensor, path: str) -> Tensor:
        return x @ w[f"{path}.weight"] + w[f"{path}.bias"]

    def norm(x: Tensor, path: str) -> Tensor:
        return F.layer_norm(x, (D,), w[f"{path}.weight"], w[f"{path}.bias"], eps=1e-5)

    def attention(x: Tensor, path: str) -> Tensor:
        q, k, v = dense(x, f"{path}.c_attn").split(D, dim=-1)
        q, k, v = (each.unflatten(-1, (H, D // H)).transpose(1, 2) for each in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return dense(y.transpose(1, 2).flatten(-2), f"{path}.c_proj")

    x = w["wte.weight"][w["tokens"]] + w["wpe.weight"][: w["tokens"].shape[1]]
    for i in range(LAYERS):
        x = x + attention(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn")
        wide = F.gelu(dense(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc"), approximate="tanh")
        x = x + dense(wide, f"h.{i}.mlp.c_proj")
    return norm(x, "ln_f") @ w["wte.weight"].mT


def test_the_logits_and_their_gradients_agree_with_torch() -> None:
    tokens = {"tokens": batch()["tokens"]}
    assert_agrees(small(), "logits", tokens, torch_logits)


def test_the_loss_and_its_gradients_agree_with_torch() -> None:
    def loss(w: dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(torch_logits(w).flatten(0, 1), w["targets"].flatten())

    assert_agrees(small(), "loss", batch(), loss)


@pytest.mark.parametrize("changed", range(1, 6))
def test_a_later_token_never_changes_an_earlier_logit(changed: int) -> None:
    program, tokens = small(), batch()["tokens"]
    params, other = spread(program.init()), tokens.clone()
    other[:, changed] = (tokens[:, changed] + 1) % V
    before, after = (program.run("logits", {"tokens": t}, params) for t in (tokens, other))
    assert torch.equal(before[:, :changed], after[:, :changed])
    assert not torch.equal(before[:, changed:], after[:, changed:])


def test_first_values_have_the_spread_of_the_paper() -> None:
    """0.02, and 0.02 / √(2 layers) for what adds to the residual; gains 1, biases 0."""
    drawn = dsl.load("gpt2", V=500, context=100, d=96, layers=4).init(dtype=F64)
    for path, value in drawn.items():
        if path.endswith(".bias"):
            assert not value.any(), path
        elif ".ln_" in path or path.startswith("ln_"):
            assert (value == 1).all(), path
        else:
            std = 0.02 / math.sqrt(8) if "c_proj" in path else 0.02
            assert abs(value.std() / std - 1) < 0.04, path
            assert abs(value.mean()) < 0.04 * std, path


def test_a_sequence_longer_than_the_context_is_refused() -> None:
    program = small()
    tokens = torch.zeros(1, CONTEXT + 1, dtype=torch.int64)
    with pytest.raises(EngineError, match=r"\[context, d\] is \[7, 8\]"):
        program.run("logits", {"tokens": tokens}, program.init())


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(dsl.DslError, match="d/H"):
        dsl.load("gpt2", d=100)


def test_a_block_can_be_taken_at_any_width() -> None:
    program = dsl.compile("from gpt2 import block\ndim d = 6\ninput X : [B, T, d]\nY = block(X, 3)")
    assert program.nodes["Y"].describe() == "[B, T, d]"
    assert sizes_of(program.params["block.attn.c_attn.weight"]) == [6, 18]


def test_it_learns_a_sentence_and_says_it() -> None:
    program = dsl.load("gpt2", V=V, context=8, d=16, H=2, layers=1)
    sentence = torch.tensor([[1, 5, 3, 5, 2, 9, 5, 12]])
    trainer = program.trainer("loss", lr=0.03)
    feeds = {"tokens": sentence[:, :-1], "targets": sentence[:, 1:]}
    for _ in trainer.fit([feeds] * 60):
        pass
    assert program.generate([1], 7, params=trainer.state).tolist() == sentence[0].tolist()
