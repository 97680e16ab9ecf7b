"""Every form of the language: what it means, by its value on data."""

import math
from typing import get_args

import pytest
import torch

import dsl
from dsl.lowering import state
from dsl.lowering.table import EXPRESSIONS, STATEMENTS
from dsl.syntax import Expr, Statement
from engine import Node
from tests.forms import F64, Meaning, check, value, values

f = torch.nn.functional

# What is written, and what it means in torch.
MEANINGS: dict[str, Meaning] = {
    # products
    "A x": lambda v: v.A @ v.x,
    "2 x": lambda v: 2 * v.x,
    "s A x": lambda v: v.s * (v.A @ v.x),
    "x^T y": lambda v: v.x @ v.y,
    "x y^T": lambda v: torch.outer(v.x, v.y),
    "xᵀ A y": lambda v: v.x @ v.A @ v.y,
    "x' y": lambda v: v.x @ v.y,
    "x · y": lambda v: v.x @ v.y,
    "s · x": lambda v: v.s * v.x,
    "A · M": lambda v: v.A @ v.M,
    "x @ y": lambda v: v.x @ v.y,
    "A @ x": lambda v: v.A @ v.x,
    "x * y": lambda v: v.x * v.y,
    "x ⊙ y": lambda v: v.x * v.y,
    "X Y^T": lambda v: v.X @ v.Y.mT,
    "A'": lambda v: v.A.mT,
    "A''": lambda v: v.A,
    "(x^T)^T y^T": lambda v: torch.outer(v.x, v.y),
    "(x^T + 2 y^T) y": lambda v: (v.x + 2 * v.y) @ v.y,
    "exp(x^T) y": lambda v: v.x.exp() @ v.y,
    "(x^T)[1:] y[1:]": lambda v: v.x[1:] @ v.y[1:],
    "-x^T y": lambda v: -(v.x @ v.y),
    "100 (t - s^2)^2": lambda v: 100 * (v.t - v.s**2) ** 2,
    "dot(x, y)": lambda v: v.x @ v.y,
    "outer(x, y)": lambda v: torch.outer(v.x, v.y),
    # powers and inverses
    "x^2": lambda v: v.x**2,
    "-x²": lambda v: -(v.x**2),
    "s^-1": lambda v: 1 / v.s,
    "A^-1 x": lambda v: torch.linalg.inv(v.A) @ v.x,
    "A⁻¹": lambda v: torch.linalg.inv(v.A),
    "s^t": lambda v: v.s**v.t,
    "s^(t + 1)": lambda v: v.s ** (v.t + 1),
    "√s": lambda v: v.s.sqrt(),
    "√n": lambda v: 2.0,
    "2^-2": lambda v: 0.25,
    "10^19": lambda v: 1e19,
    "3 * 4^40": lambda v: 3.0 * 4.0**40,
    "3_000_000_000 * 4_000_000_000": lambda v: 1.2e19,
    "7/2": lambda v: 3.5,
    "½ s": lambda v: v.s / 2,
    # comparisons and choices
    "x < y": lambda v: v.x < v.y,
    "x ≥ y and not x == y": lambda v: v.x >= v.y,
    "x > 0 or y != x": lambda v: (v.x > 0) | (v.y != v.x),
    "x if x > y else 2 y": lambda v: torch.where(v.x > v.y, v.x, 2 * v.y),
    "1 if n > 3 else missing": lambda v: 1,
    "where(x ≤ 0, 0.1 x, x)": lambda v: f.leaky_relu(v.x, 0.1),
    "max(0, x)": lambda v: v.x.relu(),
    "max(x, y)": lambda v: torch.maximum(v.x, v.y),
    "min(x)": lambda v: v.x.min(),
    # reductions
    "sum(X, axis=-1)": lambda v: v.X.sum(-1),
    "mean(X, axis=T)": lambda v: v.X.mean(1),
    "z = 0\nfor T in range(2):\n    z = z + sum(X, axis=T)[0]\nz": lambda v: (
        v.X.sum(0)[0] + v.X.sum(1)[0]
    ),
    "dim p = 4\nsum(ones([p, n]) * x, axis=n)": lambda v: v.x.sum().expand(4),
    "mean(X, axis=[0, 1], keepdims=true)": lambda v: v.X.mean((0, 1), keepdim=True),
    "∑ x": lambda v: v.x.sum(),
    "∑(x - y)^2": lambda v: ((v.x - v.y) ** 2).sum(),
    "std(x, correction=1)": lambda v: v.x.std(),
    "argmax(X, axis=-1)": lambda v: v.X.argmax(-1),
    "argmin(x)": lambda v: v.x.argmin(),
    "sum(x[k]^2 for k in range(n))": lambda v: (v.x**2).sum(),
    "sum(k X for k in range(3))": lambda v: 3 * v.X,
    "max([x, y][k] for k in range(2))": lambda v: torch.maximum(v.x, v.y),
    "‖x‖": lambda v: v.x.norm(),
    "‖x‖²": lambda v: (v.x**2).sum(),
    "∇_x ‖x‖² + ∇_x ‖x‖": lambda v: 2 * v.x + v.x / v.x.norm(),
    "‖A‖_F²": lambda v: (v.A**2).sum(),
    "‖x - x‖^2": lambda v: 0.0,
    "‖x‖₁": lambda v: v.x.abs().sum(),
    "‖x‖_∞": lambda v: v.x.abs().max(),
    "‖x‖_3": lambda v: torch.linalg.vector_norm(v.x, 3),
    "||A||_F": lambda v: torch.linalg.matrix_norm(v.A),
    "|x|": lambda v: v.x.abs(),
    # indices and layout
    "X[:, 1:]": lambda v: v.X[:, 1:],
    "X[..., -1]": lambda v: v.X[..., -1],
    "X[0, :, None]": lambda v: v.X[0, :, None],
    "X[:, ::2]": lambda v: v.X[:, ::2],
    "X[:, T - 2]": lambda v: v.X[:, 3],
    "X[:, :n/2]": lambda v: v.X[:, :2],
    "A[i]": lambda v: v.A[v.i],
    "[x, y][1]": lambda v: v.y,
    "[x, y, x][1:][0]": lambda v: v.y,
    "X.shape[1] + 1": lambda v: 6,
    "reshape(X, [B, T, 2, n/2])": lambda v: v.X.reshape(2, 5, 2, 2),
    "reshape(X, [B, -1])": lambda v: v.X.reshape(2, 20),
    "reshape(X, Y.shape)": lambda v: v.X,
    "transpose(X, [2, 0, 1])": lambda v: v.X.permute(2, 0, 1),
    "concat([X, Y], axis=-1)": lambda v: torch.cat([v.X, v.Y], -1),
    "concat(X, Y, axis=T)": lambda v: torch.cat([v.X, v.Y], 1),
    "stack(x, y)": lambda v: torch.stack([v.x, v.y]),
    "expand(x, [T, n])": lambda v: v.x.expand(5, 4),
    "x[:, None] + y": lambda v: v.x[:, None] + v.y,
    "[x, y]": lambda v: torch.stack([v.x, v.y]),
    "[1, 2; 3, 4]": lambda v: torch.tensor([[1, 2], [3, 4]]),
    "[[1, 2], [3, 0.1]]": lambda v: torch.tensor([[1, 2], [3, 0.1]], dtype=F64),
    "[s, 1]": lambda v: torch.stack([v.s, torch.ones((), dtype=F64)]),
    'rearrange(X, "b t (h k) -> b h t k", h=2)': lambda v: v.X.reshape(2, 5, 2, 2).transpose(1, 2),
    'rearrange(X, "... k -> (... k)")': lambda v: v.X.flatten(),
    'rearrange(X, "b ... -> ... b")': lambda v: v.X.permute(1, 2, 0),
    "flip(x, axis=0)": lambda v: v.x.flip(0),
    "pick(X, i)": lambda v: v.X.gather(-1, v.i[..., None])[..., 0],
    "one_hot(i, n)": lambda v: f.one_hot(v.i, 4).to(F64),
    # made of sizes
    "arange(T)": lambda v: torch.arange(5),
    "arange(1, T + 1)": lambda v: torch.arange(1, 6),
    "zeros([T, n])": lambda v: torch.zeros(5, 4, dtype=F64),
    "eye(T)": lambda v: torch.eye(5, dtype=F64),
    "causal(3)": lambda v: torch.full((3, 3), -1e9, dtype=F64).triu(1),
    "T": lambda v: 5,
    "4n - B": lambda v: 14,
    # linear algebra and the rest of the library
    "solve(A, x)": lambda v: torch.linalg.solve(v.A, v.x),
    "det(A)": lambda v: torch.linalg.det(v.A),
    "logdet(A A^T)": lambda v: torch.logdet(v.A @ v.A.T),
    "trace(A)": lambda v: v.A.trace(),
    "diag(x)": lambda v: torch.diag(v.x),
    "triu(A, diagonal=1)": lambda v: v.A.triu(1),
    'einsum("bti,ij->btj", X, A)': lambda v: v.X @ v.A,
    "softmax(X)": lambda v: v.X.softmax(-1),
    "softmax(X, axis=T)": lambda v: v.X.softmax(1),
    "layernorm(X, x, y)": lambda v: f.layer_norm(v.X, (4,), v.x, v.y),
    "cross_entropy(X, i)": lambda v: f.cross_entropy(v.X.flatten(0, 1), v.i.flatten()),
    "gelu(x)": lambda v: f.gelu(v.x),
    "gelu_tanh(x)": lambda v: f.gelu(v.x, approximate="tanh"),
    "tan(x)": lambda v: v.x.tan(),
    "cumsum(X, axis=1)": lambda v: v.X.cumsum(1),
    "logsumexp(X, axis=-1)": lambda v: v.X.logsumexp(-1),
    "stop(x)": lambda v: v.x,
    "float(i) / 2": lambda v: v.i / 2,
    # functions
    "g(z) = z^2 + s\ng(t)": lambda v: v.t**2 + v.s,
    "g(z, k=2) = k z\ng(x) + g(x, 3) + g(x, k=4)": lambda v: 9 * v.x,
    "g(z, k=n/2) = k z\ng(x)": lambda v: 2 * v.x,
    "g(h, z) = h(h(z))\ng(relu2, x)": lambda v: v.x.relu() ** 4,
    "g(h, z) = h(z)\ng(sin, x)": lambda v: v.x.sin(),
    "twice(h, z) = h(h(z))\nq(z) = twice(exp, z)\ntwice(q, 0.1 t)": lambda v: (
        (0.1 * v.t).exp().exp().exp().exp()
    ),
    "g(Z : [..., k]) = Z / √k\ng(X)": lambda v: v.X / 2,
    "g(Z : [a, b]) = zeros([b, a])\ng(M)": lambda v: torch.zeros(3, 4, dtype=F64),
    "g(z) : [n] = 2 z\ng(x)": lambda v: 2 * v.x,
    "g(z) = a + b where\n    a = 2 z\n    b = a^2\ng(t)": lambda v: 2 * v.t + 4 * v.t**2,
    "g(z) =\n    a = 2 z\n    return a + 1\ng(t)": lambda v: 2 * v.t + 1,
    "g(z) = z + 1, z + 2\na, b = g(t)\na b": lambda v: (v.t + 1) * (v.t + 2),
    "g(z) =\n    h(w) = w z\n    h(z)\ng(t)": lambda v: v.t**2,
    "q, k, v = split(X, [1, 1, 2])\nk * v": lambda v: v.X[..., 1:2] * v.X[..., 2:],
    "q, k = split(X, 2)\nq k^T": lambda v: v.X[..., :2] @ v.X[..., 2:].mT,
    "a, b = x, y\na + 2 b": lambda v: v.x + 2 * v.y,
    "a, b, c = [1, 2, 3]\na + 10 b + 100 c": lambda v: 321,
    # loops
    "z = x\nrepeat 3:\n    z = 2 z + y\nz": lambda v: 8 * v.x + 7 * v.y,
    "z = 0\nfor k in range(1, n):\n    z = z + k x[k]\nz": lambda v: sum(
        k * v.x[k] for k in (1, 2, 3)
    ),
    "z = x\nfor k in [1, 2]:\n    repeat k: z = 2 z\nz": lambda v: 8 * v.x,
    "[k^2 for k in range(4)]": lambda v: torch.tensor([0, 1, 4, 9]),
    "[e + 1 for e in x]": lambda v: v.x + 1,
    # in a shape the innermost size of a name counts
    "n = 2\nreshape(x, [n, 2])": lambda v: v.x.reshape(2, 2),
    "T = X\nzeros([T])": lambda v: torch.zeros(5, dtype=F64),
    "g(z, n) = reshape(z, [n, -1])\ng(x, 2)": lambda v: v.x.reshape(2, 2),
    # derivatives
    "g(z) = z^3\ng'(t)": lambda v: 3 * v.t**2,
    "g(z) = z^3\ng''(t)": lambda v: 6 * v.t,
    # a constant that equals the point does not vary with it
    "g(z) = z^3\ng'''(2)": lambda v: torch.tensor(6, dtype=F64),
    "g(z) = z^3\nh(z) = g'(z)\nh'(3) + h''(3)": lambda v: torch.tensor(24, dtype=F64),
    "g(z) = sum(exp(z))\nhessian(g, ones([2]))": lambda v: math.e * torch.eye(2, dtype=F64),
    "g(z) = s^z\ng''(log(s))": lambda v: v.s.log() ** 2 * v.s ** v.s.log(),
    "g(z) = z^3\n(g')(t) + ∂(g(t))/∂t": lambda v: 6 * v.t**2,
    "sin'(x)": lambda v: v.x.cos(),
    "relu2'(A x)": lambda v: 2 * (v.A @ v.x).relu(),
    "g(z) = z^T A z\n∇g(x)": lambda v: (v.A + v.A.T) @ v.x,
    "g(z) = z^T A z\ngrad(g, x)": lambda v: (v.A + v.A.T) @ v.x,
    "g(z) = z^T A z\nh = grad(g)\nh(x)": lambda v: (v.A + v.A.T) @ v.x,
    "g(z) = z^T A z\nhessian(g, x)": lambda v: v.A + v.A.T,
    "g(z) = (z^T A z)²\nhvp(g, x, y)": lambda v: (
        2 * (v.x @ v.A @ v.x) * (v.A + v.A.T) @ v.y
        + 2 * ((v.A + v.A.T) @ v.x @ v.y) * ((v.A + v.A.T) @ v.x)
    ),
    "g(z) = A (z ⊙ z)\njacobian(g, x)": lambda v: 2 * v.A * v.x,
    "g(z) = A (z ⊙ z)\njvp(g, x, y)": lambda v: 2 * (v.A * v.x) @ v.y,
    "g(z) = A (z ⊙ z)\nvjp(g, x, y)": lambda v: 2 * (v.A * v.x).T @ v.y,
    "loss = ‖A x - y‖²\n∇_x loss": lambda v: 2 * v.A.T @ (v.A @ v.x - v.y),
    "loss = ‖A x - y‖²\n∂loss/∂A": lambda v: 2 * torch.outer(v.A @ v.x - v.y, v.x),
    "loss = ‖A x - y‖²\ngrad(loss, [x, y])[1]": lambda v: -2 * (v.A @ v.x - v.y),
    "h = A x\nloss = h^T h\ngrad(loss, h)": lambda v: 2 * v.A @ v.x,
    "g = ∇_x (x^T A x)\n∇_x (g^T y)": lambda v: (v.A + v.A.T) @ v.y,
    "g(z) = z t\n(g(t) + 0 s) + ∇g(t)": lambda v: v.t**2 + v.t,  # by the argument alone
    "g(z) = z ∂(z s)/∂z\n∇g(t)": lambda v: v.s,
    "outer1(a) = a inner1(a) where inner1(b) = b a\nouter1'(t)": lambda v: 3 * v.t**2,
    "g(a) = a k'(a) where k(b) = a b\ng'(t)": lambda v: 2 * v.t,
    "g(x) = sum(stop(x) ⊙ x)\n∇g(x)": lambda v: v.x,
}


