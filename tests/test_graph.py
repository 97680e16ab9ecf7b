"""The graph: one node per structure, frozen, cheap to copy, and walked without recursion."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import weakref
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import EngineError, Evaluator, KindError, Node, gradients, jvp, ops, var
from engine.graph import Attrs, depends, substitute, toposort
from engine.ops import const

LONG = 100_000


@pytest.fixture(scope="module")
def chain() -> tuple[Node, Node]:
    """A variable turned around again and again."""
    x = y = var("start of a chain", [2])
    for _ in range(LONG):
        y = ops.flip(y)
    return x, y


def test_a_long_chain_is_sorted(chain: tuple[Node, Node]) -> None:
    x, y = chain
    order = toposort([y])
    assert len(order) == LONG + 1
    assert (order[0], order[-1]) == (x, y)


def test_a_long_chain_is_differentiated_and_run(chain: tuple[Node, Node]) -> None:
    x, y = chain
    (gradient,) = gradients(y, [x], const([1.0, 2.0]))
    assert len(toposort([gradient])) == LONG + 1
    (slope,) = Evaluator([gradient * x]).run({x: [5.0, 6.0]})
    assert slope.tolist() == [5.0, 12.0]


def test_the_chain_rule_holds_along_a_chain() -> None:
    x = y = var("x", [])
    value, slope = 0.5, 1.0
    for _ in range(1000):
        y = ops.sin(y)
        value, slope = math.sin(value), slope * math.cos(value)
    derivatives = [*gradients(y, [x]), jvp(y, [x], [const(1.0)])]
    found = Evaluator([y, *derivatives]).run({x: torch.tensor(0.5, dtype=torch.float64)})
    assert [t.item() for t in found] == pytest.approx([value, slope, slope], rel=1e-12)


def test_a_leaf_of_a_long_chain_is_substituted(chain: tuple[Node, Node]) -> None:
    x, y = chain
    z = var("another start", [2])
    (new,) = substitute([y], {x: z})
    assert toposort([new])[0] is z
    assert substitute([new], {z: x}) == [y]


def test_a_long_chain_is_copied_and_pickled(chain: tuple[Node, Node]) -> None:
    _, y = chain
    assert copy.deepcopy(y) is y
    assert pickle.loads(pickle.dumps(y)) is y


def test_a_long_chain_is_freed() -> None:
    x = y = var("freed", [])
    for _ in range(LONG):
        y = ops.cos(y)
    before, seen = len(Node._interned), weakref.ref(y)
    del y
    gc.collect()
    assert seen() is None
    assert len(Node._interned) <= before - LONG
    assert x.label() == "freed"


def test_forty_squarings_are_forty_nodes_and_a_short_text() -> None:
    x = y = var("squared", [])
    for _ in range(40):
        y = y * y
    (gradient,) = gradients(y, [x])
    assert len(toposort([y])) == 41
    assert len(toposort([gradient])) < 200
    assert len(repr(y)) < 60
    (value,) = Evaluator([gradient]).run({x: 1.0})
    assert value.item() == 2.0**40


def test_equal_structure_is_one_node() -> None:
    a, b = var("a", [2, 3]), var("b", [3])
    assert a + b is a + b
    assert ops.softmax(a @ b) is ops.softmax(a @ b, axis=0)
    assert var("a", [2, 3]) is a
    assert a.T.T is not a
    assert ops.sum(a, axis=1) is ops.sum(a, axis=(-1,))


@pytest.mark.parametrize(
    "one, other",
    [
        (const(2), const(2.0)),
        (const(1), const(True)),
        (const(0.0), const(-0.0)),
        (const([1, 2]), const([1.0, 2.0])),
        (const([1.0, 2.0]), const(np.array([1.0, 2.0]))),
        (const([1, 2]), const([[1, 2]])),
        (var("v", [2]), var("v", [3])),
        (var("v", [2]), var("v", [2], "int")),
        (var("v", ["n"]), var("v", ["m"])),
        (ops.uniform([2], 1), ops.uniform([2], 2)),
        (ops.full([2], 1), ops.full([2], 1.0)),
        (ops.arange(3), ops.arange(4)),
    ],
)
def test_what_differs_in_type_bits_or_size_is_two_nodes(one: Node, other: Node) -> None:
    assert one is not other


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -0.0, 2, True, [1.5, 2.5], [], [[True]], torch.eye(2)]
)
def test_a_constant_is_itself_again(value: object) -> None:
    assert const(value) is const(copy.deepcopy(value))


def test_a_constant_does_not_change_with_the_tensor_it_came_from() -> None:
    tensor = torch.ones(2)
    node = const(tensor)
    tensor.zero_()
    assert Evaluator([node]).run({})[0].tolist() == [1.0, 1.0]


def test_an_unused_node_leaves_the_table() -> None:
    x = var("leaves the table", [2])
    node = weakref.ref(ops.exp(x) + ops.exp(x))
    gc.collect()
    assert node() is None


@pytest.mark.parametrize("name", ["op", "inputs", "attrs", "shape", "kind", "value", "grad"])
def test_a_node_is_frozen(name: str) -> None:
    x = var("frozen", [2])
    with pytest.raises(AttributeError, match="frozen"):
        setattr(x, name, None)
    with pytest.raises(AttributeError, match="frozen"):
        delattr(x, name)


def test_attributes_cannot_be_changed() -> None:
    attrs = ops.softmax(var("x", [2])).attrs
    with pytest.raises(TypeError):
        attrs["axis"] = 0  # pyright: ignore[reportIndexIssue]
    assert dict(attrs) == {"axis": -1}
    assert repr(attrs) == "Attrs({'axis': -1})"
    assert len(attrs) == 1


def test_asking_a_node_for_what_it_has_not_builds_nothing() -> None:
    x = var("asked", [2])
    before = len(Node._interned)
    for name in ("__array__", "__len__", "_repr_html_", "__torch_function__", "data", "grad_fn"):
        assert not hasattr(x, name)
    assert len(Node._interned) == before


def test_equality_is_identity_and_a_node_is_a_key() -> None:
    x, y = var("x", [2]), var("y", [2])
    assert x == var("x", [2])
    assert x != y
    assert {x: 1, y: 2}[var("x", [2])] == 1
    assert [x, y].index(y) == 1


def test_a_node_has_no_truth_value() -> None:
    x = var("x", [])
    with pytest.raises(KindError, match="no truth value") as caught:
        assert x
    assert caught.value.hint == "use ops.where for a choice"
    with pytest.raises(KindError, match="no truth value"):
        _ = 0 < x < 1  # a chain asks for the truth of its first half


def test_a_node_is_not_iterated() -> None:
    with pytest.raises(TypeError, match="not iterable"):
        iter(var("x", [2]))  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError):
        list(var("x", [2]))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "left, right",
    [
        (lambda x: x < 2, lambda x: ops.less(x, 2)),
        (lambda x: x <= 2, lambda x: ops.less_equal(x, 2)),
        (lambda x: x > 2, lambda x: ops.less(2, x)),
        (lambda x: x >= 2, lambda x: ops.less_equal(2, x)),
        (lambda x: 2 - x, lambda x: ops.sub(2, x)),
        (lambda x: 2 / x, lambda x: ops.div(2, x)),
        (lambda x: 2**x, lambda x: ops.pow(2, x)),
        (lambda x: abs(-x), lambda x: ops.abs(ops.neg(x))),
        (lambda x: np.ones((3, 2)) @ x, lambda x: ops.matmul(np.ones((3, 2)), x)),
        (lambda x: np.ones(2) * x, lambda x: ops.mul(np.ones(2), x)),
        (lambda x: np.float64(2) * x, lambda x: ops.mul(2.0, x)),
        (lambda x: torch.ones(2) + x, lambda x: ops.add(torch.ones(2), x)),
        (lambda x: torch.ones(3, 2) @ x, lambda x: ops.matmul(torch.ones(3, 2), x)),
        (lambda x: x.T, lambda x: x),
    ],
)
def test_python_operators_are_ops(
    left: Callable[[Node], Node], right: Callable[[Node], Node]
) -> None:
    x = var("x", [2])
    assert left(x) is right(x)


def test_labels_and_descriptions_are_short() -> None:
    x = var("tokens", ["B", "T"], kind="int")
    y = ops.gather(var("E", ["V", 64]), x)
    assert (x.label(), x.describe()) == ("tokens", "int[B, T]")
    assert (y.label(), y.describe()) == ("gather", "[B, T, 64]")
    assert repr(y) == "<gather [B, T, 64]>"
    assert repr(var("u")) == "<u [...]>"
    assert repr(y.op) == "ops.gather"


def test_sorting_puts_inputs_first_and_stops_where_told() -> None:
    x = var("x", [])
    y = ops.exp(x)
    z = y * y + x
    assert [node.label() for node in toposort([z, y])] == ["x", "exp", "mul", "add"]
    assert x not in toposort([y * 2], stop=lambda node: node is y)


def test_what_depends_on_a_node_is_found() -> None:
    x, w = var("x", []), var("w", [])
    y = ops.exp(x)
    assert depends([y * w], [x]) == {x, y, y * w}


def test_substitution_infers_shapes_anew() -> None:
    x = var("x", [2, 3])
    (y,) = substitute([ops.sum(x, axis=0)], {x: var("z", [4, 5])})
    assert y.shape == (5,)
    with pytest.raises(EngineError, match="inner sizes"):
        substitute([x @ ops.ones([3, 2])], {x: var("z", [4, 5])})


def test_an_op_is_pickled_by_its_name_and_called_only_once() -> None:
    assert pickle.loads(pickle.dumps(ops.softmax)) is ops.softmax
    with pytest.raises(AssertionError, match="two operators are called softmax"):
        replace(ops.softmax)


def test_attributes_are_equal_by_exact_content() -> None:
    assert Attrs({"a": 1}) == Attrs({"a": 1})
    assert hash(Attrs({"a": (1, 2.0)})) == hash(Attrs({"a": (1, 2.0)}))
    assert Attrs({"a": 1}) != Attrs({"a": 1.0})
    assert Attrs({"a": 1}) != Attrs({"a": True})
    assert Attrs({"a": (0.0,)}) != Attrs({"a": (-0.0,)})
    assert Attrs({"a": math.nan}) == Attrs({"a": math.nan})


@pytest.mark.parametrize(
    "call, message",
    [
        (ops.add, "add takes 2 operands, not 1"),
        (lambda x: ops.exp(x, x), "exp takes one operand, not 2"),
        (lambda x: ops.softmax(), "softmax: missing a required argument: 'x'"),
        (lambda x: ops.softmax(x, -1, 3), "softmax: too many positional arguments"),
        (lambda x: ops.softmax(x, dim=-1), "softmax has no attribute `dim`"),
        (lambda x: ops.sum(x, dim=-1), "sum has no attribute `dim`"),
        (lambda x: ops.exp(x, base=2), "exp has no attribute `base`"),
        (ops.matmul, "matmul: missing a required argument: 'b'"),
        (lambda x: ops.stop(x, x), "stop takes 1 operands, not 2"),
        (lambda x: ops.mean(x, axis=1.5), "an axis is a whole number, not 1.5"),
        (lambda x: ops.mean(x, axis=True), "an axis is a whole number, not True"),
        (lambda x: ops.exp("x"), "a str cannot be a value of the graph"),
        (lambda x: ops.exp(None), "a NoneType cannot be a value of the graph"),
        (lambda x: ops.exp([x]), "a list cannot be a value of the graph"),
        (lambda x: ops.exp(1j), "complex numbers are not supported"),
        (lambda x: var("y", [2], "double"), "there is no element kind 'double'"),
        (lambda x: var("y", [-1]), "a size cannot be -1"),
        (lambda x: var("y", [2.5]), "a size cannot be 2.5"),
        (lambda x: var("y", ["4d"]), "a size cannot be '4d'"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(call: Callable[[Node], Node], message: str) -> None:
    with pytest.raises(KindError) as caught:
        call(var("x", [2]))
    assert caught.value.message.startswith(message)


def test_the_way_to_call_an_op_is_told() -> None:
    with pytest.raises(KindError) as caught:
        ops.softmax(var("x", [2]), -1, 3)
    assert caught.value.help() == "call it as `softmax(x, axis=-1, **more)`"
