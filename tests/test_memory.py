"""The memory of a step: nothing is overwritten that is still read, and results are the caller's."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from torch import Tensor

from engine import Evaluator, Node, gradients, ops, trace, var
from engine.graph import toposort
from engine.run import memory
from engine.run.memory import Place, looks_into, packed
from tests.samples import SAMPLES
from tests.sampling import Sample, build

a, b, c = (var(name, [4, 4]) for name in "abc")
FEEDS = {
    leaf: torch.randn(4, 4, generator=torch.Generator().manual_seed(i), dtype=torch.float64)
    for i, leaf in enumerate((a, b, c))
}

places = some.lists(
    some.builds(
        lambda first, length, size: (Place((), first, first + length), size),
        some.integers(0, 150),
        some.integers(0, 150),
        some.integers(0, 5),
    ),
    max_size=12,
)


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SMALL", 0)


@given(places)
def test_values_that_live_together_lie_apart(lives: list[tuple[Place, int]]) -> None:
    starts, end = packed([place for place, _ in lives], [size for _, size in lives])
    taken = [(place, start, size) for (place, size), start in zip(lives, starts, strict=True)]
    assert all(0 <= start <= start + size <= end for _, start, size in taken)
    for (p, at, size), (q, other, length) in combinations(taken, 2):
        together = p.first <= q.last and q.first <= p.last
        assert not (together and at < other + length and other < at + size)


def test_memory_is_used_again() -> None:
    chain = [Place((), line, line + 1) for line in range(10)]
    assert packed(chain, [8] * 10)[1] == 16


UNARY = (
    ops.exp,
    ops.relu,
    ops.neg,
    ops.softmax,
    ops.log_softmax,
    lambda x: x.T,
    lambda x: x * 0.5,
    lambda x: ops.reshape(ops.reshape(x, 16), (4, 4)),
    ops.layer_norm,
    lambda x: ops.flip(x, 0),
    lambda x: ops.expand(ops.sum(x, 0), (4, 4)).T,
    lambda x: ops.expand(ops.sum(x, 0), (4, 4)),
    lambda x: ops.softmax(x, 0),
    lambda x: ops.sum(x, ()),
)
BINARY = (ops.add, ops.sub, ops.mul, ops.maximum, ops.matmul, lambda x, y: x @ y.T + x)


@some.composite
def graphs(draw: some.DrawFn) -> list[Node]:
    """Some of the values of a random formula over three matrices."""
    nodes: list[Node] = [a, b, c]
    for _ in range(draw(some.integers(1, 14))):
        x, y = draw(some.sampled_from(nodes)), draw(some.sampled_from(nodes))
        if draw(some.booleans()):
            made = draw(some.sampled_from(UNARY))(x)
        else:
            made = draw(some.sampled_from(BINARY))(x, y)
        nodes.append(made * 0.1 if made.op is ops.matmul else made)
    return draw(some.lists(some.sampled_from(nodes), min_size=1, max_size=3)) + nodes[-1:]


def close(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9, equal_nan=True)


@given(graphs())
def test_any_formula_has_the_values_that_it_has_without_memory(outputs: list[Node]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "SMALL", 0)
        fast = Evaluator(outputs)
        known = {traced.node: traced.value for traced in trace(outputs, FEEDS)}
        wanted = [known[node] for node in outputs]
        before = {leaf: value.clone() for leaf, value in FEEDS.items()}
        runs = [fast.run(FEEDS) for _ in range(3)]
    for run in runs:  # also those that later runs might have overwritten
        close(run, wanted)
    assert all(torch.equal(FEEDS[leaf], value) for leaf, value in before.items())


@given(graphs())
def test_any_gradient_has_the_values_that_it_has_without_memory(outputs: list[Node]) -> None:
    y = ops.sum(ops.tanh(outputs[0]) * ops.sin(outputs[-1]))
    slopes = gradients(y, [a, b, c])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "SMALL", 0)
        fast = Evaluator([y, *slopes])
        for _ in range(3):
            close(fast.run(FEEDS), Evaluator([y, *slopes], fuse=False).run(FEEDS))


def in_one_memory(value: Tensor, other: Tensor) -> bool:
    same = value.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
    return same and value.numel() > 0


@pytest.mark.parametrize("sample", SAMPLES, ids=map(str, SAMPLES))
def test_an_op_whose_value_lies_in_an_operand_is_known_for_it(sample: Sample) -> None:
    built = build(sample)
    values = {traced.node: traced.value for traced in trace([built.y], built.feeds)}
    for node in toposort([built.y]):
        if any(in_one_memory(values[node], values[x]) for x in node.inputs):
            assert looks_into(node), node


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize(
    "value, line",
    [
        (ops.exp(a @ b), "exp = torch.exp(matmul, out=matmul)"),
        (ops.softmax(a @ b), "softmax = torch.softmax(matmul, axis=-1, out=matmul)"),
        (ops.relu(a @ b), "relu = kernels.relu(matmul, out=matmul)"),
        ((a @ b) + b @ c, "addmm = torch.addmm(matmul, b, c, out=matmul)"),
        (
            gradients(ops.relu(a), [a], seed=b @ c)[0],
            "relu_backward = fused.relu_backward(matmul, a, out=matmul)",
        ),
        (ops.sin(ops.reshape(a @ b, 16)), "sin = torch.sin(reshape, out=reshape)"),
        (ops.exp((a @ b).T), "exp = torch.exp(matmul, out=matmul)"),
    ],
    ids=lambda case: case.split(" ")[0] if isinstance(case, str) else "",
)
def test_a_value_overwrites_an_operand_that_ends_there(value: Node, line: str) -> None:
    assert line in Evaluator(ops.sum(value)).source()


@pytest.mark.usefixtures("everything_is_large")
def test_a_result_never_lies_in_the_memory_of_a_step() -> None:
    source = Evaluator([ops.exp(a @ b) + c, (b @ c)[0]]).source()
    assert "memory[" not in source


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize(
    "outputs",
    [
        [a + b],  # leaves are the caller's
        [ops.exp(a @ b) + (a @ b)],  # read again
        [(a @ b) + (a @ b).T],  # read in another order
        [ops.exp(a @ b), (a @ b)[0]],  # seen by an output
        [ops.sin(ops.expand((a @ b)[0], (4, 4)).T)],  # one element for many
    ],
    ids=["leaves", "again", "turned", "seen", "repeated"],
)
def test_nothing_is_overwritten_that_is_still_needed(outputs: list[Node]) -> None:
    source = Evaluator(outputs).source()
    assert not any(f"out={name}" in source for name in ("a)", "matmul", "transpose", "expand"))
    close(Evaluator(outputs).run(FEEDS), Evaluator(outputs, fuse=False).run(FEEDS))


@pytest.mark.usefixtures("everything_is_large")
def test_memory_is_kept_from_the_second_run_on() -> None:
    """Shapes that come once, as in generation, hold none."""
    x = var("x", ["n", 4])
    evaluator = Evaluator(ops.sum(ops.exp(x @ a) @ b))
    for n in range(1, 40):
        evaluator.run({**FEEDS, x: torch.ones(n, 4, dtype=torch.float64)})
    assert not evaluator._steps  # pyright: ignore[reportPrivateUsage]
    evaluator.run({**FEEDS, x: torch.ones(39, 4, dtype=torch.float64)})
    assert len(evaluator._steps) == 1  # pyright: ignore[reportPrivateUsage]


@pytest.mark.usefixtures("everything_is_large")
def test_the_steps_for_all_shapes_share_the_memory_of_the_largest() -> None:
    x = var("x", ["n", 4])
    result = ops.tanh(ops.exp(x @ a) @ b)
    evaluator, plain = Evaluator(result), Evaluator(result, fuse=False)
    feeds = [{**FEEDS, x: torch.randn(n, 4, dtype=torch.float64)} for n in (3, 50, 1, 20)]
    runs = [[evaluator.run(feed) for feed in feeds] for _ in range(3)]
    for run in runs:
        for found, feed in zip(run, feeds, strict=True):
            close(found, plain.run(feed))
    assert evaluator._block.tensor.numel() == 50 * 4  # pyright: ignore[reportPrivateUsage]


@pytest.mark.usefixtures("everything_is_large")
def test_threads_take_turns_in_a_steps_memory() -> None:
    evaluator = Evaluator(ops.exp((a @ b) * 0.1) @ ops.sin(b @ c))
    feeds = [{leaf: FEEDS[leaf] + i for leaf in (a, b, c)} for i in range(4)]
    wanted = [evaluator.run(feed) for feed in feeds]
    wrong: list[int] = []

    def work(i: int) -> None:
        wrong.extend(
            i for _ in range(200) if not torch.equal(evaluator.run(feeds[i])[0], wanted[i][0])
        )

    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_what_depends_on_no_input_is_given_away_as_a_copy() -> None:
    evaluator = Evaluator([ops.ones((2, 3)), ops.reshape(ops.ones((2, 3)), (3, 2))])
    with torch.inference_mode():
        for result in evaluator.run({}):
            result.zero_()
    assert all(bool((result == 1).all()) for result in evaluator.run({}))
