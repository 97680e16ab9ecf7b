"""Words that are at home in NumPy and Python, and what is written here in their place."""

from __future__ import annotations

from ..scope import Scope
from ..values import CALLABLE

PREFIXES = ("np", "numpy", "jnp", "torch", "math", "scipy", "random")

WORDS: dict[str, str] = {
    "array": "a list is written `[1, 2]`, a matrix `[1, 2; 3, 4]`",
    "absolute": "write `abs(x)`",
    "astype": "write `float(x)`, `int(x)` or `bool(x)`",
    "clip": "write `minimum(maximum(x, a), b)`",
    "concatenate": "write `concat(a, b, axis=0)`",
    "hstack": "write `concat(a, b, axis=-1)`",
    "vstack": "write `stack(a, b)`",
    "e": "the exponential is `exp(x)`",
    "exit": "`:quit` leaves the prompt",
    "quit": "`:quit` leaves the prompt",
    "help": "`:help` tells what the prompt knows",
    "flatten": "write `reshape(x, [-1])`",
    "ravel": "write `reshape(x, [-1])`",
    "floor": "there is no rounding; `int(x)` cuts off what is behind the point",
    "round": "there is no rounding; `int(x)` cuts off what is behind the point",
    "item": "a number of a tensor is taken by its index: `x[0]`",
    "len": "write `x.shape[0]`",
    "linspace": "write `a + (b - a) arange(n) / (n - 1)`",
    "power": "write `x^n`",
    "square": "write `x^2`",
    "print": "a line that only names a value shows it: `x`",
    "rand": "write `uniform(0, 1, shape=[n], key=7)`",
    "randn": "write `normal(0, 1, shape=[n], key=7)`",
    "squeeze": "an axis is taken off by its index: `x[:, 0]`",
    "unsqueeze": "a new axis is an index: `x[:, None]`",
    "swapaxes": "`x^T` exchanges the last two axes, `transpose(x, [1, 0, 2])` gives any order",
    "permute": "write `transpose(x, [1, 0, 2])`",
    "view": "write `reshape(x, [n, m])`",
}


def meant(scope: Scope, word: str) -> str:
    """What is written here for a word of elsewhere, empty where nothing is known of it."""
    found = scope.library.find(word)
    if isinstance(found, CALLABLE):
        return f"a function stands alone: `{found.signature}`"
    return WORDS.get(word, "")


def without_prefix(scope: Scope, path: str) -> str:
    """The same for `np.exp` and `np.linalg.norm`, empty for what has no such prefix."""
    first, _, last = path.rpartition(".")
    return meant(scope, last) if first.partition(".")[0] in PREFIXES else ""
