"""Training: a step is one graph; state and files are changed as a whole or not at all."""

import itertools
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from engine import EngineError, Evaluator, Node, const, gradients, ops, trace, var
from engine.errors import GradientError, KindError, MissingInput, ShapeError
from engine.learn import Optimizer, Record, Trainer, load, save, train_step

sgd = Optimizer(lambda θ, g, states, t, lr: (θ - lr * g,))


def adam_rule(θ: Node, g: Node, states: tuple[Node, ...], t: Node, lr: Node) -> tuple[Node, ...]:
    """Kingma & Ba, Adam, 2015, algorithm 1."""
    m = 0.9 * states[0] + 0.1 * g
    v = 0.999 * states[1] + 0.001 * g**2
    return θ - lr * (m / (1 - 0.9**t)) / (ops.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


adam = Optimizer(adam_rule, slots=("m", "v"))
momentum = Optimizer(lambda θ, g, m, t, lr: (θ - lr * (0.9 * m[0] + g), 0.9 * m[0] + g), ("m",))

# A network with one hidden layer; B examples a batch.
x, labels = var("x", ["B", 5]), var("labels", ["B"], "int")
W, b, U = var("W", [5, 7]), var("b", [7]), var("U", [7, 3])
logits = ops.tanh(x @ W + b) @ U
loss = ops.cross_entropy(logits, labels)
PARAMS = {"hidden.W": W, "hidden.b": b, "U": U}


def values(dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        path: torch.randn(shape, generator=generator, dtype=dtype)
        for path, shape in (("hidden.W", (5, 7)), ("hidden.b", (7,)), ("U", (7, 3)))
    }


def batches(n: int | None = None, seed: int = 2) -> Iterator[dict[str, Tensor]]:
    """Batches of 4, 5, 6, 4, … examples, the same ones for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    for i in itertools.count() if n is None else range(n):
        size = 4 + i % 3
        yield {
            "x": torch.randn(size, 5, generator=generator),
            "labels": torch.randint(3, (size,), generator=generator),
        }


def make_trainer(optimizer: Optimizer = adam, lr: Any = 0.01) -> Trainer:
    return Trainer(loss, PARAMS, values(), optimizer, lr)


def run(trainer: Trainer, feeds: Any, steps: int | None = None) -> list[float]:
    return [record.loss for record in trainer.fit(feeds, steps)]


def everything(trainer: Trainer) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in {**trainer.state, **trainer.slots}.items()}


def assert_same_bits(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert list(found) == list(expected)
    for name in expected:
        assert torch.equal(found[name], expected[name]), name


def by_torch(make: Callable[[Any], Any], n: int) -> tuple[list[float], dict[str, Tensor]]:
    """The same training in float64 by torch's autograd and optimiser."""
    θ = {path: value.requires_grad_() for path, value in values(torch.float64).items()}
    optimizer, losses = make(θ.values()), list[float]()
    for batch in batches(n):
        hidden = torch.tanh(batch["x"].double() @ θ["hidden.W"] + θ["hidden.b"])
        value = torch.nn.functional.cross_entropy(hidden @ θ["U"], batch["labels"])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return losses, {path: value.detach() for path, value in θ.items()}


@pytest.mark.parametrize(
    "optimizer, make",
    [
        (sgd, lambda θ: torch.optim.SGD(θ, lr=0.05)),
        (adam, lambda θ: torch.optim.Adam(θ, lr=0.05)),
    ],
    ids=["sgd", "adam"],
)
def test_training_is_that_of_torch(optimizer: Optimizer, make: Callable[[Any], Any]) -> None:
    trainer = Trainer(loss, PARAMS, values(torch.float64), optimizer, lr=0.05)
    found = run(trainer, ({**f, "x": f["x"].double()} for f in batches(20)))
    expected, state = by_torch(make, 20)
    assert found == pytest.approx(expected, rel=1e-10)
    for path in PARAMS:
        torch.testing.assert_close(trainer.state[path], state[path], rtol=1e-9, atol=1e-12)


def test_a_step_is_manual_sgd_with_the_gradient_summed_over_the_batch() -> None:
    """∂/∂θ Σ loss = Σ ∂loss/∂θ over the examples, and the trainer's update is θ - lr of it."""
    total = ops.cross_entropy(logits, labels, reduction="sum")
    evaluator = Evaluator(gradients(total, list(PARAMS.values())))
    θ, lr = values(torch.float64), 0.1
    (batch,) = batches(1)
    batch["x"] = batch["x"].double()
    named = {leaf: θ[path] for path, leaf in PARAMS.items()}
    summed = evaluator.run({**named, **batch})
    each = [
        evaluator.run({**named, **{name: t[i : i + 1] for name, t in batch.items()}})
        for i in range(len(batch["x"]))
    ]
    for whole, *parts in zip(summed, *each, strict=True):
        torch.testing.assert_close(whole, torch.stack(parts).sum(0), rtol=1e-12, atol=1e-14)
    trainer = Trainer(total, PARAMS, θ, sgd, lr)
    run(trainer, [batch])
    for path, g in zip(PARAMS, summed, strict=True):
        torch.testing.assert_close(trainer.state[path], θ[path] - lr * g, rtol=0, atol=1e-15)


def test_the_trainer_works_on_copies_in_place() -> None:
    given, before = values(), values()
    trainer = Trainer(loss, PARAMS, given, adam, 0.01)
    tensors = dict(trainer.state)
    run(trainer, batches(3))
    assert_same_bits(given, before)
    assert all(trainer.state[path] is tensor for path, tensor in tensors.items())
    assert not any(torch.equal(trainer.state[path], before[path]) for path in PARAMS)
    with pytest.raises(TypeError):
        trainer.state["U"] = before["U"]  # pyright: ignore[reportIndexIssue]


def test_a_state_that_was_written_into_is_what_training_goes_on_from() -> None:
    trainer, start = make_trainer(sgd), values()
    run(trainer, batches(3))
    for path, tensor in trainer.state.items():
        tensor.copy_(start[path])
    assert run(trainer, batches(3)) == run(make_trainer(sgd), batches(3))


def test_only_a_new_shape_is_bound_again(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, bound = make_trainer(), list[int]()
    step_for = trainer.evaluator.step_for
    monkeypatch.setattr(
        trainer.evaluator, "step_for", lambda *args: bound.append(1) or step_for(*args)
    )
    run(trainer, batches(12))
    assert len(bound) == 3


def test_records_say_what_a_progress_line_needs() -> None:
    trainer = make_trainer(lr=lambda t: 0.1 / t)
    run(trainer, batches(), 2)
    records = list(trainer.fit(batches(), 3))
    assert [(r.step, r.done, r.steps, r.lr) for r in records] == [
        (3, 1, 3, 0.1 / 3),
        (4, 2, 3, 0.1 / 4),
        (5, 3, 3, 0.1 / 5),
    ]
    assert all(0 < r.seconds <= r.elapsed for r in records)
    record = Record(7, 0.1, 0.2, elapsed=2.0, done=4, steps=10, value=torch.tensor(1.5))
    assert (record.loss, record.speed, record.remaining) == (1.5, 2.0, 3.0)


def test_a_loss_may_be_read_at_any_later_time() -> None:
    later = list(make_trainer().fit(batches(8)))
    assert [record.loss for record in later] == run(make_trainer(), batches(8))


def test_fit_takes_no_batch_more_than_it_uses() -> None:
    feed = batches()
    first = run(make_trainer(), feed, 2)
    rest = run(make_trainer(), feed, 2)
    assert first == run(make_trainer(), batches(2))
    assert rest == run(make_trainer(), list(batches(4))[2:])
    assert run(make_trainer(), batches(3), 10) == run(make_trainer(), batches(3))
    assert run(make_trainer(), [], 10) == []


def test_a_schedule_is_the_same_graph_as_a_constant_rate() -> None:
    assert run(make_trainer(lr=lambda t: 0.01), batches(5)) == run(make_trainer(), batches(5))
    stopped = make_trainer(lr=lambda t: 0.1 if t < 3 else 0.0)
    run(stopped, batches(2))
    before = everything(stopped)
    run(stopped, batches(2))
    assert_same_bits(dict(stopped.state), {path: before[path] for path in PARAMS})


def test_a_loss_that_shares_memory_with_a_parameter_is_that_before_the_update() -> None:
    w = var("w", [])
    trainer = Trainer(w * 1.0, {"w": w}, {"w": 3.0}, sgd, 1.0)
    assert [r.value.item() for r in list(trainer.fit([{}] * 3))] == [3.0, 2.0, 1.0]


def test_a_parameter_that_the_loss_does_not_reach_stays_with_sgd() -> None:
    w, idle = var("w", []), var("idle", [2])
    trainer = Trainer(w**2, {"w": w, "idle": idle}, {"w": 1.0, "idle": [1.0, 2.0]}, sgd, 0.1)
    run(trainer, [{}] * 2)
    assert trainer.state["idle"].tolist() == [1.0, 2.0]


def test_parameters_of_unknown_shape_take_that_of_their_values() -> None:
    w, y = var("w"), var("y")
    trainer = Trainer(ops.sum((w - y) ** 2), {"w": w}, {"w": torch.ones(2, 3)}, adam, 0.1)
    run(trainer, [{"y": torch.zeros(2, 3)}] * 2)
    assert trainer.slots["v(w)"].shape == (2, 3)


def test_lists_take_the_precision_of_the_parameters() -> None:
    w, y = var("w", []), var("y", [2])
    value = torch.tensor(1.0, dtype=torch.float64)
    trainer = Trainer(ops.sum(w * y), {"w": w}, {"w": value}, sgd, lambda t: 0.1)
    run(trainer, [{"y": [0.1, 0.2]}])
    assert trainer.state["w"].item() == 1.0 - 0.1 * (0.1 + 0.2)


def test_a_size_may_be_told_by_data_that_the_loss_does_not_use() -> None:
    w, data = var("w", []), var("data", ["N"])
    trainer = Trainer(w * ops.size("N"), {"w": w}, {"w": 1.0}, sgd, 1.0)
    assert run(trainer, [{data: torch.ones(n)} for n in (3, 4)]) == [3.0, -8.0]


def test_a_loss_of_unknown_rank_must_turn_out_a_scalar() -> None:
    w = var("w")
    assert run(Trainer(w * w, {"w": w}, {"w": 3.0}, sgd, 0.1), [{}]) == [9.0]
    trainer = Trainer(w * w, {"w": w}, {"w": torch.ones(2)}, sgd, 0.1)
    with pytest.raises(EngineError, match="reshape failed"):
        run(trainer, [{}])
    assert trainer.state["w"].tolist() == [1.0, 1.0]


def test_evaluate_uses_the_present_parameters() -> None:
    trainer = make_trainer()
    (feeds,) = batches(1)
    before = trainer.evaluate(loss, feeds)
    assert run(trainer, [feeds] * 5)[0] == before.item()
    assert trainer.evaluate(loss, feeds) < before
    assert trainer.evaluate(logits, feeds).shape == (4, 3)
    assert torch.equal(trainer.evaluate(U, {U: torch.zeros(7, 3)}), trainer.state["U"])


@pytest.mark.parametrize(
    "build, error, words",
    [
        (lambda: Trainer(logits, PARAMS, values(), sgd, 0.1), GradientError, "scalar"),
        (lambda: Trainer(loss, {"n": labels}, {"n": [1]}, sgd, 0.1), GradientError, "int"),
        (lambda: Trainer(loss, {"W": W * 2}, {"W": 0.0}, sgd, 0.1), KindError, "`W` is not a var"),
        (lambda: Trainer(loss, {"W": W, "V": W}, values(), sgd, 0.1), EngineError, "one variable"),
        (
            lambda: Trainer(loss, PARAMS, values(), sgd, math.nan),
            KindError,
            "finite number, not nan",
        ),
        (lambda: Trainer(loss, PARAMS, {"U": 0}, sgd, 0.1), MissingInput, "hidden.W`, `hidden.b"),
        (
            lambda: Trainer(loss, PARAMS, {**values(), "U": torch.ones(7, 3).double()}, sgd, 0.1),
            KindError,
            "`U` is torch.float64, but `W` is torch.float32",
        ),
        (
            lambda: Trainer(
                loss, {"W": W}, values(), Optimizer(lambda θ, g, s, t, lr: (θ,), ("m",)), 0.1
            ),
            EngineError,
            "`W` gives 1 values, not 2: the new parameter, `m`",
        ),
        (
            lambda: train_step(
                loss, {"b": b}, Optimizer(lambda θ, g, s, t, lr: (ops.sum(g),)), const(1.0)
            ),
            ShapeError,
            r"new parameter of shape \[\], not \[7\]",
        ),
    ],
)
def test_a_wrong_call_is_told_when_the_trainer_is_made(
    build: Callable[[], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        build()


@pytest.mark.parametrize(
    "feeds, error, words",
    [
        ([{"x": torch.zeros(4, 5)}], MissingInput, "labels"),
        ([{"x": torch.zeros(4, 6), "labels": torch.zeros(4).long()}], ShapeError, r"\[4, 6\]"),
        ([{"x": torch.zeros(4, 5), "labels": torch.zeros(3).long()}], ShapeError, "B = 4"),
        ([{"x": torch.zeros(4, 5), "labels": torch.zeros(4)}], KindError, "takes ints"),
        ([{"x": torch.zeros(4, 5), "labels": torch.full((4,), 9)}], EngineError, "out of bounds"),
        ([(torch.zeros(4, 5), torch.zeros(4))], KindError, "not a tuple"),
        ([{"x": torch.zeros(4, 5).double(), "labels": [0] * 4}], KindError, "`x` is torch.float64"),
        ({"x": torch.zeros(4, 5), "labels": torch.zeros(4).long()}, KindError, r"\[batch\]"),
    ],
)
def test_a_wrong_batch_is_told_and_changes_nothing(
    feeds: Any, error: type[Exception], words: str
) -> None:
    trainer = make_trainer()
    run(trainer, batches(2))
    before = everything(trainer)
    with pytest.raises(error, match=words):
        run(trainer, feeds)
    assert trainer.step == 2
    assert_same_bits(everything(trainer), before)
    assert len(run(trainer, batches(1))) == 1


def test_a_run_resumed_from_a_file_is_bit_for_bit_the_unbroken_run(tmp_path: Path) -> None:
    unbroken, stopped, resumed = (make_trainer(lr=lambda t: 0.1 / t) for _ in range(3))
    losses = run(unbroken, batches(), 10)
    feed = batches()
    run(stopped, feed, 4)
    stopped.save(tmp_path / "run.safetensors")
    resumed.load(tmp_path / "run.safetensors")
    assert resumed.step == 4
    assert run(resumed, feed, 6) == losses[4:]
    assert_same_bits(everything(resumed), everything(unbroken))


def test_a_saved_file_holds_the_parameters_under_their_paths(tmp_path: Path) -> None:
    trainer = make_trainer()
    run(trainer, batches(1))
    trainer.save(tmp_path / "run.safetensors")
    tensors, metadata = load(tmp_path / "run.safetensors")
    assert metadata == {"step": "1"}
    assert_same_bits({path: tensors[path] for path in PARAMS}, dict(trainer.state))
    assert {"m(hidden.W)", "v(U)"} < set(tensors)


def test_saving_replaces_a_file_at_once_and_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.safetensors"
    save(path, {"w": torch.ones(3)})

    def fails(self: Path, target: Path) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fails)
        with pytest.raises(OSError, match="gone"):
            save(path, {"w": torch.zeros(3)})
    assert load(path)[0]["w"].tolist() == [1.0, 1.0, 1.0]
    assert [p.name for p in tmp_path.iterdir()] == ["weights.safetensors"]


def test_any_tensors_can_be_saved(tmp_path: Path) -> None:
    base = torch.arange(6.0).reshape(2, 3)
    with torch.inference_mode():
        inside = base * 2
    tensors = {"view": base[0], "other": base[1], "t": base.T, "n": torch.tensor(3), "in": inside}
    save(tmp_path / "all", tensors, {"note": "ü"})
    found, metadata = load(tmp_path / "all")
    assert_same_bits(dict(sorted(found.items())), dict(sorted(tensors.items())))
    assert metadata == {"note": "ü"}


@pytest.mark.parametrize("content", ["", "cut", "text", "pickle", "long header"])
def test_a_file_that_is_not_whole_is_refused_in_words(tmp_path: Path, content: str) -> None:
    path, trainer = tmp_path / "run.safetensors", make_trainer()
    trainer.save(path)
    if content == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    elif content == "pickle":
        torch.save({"w": torch.ones(3)}, path)
    else:
        path.write_bytes(b"\xff" * 64 if content == "long header" else content.encode() * 10)
    before = everything(trainer)
    with pytest.raises(EngineError, match=r"run\.safetensors` is not a whole safetensors file"):
        trainer.load(path)
    assert_same_bits(everything(trainer), before)


def test_a_file_of_another_model_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path, trainer = tmp_path / "run.safetensors", make_trainer()
    before = everything(trainer)
    for tensors, words in (
        ({**before, "more": torch.ones(1)}, "`more` is in the file alone"),
        ({k: v for k, v in before.items() if k != "m(U)"}, r"`m\(U\)` is not in the file"),
        ({**before, "U": torch.ones(3, 7)}, r"float32\[3, 7\] in the file, not float32\[7, 3\]"),
        ({**before, "U": before["U"].double()}, r"float64\[7, 3\] in the file, not float32"),
        (before, "no number of steps"),
        ({}, "and 6 more"),
    ):
        save(path, tensors)
        with pytest.raises(EngineError, match=words):
            trainer.load(path)
        assert_same_bits(everything(trainer), before)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        trainer.load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        trainer.save(tmp_path / "nowhere" / "run")


class Strike:
    """Sends SIGINT to this process at the n-th line that the code under `folder` runs."""

    def __init__(self, n: int, folder: str = "learn") -> None:
        self.left, self.folder = n, folder

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        name = frame.f_code.co_filename
        return self.on_line if f"/{self.folder}/" in name or name.startswith("<chalk") else None

    def on_line(self, frame: FrameType, event: str, arg: object) -> Any:
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return self.on_line


def struck(trainer: Trainer, feed: Iterator[Any], steps: int, n: int) -> tuple[int, bool]:
    """Train to `steps` in spite of a Ctrl-C at the n-th line: how many came, was n reached."""
    strike, interrupts, before = Strike(n), 0, sys.gettrace()
    while trainer.step < steps:
        try:
            sys.settrace(strike)
            for _ in trainer.fit(feed, steps - trainer.step):
                pass
        except KeyboardInterrupt:
            interrupts += 1
        finally:
            sys.settrace(before)
    return interrupts, strike.left <= 0


def test_ctrl_c_on_any_line_of_a_step_leaves_a_state_to_go_on_from() -> None:
    """The same iterator goes on too: no batch is lost and none is used twice."""
    w, y = var("w", [2]), var("y", [2])

    def make_small() -> Trainer:
        return Trainer(ops.sum((w - y) ** 2), {"w": w}, {"w": torch.ones(2)}, momentum, 0.1)

    def feed() -> Iterator[dict[str, Tensor]]:
        return ({"y": torch.tensor([1.0, i])} for i in itertools.count(2))

    unbroken = make_small()
    run(unbroken, feed(), 3)
    n, reached = 0, True
    while reached:
        n, trainer = n + 1, make_small()
        interrupts, reached = struck(trainer, feed(), 3, n)
        assert interrupts == reached
        assert_same_bits(everything(trainer), everything(unbroken))
    assert n > 100
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_at_random_moments_leaves_a_state_to_go_on_from() -> None:
    trainer, unbroken, feed = make_trainer(), make_trainer(), batches()
    inside, caught = threading.Event(), threading.Semaphore(0)

    def strike(main: int = threading.get_ident()) -> None:
        for i in range(20):
            inside.wait()
            time.sleep((i * 7 % 10) / 2000)
            signal.pthread_kill(main, signal.SIGINT)
            caught.acquire()  # never a second one before the first has arrived

    striker = threading.Thread(target=strike)
    striker.start()
    for _ in range(20):
        try:
            for _ in trainer.fit(feed):
                inside.set()
        except KeyboardInterrupt:
            inside.clear()
            caught.release()
    striker.join()
    run(unbroken, batches(), trainer.step)
    assert_same_bits(everything(trainer), everything(unbroken))


def test_a_second_ctrl_c_does_not_wait_for_a_batch() -> None:
    def stuck() -> Iterator[dict[str, Tensor]]:
        yield from batches(2)
        signal.raise_signal(signal.SIGINT)
        reached.append("waits")
        signal.raise_signal(signal.SIGINT)
        reached.append("never")

    reached, trainer = list[str](), make_trainer()
    with pytest.raises(KeyboardInterrupt):
        run(trainer, stuck())
    assert (reached, trainer.step) == (["waits"], 2)


def test_within_a_step_a_second_ctrl_c_waits_too() -> None:
    def schedule(t: int) -> float:
        if t == 2:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return 0.01

    trainer, unbroken = make_trainer(lr=schedule), make_trainer()
    with pytest.raises(KeyboardInterrupt):
        run(trainer, batches())
    run(unbroken, batches(2))
    assert_same_bits(everything(trainer), everything(unbroken))


def test_ctrl_c_in_a_batch_that_another_training_makes_waits_for_both() -> None:
    def learned() -> Iterator[dict[str, Tensor]]:
        for batch in batches():
            signal.raise_signal(signal.SIGINT)
            run(inner, [batch])
            yield batch

    inner, outer, feed = make_trainer(), make_trainer(), learned()
    for done in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            run(outer, feed)
        assert (inner.step, outer.step) == (done, done)
    assert_same_bits(everything(inner), everything(outer))


def test_training_in_another_thread_leaves_signals_alone() -> None:
    trainer = make_trainer()
    worker = threading.Thread(target=run, args=(trainer, batches(3)))
    worker.start()
    worker.join()
    assert trainer.step == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_between_steps_ctrl_c_is_the_callers_own() -> None:
    trainer, caught = make_trainer(), 0
    for _ in trainer.fit(batches(3)):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            caught += 1
    assert (caught, trainer.step) == (3, 3)


class NoGraphOfTorch(TorchFunctionMode):
    """Fails on the first result of any torch function that torch's autograd knows of."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        for result in results if isinstance(results, (list, tuple)) else [results]:
            if isinstance(result, Tensor) and not any(result is x for x in args):
                assert not result.requires_grad, func
                assert result.grad_fn is None, func
        return results


def test_torchs_autograd_is_off_even_for_tensors_that_ask_for_it(tmp_path: Path) -> None:
    asking = {path: value.requires_grad_() for path, value in values().items()}
    (feeds,) = batches(1)
    feeds["x"].requires_grad_()
    named = {leaf: asking[path] for path, leaf in PARAMS.items()} | feeds
    with torch.enable_grad(), NoGraphOfTorch():
        produced = Evaluator([loss, x, *gradients(loss, [x, W])]).run(named)
        produced += [step.value for step in trace([loss], named)]
        trainer = Trainer(loss, PARAMS, asking, adam, 0.01)
        produced += [record.value for record in trainer.fit([feeds, feeds])]
        produced += [trainer.evaluate(logits, feeds), *everything(trainer).values()]
        trainer.save(tmp_path / "run")
        trainer.load(tmp_path / "run")
        save(tmp_path / "own", asking)
        produced += load(tmp_path / "own")[0].values()
        produced += [const(asking["U"]).attrs["value"].tensor]
    assert all(t.grad_fn is None and not t.requires_grad for t in produced)
    assert all(value.grad is None for value in asking.values())
