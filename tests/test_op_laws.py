"""The laws that every operator of the table obeys, in double precision, over its samples."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine import Evaluator, Node, Op, gradients, jvp, ops, trace, var
from engine.dims import complete, evaluate, same_shape
from engine.errors import EngineError
from engine.graph import depends, toposort
from engine.ops.families import dtype_kind
from tests.samples import SAMPLES
from tests.sampling import MODES, NAMES, Built, Sample, build, declared

NO_FLOAT_INPUT = {
    "variable": "a leaf",
    "logical_and": "takes truth values",
    "logical_or": "takes truth values",
    "logical_not": "takes truth values",
    "one_hot": "takes whole numbers",
    "const": "a source",
    "size": "a source",
    "arange": "a source",
    "full": "a source",
    "uniform": "a source, its input is the key",
    "normal": "a source, its input is the key",
}
NOT_THE_SLOPE = {"stop": "its derivative is zero by definition, its value moves"}
STEP = 1e-5
DOUBLE: dict[str, Any] = {"dtype": torch.float64}


def close(a: Tensor, b: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)


Law = Callable[[Sample], None]


def over(samples: Iterable[Sample]) -> Callable[[Law], Callable[[str], None]]:
    """Make a test for each operator of a law about one sample."""
    rows = list(samples)

    def of_every_operator(law: Law) -> Callable[[str], None]:
        @pytest.mark.parametrize("op", dict.fromkeys(sample.op for sample in rows))
        def test(op: str) -> None:
            for sample in rows:
                if sample.op == op:
                    with noted(f"for the sample {sample}"):
                        law(sample)

        test.__doc__ = law.__doc__
        return test

    return of_every_operator


@contextmanager
def noted(where: str) -> Generator[None]:
    """Say where an error happened."""
    try:
        yield
    except Exception as error:
        error.add_note(where)
        raise


def values(nodes: Sequence[Node], feeds: dict[Node, Tensor]) -> list[Tensor]:
    return Evaluator(nodes).run(feeds)


def dot(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """⟨a, b⟩ over all tensors of two lists."""
    return sum((torch.sum(x * y) for x, y in zip(a, b, strict=True)), torch.zeros((), **DOUBLE))


def directions(nodes: Sequence[Node], name: str) -> dict[Node, Tensor]:
    """A variable with a random value for each node, of the node's shape in numbers."""
    shapes = [cast(tuple[int, ...], node.shape) for node in nodes]
    return {
        var(f"{name}{i}", shape): torch.randn(shape, **DOUBLE) for i, shape in enumerate(shapes)
    }


def moved(
    feeds: dict[Node, Tensor], xs: Sequence[Node], by: Sequence[Tensor], h: float
) -> dict[Node, Tensor]:
    return feeds | {x: feeds[x] + h * d for x, d in zip(xs, by, strict=True)}


def difference(
    nodes: Sequence[Node], feeds: dict[Node, Tensor], xs: Sequence[Node], by: Sequence[Tensor]
) -> list[Tensor]:
    """(f(x + h d) - f(x - h d)) / 2h."""
    evaluator = Evaluator(nodes)
    above, below = (evaluator.run(moved(feeds, xs, by, h)) for h in (STEP, -STEP))
    return [(a - b) / (2 * STEP) for a, b in zip(above, below, strict=True)]


def differentiable(sample: Sample) -> bool:
    return any(x.kind == "float" for x in sample.leaves) and build(sample).y.kind == "float"


SMOOTH = [sample for sample in SAMPLES if differentiable(sample)]


class Pulled:
    """A sample with its cotangent g, its tangents dx, and the two derivatives as graph."""

    def __init__(self, sample: Sample) -> None:
        built = build(sample)
        self.y, self.xs = built.y, built.floats
        seeds, tangents = directions([self.y], "g"), directions(self.xs, "dx")
        (self.g,), self.dx = list(seeds), list(tangents)
        self.feeds = built.feeds | seeds | tangents
        self.gradients = gradients(self.y, self.xs, self.g)
        self.tangent = jvp(self.y, self.xs, self.dx)
        self.along = list(tangents.values())


pulled = cache(Pulled)


@over(SMOOTH)
def test_vjp_and_jvp_are_transposes(sample: Sample) -> None:
    """⟨g, J dx⟩ = ⟨Jᵀ g, dx⟩."""
    p = pulled(sample)
    dy, *back = values([p.tangent, *p.gradients], p.feeds)
    close(dot([p.feeds[p.g]], [dy]), dot(back, p.along))


@over(s for s in SMOOTH if s.op not in NOT_THE_SLOPE)
def test_both_derivatives_are_the_slope(sample: Sample) -> None:
    """J dx = (f(x + h dx) - f(x - h dx)) / 2h, and ⟨Jᵀ g, dx⟩ = ⟨g, that⟩."""
    p = pulled(sample)
    (slope,) = difference([p.y], p.feeds, p.xs, p.along)
    dy, *back = values([p.tangent, *p.gradients], p.feeds)
    close(dy, slope, 1e-6)
    close(dot(back, p.along), dot([p.feeds[p.g]], [slope]), 1e-6)


