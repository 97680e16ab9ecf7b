"""The drivers of the passes, and the order of a step."""

from __future__ import annotations

from engine import Node, gradients, ops, var
from engine.graph import toposort
from engine.origins import origin
from engine.passes.cover import Users, cover
from engine.passes.rewrite import rewrite
from engine.passes.simplify import TIDY
from engine.run.schedule import schedule
from engine.show.text import formula

x, y, z = (var(name, [2, 3]) for name in "xyz")


def squares(n: Node, users: Users) -> Node | None:
    """a · a -> a²."""
    a, b = n.inputs
    return a**2 if a is b else None


def cubes(n: Node, users: Users) -> Node | None:
    """a² · a -> a³."""
    square, a = n.inputs
    return a**3 if square.op is ops.mul and square.inputs == (a, a) else None


def test_a_cover_takes_the_largest_formula_first() -> None:
    found = cover([x * x * x], {ops.mul: (squares, cubes)})
    assert [formula(node) for node in found.outputs] == ["x^3"]


def test_a_cover_reaches_what_lies_below_a_formula() -> None:
    found = cover([ops.exp(y * y) * ops.exp(y * y)], {ops.mul: (squares,)})
    assert formula(found.outputs[0]) == "exp(y^2)^2"


def test_rules_apply_to_what_other_rules_made() -> None:
    def unfold(n: Node, users: Users) -> Node | None:
        return n.inputs[0] * n.inputs[0]

    found = cover([ops.exp(x)], {ops.exp: (unfold,), ops.mul: (squares,)})
    assert formula(found.outputs[0]) == "x^2"


def test_a_cover_knows_what_each_node_stands_for() -> None:
    total = ops.sum(x * x)
    found = cover([total], {ops.mul: (squares,)})
    (new,) = found.outputs
    assert found.new[total] is new
    assert found.stands_for[new] is total
    assert found.stands_for[new.inputs[0]] is total.inputs[0]
    two = new.inputs[0].inputs[1]
    assert found.stands_for[two] is total.inputs[0]  # made for the square


def test_an_origin_follows_what_is_rewritten_but_never_reaches_a_users_node() -> None:
    (slope,) = gradients(ops.sum(ops.sin(x)), [x])
    found = cover([slope * slope], {ops.mul: (squares,)})
    (base, _) = found.outputs[0].inputs
    assert origin(base) == origin(slope)
    twice = (x.T).T
    rewrite([twice], TIDY, keep=[x])
    assert origin(x) is None


def test_users_count_outputs_and_every_place() -> None:
    square = x * x
    users = Users([square + 1, ops.exp(y)])
    assert users.of(x) == [square, square]
    assert users.at_most_one(square)
    assert not users.at_most_one(x)
    assert not users.at_most_one(ops.exp(y))  # an output


def test_a_long_chain_is_covered_without_recursion() -> None:
    chain = x
    for _ in range(50_000):
        chain = ops.relu(chain + 1.0)
    assert len(toposort(cover([chain], {ops.mul: (squares,)}).outputs)) == 100_002


def test_a_step_goes_back_the_way_it_came() -> None:
    """Each layer's cotangents together, the last layer first."""
    W, V = var("W", [3, 3]), var("V", [3, 3])
    hidden = ops.tanh(x @ W)
    out = ops.tanh(hidden @ V)
    total = ops.sum(out * y)
    dW, dV = gradients(total, [W, V])
    order = schedule([total, dW, dV], [total, dW, dV], {})
    places = [order.index(n) for n in (hidden, out, out**2, dV, hidden**2, dW)]
    assert places == sorted(places)  # 1 - tanh² begins the way back through each


def test_a_schedule_is_a_topological_order() -> None:
    (slope,) = gradients(ops.sum(ops.softmax(x * y) ** 2), [x])
    order = schedule([slope, x + y], [slope, x + y], {})
    assert sorted(map(id, order)) == sorted(map(id, toposort([slope, x + y])))
    for i, node in enumerate(order):
        assert all(operand in order[:i] for operand in node.inputs)


def test_a_view_is_made_when_it_is_first_looked_at() -> None:
    turned = y.T
    result = turned @ ops.exp(ops.sin(x))
    order = schedule([result], [result], {})
    assert order[-2:] == [turned, result]
