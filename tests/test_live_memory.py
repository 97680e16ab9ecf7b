"""Live memory: the bytes that are counted are those of the tensors that a run holds at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

import pytest
import torch
from torch import Tensor

import dsl
from engine import Evaluator, Node, gradients, hvp, jvp, live, ops, var
from engine.dims import size
from engine.explain import polynomial
from tests.samples import SAMPLES
from tests.sampling import NAMES, Sample, build

MODES = ["numbers", "names"]
SIZES = {name: number for number, name in NAMES.items()}
LENDS_ITS_SHAPE = {"part", "unindex"}  # counted as read to the end; a run may let go of it earlier
n, d = size("n"), size("d")
x, W = var("x", ["n", "d"]), var("W", ["d", "d"])


def held(frame: FrameType) -> int:
    """The bytes of the tensors that a step has made and still holds."""
    code, values = frame.f_code, frame.f_locals
    given = {*code.co_varnames[: code.co_argcount], *code.co_freevars, "_"}
    memory = {name: x.untyped_storage() for name, x in values.items() if isinstance(x, Tensor)}
    outside = {x.data_ptr() for name, x in memory.items() if name in given}
    made = {x.data_ptr(): x.nbytes() for x in memory.values()}
    return sum(count for at, count in made.items() if at not in outside)


def most_held(outputs: Sequence[Node], feeds: Mapping[Node, Tensor]) -> int:
    """The most bytes that the first run of an evaluator holds, looked at after each instruction."""
    evaluator, found = Evaluator(outputs), [0]
    filename = evaluator.plan.filename

    def enter(frame: FrameType, event: str, arg: Any) -> Any:
        inside = frame.f_code.co_filename == filename and frame.f_code.co_name == "step"
        frame.f_trace_opcodes = inside
        return look if inside else None

    def look(frame: FrameType, event: str, arg: Any) -> Any:
        found.append(held(frame))
        return look

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        evaluator.run(feeds)
    finally:
        sys.settrace(before)
    return max(found)


def counted(outputs: Sequence[Node], sizes: Mapping[str, int] = SIZES) -> float | None:
    return polynomial.value(live(outputs, sizes), sizes)


def single(feeds: Mapping[Node, Tensor]) -> dict[Node, Tensor]:
    return {x: t.float() if t.is_floating_point() else t for x, t in feeds.items()}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_what_is_counted_is_what_a_run_holds(sample: Sample, mode: str) -> None:
    """For every operator, and for its gradients beside it and without it."""
    built = build(sample, mode)
    y, feeds = built.y, single(built.feeds)
    smooth = y.kind == "float" and bool(built.floats)
    slopes = gradients(ops.sum(ops.sin(y)), built.floats) if smooth else []
    for outputs in ([y], [y, *slopes], slopes):
        most = most_held(outputs, feeds)
        if mode == "names" and sample.op in LENDS_ITS_SHAPE:
            assert most <= (counted(outputs) or 0)
        else:
            assert most == counted(outputs)


GPT = {"B": 3, "T": 50}


def test_it_is_so_for_a_whole_model_and_its_derivatives() -> None:
    p = dsl.load("gpt2", V=130, context=70, d=80, H=2, layers=2)
    loss, params, values = p["loss"], list(p.params.values()), p.init()
    tokens = {name: torch.randint(0, 130, (3, 50)) for name in ("tokens", "targets")}
    tangents = {var(f"v{i}", x.shape): values[name] for i, (name, x) in enumerate(p.params.items())}
    feeds = {**p.feeds(tokens, values), **tangents}
    for outputs in (
        [loss],
        [loss, *gradients(loss, params)],
        [loss, jvp(loss, params, list(tangents))],
        hvp(loss, params, list(tangents)),
    ):
        assert most_held(outputs, feeds) == counted(outputs, GPT)


def test_a_value_lives_from_its_line_to_the_last_that_reads_it() -> None:
    e, s = ops.exp(x), ops.sin(x)
    product = e.T @ s
    assert live([product]) == 8 * n * d + 4 * d**2  # both operands beside it; a view takes nothing
    assert live([ops.sum(product, 0)]) == 8 * n * d + 4 * d**2
    assert live([ops.exp(ops.sin(x))]) == 4 * n * d  # one overwrites the other
    assert live([ops.exp(s), s]) == 8 * n * d
    assert live([x, x.T, ops.ones([d, d])]) == 0  # leaves, and what depends on sizes alone


def test_the_fullest_line_is_the_one_at_the_sizes_there_are() -> None:
    y = ops.sum(ops.exp(x).T @ x) + ops.sum(ops.exp(x) @ x.T)
    assert live([y], {"n": 100, "d": 2}) == 4 * n * d + 4 * n**2 + 4
    assert live([y], {"n": 2, "d": 100}) == 4 * n * d + 4 * d**2 + 4
    assert live([y], {"n": 2}) == live([y], {"n": 2, "d": 1000})


def test_whole_numbers_take_eight_bytes_and_truth_values_one() -> None:
    assert live([x > 0]) == n * d
    assert live([ops.argmax(x, -1)]) == 8 * n


def test_what_is_of_unknown_shape_is_not_counted() -> None:
    assert live([ops.exp(var("free", None)), ops.exp(x)]) == 4 * n * d


def test_reverse_mode_keeps_a_value_of_each_layer_and_forward_mode_none() -> None:
    def deep(layers: int) -> Node:
        y = x
        for _ in range(layers):
            y = ops.tanh(y)
        return y

    v = var("v", ["n", "d"])
    forward = [live([y := deep(k), jvp(y, x, v)]) for k in (5, 50)]
    reverse = [live([y := deep(k), *gradients(y, x, v)]) for k in (5, 50)]
    assert forward == [12 * n * d] * 2
    assert reverse == [24 * n * d, 204 * n * d]
