"""From a text to a program: the parser, a text of 1,000 lines, models of the prelude.

    python -m benchmarks.compile [--lines N] [--rounds N]

Milliseconds of CPU time, which other work on the machine disturbs least. Every round is a process
of its own that imports the language, then takes the steps in this order, so that what is kept for
the next time is made anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from statistics import median

import dsl
from dsl.grammar import parser

TRANSFORMER = {"V": 65, "d": 64, "context": 128, "layers": 12}

HEAD = """\
# A stack of layers, each written out.
dim B, T, d = 64, V = 256

input tokens, targets : int[B, T]
input temperature : []

param E : [V, d] ~ normal(0, 0.02)
param U : [d, V] ~ normal(0, 0.02)

X_0 = E[tokens]
L_0 = 0
"""

LAYER = """
# ---- layer {i}
# Attention with four heads, its own norm before it.
param W_q{i}, W_k{i}, W_v{i}, W_o{i} : [d, d] ~ normal(0, 0.02)
param g_{i} : [d] = 1
param b_{i} : [d] = 0

norm_{i}(X : [..., d]) =
    μ = mean(X, -1)[..., None]
    v = mean((X - μ)², -1)[..., None]
    g_{i} ⊙ (X - μ) / sqrt(v + 1e-5) + b_{i}

head_{i}(Q : [B, T, k], K, V) =
    S = Q K^T / sqrt(k)
    A = softmax(S + causal(T), axis=-1)
    A V

H{i} = norm_{i}(X_{p})
Q{i} = H{i} W_q{i}
K{i} = H{i} W_k{i}
V{i} = H{i} W_v{i}
A{i} = head_{i}(Q{i}[..., :d/2], K{i}[..., :d/2], V{i}[..., :d/2])
C{i} = head_{i}(Q{i}[..., d/2:], K{i}[..., d/2:], V{i}[..., d/2:])
Y{i} = X_{p} + concat(A{i}, C{i}, axis=-1) W_o{i}

# Two layers at each position, gated.
param F_{i}, G_{i} : [d, 4d] ~ normal(0, 0.02)
param R_{i} : [4d, d] ~ normal(0, 0.02)
ffn_{i}(X, gate=1) =
    up = X F_{i}
    open = sigmoid(gate · X G_{i})
    (relu(up) ⊙ open) R_{i}

X_{i} = Y{i} + ffn_{i}(Y{i}, gate=temperature)

# What the layer costs, and how that changes with its weights.
p{i} = softmax(X_{i} U, axis=-1)
m{i} = mean(max(p{i}, axis=-1))
l{i} = cross_entropy(X_{i} U, targets) + 0.01 sum(W_o{i}²) + (m{i} - 1)² / 2
D{i} = ∇_W_o{i} l{i}
s{i} = sqrt(sum(D{i} ⊙ D{i}) + 1e-8)
N{i} = W_o{i} - (0.1 / max(s{i}, 1)) D{i}
L_{i} = L_{p} + l{i} if s{i} < 10 else L_{p}
"""


def text(lines: int) -> str:
    """A program of at least so many lines: layers below each other, with what they cost."""
    found, layer = HEAD, 0
    while found.count("\n") < lines:
        layer += 1
        found += LAYER.format(i=layer, p=layer - 1)
    return found


def one_round(lines: int) -> dict[str, float]:
    """Milliseconds of each step."""
    program = text(lines)
    count = f"{program.count(chr(10))} lines"
    steps = {
        "parser": parser,
        "first parse": lambda: dsl.parse("y = x²"),
        f"parse {count}": lambda: dsl.parse(program),
        f"compile {count}": lambda: dsl.compile(program),
        'load("transformer", layers=12)': lambda: dsl.load("transformer", **TRANSFORMER),
        'load("gpt2")': lambda: dsl.load("gpt2"),
    }
    found: dict[str, float] = {}
    for name, step in steps.items():
        start = time.process_time()
        step()
        found[name] = 1e3 * (time.process_time() - start)
    return found


def main() -> None:
    """Take the rounds and print a line for each step."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--lines", type=int, default=990)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--one-round", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one_round:
        print(json.dumps(one_round(given.lines)))
        return
    again = [sys.executable, "-m", "benchmarks.compile", "--one-round", "--lines", str(given.lines)]
    rounds = [json.loads(subprocess.check_output(again)) for _ in range(given.rounds)]
    print(f"{'':34}{'median':>9}{'least':>9}{'most':>9}   ms of CPU time")
    for name in rounds[0]:
        times = [each[name] for each in rounds]
        print(f"{name:34}{median(times):9.1f}{min(times):9.1f}{max(times):9.1f}")


if __name__ == "__main__":
    main()