def inner(xs: Sequence[Node], ys: Sequence[Node]) -> Node:
    """⟨xs, ys⟩ as graph."""
    terms = [ops.sum(x * y) for x, y in zip(xs, ys, strict=True)]
    return sum(terms[1:], terms[0])


@over(SMOOTH)
def test_second_derivatives_agree_in_every_order_of_modes(sample: Sample) -> None:
    """The second derivative of ⟨g, f⟩ along dx: reverse over reverse, forward over reverse,

    reverse over forward, and the slope of the gradient.
    """
    p = pulled(sample)
    twice_back = gradients(inner(p.gradients, p.dx), p.xs)
    forward_over = [jvp(slope, p.xs, p.dx) for slope in p.gradients]
    reverse_over = gradients(inner([p.g], [p.tangent]), p.xs)
    n = len(p.xs)
    found = values([*twice_back, *forward_over, *reverse_over], p.feeds)
    for a, b, c in zip(found[:n], found[n : 2 * n], found[2 * n :], strict=True):
        close(b, a)
        close(c, a)
    if sample.op not in NOT_THE_SLOPE:
        for a, slope in zip(
            found[:n], difference(p.gradients, p.feeds, p.xs, p.along), strict=True
        ):
            close(a, slope, 1e-5)


@over(SMOOTH)
def test_forward_over_forward_agrees_and_directions_commute(sample: Sample) -> None:
    """D²f[u, v] = D²f[v, u], and ⟨g, D²f[u, v]⟩ = ⟨H u, v⟩ with H u by forward over reverse."""
    p = pulled(sample)
    other = directions(p.xs, "v")
    v = list(other)
    forward_twice = jvp(p.tangent, p.xs, v)
    swapped = jvp(jvp(p.y, p.xs, v), p.xs, p.dx)
    over_reverse = [jvp(slope, p.xs, p.dx) for slope in p.gradients]
    one, two, *back = values([forward_twice, swapped, *over_reverse], p.feeds | other)
    close(one, two)
    close(dot([p.feeds[p.g]], [one]), dot(back, list(other.values())))


@over(SMOOTH)
def test_the_gradient_is_linear_in_its_cotangent_with_the_derivative_as_slope(
    sample: Sample,
) -> None:
    """∂⟨Jᵀ g, dx⟩ / ∂g = J dx: a cotangent can be differentiated too."""
    p = pulled(sample)
    slope, dy = values([*gradients(inner(p.gradients, p.dx), [p.g]), p.tangent], p.feeds)
    close(slope, dy)


OTHER_NAMES = {
    "equal": torch.eq,
    "not_equal": torch.ne,
    "less": torch.lt,
    "less_equal": torch.le,
}


def torch_function(op: str) -> Callable[..., Tensor]:
    """The function of torch that is called as the op."""
    places = (torch, F, torch.linalg)
    named = next((getattr(place, op) for place in places if hasattr(place, op)), None)
    return OTHER_NAMES.get(op) or cast(Callable[..., Tensor], named)


def expected(sample: Sample, built: Built) -> Tensor:
    """What torch computes from the same values; in single precision where no float was fed."""
    expression = sample.torch or torch_function(sample.op)
    y = expression(*built.feeds.values())
    return y if built.floats or not y.is_floating_point() else y.float()


@over(SAMPLES)
def test_the_value_is_the_one_of_torch(sample: Sample) -> None:
    built = build(sample)
    (found,) = values([built.y], built.feeds)
    close(found, expected(sample, built))


@over(SMOOTH)
def test_the_gradient_is_the_one_of_torch(sample: Sample) -> None:
    p = pulled(sample)
    built = build(sample)
    for x in built.floats:
        built.feeds[x].requires_grad_()
    y = expected(sample, built)
    wanted = torch.autograd.grad(
        y if y.requires_grad else y + sum(built.feeds[x].sum() * 0 for x in built.floats),
        [built.feeds[x] for x in built.floats],
        p.feeds[p.g],
        allow_unused=True,
        materialize_grads=True,
    )
    for found, gradient in zip(values(p.gradients, p.feeds), wanted, strict=True):
        close(found, gradient)


def test_every_operator_has_samples() -> None:
    """Wherever a sample holds the op: a source may be a number already when its size is one."""
    without = set(Op.table) - {sample.op for sample in SAMPLES}
    assert without == set(), "add rows to tests/samples.py"


@over(SAMPLES)
def test_a_sample_holds_its_operator(sample: Sample) -> None:
    assert any(
        node.op.name == sample.op
        for mode in shape_modes(sample)
        for node in toposort([build(sample, mode).y])
    )


def test_every_operator_has_a_sample_with_a_float_input_or_a_reason() -> None:
    built = [build(sample, mode) for sample in SAMPLES for mode in shape_modes(sample)]
    fed = {y.op.name for b in built for y in depends([b.y], b.floats) if y not in b.floats}
    assert set(Op.table) - fed == NO_FLOAT_INPUT.keys()


def modes_of(sample: Sample) -> list[str]:
    """The modes that declare the leaves differently."""
    seen = {declared(sample, mode): mode for mode in reversed(MODES)}
    return list(seen.values())[::-1]


