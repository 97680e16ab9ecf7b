"""The mini-autograd computes what torch's autograd computes, with the rules of the table."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine import EngineError, Variable, ops
from engine.errors import GradientError, KindError, ShapeError

DOUBLE = torch.float64
A, B = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]], dtype=DOUBLE), torch.eye(3, dtype=DOUBLE)
V = torch.tensor([0.4, 1.2, 2.0], dtype=DOUBLE)

# The same text runs on Variables and on tensors of torch.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, v: (a + v).sum(),
    "sub": lambda a, v: (a - v).sum(),
    "mul": lambda a, v: (a * v).sum(),
    "div": lambda a, v: (a / v).sum(),
    "pow": lambda a, v: (v**a).sum(),
    "neg": lambda a, v: (-a * v).sum(),
    "abs": lambda a, v: (abs(a) * v).sum(),
    "matmul": lambda a, v: (a @ v).sum(),
    "matrix": lambda a, v: (a.T @ a).sum(),
    "numbers": lambda a, v: (2 - a + 3 * a - 1 + a * 2 + (a - 1) / 4).sum(),
    "numbers below": lambda a, v: (1 / v + 2**v + v**2 + v**0.5).sum(),
    "tensors beside": lambda a, v: ((a + V) * (V - v) @ B + V @ B).sum(),
    "tensors first": lambda a, v: (V * v + (B @ v) - V / v).sum(),
    "index": lambda a, v: (a[0] * v[1] + a[:, 1:].sum() + a[1, -1] + a[None, 0].sum()).sum(),
    "rows": lambda a, v: (v[torch.tensor([0, 2, 2])] * a).sum(),
    "mean": lambda a, v: a.mean() * v.mean(),
    "chain": lambda a, v: ((a @ v).tanh() * 2).exp().relu().mean(),
    "transpose": lambda a, v: (a.T * a.T @ a[:, :1]).sum(),
    "twice": lambda a, v: (a * a + a * a * v + v * v * v).sum(),
    "functions": lambda a, v: (a.sin() * v.log() + v.sqrt() + a.cos() * a.sigmoid()).sum(),
    "scalar": lambda a, v: a[0, 0] * v[0],
    "one element": lambda a, v: (a * v).sum()[None],
    "iterated": lambda a, v: sum(row @ v for row in a) + sum(v),
}


def pair(value: Tensor) -> tuple[Variable, Tensor]:
    return Variable(value.clone()), value.clone().requires_grad_()


def assert_same_gradients(ours: list[Variable], theirs: list[Tensor]) -> None:
    for x, t in zip(ours, theirs, strict=True):
        expected = torch.zeros_like(t) if t.grad is None else t.grad
        found = torch.zeros_like(t) if x.grad is None else x.grad
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_those_of_torch(name: str) -> None:
    (a, ta), (v, tv) = pair(A), pair(V)
    y, ty = FUNCTIONS[name](a, v), FUNCTIONS[name](ta, tv)
    torch.testing.assert_close(y.data, ty.detach(), rtol=1e-12, atol=1e-14)
    y.backward()
    ty.backward()
    assert_same_gradients([a, v], [ta, tv])


def test_every_operator_of_the_table_is_a_method_and_goes_through_apply() -> None:
    (a, ta), (v, tv) = pair(A), pair(V)
    y = Variable.apply(ops.concat, [a.softmax(axis=-1), v.layer_norm()[None]], axis=0)
    z = Variable.apply(ops.where, a > 0, a, -2 * a).sum() + Variable.apply(
        ops.einsum, "ij,j->i", a, v
    ).sum(axis=0)
    ty = torch.cat([ta.softmax(-1), torch.layer_norm(tv, (3,))[None]])
    tz = torch.where(ta > 0, ta, -2 * ta).sum() + (ta @ tv).sum()
    ((y * y).sum() + z).backward()
    ((ty * ty).sum() + tz).backward()
    assert_same_gradients([a, v], [ta, tv])


def test_a_gradient_is_added_for_each_use_and_each_backward() -> None:
    (v, tv) = pair(V)
    y, ty = (v * v).sum(), (tv * tv).sum()
    z, tz = (y * v[0] + v.exp().sum()), (ty * tv[0] + tv.exp().sum())
    for ours, theirs in ((y, ty), (z, tz), (z, tz), (y, ty)):
        ours.backward()
        theirs.backward(retain_graph=True)
        assert_same_gradients([v], [tv])
    v.grad = None
    y.backward()
    assert v.grad is not None
    assert v.grad.tolist() == (2 * V).tolist()


def test_only_leaves_have_gradients() -> None:
    v, unused = Variable(V), Variable(V)
    middle = v * 2
    middle.sum().backward()
    assert (v.grad is None, middle.grad, unused.grad) == (False, None, None)


def test_a_value_that_is_not_one_number_needs_a_seed() -> None:
    (a, ta), seed = pair(A), torch.tensor([[0.1, 2.0, 3.0], [4.0, 5.0, -6.0]], dtype=DOUBLE)
    y, ty = a * a, ta * ta
    with pytest.raises(GradientError, match=r"one element, not from \[2, 3\]"):
        y.backward()
    with pytest.raises(GradientError, match=r"the seed is \[3\], the value \[2, 3\]"):
        y.backward(V)
    assert a.grad is None
    y.backward(seed)
    ty.backward(seed)
    assert_same_gradients([a], [ta])
    y.backward(seed.tolist())
    ty = ta * ta
    ty.backward(seed)
    assert_same_gradients([a], [ta])


def test_the_seed_of_a_single_element_counts_too() -> None:
    v = Variable(2.0)
    (v * v).backward(0.5)
    assert v.grad is not None
    assert v.grad.item() == 2.0


def test_a_leaf_may_be_asked_itself() -> None:
    v = Variable(2.0)
    v.backward()
    assert v.grad is not None
    assert v.grad.item() == 1.0


def test_a_chain_of_100_000_links_runs_forward_and_backward() -> None:
    x = Variable(torch.tensor(2.0, dtype=DOUBLE))
    y = x
    gc.disable()  # it would look through the growing chain again and again
    try:
        for _ in range(100_000):
            y = y + 1.0
        y.backward()
    finally:
        gc.enable()
    assert (y.data.item(), x.grad) == (100_002.0, 1.0)
    del y
    gc.collect()


def test_forty_squarings_of_one_value_stay_small() -> None:
    x = Variable(torch.tensor(1.0000000001, dtype=DOUBLE))
    y = x
    for _ in range(40):
        y = y * y
    y.backward()
    expected = 2.0**40 * float(x.data) ** (2**40 - 1)
    assert x.grad is not None
    assert x.grad.item() == pytest.approx(expected, rel=1e-3)


def test_gradients_are_memory_of_their_own() -> None:
    x, y = Variable(V.clone()), Variable(V.clone())
    (x * y).sum().backward()
    for v in (x, y):
        assert v.grad is not None
        v.grad.zero_()
        assert v.data.tolist() == V.tolist()
    z = Variable(V)
    z.sum().backward()
    assert z.grad is not None
    z.grad[0] = 5.0
    assert z.grad.tolist() == [5.0, 1.0, 1.0]


def test_manual_descent_is_that_of_torch() -> None:
    (w, tw) = pair(V)
    for _ in range(20):
        loss, theirs = ((A @ w - 1) ** 2).mean(), ((A @ tw - 1) ** 2).mean()
        w.grad = tw.grad = None
        loss.backward()
        theirs.backward()
        assert w.grad is not None
        assert tw.grad is not None
        w.data -= 0.1 * w.grad
        tw.data -= 0.1 * tw.grad
    torch.testing.assert_close(w.data, tw.detach(), rtol=1e-12, atol=0)


def test_new_data_begin_anew_and_what_was_computed_keeps_the_old() -> None:
    x = Variable(2.0)
    before = x * x * x
    x.data = 5.0
    after = x * x
    (before + after).backward()
    assert x.grad is not None
    assert (before.data.item(), x.grad.item()) == (8.0, 3 * 2.0**2 + 2 * 5.0)


def test_values_written_into_are_told_before_a_gradient_is_wrong() -> None:
    x = Variable(V.clone())
    y = (x * x).sum()
    x.data[0] = 7.0
    with pytest.raises(GradientError, match=r"\[3\] was written into"):
        y.backward()
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [14.0, *(2 * V[1:]).tolist()]
    z = x.exp()
    z.data.zero_()
    with pytest.raises(GradientError, match="written into"):
        z.sum()


def test_constants_have_no_gradient_and_arrays_stand_on_either_side() -> None:
    x, array = Variable(V), np.array([1.0, 2.0, 3.0])
    for y in (x * array, array * x, x + array - array, array @ x, x @ array):
        assert isinstance(y, Variable)
        assert y.data.dtype == DOUBLE
    assert (x * torch.tensor(2.0)).data.tolist() == (V * 2).tolist()
    (array / x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, -torch.from_numpy(array) / V**2)


def test_whole_numbers_and_truth_values_take_part_without_gradients() -> None:
    table, ids = Variable(A.clone()), Variable([1, 0, 1])
    y = (table[ids] * (table[ids] > 0)).sum() + table.argmax() * table.sum()
    y.backward()
    expected = A.clone().requires_grad_()
    rows = expected[[1, 0, 1]]
    ((rows * (rows > 0)).sum() + expected.argmax() * expected.sum()).backward()
    assert_same_gradients([table], [expected])
    assert ids.grad is None
    assert bool(Variable(1.0) < 2.0) is True
    assert bool(Variable(1.0) >= 2.0) is False


def test_a_value_whose_variables_are_gone_can_still_be_asked() -> None:
    x, passing = Variable(3.0), Variable(2.0)
    y, gone = x * passing, weakref.ref(passing)
    del passing
    assert gone() is None
    y.backward()
    assert x.grad is not None
    assert x.grad.item() == 2.0


def test_a_variable_shows_its_value_and_has_a_shape() -> None:
    assert repr(Variable([1.0, 2.0])) == "Variable([1., 2.])"
    assert repr(Variable(A)[0, 0]) == "Variable(0.5000, dtype=torch.float64)"
    assert (Variable(A).shape, len(Variable(A)), len(list(Variable(A)))) == ((2, 3), 2, 2)
    assert Variable(A).T.shape == (3, 2)
    assert Variable(V).T.shape == (3,)


def test_variables_can_be_made_and_used_in_inference_mode() -> None:
    with torch.inference_mode():
        given = V * 1
        x = Variable(given)
        (x * x).sum().backward()
        x.data -= 1
    assert x.grad is not None
    x.grad.zero_()
    x.data.zero_()


@pytest.mark.parametrize(
    "wrong, error, words",
    [
        (lambda x: x.softmaxx(), AttributeError, "no operator `softmaxx`"),
        (lambda x: x + torch.ones(3), KindError, "torch.float32 and torch.float64"),
        (lambda x: x + x[:2], ShapeError, r"\[3\] and \[2\]|\[3\] with \[2\]"),
        (lambda x: x[torch.tensor([5])], EngineError, "gather failed"),
        (Variable, KindError, "Variable of a Variable"),
        (lambda x: x.argmax().backward(), GradientError, "no gradient of int"),
        (lambda x: x.sum(axis=3), ShapeError, "axis 3"),
        (lambda x: x + "a", KindError, "str"),
        (lambda x: Variable("a"), KindError, "str"),
    ],
)
def test_a_wrong_call_is_told(
    wrong: Callable[[Variable], object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        wrong(Variable(V))


def test_torchs_autograd_is_off_even_for_tensors_that_ask_for_it() -> None:
    asking = V.clone().requires_grad_()
    x = Variable(asking)
    y = ((x * asking + B @ x).tanh() / asking).sum()
    y.backward()
    assert x.grad is not None
    for tensor in (x.data, y.data, x.grad, x.exp().data):
        assert (tensor.grad_fn, tensor.requires_grad) == (None, False)
    assert asking.grad is None
