"""`%graph train` and `%graph generate`: learning, going on, the stop at NaN, interrupts."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor

import dsl
from engine.learn import Record
from magics.curve import curve, sparkline, thinned, ticks
from magics.progress import RATE, Output
from magics.training import Rewind, Training
from magics.writing import Writing
from tests.shells import LINE, Shell, fails, opened

TRUE = torch.tensor([1.0, -2.0])
MODEL = """%%graph --quiet
dim V = 5, d = 8
input tokens, targets : int[B, T]
param E, U : [V, d]
logits = E[tokens] @ U^T
loss = cross_entropy(logits, targets)
"""


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        X = torch.randn(20, 2)
        made.user_ns.update(X=X, y=X @ TRUE)
        yield made


@pytest.fixture
def model(shell: Shell) -> Shell:
    """A shell with a model of the text `abcd abcd …` and batches of it."""
    codes = torch.tensor([0, 1, 2, 3, 4] * 40)

    def data(step: int) -> dict[str, Tensor]:
        i = step % 50
        return {"tokens": codes[None, i : i + 32], "targets": codes[None, i + 1 : i + 33]}

    shell.user_ns.update(data=data, alphabet=list("abcd "))
    shell.cell(MODEL)
    return shell


def test_least_squares_are_learned_and_later_cells_use_what_was_learned(shell: Shell) -> None:
    shell.cell(LINE)
    training = shell.cell("%graph train loss --steps 300 --lr 0.05")
    assert training.steps == 300
    assert training.losses[-1][1] < 1e-3 < training.losses[0][1]
    assert torch.allclose(torch.as_tensor(shell.cell("%graph run w")), TRUE, atol=0.05)
    shell.cell("%%graph\ntwice = 2 w")
    assert torch.allclose(torch.as_tensor(shell.cell("%graph run twice")), 2 * TRUE, atol=0.1)


def test_it_makes_the_steps_that_a_trainer_from_python_makes(shell: Shell) -> None:
    program = shell.cell(LINE).program
    shell.cell("%graph train loss --steps 7 --lr 0.01 --with momentum")
    shell.cell("%graph train loss --steps 5 --lr 0.01 --with momentum")  # it goes on
    names = shell.user_ns
    values = program.init(sizes={"d": 2})
    alone = program.trainer("loss", "momentum", 0.01, params=values)
    for _ in alone.fit([{"X": names["X"], "y": names["y"]}] * 12):
        pass
    assert torch.equal(torch.as_tensor(shell.cell("%graph run w")), alone.state["w"])


def test_only_what_the_loss_depends_on_is_trained(shell: Shell) -> None:
    shell.cell(LINE)
    shell.cell("%%graph\nparam other : [3] = 1\ns = sum(other)")
    shell.cell("%graph train loss --steps 20 --lr 0.1")
    assert torch.as_tensor(shell.cell("%graph run other")).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "python",
    [
        "data = {'X': X, 'y': y}",
        "data = [{'X': X[:10], 'y': y[:10]}, {'X': X[10:], 'y': y[10:]}]",
        "data = lambda step: {'X': X, 'y': y}",
        "def data():\n    while True:\n        yield {'X': X, 'y': y}",
        "data = iter([{'X': X, 'y': y}] * 30)",
    ],
)
def test_batches_are_what_python_has_them_in(shell: Shell, python: str) -> None:
    shell.cell(LINE)
    shell.cell(python)
    training = shell.cell("%graph train loss --data data --steps 30 --lr 0.05")
    assert training.losses[-1][1] < training.losses[0][1] / 2


def test_data_that_ends_ends_the_training_and_says_so(shell: Shell) -> None:
    shell.cell(LINE)
    shell.cell("data = iter([{'X': X, 'y': y}] * 3)")
    training = shell.cell("%graph train loss --data data --steps 30")
    assert training.steps == 3
    assert "3 of 30 steps" in repr(training)
    assert "`data` is used up" in repr(training)
    assert "used up" in fails(shell, "%graph train loss --data data --steps 30")


@pytest.mark.parametrize(
    "line, told",
    [
        ("r", "a gradient is of a number"),
        ("loss --data nothing", "`nothing` has no value in Python"),
        ("loss --data word", "`word` is no batches but str"),
        ("loss --data rows", "a batch of `rows` is no mapping but int"),
        ("loss --data short", "the input `y` [n] has no value"),
        ("loss --steps 0", "cannot make 0 steps"),
        ("free", "`free` depends on no parameter"),
        ("loss --with nonsense", "there is no function `nonsense`"),
    ],
)
def test_what_cannot_be_trained_is_said(shell: Shell, line: str, told: str) -> None:
    shell.cell(LINE)
    shell.cell("%%graph\ninput a : [m]\nfree = sum(a)")
    shell.user_ns.update(word="abc", rows=[1, 2], short={"X": shell.user_ns["X"]})
    if "short" in line:
        del shell.user_ns["y"]
    assert told in fails(shell, f"%graph train {line}")


def test_a_loss_that_becomes_nan_stops_at_the_state_before_and_shows_the_line(shell: Shell) -> None:
    shell.cell("%%graph\nparam s : [] = 3\nloss = s - log(s)\n")
    seen = fails(shell, "%graph train loss --steps 200 --lr 10 --with sgd")
    assert "`loss` became" in seen
    assert "log(s)" in seen
    assert "line 3" in seen
    assert float(shell.cell("%graph run s")) == pytest.approx(3 - 10 * (1 - 1 / 3))


def test_rewinding_gives_the_state_before_bit_for_bit() -> None:
    program = dsl.compile("input x : [n]\nparam w : [n] = 1\nloss = sum((w - x)^2)")
    values = program.init(sizes={"n": 3})
    batches = [{"x": torch.full((3,), float(i))} for i in range(173)]
    one, two = (program.trainer("loss", "adamw", 0.1, params=values) for _ in range(2))
    rewind = Rewind(one)
    for _ in one.fit(rewind.recorded(batches)):
        pass
    rewind.back()
    for _ in two.fit(batches[:-1]):
        pass
    assert one.step == two.step == 172
    assert torch.equal(one.state["w"], two.state["w"])
    assert all(torch.equal(one.slots[name], two.slots[name]) for name in two.slots)


@pytest.mark.parametrize("after", [2, 7, 30])
def test_an_interrupt_keeps_whole_steps_and_training_goes_on(shell: Shell, after: int) -> None:
    shell.cell(LINE)
    calls: list[int] = []

    def data(step: int) -> dict[str, Any]:
        calls.append(step)
        if len(calls) == after:
            signal.raise_signal(signal.SIGINT)
        return {"X": shell.user_ns["X"], "y": shell.user_ns["y"]}

    shell.user_ns["data"] = data
    with pytest.raises(KeyboardInterrupt):
        shell.cell("%graph train loss --data data --steps 50 --lr 0.05")
    practice = magics(shell).session.practice
    assert practice is not None
    made = practice.trainer.step
    assert after - 1 <= made <= after
    training = shell.cell("%graph train loss --data data --steps 5 --lr 0.05")
    assert training.losses[0][0] == made + 1
    assert f"step {made + 5} in all" in repr(training)


def magics(shell: Shell) -> Any:
    return shell.magics_manager.registry["GraphMagics"]


def test_a_training_shows_a_curve_and_a_sentence(shell: Shell) -> None:
    shell.cell(LINE)
    bundle = shell.cell("%graph train loss --steps 40 --lr 0.05")._repr_mimebundle_()
    assert bundle["text/html"].startswith('<img src="data:image/svg+xml;base64,')
    assert bundle["text/plain"].startswith("loss ")
    assert "40 steps in" in bundle["text/plain"]
    assert "▁" in bundle["text/plain"]


class Handle:
    """A display handle that counts."""

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def update(self, what: Any) -> None:
        self.shown.append(what)


def test_an_output_is_renewed_at_most_eight_times_a_second_and_left_as_it_is_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, handle = [0.0], Handle()
    monkeypatch.setattr("IPython.display.display", lambda what, display_id: handle)
    output = Output(clock=lambda: now[0])
    record = Record(1, 0.1, 0.0, 0.0, 1, None, torch.tensor(1.0))
    for i in range(1001):  # ten seconds
        now[0] = i / 100
        output.show(record, i)
    assert 0.8 * 10 * RATE <= len(handle.shown) + 1 <= 10 * RATE + 1
    output.end("last")
    assert handle.shown[-1] == "last"


def test_a_model_learns_a_text_and_writes_it_on(model: Shell) -> None:
    model.cell("%graph train loss --data data --steps 300 --lr 0.05")
    writing = model.cell('%graph generate "ab" --n 12 --alphabet alphabet')
    assert writing.text == "abcd abcd abcd"
    assert "12 tokens" in repr(writing)
    by_number = model.cell("%graph generate --n 4")
    assert by_number.tokens == [0, 1, 2, 3, 4]
    assert repr(by_number).startswith("0 1 2 3 4\n")
    model.user_ns["start"] = torch.tensor([2, 3])
    assert model.cell("%graph generate start --n 3").tokens == [2, 3, 4, 0, 1]


def test_the_tokens_are_those_that_the_program_generates(model: Shell) -> None:
    model.cell("%graph train loss --data data --steps 20 --lr 0.01")
    writing = model.cell("%graph generate --n 9 --temperature 1 --seed 3")
    practice = magics(model).session.practice
    state = practice.trainer.state
    expected = magics(model).session.program.generate([0], 9, 1.0, params=state, seed=3)
    assert writing.tokens == expected.tolist()


@pytest.mark.parametrize(
    "line, told",
    [
        ('"ax" --alphabet alphabet', "'x' is not in the alphabet"),
        ('"ab"', "a text needs an alphabet"),
        ("nothing", "`nothing` has no value in Python"),
        ("--alphabet data", "`data` is no alphabet"),
        ("--logits loss2", "`loss2` is no value of this graph"),
        ("real", "`real` is no row of tokens"),
    ],
)
def test_what_cannot_be_written_on_is_said(model: Shell, line: str, told: str) -> None:
    model.user_ns["real"] = [0.5]
    assert told in fails(model, f"%graph generate {line}")


def test_an_interrupted_text_is_kept(model: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    add = Writing.add

    def interrupted(self: Writing, token: Tensor, seconds: float) -> None:
        add(self, token, seconds)
        kept[:] = [self]
        if len(self.written) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Writing, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.cell("%graph generate --n 9")
    assert len(kept[0].written) == 5
    assert "interrupted" in repr(kept[0])


@pytest.mark.parametrize("text", ["</script><b>", "<img onerror=alert(1)>", "\x1b[31m", "😀"])
def test_hostile_texts_are_text(text: str) -> None:
    writing = Writing([0], [text, "x"])
    bundle = writing._repr_mimebundle_()
    assert "<b>" not in bundle["text/html"]
    assert "<img" not in bundle["text/html"]
    assert "\x1b" not in bundle["text/plain"]


def test_a_curve_of_many_points_keeps_every_peak_and_is_small() -> None:
    points = [(float(i), math.sin(i / 900) + 2) for i in range(100_000)]
    points[54_321] = (54_321.0, 99.0)
    assert (54_321.0, 99.0) in thinned(points)
    assert len(curve(points)) < 20_000
    assert points[-1] in thinned(points) or len(thinned(points)) <= 400


@pytest.mark.parametrize(
    "ys", [[], [1.0], [2.0, 2.0], [math.nan, 1.0], [math.inf], [0.0, -1e9, 1e-9]]
)
def test_a_curve_of_any_losses_is_drawn(ys: list[float]) -> None:
    assert curve(list(enumerate(ys))).startswith("<svg")
    assert len(sparkline(ys)) <= len(ys)
    training = Training("loss", None, 3, losses=list(enumerate(ys)))  # type: ignore[arg-type]
    assert repr(training)
    assert training._repr_mimebundle_()["text/plain"]


def test_ticks_are_round_and_inside() -> None:
    for low, high in islice(((10.0**-k, 7.3 * 10.0**k) for k in range(6)), 6):
        found = ticks(low, high)
        assert 2 <= len(found) <= 6
        room = (high - low) * 1e-6
        assert all(low - room <= t <= high + room for t in found)
