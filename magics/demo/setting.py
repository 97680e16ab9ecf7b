"""The sizes of the demo's model, of its training and of its measurements."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """`seconds` ends the training whatever the steps; `lengths` are contexts to time a token at."""

    d: int = 64
    layers: int = 2
    context: int = 64
    batch: int = 32
    steps: int = 2500
    seconds: float = 90.0
    lr: float = 3e-3
    check_every: int = 250
    tokens: int = 200
    lengths: tuple[int, ...] = (256, 512, 1024, 2048)

    def rate(self, step: int) -> float:
        """The learning rate: a linear warm-up, then half a cosine down to a fiftieth."""
        warm = min(1.0, step / 100)
        progress = min(1.0, step / self.steps)
        return self.lr * warm * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * progress)))


QUICK = Setting(16, 1, 16, 4, steps=20, check_every=10, tokens=20, lengths=(16, 32, 64))
