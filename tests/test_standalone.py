"""A graph as a file of its own: every operator and its derivative, to the last bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine import Evaluator, Node, const, gradients, ops, var
from engine.run.standalone import standalone
from tests.samples import SAMPLES
from tests.sampling import Sample, build


def called(outputs: list[Node], feeds: dict[Node, Any]) -> list[torch.Tensor]:
    """What the function of the file returns."""
    made = standalone(outputs)
    assert "engine" not in made.text
    space: dict[str, Any] = {}
    exec(compile(made.text, "file.py", "exec", dont_inherit=True), space)
    given = {name: feeds.get(leaf) for name, leaf in made.arguments.items()}
    found = space[made.function](**given)
    return list(found) if isinstance(found, tuple) else [found]


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_the_file_computes_what_the_evaluator_does(sample: Sample) -> None:
    made = build(sample)
    outputs = [made.y]
    if made.y.kind == "float" and made.floats:
        outputs += gradients(ops.sum(made.y), made.floats)
    wanted = Evaluator(outputs, fuse=False).run(made.feeds)
    torch.testing.assert_close(called(outputs, made.feeds), wanted, rtol=0, atol=0, equal_nan=True)


def test_sizes_come_from_the_first_argument_that_has_them() -> None:
    x, y = var("x", ["n", "d"]), var("y", ["n"])
    made = standalone([ops.full(["d", "n"], 1.0) @ (x + y[:, None])])
    assert {"n = x.shape[0]", "d = x.shape[1]"} <= {line.strip() for line in made.text.splitlines()}
    assert list(made.arguments) == ["x", "y"]


def test_a_size_that_no_argument_has_is_an_argument() -> None:
    made = standalone([ops.full(["n"], 2.0)], function="twos")
    space: dict[str, Any] = {}
    exec(made.text, space)
    assert space["twos"](n=3).tolist() == [2.0, 2.0, 2.0]


def test_a_small_constant_is_written_out_and_a_large_one_is_an_argument() -> None:
    x = var("x", [])
    small, large = torch.tensor([1.0, float("nan"), -float("inf")]), torch.arange(1001.0)
    assert "[1.0, float('nan'), -float('inf')]" in standalone([const(small) * x]).text
    c = const(large)
    made = standalone([c * x], {c: "table"}, function="f")
    assert len(made.text) < 400
    assert made.arguments == {"table": c, "x": x}
    [value] = called([c * x], {x: torch.tensor(2.0), c: large})
    assert value.equal(2 * large)


@pytest.mark.parametrize(
    "name", ['"""', "a\nimport os", "# x", "a b", "class", "torch", "_sum", "λ'", "😀", "ﬁ", ""]
)
def test_a_hostile_name_is_a_harmless_one(name: str) -> None:
    x = var(name, ["n"])
    y = ops.exp(x)
    made = standalone([y], {y: name}, {y: (name,)}, function=name)
    space: dict[str, Any] = {}
    exec(compile(made.text, "file.py", "exec", dont_inherit=True), space)
    [argument] = made.arguments
    assert space[made.function](**{argument: torch.zeros(2)}).tolist() == [1.0, 1.0]
    assert made.text.count("\n") == 9


def test_a_number_that_stands_in_the_call_has_no_line_of_its_own() -> None:
    text = standalone([var("x", ["n"]) ** 2]).text
    assert "torch.pow(x, 2)" in text
    assert "torch.tensor" not in text
