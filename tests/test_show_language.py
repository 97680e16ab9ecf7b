"""A formula is the language's own: compiled again, it comes to the same value."""

import pytest
import torch

import dsl
from engine import Evaluator, Node
from engine.graph import toposort
from engine.show import formula
from tests.samples import SAMPLES
from tests.sampling import Sample, build

NOT_IN_THE_LANGUAGE = {
    "sum_to": "made by derivatives",
    "unindex": "made by derivatives",
    "scatter_add": "made by derivatives",
    "place": "made by derivatives",
    "part": "made by derivatives of unknown sizes",
    "matmul_left": "made by derivatives of unknown ranks",
    "matmul_right": "made by derivatives of unknown ranks",
    "cross_entropy": "one loss for each position; the language takes their mean",
    "cast": "whole numbers become floats by themselves",
}


def lends_a_shape(node: Node) -> bool:
    """Whether a shape comes from another node's value: only Python code can say that."""
    lenders = ("reshape", "expand", "zeros", "ones", "full", "eye")
    return any(
        n.op.name in lenders and n.inputs and n.attrs.get("shape", n.attrs.get("n")) is None
        for n in toposort([node])
    )


def program(node: Node, leaves: tuple[Node, ...]) -> str:
    """The formula as a program that declares its leaves."""
    *definitions, last = formula(node).splitlines()
    inputs = [f"input {leaf.label()} : {leaf.describe()}" for leaf in leaves]
    return "\n".join([*inputs, *definitions, f"result = {last}"])


def one_of_each_formula() -> dict[str, Sample]:
    """A sample for every formula that the language has words for."""
    made = {sample: build(sample).y for sample in SAMPLES if sample.op not in NOT_IN_THE_LANGUAGE}
    return {formula(y): sample for sample, y in made.items() if not lends_a_shape(y)}


FORMULAS = one_of_each_formula()


def test_most_operators_have_words_in_the_language() -> None:
    assert len({sample.op for sample in FORMULAS.values()}) > 60


@pytest.mark.parametrize("sample", FORMULAS.values(), ids=FORMULAS)
def test_a_formula_compiled_again_comes_to_the_same_value(sample: Sample) -> None:
    made = build(sample)
    again = dsl.compile(program(made.y, made.xs))
    feeds = {leaf.label(): value for leaf, value in made.feeds.items()}
    [value] = Evaluator([made.y]).run(made.feeds)
    torch.testing.assert_close(again.run("result", feeds), value, check_dtype=False)
