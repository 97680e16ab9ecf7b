"""A formula for readers is the language's own: compiled again, it comes to the same value.

What compiles to the same node is the text of a program (test_printed); a formula may leave out what
readers do not miss, as that a number is a float.
"""

import pytest
import torch

import dsl
from engine import Evaluator, Node
from engine.show import formula
from tests.samples import SAMPLES
from tests.sampling import Sample, build
from tests.test_printed import lends_from_a_number

FOR_READERS_ONLY = {
    "cross_entropy": "one loss for each position; the language takes their mean",
    "cast": "whole numbers become floats by themselves",
}


def program(node: Node, leaves: tuple[Node, ...]) -> str:
    """The formula as a program that declares its leaves."""
    *definitions, last = formula(node).splitlines()
    inputs = [f"input {leaf.label()} : {leaf.describe()}" for leaf in leaves]
    return "\n".join([*inputs, *definitions, f"result = {last}"])


def one_of_each_formula() -> dict[str, Sample]:
    """A sample for every formula that the language has words for."""
    made = {sample: build(sample).y for sample in SAMPLES if sample.op not in FOR_READERS_ONLY}
    return {formula(y): sample for sample, y in made.items() if not lends_from_a_number(y)}


FORMULAS = one_of_each_formula()


def test_all_other_operators_have_formulas_in_the_language() -> None:
    with_formulas = {sample.op for sample in FORMULAS.values()}
    assert with_formulas == {sample.op for sample in SAMPLES} - {*FOR_READERS_ONLY}


@pytest.mark.parametrize("sample", FORMULAS.values(), ids=FORMULAS)
def test_a_formula_compiled_again_comes_to_the_same_value(sample: Sample) -> None:
    made = build(sample)
    again = dsl.compile(program(made.y, made.xs))
    feeds = {leaf.label(): value for leaf, value in made.feeds.items()}
    [value] = Evaluator([made.y]).run(made.feeds)
    torch.testing.assert_close(again.run("result", feeds), value, check_dtype=False)
