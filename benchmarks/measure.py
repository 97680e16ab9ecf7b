"""Measuring side by side: the contestants take turns, so that what disturbs one disturbs all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from statistics import median, quantiles

from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

Run = Callable[[], object]


@dataclass(frozen=True)
class Times:
    """Seconds per call, one number a round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle round."""
        return median(self.rounds)

    def speed(self, other: Times) -> Spread:
        """How many times faster than `other`, round by round: both met the same disturbances."""
        ratios = [b / a for a, b in zip(self.rounds, other.rounds, strict=True)]
        low, _, high = quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        return Spread(median(ratios), low, high)


@dataclass(frozen=True)
class Spread:
    """A median with its quartiles."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f}-{self.high:.2f})"


def interleaved(runs: Mapping[str, Run], rounds: int, seconds: float) -> dict[str, Times]:
    """The times of every run: all in turn in each round, each repeated for about `seconds`."""
    repeats = {name: max(1, round(seconds / _once(run))) for name, run in runs.items()}
    found: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for i in range(rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            found[name].append(_per_call(runs[name], repeats[name]))
    return {name: Times(tuple(times)) for name, times in found.items()}


def _once(run: Run) -> float:
    run()
    return median(_per_call(run, 1) for _ in range(5))


def _per_call(run: Run, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats


@dataclass(frozen=True)
class Profile:
    """What a call asks of torch: calls of the dispatcher from outside, and bytes held at most."""

    calls: int
    peak: int


def profiled(run: Run, cold: Run | None = None) -> Profile:
    """One call under torch's profiler.

    The memory is that of `cold`, where a call leans on memory that an earlier one kept.
    """
    run()
    warm = _watched(run)
    calls = sum(
        e.name.startswith("aten::") and not _inside_aten(e.cpu_parent) for e in warm.events() or ()
    )
    return Profile(calls, _peak(_watched(cold) if cold else warm))


def _watched(run: Run) -> profile:
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as seen:
        run()
    return seen


def _inside_aten(event: FunctionEvent | None) -> bool:
    while event is not None:
        if event.name.startswith("aten::"):
            return True
        event = event.cpu_parent
    return False


def _peak(seen: profile) -> int:
    """The most bytes held at once, beyond those held before."""
    assert seen.profiler is not None
    assert seen.profiler.kineto_results is not None
    events = seen.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")  # pyright: ignore[reportAttributeAccessIssue]
    return max(accumulate((size for _, size in changes), initial=0))
