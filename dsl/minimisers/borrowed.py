"""The methods of scipy.optimize, with our gradients and Hessian-vector products.

BFGS (Nocedal and Wright, algorithm 6.1), L-BFGS (algorithm 7.5; Byrd, Lu, Nocedal and Zhu, 1995),
Newton-CG (algorithm 7.1) and the trust region of Newton and conjugate gradients (algorithm 7.2,
Steihaug, 1983). They end by our own reasons at each point; SciPy's own tolerances are set so that
none ends earlier.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import OptimizeWarning, minimize

from engine import EngineError

from .ending import Ending, stuck, used_up
from .objective import Array
from .walk import Walk


@dataclass(frozen=True)
class Borrowed:
    """A method of SciPy: its name there, whether it takes ∇²f p, and its tolerances."""

    name: str
    products: bool
    tolerances: Mapping[str, float]


BORROWED = {
    "bfgs": Borrowed("BFGS", False, {"gtol": 0.0, "norm": 2}),
    "l-bfgs": Borrowed("L-BFGS-B", False, {"gtol": 0.0, "ftol": 0.0}),
    "newton-cg": Borrowed("Newton-CG", True, {"xtol": 0.0}),
    "trust-ncg": Borrowed("trust-ncg", True, {"gtol": 0.0}),
}


def borrow(
    walk: Walk, method: Borrowed, options: Mapping[str, Any]
) -> tuple[Ending, dict[str, Any]]:
    """Walk until there is a reason to end; also what only some methods of SciPy return.

    Raises EngineError for an option that SciPy's method does not have.
    """
    f, shape = walk.objective, walk.objective.start.shape
    found: list[Ending] = []

    def arrived(x: Array) -> None:
        ending = walk.reach(x.reshape(shape))
        if ending:
            found.append(ending)
            raise StopIteration

    with _quiet():
        result: Any = minimize(
            lambda x: f.value(x.reshape(shape)),
            f.start.ravel(),
            method=method.name,
            jac=lambda x: f.gradient(x.reshape(shape)).ravel(),
            hessp=_products(walk) if method.products else None,
            callback=arrived,
            options={**method.tolerances, **_most(walk), **options},
        )
    f.nfev, f.njev, f.nhev = result.nfev, result.njev, result.get("nhev", 0)
    more = {"hess_inv": result.hess_inv} if "hess_inv" in result else {}
    return found[0] if found else _own(walk, result), more


@contextmanager
def _quiet() -> Generator[None]:
    """What SciPy warns of on the way is told at the end; an option it does not know is refused."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("error", OptimizeWarning)
        try:
            yield
        except OptimizeWarning as error:
            raise EngineError(f"SciPy says: {error}") from None


def _products(walk: Walk) -> Any:
    f, shape = walk.objective, walk.objective.start.shape
    return lambda x, p: f.product(x.reshape(shape), p.reshape(shape)).ravel()


def _most(walk: Walk) -> dict[str, int]:
    return {} if walk.steps is None else {"maxiter": walk.steps}


def _own(walk: Walk, result: Any) -> Ending:
    """SciPy ended by itself: its steps are used up, or it found no way further down."""
    end = used_up if result.status == 1 else stuck
    return end(walk.path, result.message)
