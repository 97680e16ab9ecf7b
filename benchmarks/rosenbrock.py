"""Rosenbrock's function from (-1.2, 1): steps until |∇f| is below 1e-2 and below 1e-6.

    python -m benchmarks.rosenbrock

f(x, y) = (1 - x)² + 100 (y - x²)², the start of Rosenbrock (1960). In brackets the evaluations of
f and ∇f, and of ∇²f or products with it. Beside SciPy's methods with our derivatives stand the same
methods with SciPy's own rosen, rosen_der and rosen_hess_prod: as many, or they differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize, rosen, rosen_der, rosen_hess_prod

import dsl
from dsl.minimisers import METHODS

F, START, SMALL = "f(x, y) = (1 - x)² + 100 (y - x²)²", [-1.2, 1.0], (1e-2, 1e-6)
STEPS = 100_000
# Of 1, 2 and 5 times the powers of ten the rate with the fewest steps to 1e-6.
RATES = {"gd": 1e-3, "momentum": 2e-3, "nesterov": 1e-3, "adam": 0.5}
SCIPY: dict[str, tuple[str, dict[str, Any]]] = {
    "bfgs": ("BFGS", {"gtol": 0}),
    "l-bfgs": ("L-BFGS-B", {"gtol": 0, "ftol": 0}),
    "newton-cg": ("Newton-CG", {"xtol": 0}),
    "trust-ncg": ("trust-ncg", {"gtol": 0}),
}


def ours(method: str, tol: float) -> OptimizeResult:
    """What a method of chalkgrad finds."""
    steps = STEPS if method in RATES else None
    return dsl.minimise(F, START, method, lr=RATES.get(method), tol=tol, steps=steps)


def scipys(method: str, tol: float) -> OptimizeResult:
    """What SciPy's method finds with SciPy's own derivatives, ended at the same slope."""

    def arrived(x: np.ndarray) -> None:
        if np.linalg.norm(rosen_der(x)) <= tol:
            raise StopIteration

    name, options = SCIPY[method]
    products = rosen_hess_prod if method in ("newton-cg", "trust-ncg") else None
    return minimize(
        rosen, START, method=name, jac=rosen_der, hessp=products, callback=arrived, options=options
    )


def counts(found: OptimizeResult) -> str:
    """Steps, and in brackets evaluations."""
    evaluated = [found.nfev, found.njev, *([found.nhev] if found.get("nhev") else [])]
    return f"{found.nit} ({', '.join(map(str, evaluated))})"


def rows() -> list[tuple[str, ...]]:
    """A row for each method: ours, then SciPy's own where there is one."""
    found: list[tuple[str, ...]] = []
    for method in METHODS:
        rate = f"{RATES[method]:g}" if method in RATES else ""
        mine = [counts(ours(method, tol)) for tol in SMALL]
        theirs = [counts(scipys(method, tol)) for tol in SMALL] if method in SCIPY else ["", ""]
        found.append((method, rate, *mine, *theirs))
    return found


def main() -> None:
    """Print the table."""
    head = ("", "lr", *(f"{tol:g}" for tol in SMALL), *(f"SciPy {tol:g}" for tol in SMALL))
    for row in (head, *rows()):
        print(f"{row[0]:12}{row[1]:8}" + "".join(f"{cell:24}" for cell in row[2:]).rstrip())


if __name__ == "__main__":
    main()
