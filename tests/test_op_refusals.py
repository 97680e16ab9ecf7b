"""What operators refuse: when the graph is built where that can be known, else naming the op."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine import EngineError, Evaluator, KindError, Node, ShapeError, gradients, ops, var
from tests.test_op_edges import randn

x, A = var("x"), var("A", [2, 3])

CALLS: list[tuple[Callable[[], Node], type[EngineError], str]] = [
    (lambda: ops.sum(A, axis=2), ShapeError, "axis 2 does not exist in [2, 3]"),
    (lambda: ops.softmax(A, axis=-3), ShapeError, "axis -3 does not exist in [2, 3]"),
    (lambda: ops.sum(A, axis=(0, -2)), ShapeError, "an axis is named twice in (0, -2)"),
    (lambda: ops.sum(A, axis="T"), KindError, "an axis is a whole number, not 'T'"),
    (lambda: ops.cumsum(A, axis=5), ShapeError, "axis 5 does not exist"),
    (lambda: A[0, 0, 0], ShapeError, "3 indices for the 2 axes of [2, 3]"),
    (lambda: A[2], ShapeError, "index 2 is outside axis 0 of [2, 3]"),
    (lambda: A[:, -4], ShapeError, "index -4 is outside axis 1 of [2, 3]"),
    (lambda: A[..., ...], ShapeError, "`...` can stand only once"),
    (lambda: A[::-1], KindError, "a slice needs a positive step"),
    (lambda: A[0.5], KindError, "cannot index with 0.5"),
    (lambda: A[0.5:], KindError, "cannot index with 0.5"),
    (lambda: A[: ops.argmax(A)], KindError, "cannot index with"),
    (lambda: A[:, A > 0], KindError, "an index needs whole numbers, not bool[2, 3]"),
    (lambda: A[[0], None, [1]], ShapeError, "an index tensor stands apart"),
    (lambda: A[True], KindError, "cannot index with True"),
    (lambda: A[A > 0], KindError, "gather needs whole numbers, not bool[2, 3]"),
    (lambda: ops.gather(A, A), KindError, "gather needs whole numbers, not [2, 3]"),
    (lambda: ops.gather(ops.sum(A), 0), ShapeError, "a scalar has no rows to gather"),
    (lambda: ops.pick(A, [0, 1, 2]), ShapeError, "one index for each position of [2] is needed"),
    (lambda: ops.cross_entropy(A, [0.0, 1.0]), KindError, "cross_entropy needs whole numbers"),
    (lambda: ops.cross_entropy(A, [0, 1], reduction="avg"), KindError, "no reduction 'avg'"),
    (lambda: ops.one_hot(A, 3), KindError, "one_hot needs whole numbers"),
    (lambda: ops.one_hot([1], None), KindError, "one_hot needs the number of classes"),
    (lambda: A + ops.ones([4]), ShapeError, "cannot add shapes [2, 3] and [4]"),
    (lambda: A @ A, ShapeError, "cannot multiply [2, 3] by [2, 3]: the inner sizes are 3 and 2"),
    (lambda: A @ 2, ShapeError, "a matrix product needs at least one axis on either side"),
    (lambda: ops.where(A, A, A), KindError, "a truth value is needed, not [2, 3]"),
    (lambda: ops.logical_not(A), KindError, "a truth value is needed, not [2, 3]"),
    (lambda: ops.reshape(A, (4, 2)), ShapeError, "cannot reshape [2, 3] to [4, 2]: 6 elements"),
    (lambda: ops.reshape(A, (-1, 4)), ShapeError, "cannot reshape [2, 3] to [1, 4]"),
    (lambda: ops.reshape(A, (-1, -1)), ShapeError, "only one size of a reshape can be -1"),
    (lambda: ops.expand(A, (3, 3)), ShapeError, "cannot expand"),
    (lambda: ops.expand(A, (3,)), ShapeError, "cannot expand [2, 3] to [3]: it has more axes"),
    (lambda: ops.expand(A, (2, None)), KindError, "expand needs a known shape, not [2, ?]"),
    (lambda: ops.zeros([None]), KindError, "zeros needs a known shape, not [?]"),
    (lambda: ops.zeros(None), KindError, "zeros needs a known shape, not [...]"),
    (lambda: ops.eye(None), KindError, "eye needs a known shape, not [?]"),
    (lambda: ops.transpose(A, (0, 0)), ShapeError, "(0, 0) is no order of the 2 axes of [2, 3]"),
    (lambda: ops.transpose(A, (0,)), ShapeError, "(0,) is no order of the 2 axes"),
    (lambda: ops.transpose(A, (0, 3)), ShapeError, "axis 3 does not exist in [2, 3]"),
    (lambda: ops.transpose(A, 1), KindError, "an order of axes is a list of them, not 1"),
    (lambda: ops.transpose(x, (0, 0.5)), KindError, "an axis is a whole number, not 0.5"),
    (lambda: ops.swapaxes(x, 0, 1), ShapeError, "swapaxes needs a known rank"),
    (lambda: ops.concat([A, ops.ones([2, 4])]), ShapeError, "cannot join along axis -2"),
    (lambda: ops.concat([]), KindError, "concat takes a list of at least one operand"),
    (lambda: ops.stack(A), KindError, "stack takes a list of at least one operand"),
    (lambda: ops.concat([ops.sum(A)]), ShapeError, "a scalar has no axis to join along"),
    (lambda: ops.stack([A, A[0]]), ShapeError, "cannot stack [2, 3] and [3]: their ranks differ"),
    (lambda: ops.split(A, 2)[0], ShapeError, "2 equal parts do not fit an axis of 3"),
    (lambda: ops.split(A, [1, 1])[0], ShapeError, "parts of [1, 1] do not add up to the axis of 3"),
    (lambda: ops.split(x, 2)[0], ShapeError, "split needs a known size"),
    (lambda: ops.split(ops.sum(A), 2)[0], ShapeError, "split needs a known size"),
    (lambda: ops.split(A, 0)[0], ShapeError, "0 equal parts do not fit an axis of 3"),
    (lambda: ops.cast(A, "double"), KindError, "there is no element kind 'double'"),
    (lambda: ops.zeros([2], "double"), KindError, "there is no element kind 'double'"),
    (lambda: ops.full([2], "1"), KindError, "full takes a number, not '1'"),
    (lambda: ops.full([2], A), KindError, "full takes a number, not <A [2, 3]>"),
    (lambda: ops.inv(A), ShapeError, "a square matrix is needed, not [2, 3]"),
    (lambda: ops.trace(ops.ones([2, 3, 3])), ShapeError, "trace takes one matrix"),
    (lambda: ops.diag(ops.ones([2, 3, 3])), ShapeError, "diag takes a vector or one matrix"),
    (lambda: ops.triu(ops.ones([3])), ShapeError, "a matrix is needed, not [3]"),
    (lambda: ops.solve(ops.eye(3), A), ShapeError, "cannot solve [3, 3] x = [2, 3]"),
    (lambda: ops.solve(ops.ones([2, 3, 3]), ops.ones([3])), ShapeError, "cannot solve [2, 3, 3]"),
    (lambda: ops.einsum(A, A), KindError, "einsum takes its pattern first"),
    (lambda: ops.einsum("ij,jk->ik", A), ShapeError, "is for 2 operands, not 1"),
    (lambda: ops.einsum("ijk->i", A), ShapeError, "`ijk` names 3 axes of [2, 3]"),
    (lambda: ops.einsum("ij,ij->", A, A.T), ShapeError, "`i` is 2 in one operand and 3 in another"),
    (lambda: ops.einsum("ij->k", A), ShapeError, "einsum cannot make the result `k`"),
    (lambda: ops.einsum("ij->ii", A), ShapeError, "einsum cannot make the result `ii`"),
    (lambda: ops.einsum("...i->i...", x), ShapeError, "needs an operand of known rank"),
    (lambda: ops.uniform([2], 0.5), KindError, "a random key is one whole number, not []"),
    (lambda: ops.normal([2], [1, 2]), KindError, "a random key is one whole number, not int[2]"),
    (lambda: ops.normal([None], 1), KindError, "normal needs a known shape, not [?]"),
    (lambda: ops.arange(0, 5, 0), KindError, "a step of arange is a whole number other than 0"),
    (lambda: ops.arange(2.5), KindError, "a size cannot be 2.5"),
    (
        lambda: ops.prod(x, keepdims=True),
        ShapeError,
        "the product over all axes needs a known rank",
    ),
    (lambda: ops.mean(x, (1, -1)), ShapeError, "which of the axes (1, -1) comes first"),
]


@pytest.mark.parametrize("call, kind, message", CALLS, ids=[row[2] for row in CALLS])
def test_what_cannot_be_is_refused_when_the_graph_is_built(
    call: Callable[[], Node], kind: type[EngineError], message: str
) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert message in caught.value.message


@pytest.mark.parametrize(
    "call, fed",
    [
        (lambda t, i: t[i], {"t": randn((3, 2)), "i": torch.tensor([-1])}),
        (lambda t, i: t[i], {"t": randn((3,)), "i": torch.tensor([3])}),
        (lambda t, i: t[i], {"t": randn((3,)), "i": torch.tensor([-1])}),
        (ops.pick, {"t": randn((2, 3)), "i": torch.tensor([0, 3])}),
        (ops.pick, {"t": randn((2, 3)), "i": torch.tensor([0, -1])}),
        (ops.pick, {"t": randn((2, 3)), "i": torch.tensor([0])}),
        (ops.pick, {"t": randn((2, 3)), "i": torch.tensor([[0, 1]])}),
        (ops.cross_entropy, {"t": randn((2, 3)), "i": torch.tensor([0, 3])}),
        (ops.cross_entropy, {"t": randn((2, 3)), "i": torch.tensor([1])}),
    ],
)
def test_an_index_that_points_nowhere_is_told_with_the_op(
    call: Callable[[Node, Node], Node], fed: dict[str, Tensor]
) -> None:
    y = call(var("t"), var("i", kind="int"))
    for output in (y, gradients(y, [var("t")])[0]):
        with pytest.raises(EngineError, match="failed: "):
            Evaluator([output]).run(fed)


@pytest.mark.parametrize("f", [ops.max, ops.min, ops.argmax])
def test_nothing_has_no_largest_element(f: Callable[..., Node]) -> None:
    with pytest.raises(ShapeError, match=r"no element to choose from in \[2, 0\]"):
        f(var("empty", [2, 0]), axis=-1)
    assert f(var("empty", [2, 0]), axis=0).shape == (0,)
    with pytest.raises(EngineError, match=f"{f(x).op.name} failed"):
        Evaluator([f(x)]).run({x: torch.ones(0)})


def test_negative_whole_numbers_have_no_whole_power() -> None:
    n = var("n", [2], "int")
    with pytest.raises(EngineError, match="pow failed"):
        Evaluator([n**-1]).run({n: [1, 2]})


def test_a_matrix_without_inverse_is_told() -> None:
    S = var("S", [2, 2])
    with pytest.raises(EngineError, match="inv failed"):
        Evaluator(gradients(ops.det(S), [S])).run({S: torch.ones(2, 2)})
    assert Evaluator([ops.det(S)]).run({S: torch.ones(2, 2)})[0].item() == 0


def test_what_torch_does_not_take_is_told_with_the_op() -> None:
    with pytest.raises(EngineError, match="triu failed: "):
        Evaluator([ops.triu(A, 0.5)]).run({A: randn((2, 3))})
    with pytest.raises(EngineError, match="gelu failed: "):
        Evaluator([ops.gelu(A, "fast")]).run({A: randn((2, 3))})
