"""What each keyword of the language is for, with an example, for help at the cursor."""

from __future__ import annotations

KEYWORDS = {
    "dim": "sizes, with a value or without: `dim B, T, d = 8`",
    "input": "a tensor that is fed at each run: `input X : [B, T, d]`",
    "param": "a tensor that is learned, and how it begins: `param W : [d, d] ~ normal(0, 0.02)`",
    "const": "a tensor of Python, taken by name when the cell is compiled: `const A : [n, n]`",
    "repeat": "statements so many times over: `repeat 5:` and a block",
    "from": "some functions of a module: `from losses import mse`",
    "import": "a module: `import losses`, then `losses.mse(y, t)`",
    "return": "the value of a function, at the end of its block: `return x, y`",
    "for": "each of several: `for i in range(3):` and a block, or `sum(i^2 for i in range(4))`",
    "in": "what a loop goes through: `for i in range(3):`",
    "if": "one of two: `a if c else b`, element by element for a tensor c",
    "else": "the other of two: `a if c else b`",
    "and": "both, element by element: `x > 0 and x < 1`",
    "or": "one or both, element by element: `x < 0 or x > 1`",
    "not": "the contrary, element by element: `not x > 0`",
    "where": "what a line needs to know, behind it: `area(r) = k r² where k = π`",
}