@pytest.mark.parametrize("text", MEANINGS)
def test_each_form_means_what_it_says(text: str) -> None:
    check(text, MEANINGS[text])


def nodes(text: str) -> dict[str, Node]:
    return dict(dsl.compile(text).nodes)


def test_the_first_example_of_the_reference() -> None:
    program = dsl.compile(
        "dim d = 64\n"
        "input Q, K, V : [B, T, d]\n"
        "scores = softmax(Q @ K^T / sqrt(d) + causal(T))\n"
        "out = scores @ V\n"
    )
    q, k, v = torch.randn(3, 2, 5, 64, dtype=F64)
    wanted = f.scaled_dot_product_attention(q, k, v, is_causal=True)
    found = program.run("out", {"Q": q, "K": k, "V": v})
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "size, shown",
    [
        ("4n", "4n"),
        ("n + 1", "n + 1"),
        ("2 (n + 1)", "2n + 2"),
        ("n/H", "n/H"),
        ("h", "4n"),
        ("H * (n/H)", "n"),
        ("n^2", "n^2"),
        ("_", "?"),
        ("3", "3"),
        ("k", "k"),
        ("k + 1", "6"),
    ],
)
def test_sizes_are_polynomials(size: str, shown: str) -> None:
    text = f"dim n, H, h = 4n\nk = 5\ninput x : [{size}]\ny = 2 x"
    node = nodes(text.replace("[k]", "[new]"))["y"]
    assert node.describe() in (f"[{shown}]", "[new]")


