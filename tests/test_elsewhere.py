"""Words of NumPy and Python: each is told what is written here, and that compiles."""

import re

import pytest

import dsl
from dsl.lowering.elsewhere import WORDS

RANKS = ["[]", "[4]", "[2, 2]", "[2, 2, 2]"]
HEADS = [
    f"dim n = 2, m = {m}\ninput x : {rank}, a, b : {other}\n"
    for rank in RANKS
    for other in ("[]", "[2, 2]")
    for m in (1, 2)
]
OFFERS = sorted({offer for hint in WORDS.values() for offer in re.findall(r"`([^`:][^`]*)`", hint)})


def error(text: str) -> dsl.DslError:
    with pytest.raises(dsl.DslError) as caught:
        dsl.compile(text)
    return caught.value


def compiles(text: str) -> bool:
    try:
        dsl.compile(text)
    except dsl.DslError:
        return False
    return True


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_elsewhere_is_told_what_is_written_here(word: str) -> None:
    assert error(f"input x : [n]\ny = {word}(x)").hint == WORDS[word]
    assert error(f"input x : [n]\ny = np.{word}(x)").hint == WORDS[word]
    assert error(f"input x : [n]\ny = x.{word}()").hint == WORDS[word]


@pytest.mark.parametrize("offer", OFFERS)
def test_what_is_offered_compiles(offer: str) -> None:
    assert any(compiles(head + offer) for head in HEADS)


@pytest.mark.parametrize("written", ["np.exp(x)", "torch.exp(x)", "x.exp()"])
def test_a_function_that_exists_stands_alone(written: str) -> None:
    found = error(f"input x : [n]\ny = {written}")
    assert found.hint == "a function stands alone: `exp(x)`"


WRONG = {
    "import numpy as np": ("there is no `as`", "an import keeps its names; …"),
    "class A: pass": ("there is no `class`", "values go together in functions: `f(x) = x`"),
    "lambda t: t": ("there is no `lambda`", "give the function a name: `f(x) = x`"),
    "assert 1 == 1": ("`assert` is not part of the language", ""),
    "y = 5 // 2": ("`//` is not a sign of the language", "write `5 / 2`; nothing is rounded"),
    "zeros(3, 4)": ("`kind` is a text in quotes", "…; a shape is one list: `[3, 4]`"),
    "y = sum([1, 2]": ("`(` is never closed", ""),
    "[[1, 2], [3]]": ("cannot stack: [2] and [1]", ""),
    "f(x, y) = x y\n∇f(2.0, 3.0)": (
        "`∇f` takes one argument: which one it is the derivative by must be clear",
        "hold the others: `g(x) = f(x, 3.0)`, then `∇g(2.0)`",
    ),
    "v = [1.0, 2.0]\ngrad(sum(v), v)": (
        "`v` is a constant, which does not vary",
        "declare `input v : [2]`, …",
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_habit_is_told_the_way_out(text: str) -> None:
    message, hint = WRONG[text]
    found = error(text)
    assert found.message == message
    start, _, end = hint.partition("…")
    assert found.hint.startswith(start)
    assert found.hint.endswith(end)


def test_a_number_is_never_called_by_the_name_of_another() -> None:
    program = dsl.compile("two = 2\ng(x) = x^3\ninput t : []\ny = g'(t)")
    assert "two" not in program.labels.values()
