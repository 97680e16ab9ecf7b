"""What the benchmarks measure is what they say."""

from __future__ import annotations

from benchmarks.compile import text
from dsl import compile
from engine.graph import toposort


def test_the_long_program_has_its_lines_and_each_layer_hangs_on_those_before() -> None:
    long = text(100)
    assert 100 <= long.count("\n") < 150
    program = compile(long)
    last = long.count("# ---- layer")
    gradient = program.nodes[f"D{last}"]
    assert gradient.shape == program.params[f"W_o{last}"].shape
    assert last > 1
    assert program.params["W_q1"] in toposort([gradient])