def shape_modes(sample: Sample) -> list[str]:
    """The modes in which the sample can be built."""
    return [mode for mode in modes_of(sample) if mode not in sample.refused]


SIZES = {name: number for number, name in NAMES.items()}


def fits(node: Node, value: Tensor) -> bool:
    """Whether shape and kind of a node are those of its value, as far as they are known."""
    if node.kind != dtype_kind(value.dtype):
        return False
    if node.shape is None:
        return True
    if len(node.shape) != value.ndim:
        return False
    dims = zip(node.shape, value.shape, strict=True)
    return all(dim is None or evaluate(dim, SIZES) == n for dim, n in dims)


@over(SAMPLES)
def test_values_gradients_and_shape_rules_agree_whatever_is_known_of_the_sizes(
    sample: Sample,
) -> None:
    """In every mode every node has the shape and kind it promises, and the numbers are the same."""
    for mode in modes_of(sample):
        with noted(f"when the sizes are: {mode}"):
            if mode in sample.refused:
                with pytest.raises(EngineError):
                    with_gradients(sample, mode)
            else:
                keeps_its_promises(sample, mode)


def keeps_its_promises(sample: Sample, mode: str) -> None:
    built, outputs, feeds = with_gradients(sample, mode)
    for t in trace(outputs, feeds):
        assert fits(t.node, t.value), f"{t.node!r} is {t.value.dtype} {list(t.value.shape)}"
        assert t.value.dtype is torch.float64 or t.node.kind != "float" or not built.floats
    for x, gradient in zip(built.floats, outputs[1:], strict=False):
        assert same_shape(gradient.shape, x.shape) or not complete(x.shape)
    for output, wanted in zip(outputs, known_values(sample), strict=True):
        close(values([output], feeds)[0], wanted, 1e-12)


@cache
def known_values(sample: Sample) -> list[Tensor]:
    """The values of a sample and its gradients, computed with sizes that are numbers."""
    _, outputs, feeds = with_gradients(sample)
    return values(outputs, feeds)


@cache
def with_gradients(
    sample: Sample, mode: str = "numbers"
) -> tuple[Built, list[Node], dict[Node, Tensor]]:
    """A sample, its node with the gradients of a random cotangent, and what to feed."""
    built = build(sample, mode)
    if not differentiable(sample):
        return built, [built.y], built.feeds
    p, g = pulled(sample), var("g", built.y.shape)
    return (
        built,
        [built.y, *gradients(built.y, built.floats, g)],
        built.feeds | {g: p.feeds[p.g]},
    )


@over(SAMPLES)
def test_sizes_that_are_numbers_leave_no_shape_unknown(sample: Sample) -> None:
    for mode in ("numbers", "fixed"):
        _, outputs, _ = with_gradients(sample, mode)
        unknown = [node for node in toposort(outputs) if not complete(node.shape)]
        assert unknown == []


@over(SAMPLES)
def test_an_op_runs_alone(sample: Sample) -> None:
    """`node.op.run(node.attrs, *tensors)`, node by node, is what the evaluator computes."""
    built = build(sample)
    found: dict[Node, Tensor] = dict(built.feeds)
    for node in toposort([built.y]):
        placed = {"dtype": torch.float64} if node.op.placed and built.floats else {}
        if node not in found:
            found[node] = node.op.run({**node.attrs, **placed}, *(found[x] for x in node.inputs))
    close(found[built.y], values([built.y], built.feeds)[0], 1e-14)


@over(SAMPLES)
def test_the_evaluator_computes_what_a_trace_shows(sample: Sample) -> None:
    _, outputs, feeds = with_gradients(sample)
    traced = {t.node: t.value for t in trace(outputs, feeds)}
    for node, value in zip(outputs, known_values(sample), strict=True):
        close(value, traced[node], 1e-12)


@over(SAMPLES)
def test_float32_in_float32_out(sample: Sample) -> None:
    _, outputs, feeds = with_gradients(sample)
    single = {x: t.float() if t.is_floating_point() else t for x, t in feeds.items()}
    for t in trace(outputs, single):
        assert t.value.dtype is not torch.float64, f"{t.node!r} is double"
    for value, precise in zip(values(outputs, single), known_values(sample), strict=True):
        assert value.dtype is not torch.float64
        if sample.op in ("uniform", "normal"):  # drawn anew at each precision
            continue
        torch.testing.assert_close(value.to(precise.dtype), precise, rtol=1e-4, atol=1e-4)


@over(SAMPLES)
def test_a_node_copied_or_pickled_is_itself_and_its_repr_is_short(sample: Sample) -> None:
    _, outputs, _ = with_gradients(sample)
    for node in toposort(outputs):
        assert copy.copy(node) is node
        assert copy.deepcopy(node) is node
        assert pickle.loads(pickle.dumps(node)) is node
        assert len(repr(node)) < 60


@over(SAMPLES)
def test_a_cost_is_a_number_when_the_sizes_are(sample: Sample) -> None:
    y = build(sample).y
    cost = y.op.cost(y, *y.inputs)
    assert isinstance(cost, int)
    assert cost >= 0
