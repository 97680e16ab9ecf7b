"""A text as whole numbers, split in two; windows to learn from; the bigram model to beat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

HELD_OUT = 0.1  # the last tenth of the text is never learned from
SHORTEST = 2000  # characters; less leaves nothing to hold out


@dataclass(frozen=True)
class Corpus:
    """The characters of a text in their order of code points, and the text as their indices.

    `train` and `held_out` are int tensors [length].
    """

    characters: str
    train: Tensor
    held_out: Tensor

    @classmethod
    def of(cls, text: str) -> Corpus:
        """Split a text. Raises ValueError when it is too short to hold a part out."""
        if len(text) < SHORTEST:
            raise ValueError(
                f"the text has {len(text)} characters; at least {SHORTEST} are needed to learn from"
            )
        characters = "".join(sorted(set(text)))
        place = {c: i for i, c in enumerate(characters)}
        ids = torch.tensor([place[c] for c in text])
        border = int(len(ids) * (1 - HELD_OUT))
        return cls(characters, ids[:border], ids[border:])

    def encode(self, text: str) -> list[int]:
        """The indices of the characters of `text` that occur in the corpus."""
        return [self.characters.index(c) for c in text if c in self.characters]

    def decode(self, ids: list[int]) -> str:
        """The text of some indices."""
        return "".join(self.characters[i] for i in ids)


def documentation() -> str:
    """The topics of Python's own help, part of every CPython: English prose with code in it."""
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def read(path: Path) -> str:
    """The text of a file. Raises ValueError if it is not UTF-8, OSError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text in UTF-8 (byte {error.start})") from error


def windows(ids: Tensor, length: int, count: int, seed: int) -> dict[str, Tensor]:
    """`count` stretches of the text as int[count, length], and the same one place on."""
    generator = torch.Generator().manual_seed(seed)
    start = torch.randint(len(ids) - length, (count, 1), generator=generator)
    stretch = ids[start + torch.arange(length + 1)]
    return {"tokens": stretch[:, :-1].contiguous(), "targets": stretch[:, 1:].contiguous()}


def batches(ids: Tensor, length: int, count: int, seed: int = 0) -> Iterator[dict[str, Tensor]]:
    """Windows without end, the same ones for the same seed."""
    step = 0
    while True:
        yield windows(ids, length, count, seed * 1_000_003 + step)
        step += 1


def bigram_loss(corpus: Corpus) -> float:
    """Nats per held-out character, each guessed from the one before by smoothed counts."""
    n = len(corpus.characters)
    counts = torch.full((n, n), 0.1, dtype=torch.float64)
    pairs = (corpus.train[:-1], corpus.train[1:])
    counts.index_put_(
        pairs, torch.ones(len(corpus.train) - 1, dtype=torch.float64), accumulate=True
    )
    chances = counts / counts.sum(1, keepdim=True)
    return -chances.log()[corpus.held_out[:-1], corpus.held_out[1:]].mean().item()
