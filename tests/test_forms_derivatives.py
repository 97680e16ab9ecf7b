"""Derivatives of every form, nested in each other, in functions and loops."""

from __future__ import annotations

import pytest
import torch

from tests.forms import Meaning, check, slope

FORMS: dict[str, Meaning] = {
    "dim k = 2\nX[:, :-k]": lambda v: v.X[:, :-2],
    "dim k = 2\nX[:, -k:]": lambda v: v.X[:, -2:],
    "dim k = 2\nX[:, k:]": lambda v: v.X[:, 2:],
    "dim k = 2\nx[-k]": lambda v: v.x[-2],
    "dim k = 2\nX[:, -k]": lambda v: v.X[:, -2],
    "dim k = 2\nX[:, k:] - X[:, :-k]": lambda v: v.X[:, 2:] - v.X[:, :-2],
    "dim k = 2\nx[k:2k]": lambda v: v.x[2:4],
    "dim k = 2\nx[-k:-1]": lambda v: v.x[-2:-1],
    "dim k = 2\nX[:, T-k:T]": lambda v: v.X[:, 3:5],
    "f(z) = z^T A z\n∇f(x)": lambda v: slope(lambda z: z @ v.A @ z, v.x),
    "f(z) = z^T A z\n∇f(x + y)": lambda v: slope(lambda z: z @ v.A @ z, v.x + v.y),
    "f(z) = z^T A z\n∇f(x)^T y": lambda v: slope(lambda z: z @ v.A @ z, v.x) @ v.y,
    "f(z) = z^T A z\n‖∇f(x)‖²": lambda v: (slope(lambda z: z @ v.A @ z, v.x) ** 2).sum(),
    "f(z) = z^T A z\nx - 0.1 ∇f(x)": lambda v: v.x - 0.1 * slope(lambda z: z @ v.A @ z, v.x),
    "f(z) = z^T A z\nh(z) = ‖∇f(z)‖²\n∇h(x)": lambda v: slope(
        lambda z: (((v.A + v.A.T) @ z) ** 2).sum(), v.x
    ),
    "f(z) = sum(z^3)\nhessian(f, x) y": lambda v: 6 * v.x * v.y,
    "f(z) = sum(z^3)\nloss = sum(hessian(f, x)^2)\n∇_x loss": lambda v: 2 * 36 * v.x,
    "f(z) = sum(z^3)\nloss = trace(hessian(f, x))\ngrad(loss, x)": lambda v: [6.0] * 4,
    "f(z) = sum(z^3)\nn1(z) = z - hessian(f, z)^-1 ∇f(z)\nn1(x)": lambda v: (
        v.x - 3 * v.x**2 / (6 * v.x)
    ),
    "f(z) = sum(z^3) + z^T A z\nn1(z) = z - solve(hessian(f, z), ∇f(z))\nn1(x)": lambda v: (
        v.x
        - torch.linalg.solve(torch.diag(6 * v.x) + v.A + v.A.T, 3 * v.x**2 + (v.A + v.A.T) @ v.x)
    ),
    "f(z) = z^5\nf'(t)": lambda v: 5 * v.t**4,
    "f(z) = z^5\nf''(t)": lambda v: 20 * v.t**3,
    "f(z) = z^5\nf'''(t)": lambda v: 60 * v.t**2,
    "f(z) = z^5\nf''''''(t)": lambda v: 0 * v.t,
    "f(z) = z^5\n(f')'(t)": lambda v: 20 * v.t**3,
    "f(z) = z^5\nh = f'\nh'(t) + h(t)": lambda v: 20 * v.t**3 + 5 * v.t**4,
    "f(z) = z^5\nh(z) = f'(z) z\nh'(t)": lambda v: 25 * v.t**4,
    "f(z) = z^5\n(f'(t))^2": lambda v: 25 * v.t**8,
    "f(z) = z^5\nf'(t)^2": lambda v: 25 * v.t**8,
    "f(z) = z^5\nf'(t) s": lambda v: 5 * v.t**4 * v.s,
    "f(z) = z^5\n2 f'(t)": lambda v: 10 * v.t**4,
    "f(z) = z^5\nf'(s t)": lambda v: 5 * (v.s * v.t) ** 4,
    "f(z) = z^5\nf'(x)": lambda v: 5 * v.x**4,
    "f(z) = z^5\nt - f(t)/f'(t)": lambda v: v.t - v.t / 5,
    "f(z) = z^5\nnewton(h, z) = z - h(z)/h'(z)\nnewton(f, t)": lambda v: v.t - v.t / 5,
    "f(z) = z^2 - 2\nz = s\nrepeat 6: z = z - f(z)/f'(z)\nz": lambda v: 2**0.5,
    "f(z) = z^2 - 2\nnewton(h, z) =\n    repeat 6:\n"
    "        z = z - h(z)/h'(z)\n    z\nnewton(f, s)": lambda v: 2**0.5,
    "f(z) = z^2 - 2\nnewton(h, z) =\n    repeat 6:\n        z = z - h(z)/h'(z)\n"
    "    z\nd(a) = newton(h, 1.5) where h(z) = z^2 - a\nd'(s)": lambda v: 1 / (2 * v.s.sqrt()),
    "sin'(t)": lambda v: v.t.cos(),
    "sin''(t)": lambda v: -v.t.sin(),
    "(sin')(t)": lambda v: v.t.cos(),
    "tanh'(x)": lambda v: 1 - v.x.tanh() ** 2,
    "sigmoid'(x)": lambda v: v.x.sigmoid() * (1 - v.x.sigmoid()),
    "relu'(x)": lambda v: (v.x > 0).double(),
    "exp'''(t)": lambda v: v.t.exp(),
    "log'(s)": lambda v: 1 / v.s,
    "sqrt'(s)": lambda v: 0.5 / v.s.sqrt(),
    "abs'(x)": lambda v: v.x.sign(),
    "∇_x (x^T A x)": lambda v: (v.A + v.A.T) @ v.x,
    "∇_x ‖A x - y‖²": lambda v: 2 * v.A.T @ (v.A @ v.x - v.y),
    "∇_A (x^T A x)": lambda v: torch.outer(v.x, v.x),
    "∂(x^T A x)/∂x": lambda v: (v.A + v.A.T) @ v.x,
    "∂(x^T A x)/∂A": lambda v: torch.outer(v.x, v.x),
    "∂(s t)/∂s + ∂(s t)/∂t": lambda v: v.s + v.t,
    "u = s t\n2 ∂u/∂s": lambda v: 2 * v.t,
    "u = s^2 t^3\n∂(∂u/∂s)/∂t": lambda v: 6 * v.s * v.t**2,
    "u = s^2 t^3\nw = ∂u/∂s\n∂w/∂t": lambda v: 6 * v.s * v.t**2,
    "u = s^2 t^3\n∂u/∂s ∂u/∂t": lambda v: 2 * v.s * v.t**3 * 3 * v.s**2 * v.t**2,
    "u = s^2 t^3\n∂u/∂s * 2": lambda v: 4 * v.s * v.t**3,
    "u = s^2 t^3\n(∂u/∂s)^2": lambda v: (2 * v.s * v.t**3) ** 2,
    "loss = ‖A x - y‖²\ngx, gA = grad(loss, [x, A])\ngA x + gx": lambda v: (
        torch.outer(2 * (v.A @ v.x - v.y), v.x) @ v.x + 2 * v.A.T @ (v.A @ v.x - v.y)
    ),
    "loss = ‖A x - y‖²\nsum(‖g‖² for g in grad(loss, [x, A]))": lambda v: (
        ((2 * torch.outer(v.A @ v.x - v.y, v.x)) ** 2).sum()
        + ((2 * v.A.T @ (v.A @ v.x - v.y)) ** 2).sum()
    ),
    "loss = sum(A x)\n∇_x (loss + (∂loss/∂x)^T x)": lambda v: 2 * v.A.sum(0),
    "loss = sum((A x)^2)\npen = loss + ‖∇_x loss‖²\n∇_A pen": lambda v: slope(
        lambda A: ((A @ v.x) ** 2).sum() + ((2 * A.T @ (A @ v.x)) ** 2).sum(), v.A
    ),
    "f(z) = sum(z^4)\ngrad(f)(x)": lambda v: 4 * v.x**3,
    "f(z) = sum(z^4)\nh = grad(f)\nk(z) = sum(h(z))\ngrad(k)(x)": lambda v: 12 * v.x**2,
    "f(z) = sum(z^4)\nh(z) = sum(∇f(z))\nk(z) = sum(∇h(z))\n∇k(x)": lambda v: 24 * v.x,
    "f(z) = sum(z^4)\njacobian(∇f, x)": lambda v: torch.diag(12 * v.x**2),
    "f(z) = sum(z^4)\njacobian(grad(f), x)": lambda v: torch.diag(12 * v.x**2),
    "f(z) = sum(z^4)\njvp(∇f, x, y)": lambda v: 12 * v.x**2 * v.y,
    "f(z) = sum(z^4)\nvjp(∇f, x, y)": lambda v: 12 * v.x**2 * v.y,
    "f(z) = sum(z^4)\njvp(grad(f), x, y) - hvp(f, x, y)": lambda v: 0 * v.x,
    "f(z) = sum(z^4)\nhessian(f, x) - jacobian(∇f, x)": lambda v: torch.zeros(4, 4),
    "f(z) = A sin(z)\njacobian(f, x) y - jvp(f, x, y)": lambda v: 0 * v.x,
    "f(z) = A sin(z)\nJ = jacobian(f, x)\n‖J‖_F²": lambda v: ((v.A * v.x.cos()) ** 2).sum(),
    "f(z) = A sin(z)\nL(z) = ‖jacobian(f, z)‖_F²\n∇L(x)": lambda v: slope(
        lambda z: ((v.A * z.cos()) ** 2).sum(), v.x
    ),
    "h = A sin(x)\njacobian(h, x)": lambda v: v.A * v.x.cos(),
    "loss = sum(x^4)\nhessian(loss, x)": lambda v: torch.diag(12 * v.x**2),
    "loss = sum(x^4)\nhvp(loss, x, y)": lambda v: 12 * v.x**2 * v.y,
    "h = A sin(x)\njvp(h, x, y)": lambda v: v.A @ (v.x.cos() * v.y),
    "h = A sin(x)\nvjp(h, x, y)": lambda v: v.x.cos() * (v.A.T @ v.y),
    "f(z) = z^T A z\ngrad(f, x)^T y": lambda v: (v.A + v.A.T) @ v.x @ v.y,
    "stop(x)^T x": lambda v: v.x @ v.x,
    "∇_x (stop(x)^T x)": lambda v: v.x,
    "f(a, b) = a^2 b\ngrad(f(s, t), s)": lambda v: 2 * v.s * v.t,
    "f(a, b) = a^2 b\n∂f(s, t)/∂s": lambda v: 2 * v.s * v.t,
    "f(a, b) = a^2 b\n∂(f(s, t))/∂t": lambda v: v.s**2,
    "f(a, b=3) = a^2 b\nf'(t)": lambda v: 6 * v.t,
    "f(a, b=3) = a^2 b\nf'(t, b=2)": lambda v: 4 * v.t,
    "f(a, b=3) = sum(a^2) b\n∇f(x, b=2)": lambda v: 4 * v.x,
    "f(a, b=3) = sum(a^2) b\ngrad(f, x)": lambda v: 6 * v.x,
    "step(f, z, lr=0.1) = z - lr ∇f(z)\n"
    "L(lr) = q(step(q, x, lr)) where q(z) = z^T z\nL'(0.1)": lambda v: (
        2 * (1 - 0.2) * -2 * (v.x @ v.x)
    ),
    "step(f, z, lr=0.1) = z - lr ∇f(z)\nq(z) = z^T z\nL = q(step(q, x, s))\n∂L/∂s": lambda v: (
        -4 * (1 - 2 * v.s) * (v.x @ v.x)
    ),
    "z = A x\n∇_z ‖z‖²": lambda v: 2 * v.A @ v.x,
    "h(z) = jvp(sin, z, 1)\nh(t)": lambda v: v.t.cos(),
    "h(z) = vjp(sin, z, 1)\nh(t)": lambda v: v.t.cos(),
    "f(z) = ‖z‖^4\n∇f(x)": lambda v: 4 * (v.x @ v.x) * v.x,
    "J(w) = mean((M w - y)^2)\n∇J(ones([m]))": lambda v: 2 / 4 * v.M.T @ (v.M.sum(1) - v.y),
    "f(z) = sum(sin(z))\n(∇f)(x)": lambda v: v.x.cos(),
    "f(z) = sum(sin(z))\nF = [∇f, f]\nF[0](x)": lambda v: v.x.cos(),
    "sum(∇f(x)) where f(z) = sum(sin(z))": lambda v: v.x.cos().sum(),
    "f(x) = sum(x^2)\nx2 = x\n∇_x2 f(x2)": lambda v: 2 * v.x,
    "f(z) = z^T z if s > 0 else 0\n∇f(x)": lambda v: 2 * v.x,
}


@pytest.mark.parametrize("text", FORMS)
def test_each_form_means_what_it_says(text: str) -> None:
    check(text, FORMS[text])