@pytest.mark.parametrize(
    "name", ["F", "torch", "device", "dtype", "class", "lambda", "step", "d_1"]
)
def test_a_size_may_be_called_as_it_likes(name: str) -> None:
    text = f"input x : [B, {name}]\ny = gelu(x) + zeros([{name}]) + mean(ones([2 {name}/2 + B]))"
    found = dsl.compile(text).run("y", {"x": torch.zeros(2, 3)})
    assert torch.equal(found, torch.ones(2, 3))


def test_a_size_with_a_value_keeps_its_name() -> None:
    assert nodes("dim d = 64, h = 4d\ninput x : [d, h]\ny = 2 x")["y"].describe() == "[d, h]"


def test_a_function_binds_its_sizes_anew_at_each_call() -> None:
    text = "g(x : [a, b]) = x^T\ninput p : [3, u]\ninput q : [v, 4]\ny = g(p)\nz = g(q)\nw = g(y)"
    assert [node.describe() for node in nodes(text).values()] == ["[u, 3]", "[4, v]", "[3, u]"]


PATHS = {
    "lin(x, k) =\n    param W : [k] = 0\n    x + W\ny = lin(lin(0, 3), 3)": ["lin.W", "lin_2.W"],
    "lin(x) =\n    param W : [] = 0\n    x W\nf(x) = lin(lin(x))\ny = f(f(1))": [
        "f.lin.W",
        "f.lin_2.W",
        "f_2.lin.W",
        "f_2.lin_2.W",
    ],
    'lin(x) =\n    param W : [] = 0\n    x W\ny = lin(1, name="c_attn") + lin(2)': [
        "c_attn.W",
        "lin.W",
    ],
    "lin(x) =\n    param W : [] = 0\n    x W\ny = 1\nrepeat 2:\n    y = lin(lin(y))\nz = lin(y)": [
        "lin.0.W",
        "lin_2.0.W",
        "lin.1.W",
        "lin_2.1.W",
        "lin_3.W",
    ],
    'lin(x) =\n    param W : [] = 0\n    x W\ny = 1\nrepeat 2: y = lin(y, name="h")': [
        "h.0.W",
        "h.1.W",
    ],
    "y = 1\nrepeat 2:\n    param W : [] = 0\n    y = W y": ["W.0", "W.1"],
    "lin(x) =\n    param W : [] = 0\n    x W\ny = [lin(k) for k in range(2)]\nz = lin(1)": [
        "lin.0.W",
        "lin.1.W",
        "lin_2.W",
    ],
    "lin(x) =\n    param W : [] = 0\n    x W\nap(h, x) = h(x)\ny = ap(lin, 1)": ["ap.lin.W"],
    "param W : [3]\nf(V, x) = V x\ny = f(W, 1) + f(W, 2)": ["W"],
}


