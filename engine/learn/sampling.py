"""Generation: p(next token | tokens so far) off the last position, a forward pass per token."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from engine.errors import EngineError, KindError, ShapeError
from engine.graph import Node
from engine.ops.families import dtype_kind
from engine.run import Evaluator
from engine.run.bind import Feeds

Prompt = Tensor | Sequence[int] | Sequence[Sequence[int]]


class Sampled(NamedTuple):
    """The next token, [] or [B] like the prompt without its last axis, and the seconds it took."""

    token: Tensor
    seconds: float


def generate(
    logits: Node,
    tokens: Node,
    feeds: Feeds,
    prompt: Prompt,
    n: int,
    temperature: float = 0.0,
    seed: int = 0,
    context: int | None = None,
) -> Tensor:
    """The prompt, [T] or [B, T], followed by `n` generated tokens: [T + n] or [B, T + n].

    Takes and raises what `stream` does, and KindError for a negative `n`.

    >>> from engine import ops, var
    >>> tokens, table = var("tokens", ["B", "T"], "int"), var("table", [3, 3])
    >>> follows = {table: [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]}
    >>> generate(table[tokens], tokens, follows, prompt=[1], n=5)
    tensor([1, 2, 0, 1, 2, 0])
    """
    if n < 0:
        raise KindError(f"cannot generate {n} tokens")
    start = _checked(prompt)
    following = stream(logits, tokens, feeds, start, temperature, seed, context)
    new = [token.unsqueeze(-1) for token, _ in islice(following, n)]
    return torch.cat([start, *new], -1)


def stream(
    logits: Node,
    tokens: Node,
    feeds: Feeds,
    prompt: Prompt,
    temperature: float = 0.0,
    seed: int = 0,
    context: int | None = None,
) -> Iterator[Sampled]:
    """Token after token, without end, each with its time.

    `logits` [..., T, V] is computed from the leaf `tokens`, [T] or [B, T]; a prompt [T] gets the
    batch axis that the leaf has. Only the last `context` tokens are fed. Temperature 0 takes the
    likeliest token, the first of equals; else a generator of its own, started from `seed`, draws
    from softmax(logits / temperature).

    Raises KindError for a prompt that holds no whole numbers and for a setting out of range,
    ShapeError for an empty prompt or one of another rank, EngineError for logits that are not
    numbers, and what `Evaluator.run` raises.
    """
    evaluator, ids = Evaluator([logits[..., -1, :]]), _checked(prompt)
    _check_settings(temperature, seed, context)
    ids, alone = _with_batch_axis(ids, tokens)
    generator = torch.Generator().manual_seed(seed)
    while True:
        begun = time.perf_counter()
        seen = ids if context is None else ids[..., -context:]
        (last,) = evaluator.run({**feeds, tokens: seen})
        if last.isnan().any():
            hint = "the training has diverged"
            raise EngineError("a logit is not a number (NaN)", hint=hint, at=logits)
        token = _choose(last, temperature, generator)
        ids = torch.cat([ids, token.unsqueeze(-1)], -1)
        yield Sampled(token[0] if alone else token, time.perf_counter() - begun)


def _checked(prompt: Prompt) -> Tensor:
    """The prompt as whole numbers, [T] or [B, T] with T > 0."""
    try:
        ids = torch.as_tensor(prompt).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise KindError(f"a prompt is a list or a tensor of whole numbers: {error}") from error
    if ids.numel() == 0:
        raise ShapeError("the prompt is empty", hint="start from at least one token")
    if ids.ndim not in (1, 2):
        raise ShapeError(f"a prompt is [T] or [B, T], not {list(ids.shape)}")
    if dtype_kind(ids.dtype) != "int":
        raise KindError(f"a prompt holds whole numbers, not {ids.dtype}")
    return ids.long()


def _check_settings(temperature: float, seed: int, context: int | None) -> None:
    if not temperature >= 0:
        raise KindError(f"a temperature is 0 or more, not {temperature}")
    if not -(2**63) <= seed < 2**63:
        raise KindError(f"a seed is a whole number of 64 bits, not {seed}")
    if context is not None and context < 1:
        raise KindError(f"a context is of 1 token or more, not {context}")


def _with_batch_axis(ids: Tensor, tokens: Node) -> tuple[Tensor, bool]:
    """The prompt of the leaf's rank, and whether it got a batch axis for that."""
    if tokens.rank in (None, ids.ndim):
        return ids, False
    if (tokens.rank, ids.ndim) == (2, 1):
        return ids[None], True
    raise ShapeError(f"`{tokens.label()}` is {tokens.describe()}, the prompt {list(ids.shape)}")


def _choose(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """The next token for each row of logits [..., V]."""
    if temperature == 0:
        return logits.argmax(-1)
    above = (logits - logits.amax(-1, keepdim=True)).double().cpu()
    drawn = torch.multinomial(torch.softmax(above / temperature, -1), 1, generator=generator)
    return drawn.squeeze(-1).to(logits.device)
