"""Definitions: functions in functions, defaults, `where`, blocks, comprehensions."""

from __future__ import annotations

import pytest
import torch

from tests.forms import Meaning, check

FORMS: dict[str, Meaning] = {
    "z : [n] = A x\nz": lambda v: v.A @ v.x,
    "z ∈ ℝ^n = A x\nz": lambda v: v.A @ v.x,
    "z : float = s\nz": lambda v: v.s,
    "k : int = 3\nk x": lambda v: 3 * v.x,
    "z : [..., n] = X\nz": lambda v: v.X,
    "z : [_, n] = A\nz": lambda v: v.A,
    "z : [B, T, 4] = X\nz": lambda v: v.X,
    "z : [B, T, 2m - 2] = X\nz": lambda v: v.X,
    "a, b : [n] = x, y\na + b": lambda v: v.x + v.y,
    "z = x\nz = z + y\nz = 2 z\nz": lambda v: 2 * (v.x + v.y),
    "a, b = b1, a1 where a1 = x, b1 = y\na - b": lambda v: v.y - v.x,
    "a, b = x, y\na, b = b, a\na - b": lambda v: v.y - v.x,
    "a, b = [x, y]\na - b": lambda v: v.x - v.y,
    "a, b, c, d = A\nb": lambda v: v.A[1],
    "a, b, c = M^T\nb": lambda v: v.M[:, 1],
    "f(z : [..., k], p=0.1) = p z / k\nf(X) + f(X, p=0.2) + f(X, 0.3) + f(z=X)": lambda v: (
        0.7 * v.X / 4
    ),
    "f(a, b, c=3) = a + 10 b + 100 c\nf(1, 2) + f(b=2, a=1) + f(1, c=0, b=2)": lambda v: (
        321 + 321 + 21
    ),
    "f(a, b=2 a) = a + b\nf(s)": lambda v: 3 * v.s,
    "f(z : [k], w=ones([k])) = z^T w\nf(x)": lambda v: v.x.sum(),
    "f(z : [..., k], h=2k) = z[..., None] * ones([h])\nsum(f(x))": lambda v: 8 * v.x.sum(),
    "f(z : [..., k], h=2k) =\n    param W : [k, h] = 1\n    z W\nf(X)": lambda v: v.X.sum(
        -1, keepdim=True
    ).expand(2, 5, 8),
    "f(z, g=sin) = g(z)\nf(x) + f(x, cos)": lambda v: v.x.sin() + v.x.cos(),
    "f(z, g=relu2) = g(z)\nrelu2(u) = max(0, u)²\nf(x)": lambda v: v.x.relu() ** 2,
    "f(g) = g(g(x))\nf(sin)": lambda v: v.x.sin().sin(),
    "f(k) = h where h(u) = k u\ng = f(3)\ng(x)": lambda v: 3 * v.x,
    "f(k) =\n    h(u) = k u\n    h\ng = f(3)\nq = f(4)\ng(x) + q(x)": lambda v: 7 * v.x,
    "f(k) =\n    h(u) = k u\n    h\nf(3)(x)": lambda v: 3 * v.x,
    "compose(f, g) = h where h(u) = f(g(u))\ncompose(sin, exp)(x)": lambda v: v.x.exp().sin(),
    "compose(f, g) =\n    h(u) = f(g(u))\n    h\n"
    "q = compose(compose(sin, cos), exp)\nq(x)": lambda v: v.x.exp().cos().sin(),
    "fs = [sin, cos]\nfs[0](x) + fs[1](x)": lambda v: v.x.sin() + v.x.cos(),
    "sum(f(x) for f in [sin, cos])": lambda v: v.x.sin() + v.x.cos(),
    "z = x\nfor f in [sin, cos, exp]:\n    z = f(z)\nz": lambda v: v.x.sin().cos().exp(),
    "f() = x + 1\nf()": lambda v: v.x + 1,
    "f(x) = 2 x\nf (y)": lambda v: 2 * v.y,
    "f(a) = f2(a)\nf2(a) = 2 a\nf(x)": lambda v: 2 * v.x,
    "f(a) = a + k\nk = 3\nf(s)": lambda v: v.s + 3,
    "f(n) = zeros([n]) + n\nf(3)": lambda v: [3.0, 3, 3],
    "f(u : [k]) : [k, k] = u u^T\nf(x)": lambda v: torch.outer(v.x, v.x),
    "f(u : [k]) ∈ ℝ = u^T u\nf(x)": lambda v: v.x @ v.x,
    "f(u) = a, b where a = u, b = 2 u\na, b = f(x)\na + b": lambda v: 3 * v.x,
    "f(u) = u, 2 u\nf(x)[1]": lambda v: 2 * v.x,
    "f(u) = [u, 2 u]\na, b = f(x)\nb": lambda v: 2 * v.x,
    "f(u : int[k]) = u + 1\nf(j)": lambda v: v.j + 1,
    "f(u : int) = zeros([u])\nf(3)": lambda v: torch.zeros(3),
    "f(u : bool[k]) = where(u, 1, 0)\nf(x > 0)": lambda v: (v.x > 0) * 1,
    'f(u, mode : text) = u\nf(x, mode="a")': lambda v: v.x,
    "f(u) = sin(u)\nf = cos\nf(x)": lambda v: v.x.cos(),
    "f(x ∈ ℝ^k) = 2 x\nf(y)": lambda v: 2 * v.y,
    "f(x : [k], y : [k]) = x^T y\nf(x, y)": lambda v: v.x @ v.y,
    "f(x, y : [k]) = x^T y\nf(x, y)": lambda v: v.x @ v.y,
    "quad(x) = ½ x^T Q x - c^T x where x ∈ ℝ^p, Q ∈ ℝ^(p×p) = A, c ∈ ℝ^p = y\nquad(x)": lambda v: (
        0.5 * v.x @ v.A @ v.x - v.y @ v.x
    ),
    "lin(u, W, b=0) = u W + b\nlin(X, M, ones([m]))": lambda v: v.X @ v.M + 1,
    "lin(u, W, b=None) = u W\nlin(X, M)": lambda v: v.X @ v.M,
    "[x^k for k in range(3)]": lambda v: torch.stack([v.x**0, v.x, v.x**2]),
    "[[k l for l in range(3)] for k in range(2)]": lambda v: [[0, 0, 0], [0, 1, 2]],
    "sum(sum(A[k, l] for l in range(n)) for k in range(n))": lambda v: v.A.sum(),
    "sum(A[k, k] for k in range(n))": lambda v: v.A.trace(),
    "prod(x[k] for k in range(n))": lambda v: v.x.prod(),
    "mean(x[k] for k in range(n))": lambda v: v.x.mean(),
    "max(x[k] for k in range(n))": lambda v: v.x.max(),
    "min(x[k] for k in range(n))": lambda v: v.x.min(),
    "logsumexp(x[k] for k in range(n))": lambda v: v.x.logsumexp(0),
    "concat([X[:, :, k:k+1] for k in range(n)], axis=-1)": lambda v: v.X,
    "stack([x, y], axis=1)": lambda v: torch.stack([v.x, v.y], 1),
    "heads = [X[..., k] for k in range(n)]\nheads[2] - heads[-1]": lambda v: (
        v.X[..., 2] - v.X[..., 3]
    ),
    "sum([1, 2, 3])": lambda v: 6,
    "sum([x, y], axis=0)": lambda v: v.x + v.y,
    "max(s, t)": lambda v: torch.maximum(v.s, v.t),
    "max([s, t])": lambda v: torch.maximum(v.s, v.t),
    "sum(x[k+1] - x[k] for k in range(n - 1))": lambda v: v.x[3] - v.x[0],
    "∑(100 (x[k+1] - x[k]^2)^2 + (1 - x[k])^2 for k in range(n-1))": lambda v: (
        100 * ((v.x[1:] - v.x[:-1] ** 2) ** 2).sum() + ((1 - v.x[:-1]) ** 2).sum()
    ),
    "sum(e^2 for e in x)": lambda v: (v.x**2).sum(),
    "sum(row^T y for row in A)": lambda v: (v.A @ v.y).sum(),
    "[row^T y for row in A]": lambda v: v.A @ v.y,
    "sum(k for k in range(10))": lambda v: 45,
    "sum(T for T in range(10))": lambda v: 45,
    "lin(u, W, b=None) = u W if b == None else u W + b\n"
    "lin(X, M) + lin(X, M, ones([m]))": lambda v: 2 * v.X @ v.M + 1,
    "lin(u, W, b=None) = u W + b if b != None else u W\n"
    "lin(X, M) + lin(X, M, b=ones([m]))": lambda v: 2 * v.X @ v.M + 1,
    "twice(f) =\n    h(u) = f(f(u))\n    h\ntwice(twice(twice(sin)))(t)": lambda v: __import__(
        "functools"
    ).reduce(lambda a, _: a.sin(), range(8), v.t),
    "s'": lambda v: v.s,
    "sᵀ": lambda v: v.s,
    "x^T x": lambda v: v.x @ v.x,
}


@pytest.mark.parametrize("text", FORMS)
def test_each_form_means_what_it_says(text: str) -> None:
    check(text, FORMS[text])