@pytest.mark.parametrize("text", PATHS)
def test_a_parameter_is_made_once_for_each_path_of_calls(text: str) -> None:
    assert sorted(dsl.compile(text).params) == sorted(PATHS[text])


def test_a_parameter_can_be_taken_by_its_path() -> None:
    text = "lin(x) =\n    param W : [3] = 1\n    x W\ny = lin(2)\nz = sum(lin.W^2)"
    program = dsl.compile(text)
    assert program.run("z", {}, program.init()) == 3


def test_where_declares_inputs_and_shapes() -> None:
    program = dsl.compile("g(x) = x^T A x where x ∈ ℝ^n, A ∈ ℝ^(n×n)\ninput z : [3]\ny = g(z)")
    assert {name: leaf.describe() for name, leaf in program.inputs.items()} == {
        "z": "[3]",
        "A": "[3, 3]",
    }


def test_nabla_alone_shows_the_formula() -> None:
    program = dsl.compile("g(x) = x^T A x where x ∈ ℝ^n, A ∈ ℝ^(n×n)\n∇g")
    (shown,) = program.shown
    assert isinstance(shown.value, Node)
    assert shown.value.describe() == "[n]"
    assert program.inputs == {}


def test_consts_come_from_the_caller() -> None:
    text = "const A : [k, k]\nconst lr\ninput x : [k]\ny = lr A x"
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=F64)
    program = dsl.compile(text, consts={"A": a, "lr": 0.5, "other": object()})
    x = torch.tensor([1.0, 1.0], dtype=F64)
    torch.testing.assert_close(program.run("y", {"x": x}), a @ x / 2)


