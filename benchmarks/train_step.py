"""One training step in chalkgrad, in PyTorch and under torch.compile: same numbers, then time.

    python -m benchmarks.train_step [--quick] [--threads 1 2] [--rounds N] [--layers N]
                                    [--no-compile] [--source]

Every contestant starts from the same parameters, sees the same batch and takes θ ← θ - lr ∂loss/∂θ
in place. Losses and parameters must agree, in float64 to the last digits and in float32, before
anything is timed. The contestants take turns.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.measure import Run, Times, interleaved, profiled
from benchmarks.models import Model, Tensors, decoder, mlp
from engine import Evaluator, gradients

LR = 0.1


@dataclass(frozen=True)
class Contestant:
    """`step()` gives the loss and changes `parameters`; it took `build` seconds to make.

    `cold` makes it anew and takes two steps: it shows the memory that a step keeps for the next.
    """

    step: Callable[[], Tensor]
    parameters: Tensors
    build: float = 0.0
    cold: Run | None = None


def chalkgrad(model: Model) -> Contestant:
    """Loss, gradients and updates as one graph, run by one Evaluator."""
    evaluator, values = one_graph(model)
    feeds = {**model.batch, **values}

    def cold() -> None:
        again, _ = one_graph(model)
        again.run(feeds)
        again.run(feeds)

    return Contestant(lambda: evaluator.run(feeds)[0], values, cold=cold)


def one_graph(model: Model) -> tuple[Evaluator, Tensors]:
    """The evaluator of the whole step, and the parameters that it changes."""
    parameters, batch = model.nodes()
    loss = model.graph(parameters, batch)
    slopes = gradients(loss, list(parameters.values()))
    updates = {p: p - LR * g for p, g in zip(parameters.values(), slopes, strict=True)}
    values = {name: x.clone() for name, x in model.parameters.items()}
    return Evaluator([loss], updates=updates), values


def eager(model: Model) -> Contestant:
    """PyTorch's autograd and its fused optimiser."""
    return _by_autograd(model, model.torch)


def compiled(model: Model) -> Contestant:
    """The same with the loss under torch.compile, forward and backward."""
    torch.compiler.reset()
    return _by_autograd(model, torch.compile(model.torch))


def _by_autograd(model: Model, loss_of: Callable[[Tensors, Tensors], Tensor]) -> Contestant:
    values = {name: x.clone().requires_grad_() for name, x in model.parameters.items()}
    optimiser = torch.optim.SGD(values.values(), lr=LR, fused=True)

    def step() -> Tensor:
        loss = loss_of(values, model.batch)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        return loss.detach()

    return Contestant(step, values)


PEERS: dict[str, Callable[[Model], Contestant]] = {
    "chalkgrad": chalkgrad,
    "PyTorch eager": eager,
    "torch.compile": compiled,
}


def ready(name: str, model: Model) -> Contestant:
    """A contestant after two steps, which belong to the build; compilers go without caches."""
    start = time.perf_counter()
    with torch.compiler.config.patch(force_disable_caches=True):  # pyright: ignore[reportAttributeAccessIssue]
        made = PEERS[name](model)
        made.step()
        made.step()
    return Contestant(made.step, made.parameters, time.perf_counter() - start, made.cold)


def agree(contestants: Mapping[str, Contestant], rtol: float, steps: int = 3) -> None:
    """Take some steps. Raises AssertionError naming whose loss or parameter differs."""
    losses = {
        name: torch.stack([c.step() for _ in range(steps)]) for name, c in contestants.items()
    }
    (first, base), *others = contestants.items()
    for name, other in others:
        _close(losses[name], losses[first], rtol, f"the loss of {name}")
        for path, mine in base.parameters.items():
            _close(other.parameters[path].detach(), mine, rtol, f"{path} of {name}")


def _close(a: Tensor, b: Tensor, rtol: float, what: str) -> None:
    torch.testing.assert_close(a, b, rtol=rtol, atol=rtol, msg=lambda text: f"{what}: {text}")


def report(model: Model, peers: Sequence[str], rounds: int, seconds: float) -> str:
    """The table of one model at the current number of threads."""
    double = model.to(torch.float64)
    agree({name: PEERS[name](double) for name in peers if name != "torch.compile"}, rtol=1e-10)
    contestants = {name: ready(name, model) for name in peers}
    agree(contestants, rtol=1e-3)
    times = interleaved({name: c.step for name, c in contestants.items()}, rounds, seconds)
    rows = [row(name, contestants[name], times) for name in peers]
    threads = torch.get_num_threads()
    return "\n".join([f"{model.name}, {threads} thread{'s' * (threads > 1)}", HEAD, *rows])


HEAD = (
    f"{'':15}{'ms a step':>9}   {'times eager':20}{'torch calls':>11}{'peak kB':>9}{'build s':>9}"
)


def row(name: str, made: Contestant, times: Mapping[str, Times]) -> str:
    """One contestant's figures."""
    mine, seen = times[name], profiled(made.step, made.cold)
    speed = mine.speed(times["PyTorch eager"])
    return (
        f"{name:15}{mine.median * 1e3:9.3f}   {speed!s:20}{seen.calls:11}{seen.peak // 1024:9}"
        f"{made.build:9.2f}"
    )


def no_compiler() -> str | None:
    """Why torch.compile cannot take part, None when it can."""
    found = any(shutil.which(name) for name in ("g++", "clang++", "c++"))
    return None if found else "there is no C++ compiler on PATH"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    given = options().parse_args(arguments)
    why_not = "not asked for" if given.no_compile or given.quick else no_compiler()
    peers = [name for name in PEERS if not (why_not and name == "torch.compile")]
    models = [mlp(), decoder(layers=given.layers)]
    rounds, seconds = (3, 0.01) if given.quick else (given.rounds, 0.02)
    if given.quick:
        models = [mlp(12, 8, 4, 6), decoder(8, 5, 2, 11, given.layers)]
    print(f"torch {torch.__version__}, float32, SGD, {rounds} rounds; medians (and quartiles)")
    if why_not:
        print(f"torch.compile is left out: {why_not}")
    for model in models:
        if given.source:
            print(f"\n{one_graph(model)[0].source()}")
        for threads in given.threads:
            torch.set_num_threads(threads)
            print(f"\n{report(model, peers, rounds, seconds)}")


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="One training step, side by side.")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, without torch.compile")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--layers", type=int, default=1, help="blocks of the decoder")
    parser.add_argument("--no-compile", action="store_true", help="without torch.compile")
    parser.add_argument("--source", action="store_true", help="print what chalkgrad runs")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
