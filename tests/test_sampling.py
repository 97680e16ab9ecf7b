"""Generation: a forward pass per token, nothing read from the future, repeatable by its seed."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor

from engine import EngineError, Evaluator, Node, gradients, ops, var
from engine.dims import size
from engine.errors import KindError, MissingInput, ShapeError
from engine.learn import generate, stream

V, D, LONGEST = 11, 8, 16
B, T = size("B"), size("T")
SHAPES = {"E": [V, D], "P": [LONGEST, D], "Q": [D, D], "K": [D, D], "W": [D, V]}
E, P, Q, K, W = (var(name, shape) for name, shape in SHAPES.items())


def decoder(tokens: Node, length: Any = T, mask: float = -1e9) -> Node:
    """Logits of a causal attention layer with residual and normalisation."""
    X = ops.gather(E, tokens) + P[:length]
    future = ops.triu(ops.full([length, length], mask), 1)
    attention = ops.softmax((X @ Q) @ (X @ K).T / D**0.5 + future)
    return ops.layer_norm(X + attention @ X) @ W


tokens = var("tokens", [B, T], "int")
logits = decoder(tokens)


def weights(seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=generator) for name, shape in SHAPES.items()}


def by_hand(prompt: list[int], n: int, context: int = LONGEST) -> list[int]:
    """Greedy decoding from the whole [T, V] table of logits."""
    evaluator, ids = Evaluator([logits]), list(prompt)
    for _ in range(n):
        (table,) = evaluator.run({**weights(), "tokens": [ids[-context:]]})
        ids.append(int(table[0, -1].argmax()))
    return ids


def test_greedy_decoding_takes_the_likeliest_token_each_time() -> None:
    found = generate(logits, tokens, weights(), [1, 2, 3], 10)
    assert found.tolist() == by_hand([1, 2, 3], 10)


def test_the_prompt_is_a_list_or_a_tensor_with_or_without_a_batch() -> None:
    expected = [by_hand(prompt, 5) for prompt in ([1, 2], [7, 0])]
    many = generate(logits, tokens, weights(), torch.tensor([[1, 2], [7, 0]]), 5)
    assert many.tolist() == expected
    for prompt in ([7, 0], torch.tensor([7, 0], dtype=torch.int32)):
        assert generate(logits, tokens, weights(), prompt, 5).tolist() == expected[1]
    none = generate(logits, tokens, weights(), torch.tensor([4], dtype=torch.uint8), 0)
    assert (none.tolist(), none.dtype) == ([4], torch.int64)


def test_what_is_fed_may_hold_the_tokens_of_training() -> None:
    fed = {**weights(), tokens: torch.zeros(3, 5).long()}
    assert generate(logits, tokens, fed, [1, 2, 3], 4).tolist() == by_hand([1, 2, 3], 4)


@pytest.mark.parametrize("shape", [[T], None], ids=["vector", "any rank"])
def test_a_model_of_one_sequence_takes_a_prompt_as_it_is(shape: Any) -> None:
    line = var("line", shape, "int")
    found = generate(
        decoder(line) if shape else ops.gather(E, line) @ W, line, weights(), [1, 2], 4
    )
    expected = by_hand([1, 2], 4)
    assert found.shape == (6,)
    assert not shape or found.tolist() == expected


def test_only_the_last_tokens_of_the_context_are_fed() -> None:
    assert generate(logits, tokens, weights(), [1, 2, 3], 9, context=4).tolist() == by_hand(
        [1, 2, 3], 9, context=4
    )
    long = list(range(V)) * 3
    assert generate(logits, tokens, weights(), long, 3, context=LONGEST).tolist() == by_hand(
        long, 3
    )


def test_the_lowest_of_equal_tokens_is_taken() -> None:
    equal = {**weights(), "W": torch.zeros(D, V)}
    assert generate(logits, tokens, equal, [5], 3).tolist() == [5, 0, 0, 0]


def test_the_same_seed_draws_the_same_tokens_and_leaves_torch_as_it_was() -> None:
    before = torch.random.get_rng_state()
    draw = [
        generate(logits, tokens, weights(), [1], 12, temperature=1.0, seed=seed).tolist()
        for seed in (3, 3, 4)
    ]
    assert draw[0] == draw[1] != draw[2]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_tokens_are_drawn_with_the_probabilities_of_softmax() -> None:
    """4000 draws at once: each frequency is within four standard deviations."""
    line = var("line", [B, T], "int")
    row, temperature, n = torch.tensor([0.0, 1.0, -1.0, 2.0]), 0.7, 4000
    table = ops.const(row.repeat(4, 1))
    prompt = torch.zeros(n, 1, dtype=torch.int64)
    token, _ = next(stream(ops.gather(table, line), line, {}, prompt, temperature))
    p = torch.softmax(row / temperature, 0)
    assert ((token.bincount() / n - p).abs() < 4 * (p * (1 - p) / n).sqrt()).all()


def test_a_small_temperature_comes_to_the_greedy_choice() -> None:
    found = generate(logits, tokens, weights(), [1, 2], 8, temperature=5e-324)
    assert found.tolist() == by_hand([1, 2], 8)


def test_the_stream_has_no_end_and_tells_the_time_of_each_token() -> None:
    taken = list(islice(stream(logits, tokens, weights(), [1, 2], context=4), 20))
    assert [int(token) for token, _ in taken] == by_hand([1, 2], 20, context=4)[2:]
    assert all(seconds > 0 for _, seconds in taken)


def test_only_the_last_position_is_read_out() -> None:
    """Of the logits one row a sequence is computed with, whatever T is."""
    sizes = list[torch.Size]()
    original = Evaluator.call

    def spy(self: Evaluator, step: Any, tensors: Any) -> list[Tensor]:
        found = original(self, step, tensors)
        sizes.extend(t.shape for t in found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evaluator, "call", spy)
        generate(logits, tokens, weights(), [[1, 2, 3]] * 2, 3)
    assert sizes == [(2, V)] * 3


def test_a_later_token_changes_no_earlier_logit_in_training() -> None:
    ids = torch.randint(V, (2, 10), generator=torch.Generator().manual_seed(1))
    evaluator = Evaluator([logits])
    (before,) = evaluator.run({**weights(), tokens: ids})
    for t in range(1, 10):
        other = ids.clone()
        other[:, t:] = (other[:, t:] + 1 + t) % V
        (after,) = evaluator.run({**weights(), tokens: other})
        assert torch.equal(before[:, :t], after[:, :t])
        assert not torch.equal(before[:, t:], after[:, t:])


def test_no_gradient_flows_from_an_earlier_logit_to_a_later_position() -> None:
    (gP,) = gradients(logits[:, :4], [P])
    (found,) = Evaluator([gP]).run({**weights(), tokens: torch.ones(1, 9).long()})
    assert found[:4].abs().sum(-1).gt(0).all()
    assert found[4:].abs().sum() == 0


def test_the_leak_of_a_model_without_a_mask_is_seen() -> None:
    open_logits = decoder(tokens, mask=0.0)
    ids = torch.ones(1, 6, dtype=torch.int64)
    rows = [
        Evaluator([open_logits]).run({**weights(), tokens: ids.index_fill(1, torch.tensor([5]), k)})
        for k in (2, 3)
    ]
    assert not torch.equal(rows[0][0][:, :5], rows[1][0][:, :5])


def test_generation_says_what_training_says() -> None:
    """Each generated token is the argmax at its place of one pass over the finished sequence."""
    found = generate(logits, tokens, weights(), [1, 2, 3], 10)
    (table,) = Evaluator([logits]).run({**weights(), tokens: found[None]})
    assert found[3:].tolist() == table[0, 2:-1].argmax(-1).tolist()


def test_what_was_written_is_not_changed_by_writing_on() -> None:
    short = generate(logits, tokens, weights(), [1, 2], 5, temperature=1.0)
    long = generate(logits, tokens, weights(), [1, 2], 9, temperature=1.0)
    assert long[:7].tolist() == short.tolist()


def call(prompt: Any, n: int = 1, **settings: Any) -> Callable[[], Tensor]:
    return lambda: generate(logits, tokens, weights(), prompt, n, **settings)


@pytest.mark.parametrize(
    "wrong, error, words",
    [
        (call([]), ShapeError, "the prompt is empty"),
        (call(torch.zeros(2, 0).long()), ShapeError, "the prompt is empty"),
        (lambda: next(stream(logits, tokens, {}, [])).token, ShapeError, "the prompt is empty"),
        (call([1.5]), KindError, "whole numbers"),
        (call("once"), KindError, "a prompt is a list or a tensor of whole numbers"),
        (call(torch.ones(1, 2, 3).long()), ShapeError, r"not \[1, 2, 3\]"),
        (call(3), ShapeError, r"not \[\]"),
        (call([[1, 2], [3]]), KindError, "a prompt is a list or a tensor of whole numbers"),
        (call([1], n=-1), KindError, "-1 tokens"),
        (call([1], temperature=-0.5), KindError, "-0.5"),
        (call([1], temperature=float("nan")), KindError, "nan"),
        (call([1], context=0), KindError, "1 token or more"),
        (call([V]), EngineError, "gather failed"),
        (call([1] * (LONGEST + 1)), EngineError, "add failed"),
        (lambda: generate(logits, tokens, {}, [1], 1), MissingInput, "`E`"),
        (
            lambda: generate(
                logits, tokens, {**weights(), "W": torch.full((D, V), torch.nan)}, [1], 1
            ),
            EngineError,
            "not a number",
        ),
        (
            lambda: generate(
                decoder(var("l", [T], "int")), var("l", [T], "int"), weights(), [[1]], 1
            ),
            ShapeError,
            r"`l` is int\[T\], the prompt \[1, 1\]",
        ),
    ],
)
def test_a_wrong_call_is_told(
    wrong: Callable[[], Tensor], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        wrong()


def test_torchs_autograd_is_off_in_generation() -> None:
    asking = {name: value.requires_grad_() for name, value in weights().items()}
    for temperature in (0.0, 1.0):
        found = generate(logits, tokens, asking, [1, 2], 3, temperature)
        assert found.grad_fn is None
        assert not found.requires_grad
    ids, _ = next(stream(logits, tokens, asking, torch.tensor([[1, 2]])))
    assert (ids.grad_fn, ids.requires_grad) == (None, False)