def test_names_of_the_library_may_be_shadowed() -> None:
    assert value("softmax(z) = z + 1\nsoftmax(t)") == values().t + 1
    assert value("sum = 3\nsum") == 3


def test_a_loop_of_a_hundred_thousand_passes_is_lowered() -> None:
    program = dsl.compile("n = 0\nrepeat 20000:\n    n = n + 1\nx = zeros([n])")
    assert program.nodes["x"].shape == (20000,)


@pytest.mark.parametrize(
    "text, what",
    [
        ("repeat 2000000:\n    x = 1", "more than 1,000,000 passes"),
        ("for k in range(20000):\n    x = 1", "more than 10,000 steps"),
        ("input x : [20000]\nH = hessian(x^T x, x)", "more than 10,000 steps"),
        (
            "f(x) = sin(sin(x)^2 x)\ng(x) = f''''''''(x)\ninput t : []\ny = g''''''''(t)",
            "more than 10,000 steps",
        ),
        ("repeat 200:\n    repeat 200:\n        x = 1", "this makes more than 10,000 steps"),
        ("y = [[k for k in range(200)] for j in range(200)]", "this makes more than 10,000 steps"),
    ],
)
def test_what_unrolls_without_end_meets_a_limit(
    text: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state.MOST_STEPS == 1_000_000
    monkeypatch.setattr(state, "MOST_STEPS", 10_000)
    with pytest.raises(dsl.DslError, match=what):
        dsl.compile(text)


def test_polynomials_of_sizes_stay_small() -> None:
    names = ", ".join(f"a{k}" for k in range(9))
    sum_of_all = names.replace(",", " +")
    text = f"dim {names}\nx = {sum_of_all}\nrepeat 40: x = x ({sum_of_all})\n"
    assert dsl.compile(text).nodes["x"].shape == ()
    with pytest.raises(dsl.DslError, match="`x` is not a size"):
        dsl.compile(text + "y = zeros([x])")
    with pytest.raises(dsl.DslError, match="this size has too many terms"):
        dsl.compile(f"dim {names}\ninput x : [({sum_of_all})^8]")


def test_every_kind_of_syntax_is_lowered() -> None:
    assert set(get_args(Expr)) <= set(EXPRESSIONS)
    assert set(get_args(Statement)) == set(STATEMENTS)


def test_calls_nested_beyond_reason_meet_a_limit() -> None:
    lines = ["f0(x) = x", *(f"f{k}(x) = f{k - 1}(x + 1)" for k in range(1, 500)), "y = f499(0)"]
    with pytest.raises(dsl.DslError, match="nested too deep"):
        dsl.compile("\n".join(lines))


def test_expressions_nested_as_deep_as_the_parser_takes_are_lowered() -> None:
    text = "input x : []\ny = " + "sin(" * 90 + "x" + ")" * 90
    assert dsl.compile(text).run("y", {"x": 0.0}) == 0


def test_nodes_know_where_they_were_written_and_by_whom_called() -> None:
    program = dsl.compile("g(x) =\n    h = exp(x)\n    h + 1\ninput z : []\ny = g(z)")
    y = program.nodes["y"]
    assert program.origins[y].text == "h + 1"
    assert program.places[y] == ("g",)
    (exp, _) = y.inputs
    assert program.labels[exp] == "h"
    assert program.origins[exp].text == "exp(x)"


def test_math_of_the_reference_module() -> None:
    assert math.isclose(float(value("π")), math.pi, rel_tol=1e-6)
    assert value("∞") == math.inf
