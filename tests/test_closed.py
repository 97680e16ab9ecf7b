"""Closed forms: equal in value to what they are made of, and written as in a textbook."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
import torch
from torch import Tensor

import dsl
from engine import Evaluator, Node, gradients, hessian, jvp, ops, var
from engine.closed import closed, is_reduced, matrix, structure, textbook
from engine.graph import toposort
from engine.show import BOARD, formula, in_a_row
from tests.samples import SAMPLES
from tests.sampling import Sample, build
from tests.test_op_laws import SMOOTH, close, directions, over

A, B, X = (var(name, ["n", "n"]) for name in "ABX")
M, W = var("M", ["m", "n"]), var("W", ["n", "k"])
a, b, d, x = (var(name, ["n"]) for name in "abdx")
y = var("y", ["m"])
r, s = var("r", []), var("s", [])
SIZES = {"n": 3, "m": 4, "k": 2}


def values(nodes: list[Node], sizes: dict[str, int] = SIZES, seed: int = 0) -> list[Tensor]:
    """Each node at leaves between 0.5 and 1.5, a matrix with its diagonal made larger."""
    random, feeds = torch.Generator().manual_seed(seed), dict[Node, Tensor]()
    leaves = {n for n in toposort([*nodes, M, W]) if n.op is ops.variable}
    for leaf in sorted(leaves, key=Node.label):
        shape = [dim if isinstance(dim, int) else sizes[str(dim)] for dim in leaf.shape or ()]
        feeds[leaf] = torch.rand(shape, generator=random, dtype=torch.float64) + 0.5
        if len(shape) == 2 and shape[0] == shape[1]:
            feeds[leaf] += 2 * torch.eye(shape[0], dtype=torch.float64)
        if leaf.kind != "float":
            feeds[leaf] = feeds[leaf].long() if leaf.kind == "int" else feeds[leaf] > 1
    return Evaluator(nodes, fuse=False).run(feeds)


FORMS: list[tuple[Node, Node, str]] = [
    (a @ x, x, "a"),
    (x @ A @ x, x, "(A + A^T) x"),
    (ops.sum((M @ x - y) ** 2), x, "2 M^T (M x - y)"),
    (ops.trace(M @ W @ W.T @ M.T), W, "2 M^T M W"),
    (ops.trace(X.T @ A @ X), X, "(A + A^T) X"),
    (ops.trace(X @ A @ X.T @ B), X, "B X A + B^T X A^T"),
    (ops.trace(A @ X @ B), X, "A^T B^T"),
    (a @ X @ b, X, "a b^T"),
    (ops.det(X), X, "det(X) (X^-1)^T"),
    (ops.logdet(X), X, "(X^-1)^T"),
    (ops.trace(ops.inv(X) @ A), X, "-(X^-1 A X^-1)^T"),
    (a @ ops.inv(X) @ b, X, "-(X^-1)^T a b^T (X^-1)^T"),
    (ops.sum(X**2), X, "2 X"),
    (ops.norm(X), X, "X / ‖X‖_F"),
    (ops.norm(x - a), x, "(x - a) / ‖x - a‖"),
    (ops.logsumexp(x), x, "softmax(x)"),
    (-ops.sum(a * ops.log_softmax(x)), x, "sum(a) softmax(x) - a"),
    (ops.mean((M @ W) ** 2), W, "2 M^T M W / (k*m)"),
    (ops.sum((M @ x - y) ** 2) + s * ops.sum(x**2), x, "2 M^T (M x - y) + 2 s x"),
    (x @ x / (x @ A @ x), x, "2 x / (x^T A x) - ‖x‖^2 (A + A^T) x / (x^T A x)^2"),
    (ops.exp(a @ x), x, "exp(a^T x) a"),
    (ops.sum(ops.relu(M @ x)), x, "M^T where(0 < M x, 1, 0)"),
    ((x @ A @ x) / 2 - b @ x, x, "(A + A^T) x / 2 - b"),
    (ops.sum(x * ops.exp(x)), x, "x * exp(x) + exp(x)"),
    (r**3 - 2 * r, r, "3 r^2 - 2"),
    (s * ops.sum(x**4) / r, x, "4 s x^3 / r"),
]
HESSIANS: list[tuple[Node, str, tuple[str, ...]]] = [
    (a @ x, "zeros([n, n])", ("zero",)),
    (x @ A @ x, "A + A^T", ("constant", "symmetric")),
    ((x @ A @ x) / 2 - b @ x, "(A + A^T) / 2", ("constant", "symmetric")),
    (
        ops.sum((M @ x - y) ** 2),
        "2 M^T M",
        ("constant", "symmetric", "positive semidefinite", "rank ≤ m"),
    ),
    (ops.sum(x**4), "12 diag(x^2)", ("diagonal", "positive semidefinite")),
    (ops.logsumexp(x), "diag(softmax(x)) - softmax(x) softmax(x)^T", ("symmetric",)),
    (ops.norm(x), "eye(n) / ‖x‖ - x x^T / ‖x‖^3", ("symmetric",)),
    (
        ops.exp(a @ x),
        "exp(a^T x) a a^T",
        ("symmetric", "positive semidefinite", "rank ≤ 1"),
    ),
    ((a @ x) * (b @ x), "a b^T + b a^T", ("constant", "symmetric", "rank ≤ 2")),
    (
        ops.sum(ops.softplus(M @ x)),
        "M^T diag(sigmoid(M x) * (1 - sigmoid(M x))) M",
        ("symmetric", "positive semidefinite", "rank ≤ m"),
    ),
    (ops.sum(d * x**2), "2 diag(d)", ("constant", "diagonal")),
    (ops.sum(x**2) * s, "2 s eye(n)", ("constant", "diagonal")),
]


def board(node: Node) -> str:
    return formula(node, notation=BOARD)


def parsed(text: str, like: Node) -> Node:
    """The value of a formula, its leaves declared as they are."""
    leaves = sorted({n for n in toposort([like]) if n.op is ops.variable}, key=Node.label)
    declared = [f"input {n.label()} : {n.describe()}" for n in leaves]
    sizes = "dim n, m, k"
    *before, last = text.splitlines()
    return dsl.compile("\n".join([sizes, *declared, *before, f"result = {last}"])).nodes["result"]


@pytest.mark.parametrize("f, x, text", FORMS, ids=[row[2] for row in FORMS])
def test_a_gradient_has_its_textbook_form(f: Node, x: Node, text: str) -> None:
    (slope,) = gradients(f, [x])
    found = closed(slope)
    assert board(found.node) == text
    assert found.reduced
    assert found.node.shape == slope.shape
    before, after, again = values([slope, found.node, parsed(text, found.node)])
    close(after, before)
    close(again, before)


@pytest.mark.parametrize("f, text, words", HESSIANS, ids=[row[1] for row in HESSIANS])
def test_a_hessian_is_one_node_whose_structure_is_known(
    f: Node, text: str, words: tuple[str, ...]
) -> None:
    found = hessian(f, x)
    assert board(found) == text
    assert structure(found, x).words == words
    assert is_reduced(found)
    v = var("v", ["n"])
    product = jvp(gradients(f, [x])[0], [x], [v])
    along, pushed, written, meant = values([found @ v, product, parsed(text, found), found])
    close(along, pushed)
    close(written, meant)


@over(SMOOTH)
def test_the_textbook_form_of_every_operator_has_its_value(sample: Sample) -> None:
    """Of the operator itself, of its gradients, and of their derivative."""
    built = build(sample)
    seeds, tangents = directions([built.y], "g"), directions(built.floats, "dx")
    (g,) = seeds
    pulled = gradients(built.y, built.floats, g)
    pushed = [jvp(each, built.floats, list(tangents)) for each in (*pulled, built.y)]
    before = [built.y, *pulled, *pushed]
    after = textbook(before)
    feeds = built.feeds | seeds | tangents
    found = Evaluator([*before, *after], fuse=False).run(feeds)
    for old, new in zip(found[: len(before)], found[len(before) :], strict=True):
        close(new, old)


@over([each for each in SAMPLES if each in SMOOTH])
def test_the_matrix_of_a_linear_map_is_its_jacobian(sample: Sample) -> None:
    """For every operator of one vector; where no formula is seen there is none."""
    built = build(sample)
    for x in built.floats:
        if (
            x.rank != 1
            or built.y.rank not in (0, 1)
            or 0 in (*(x.shape or ()), *(built.y.shape or ()))
        ):
            continue
        v = var("v", x.shape)
        found = matrix(textbook([jvp(built.y, [x], [v])])[0], v)
        if found is not None:
            ones = torch.linspace(-1, 1, int(x.shape[0])).double()  # type: ignore[index]
            moved = jvp(built.y, [x], [v])
            along, pushed = Evaluator([found @ v, moved], fuse=False).run({**built.feeds, v: ones})
            close(along, pushed)


UNARY: list[Callable[[Node], Node]] = [
    lambda m: m.T,
    lambda m: -m,
    lambda m: 2 * m,
    lambda m: s * m,
    lambda m: m / r,
    lambda m: ops.inv(A) @ m,
    lambda m: ops.exp(m / 50),
    lambda m: m * m,
    lambda m: d[:, None] * m,
    lambda m: m * a[None, :],
    lambda m: ops.diag(d) @ m,
    lambda m: (m @ x)[:, None] * b[None, :],
    lambda m: ops.trace(m) * A,
    lambda m: ops.sum(m) * m,
    ops.softmax,
    lambda m: m + ops.eye("n"),
]
BINARY: list[Callable[[Node, Node], Node]] = [
    lambda p, q: p + q,
    lambda p, q: p - q,
    lambda p, q: p @ q,
    lambda p, q: p @ q.T,
    lambda p, q: p * q,
    lambda p, q: p / (q * q + 1),
    lambda p, q: (a @ p @ b) * q,
]
SCALARS: list[Callable[[Node], Node]] = [
    ops.trace,
    ops.sum,
    ops.norm,
    lambda m: a @ m @ x,
    lambda m: x @ m @ x,
    lambda m: ops.sum((m @ x - b) ** 2),
    lambda m: ops.logsumexp(m @ x),
    lambda m: ops.sum(ops.tanh(m @ x)),
]


@pytest.mark.parametrize("seed", range(150))
def test_random_matrix_expressions_keep_their_value(seed: int) -> None:
    """Gradients by a matrix and by a vector, the Hessian, and what is written parses back."""
    random = Random(seed)
    pool: list[Node] = [A, B, X]
    for _ in range(random.randint(1, 5)):
        if random.random() < 0.5:
            pool.append(random.choice(UNARY)(random.choice(pool)))
        else:
            pool.append(random.choice(BINARY)(pool[-1], random.choice(pool)))
    f = random.choice(SCALARS)(pool[-1])
    slopes = gradients(f, [X, x])
    forms = textbook(slopes)
    for old, new in zip(*halves(values([*slopes, *forms])), strict=True):
        close(new, old, 1e-8)
    for form in forms:
        written, meant = values([parsed(board(form), form), form])
        close(written, meant, 1e-8)


def halves(found: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    return found[: len(found) // 2], found[len(found) // 2 :]


@pytest.mark.parametrize("seed", range(100))
def test_random_hessians_are_those_of_passes(seed: int) -> None:
    """The formula, and a pass for each row at sizes known as numbers."""
    random = Random(seed)
    at = var("x", [3])
    P, q = torch.randn(4, 3).double(), torch.randn(3).double()
    inner = random.choice([lambda u: u, lambda u: ops.const(P) @ u, lambda u: u * u, ops.softmax])
    outer = random.choice(
        [
            lambda u: ops.sum(u**3),
            ops.logsumexp,
            ops.norm,
            lambda u: ops.sum(ops.tanh(u) ** 2),
            lambda u: ops.sum(ops.sigmoid(u)) ** 2,
            lambda u: ops.mean(ops.exp(u / 3)),
        ]
    )
    f = outer(inner(at)) * random.choice([ops.const(1.0), ops.sum(at * ops.const(q))])
    (slope,) = gradients(f, [at])
    feeds = {at: torch.tensor([0.7, 1.1, -0.4]).double()}
    rows = [gradients(slope[i], [at])[0] for i in range(3)]
    found, passes = Evaluator([hessian(f, at), ops.stack(rows)], fuse=False).run(feeds)
    close(found, passes, 1e-9)


def test_a_vector_in_a_row_is_written_transposed() -> None:
    (slope,) = gradients(x @ A @ x, [x])
    assert in_a_row(textbook([slope])[0]) == "x^T (A + A^T)"
    f = ops.sum((M @ x - y) ** 2) / 3 - s * ops.sum(x**2) + a @ x
    (form,) = textbook(gradients(f, [x]))
    assert in_a_row(form) == "2 (M x - y)^T M / 3 + a^T - 2 s x^T"
    column, row = values([form, parsed(in_a_row(form), form)])
    close(row, column)


def test_what_is_not_reduced_says_so_and_is_right() -> None:
    f = ops.sum(ops.cumsum(x) ** 2)
    (slope,) = gradients(f, [x])
    found = closed(slope)
    assert not found.reduced
    assert found.words == ("not reduced",)
    before, after = values([slope, found.node])
    close(after, before)


def test_values_with_names_are_not_opened() -> None:
    residual = M @ x - y
    (slope,) = gradients(ops.sum(residual**2), [x])
    (form,) = textbook([slope], keep=[residual])
    assert formula(form, {residual: "r"}, BOARD) == "2 M^T r"


def test_a_sum_of_a_thousand_terms_and_a_chain_of_a_thousand_factors_are_read() -> None:
    total, product = x, A
    for i in range(1000):
        total = total + A @ x * float(i)
        product = product @ A
    assert board(textbook([total])[0]) == "x + 499500 A x"
    assert textbook([product])[0].shape == product.shape


ELEMENTS = [
    (
        "f(z : [2]) = (1 - z[0])^2 + 100 (z[1] - z[0]^2)^2",
        "a = z[1] - z[0]^2\n[-(2 (1 - z[0]) + 400 a z[0]), 200 a]",
        "[2 + 800 z[0]^2 - 400 (z[1] - z[0]^2), -400 z[0]; -400 z[0], 200]",
    ),
    ("f(z : [2]) = z[0] * z[-1]", "[z[-1], z[0]]", "[0, 1; 1, 0]"),
    ("f(z : [3]) = z[0]^3 + z[2]", "[3 z[0]^2, 0, 1]", "[6 z[0], 0, 0; 0, 0, 0; 0, 0, 0]"),
]


@pytest.mark.parametrize("text, slope, second", ELEMENTS)
def test_a_function_of_single_elements_has_its_derivatives_element_by_element(
    text: str, slope: str, second: str
) -> None:
    program = dsl.compile(f"{text}\n∇f\nhessian(f)")
    told = [each.formula.text() for each in program.shown if each.formula]
    assert [each.rpartition("   ")[0] for each in told] == [slope, second]
    z = var("z", [int(text[7])])
    point = torch.tensor([1.5, -0.5, 2.0]).double()[: int(text[7])]
    for written, form in ((slope, "∇f(z)"), (second, "hessian(f, z)")):
        *before, last = written.splitlines()
        lines = [text, f"input z : [{text[7]}]", *before, f"written = {last}", f"meant = {form}"]
        p = dsl.compile("\n".join(lines))
        close(p.run("written", {"z": point}).double(), p.run("meant", {"z": point}))
    assert z.shape == point.shape


def test_the_gradients_of_a_classifier_are_those_of_the_lecture() -> None:
    """By the rows of softmax minus one-hot; sums over the batch for the biases."""
    program = dsl.compile(
        "input X : [B, d], y : int[B]\ndim h = 5, k = 3\n"
        "param W : [d, h] ~ normal(0, 1)\nparam b : [h] = 0\n"
        "param V : [h, k] ~ normal(0, 1)\nparam c : [k] = 0\n"
        "a = relu(X W + b)\nz = a V + c\nloss = cross_entropy(z, y)"
    )
    names = {node: name for name, node in program.nodes.items()}
    forms = {name: closed(node, names) for name, node in program.grad("loss").items()}
    assert {name: formula(form.node, names, BOARD) for name, form in forms.items()} == {
        "W": "X^T where(0 < X W + b, (softmax(z) - one_hot(y, k)) V^T / B, 0)",
        "b": "c = where(0 < X W + b, (softmax(z) - one_hot(y, k)) V^T / B, 0)\nsum(c, axis=-2)",
        "V": "a^T (softmax(z) - one_hot(y, k)) / B",
        "c": "sum(softmax(z) - one_hot(y, k), axis=-2) / B",
    }
    assert all(form.reduced for form in forms.values())
    feeds = {program.inputs["X"]: torch.randn(6, 4), program.inputs["y"]: torch.arange(6) % 3}
    leaves = {
        program.params[name]: value for name, value in program.init(seed=1, sizes={"d": 4}).items()
    }
    nodes = [*program.grad("loss").values(), *(form.node for form in forms.values())]
    for old, new in zip(*halves(Evaluator(nodes).run({**feeds, **leaves})), strict=True):
        close(new, old, 1e-5)


def test_a_choice_by_a_norm_that_is_no_slope_of_it_stays() -> None:
    (form,) = textbook([ops.where(ops.not_equal(ops.norm(x), 0), a, 0.0)])
    feeds = {x: torch.zeros(3), a: torch.ones(3)}
    assert Evaluator([form]).run(feeds)[0].tolist() == [0, 0, 0]
