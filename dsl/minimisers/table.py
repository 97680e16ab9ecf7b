"""The methods by name."""

from __future__ import annotations

METHODS = {
    "gd": "gradient descent, x ← x - lr ∇f",
    "momentum": "the heavy ball (Polyak, 1964)",
    "nesterov": "looks ahead along the momentum (Nesterov, 1983)",
    "adam": "moments of the gradient (Kingma and Ba, 2015)",
    "newton": "our own Hessian, modified to lead down, and a line search",
    "bfgs": "SciPy's quasi-Newton method",
    "l-bfgs": "the same with little memory, SciPy's",
    "newton-cg": "Newton's direction by conjugate gradients, SciPy's",
    "trust-ncg": "the same in a trust region, SciPy's",
}
OWN_STEP = ("newton", "bfgs", "l-bfgs", "newton-cg", "trust-ncg")
ALIASES = {
    "lbfgs": "l-bfgs",
    "l-bfgs-b": "l-bfgs",
    "newtoncg": "newton-cg",
    "trustncg": "trust-ncg",
    "gradient descent": "gd",
}
LANGUAGE = {"gd": "sgd"}  # what the prelude calls it


def canonical(method: str) -> str:
    """A method's name as in METHODS; others, which the language may know, as they are.

    >>> canonical("L-BFGS-B"), canonical("lion")
    ('l-bfgs', 'lion')
    """
    lower = method.strip().lower().replace("_", "-")
    lower = ALIASES.get(lower, lower)
    return lower if lower in METHODS else method


def takes_rate(method: str) -> bool:
    """Whether a method has a learning rate; others find the length of a step themselves."""
    return canonical(method) not in OWN_STEP
