"""Programs with the lints that they have, and programs near to a lint that have none."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Warned:
    """A lint as it is expected: its number, what it points at, and what it says."""

    code: str
    at: str
    message: str
    hint: str


def only(text: str, code: str, at: str, message: str, hint: str) -> tuple[str, list[Warned]]:
    """A program with one lint."""
    return text, [Warned(code, at, message, hint)]


MATRIX = "input A : [n, n], x : [n]\n"
COLUMN = "input X : [n, d], y : [n]\nparam w : [d, 1] = 0\np = X w\n"
ONE_SIZE = "if they are one size, say so: "
TABLE = [
    only(
        MATRIX + "y = A * x",
        *("W1", "A * x"),
        "`A * x` takes every row of `A` with `x`, entry by entry",
        "the matrix product is `A x`; as it is: `A * x[None, :]`",
    ),
    only(
        MATRIX + "y = (x + 1) ⊙ A",
        *("W1", "(x + 1) ⊙ A"),
        "`(x + 1) ⊙ A` takes every row of `A` with `(x + 1)`, entry by entry",
        "the matrix product is `A @ (x + 1)`; as it is: `(x + 1)[None, :] ⊙ A`",
    ),
    only(
        MATRIX + "y = A - x",
        *("W1", "A - x"),
        "`A - x` takes every row of `A` with `x`, entry by entry",
        "every column with it: `A - x[:, None]`; as it is: `A - x[None, :]`",
    ),
    only(
        "input S : [T, T]\nP = S / sum(S, axis=-1)",
        *("W1", "S / sum(S, axis=-1)"),
        "`S / sum(S, axis=-1)` takes every row of `S` with `sum(S, axis=-1)`, entry by entry",
        "each row with its own number: `S / sum(S, axis=-1)[:, None]`",
    ),
    only(
        "y = A * x where A = [1, 2; 3, 4], x = [5, 6]",
        *("W1", "A * x"),
        "`A * x` takes every row of `A` with `x`, entry by entry",
        "the matrix product is `A x`; as it is: `A * x[None, :]`",
    ),
    only(
        MATRIX + "y = 2 (A * x)^T",
        *("W1", "(A * x)"),
        "`(A * x)` takes every row of `A` with `x`, entry by entry",
        "the matrix product is `(A x)`; as it is: `(A * x[None, :])`",
    ),
    only(
        "input A : [n, n]\nB = 1 / (A^2)^T",
        *("W2", "(A^2)"),
        "`(A^2)` is the power of every entry of `A`",
        "the matrix product is `(A A)`; as it is: `(A * A)`",
    ),
    only(
        "input A : [n, n]\nB = A²",
        *("W2", "A²"),
        "`A²` is the power of every entry of `A`",
        "the matrix product is `A A`; as it is: `A * A`",
    ),
    only(
        "input A : [n, n], x : [n]\ny = sum(A^3 x)",
        *("W2", "A^3"),
        "`A^3` is the power of every entry of `A`",
        "the matrix product is `(A A A)`; as it is: `(A * A * A)`",
    ),
    only(
        "f(M : [n, n]) = M^2 + 1\ninput A : [k, k]\nB = f(A)",
        *("W2", "M^2"),
        "`M^2` is the power of every entry of `M`",
        "the matrix product is `M M`; as it is: `M * M`",
    ),
    only(
        "dim n = 4, m = 4\ninput x : [n], y : [m]\nz = x + y",
        *("W3", "x + y"),
        "`x + y` fits only because n and m are both 4",
        ONE_SIZE + "`dim m = n`",
    ),
    only(
        "dim d = 2, h = 8\ninput A : [n, 4d], B : [h, m]\nC = A B",
        *("W3", "A B"),
        "`A B` fits only because 4d and h are both 8",
        ONE_SIZE + "`dim h = 4d`",
    ),
    only(
        "dim n = 3, m = 3, k = 5, l = 5\ninput A : [n, k], B : [m, k], c : [l]\nD = A^T B + c @ c",
        *("W3", "A^T B"),
        "`A^T B` fits only because n and m are both 3",
        ONE_SIZE + "`dim m = n`",
    ),
    only(
        "dim n = 4, m = 4, k = 4\ninput A : [n, k], B : [m, k]\nC = A + B",
        *("W3", "A + B"),
        "`A + B` fits only because n and m are both 4",
        ONE_SIZE + "`dim m = n`",
    ),
    only(
        "dim n = 3, m = 3\ninput x : [n], y : [m]\nloss = mse(x, y)",
        *("W3", "mse(x, y)"),
        "`mse(x, y)` fits only because n and m are both 3",
        ONE_SIZE + "`dim m = n`",
    ),
    only(
        "dim n, m\ninput x : [n]\ny = 2 x",
        *("W4", "m", "nothing uses the size `m`", "take it out"),
    ),
    only(
        "input x, z : [n]\ny = 2 x",
        *("W4", "z", "nothing uses the input `z`", "take it out"),
    ),
    only(
        "input x : [n]\nparam W : [n, n]\ny = 2 x",
        *("W4", "W", "nothing uses the parameter `W`", "take it out"),
    ),
    only(
        "from attention import attention, weigh\ninput X : [B, T, d]\ny = attention(X)",
        *("W4", "weigh", "nothing uses the import `weigh`", "take it out"),
    ),
    only(
        "f(x, p=0.1) = 2 x\ny = f(1)",
        *("W5", "p", "`f` does not use its parameter `p`", "take it out"),
    ),
    only(
        "g(x, k=1) = k x\nf(x, k) = g(x, k=2)",
        *("W5", "k", "`f` does not use its parameter `k`", "take it out"),
    ),
    only(
        "f(x) =\n    y = x + 1\n    y = x + 2\n    y",
        *("W5", "y", "nothing uses this `y`", "take it out"),
    ),
    only(
        "f(x : [d]) =\n    param W, U : [d, d]\n    W x",
        *("W5", "U", "nothing uses this `U`", "take it out"),
    ),
    only(
        "input x : [n]\ny = x + a where a = 1, b = 2",
        *("W5", "b", "nothing uses this `b`", "take it out"),
    ),
    only(
        "input x : [n]\ny =\n    g(t) = t^2\n    x + 1",
        *("W5", "g", "nothing uses this `g`", "take it out"),
    ),
    only(
        "input x : [n]\ny = where(x > 0, log(x), 0)",
        *("W6", "where(x > 0, log(x), 0)"),
        "the gradient is NaN where `x` is 0, though `log(x)` is not chosen there",
        "write `where(x > 0, log(where(x > 0, x, 1)), 0)`",
    ),
    only(
        "input x : [n]\ny = where(x == 0, 1, sin(x) / x)",
        *("W6", "where(x == 0, 1, sin(x) / x)"),
        "the gradient is NaN where `x` is 0, though `sin(x) / x` is not chosen there",
        "write `where(x == 0, 1, sin(x) / where(x == 0, 1, x))`",
    ),
    only(
        "input x : [n]\ny = √(1 - x²) if |x| < 1 else 0",
        *("W6", "√(1 - x²) if |x| < 1 else 0"),
        "the gradient is NaN where `(1 - x²)` is 0 or less, though `√(1 - x²)` is not chosen there",
        "write `√where(|x| < 1, (1 - x²), 1) if |x| < 1 else 0`",
    ),
    only(
        "input t : []\ny = where(t >= 0, t^1.5, 0)",
        *("W6", "where(t >= 0, t^1.5, 0)"),
        "the gradient is NaN where `t` is negative, though `t^1.5` is not chosen there",
        "write `where(t >= 0, where(t >= 0, t, 1)^1.5, 0)`",
    ),
    only(
        "input x : [n]\nl = log(x)\ny = where(x > 0, l, 0)",
        *("W6", "where(x > 0, l, 0)"),
        "the gradient is NaN where `x` is 0, though `log(x)` is not chosen there",
        "in `log(x)` take `where(x > 0, x, 1)` for `x`",
    ),
    only(
        COLUMN + "r = p - y",
        *("W7", "p - y"),
        "`p - y` takes every entry of one side with every other's",
        "one by one: `p[:, 0] - y`",
    ),
    only(
        COLUMN + "loss = mse(y, p)",
        *("W7", "mse(y, p)"),
        "`mse(y, p)` takes every entry of one side with every other's",
        "one by one: `mse(y, p[:, 0])`",
    ),
    only(
        "A = [1, 2; 3, 4]\ny = A^2",
        *("W2", "A^2"),
        "`A^2` is the power of every entry of `A`",
        "the matrix product is `A A`; as it is: `A * A`",
    ),
    only(
        "input A : [2, 2]\ny = A^-1 [1, 1]",
        *("W10", "A^-1 [1, 1]"),
        "`A^-1 [1, 1]` is an index, not a product",
        "close up what is an index: `A^-1[1, 1]`; the product is `A^-1 @ [1, 1]`",
    ),
    only(
        "input x : [n]\nmean = sum(x) / 2\ny = mean (x + 1)^2",
        *("W8", "mean (x + 1)^2"),
        "`mean (x + 1)^2` is a product: `mean` is a value here and hides the function",
        "give the value another name; the product is `mean · (x + 1)^2`",
    ),
    only(
        "input x : [n]\ny = log(softmax(2 x, axis=0))",
        *("W9", "log(softmax(2 x, axis=0))"),
        "`log(softmax(2 x, axis=0))` is -∞ as soon as a probability is too small for a float",
        "write `log_softmax(2 x, axis=0)`",
    ),
    only(
        "input x : [n]\np = softmax(x)\ny = -log(p)",
        *("W9", "log(p)"),
        "`log(p)` is -∞ as soon as a probability is too small for a float",
        "write `log_softmax(x)`",
    ),
    only(
        "input x : [T, n]\ny = log(sum(exp(x - 1), axis=-1))",
        *("W9", "log(sum(exp(x - 1), axis=-1))"),
        "`log(sum(exp(x - 1), axis=-1))` is ∞ as soon as an exponential is too large for a float",
        "write `logsumexp(x - 1, axis=-1)`",
    ),
    only(
        "input x : [n]\ny = log(1 + exp(-x))",
        *("W9", "log(1 + exp(-x))"),
        "`log(1 + exp(-x))` is ∞ as soon as an exponential is too large for a float",
        "write `softplus(-x)`",
    ),
]

# What is near to a lint and is none.
NEAR = "input A : [n, n], X : [n, m], x : [n], u : [m], v : [1], k : [n, 1], c : bool[n]\n"
CLEAN = [
    "input pair : [2]\ny = pair [0]",
    *["y = A x", "y = A @ x", "y = 2 A", "y = A * A", "y = A * x^T", "y = A * x[None, :]"],
    *["f(t, g) = g * (t - 1)\ny = f(A, x)", "f(t : [..., d], g) = g * t\ny = f(A, x)"],
    *["y = A - mean(A, axis=0)", "y = (A - mean(A, axis=0)) / (std(A, axis=0) + 0.1)"],
    *["y = A - mean(A, axis=-1, keepdims=true)", "y = A - A[0]", "y = A x + x"],
    *["param b : [n]\ny = A A + b", "param b : [n]\ny = A A - b", "y = A * v", "y = X * u"],
    *["y = A A", "y = sum(A²)", "y = ‖A^2‖", "y = √mean((A - 1)^2)", "y = (A - 1)^2"],
    *["square(t) = t^2\ny = square(A)", "y = X^2", "y = x^2", "y = A^-1", "y = A^0.5"],
    *["y = where(x > 0, x / 2, 0)", "y = where(x > 0, log(1 + x²), 0)"],
    *["y = where(x > 0, log(where(x > 0, x, 1)), 0)", "y = where(c, x / u[0], 0)"],
    *["y = where(x < 1, √exp(x), 0)", "y = where(x > 0, 1 / (1 + exp(-x)), 0)"],
    *["y = where(|x| > 1, x / maximum(|x|, 1), 0)", "y = where(x > 0, x / √(x² + 1), 0)"],
    *["y = where(x < 1, x, log(maximum(x, 1)))", "y = where(x > 0, log(stop(x)), 0)"],
    *["y = where(‖x‖ > 1, x / (‖x‖ + 0.5), x)", "y = where(x < 1, x^2, x^3)"],
    *["y = where(stop(x) > 0, 1, 0)", "y = x / u[0]"],
    *["y = where(sum(x) > 0, sum(x) / 3, 0)", "y = x if sum(A) > 0 else x / n"],
    *["y = x[:, None] - x", "y = x[:, None] - x[None, :]", "y = k[:, 0] - x", "y = k - x^T"],
    *["y = sum(A, axis=-1, keepdims=true) * x", "y = reshape(x, [n, 1]) + x", "y = k + k"],
    *["sum = 3\ny = 2 sum", "mean = mean(x)\ny = mean x", "total = 3\ny = total (x + 1)"],
    *["norm(t) = 2 t\ny = norm (x + 1)", "y = log(x)", "y = log(sum(x))", "y = log(1 + x)"],
    *["y = log_softmax(x)", "y = softplus(x)", "y = exp(log(x))", "y = log(2 + exp(x))"],
]

# Names that are used in ways one may overlook, and sizes that agree by name.
USED = [
    "dim d = 64, h = 4d\ninput X : [T, 4d]\nparam W : [h, d]\nY = X W",
    "dim n = 4, m = n\ninput x : [n], y : [m]\nz = x + y",
    "dim d = 6, H = 2\ninput x : [T, d]\ny = reshape(x, [T, H, d/H]) * ones([H, 3])",
    "dim n = 4\ninput x : [n], y : [4]\nz = x + y",
    "dim n = 4, k = 4\ninput A : [n, k], B : [n, 4]\nC = A + B",
    "dim n = 4, m = 4\ninput x : [n], y : [m]\nz = sum(x) + sum(y)",
    "dim n\ninput x : [n]\ny = x / n",
    "input x : [n]\ny = zeros([n])",
    "f(x : [n], y) = n y",
    "f(x, y) = x^T A y where x, y ∈ ℝ^n, A ∈ ℝ^(n×n)",
    "f(x) =\n    g(t) = a t\n    a = 2\n    g(x)",
    "f(x) = g(x)\ng(x) = scale x\nscale = 3\ny = f(1)",
    "f(x) =\n    y = 0\n    for i in range(3):\n        y = y + x\n    y",
    "f(a, b) =\n    repeat 3:\n        c = a\n        a = b\n        b = c\n    b",
    "f(x) =\n    q, k, v = split(x, 3)\n    q k",
    "f(x) =\n    param W : [2] = 0\n    x\ny = f(1)\nz = f.W",
    "f(x : [n, d]) = sum(x, axis=n)",
    "f(x, k) = [k x for i in range(2)]",
    "import attention\ninput Q : [T, d]\ny = attention.weigh(Q, Q, Q)",
    "input x : [n]\nx + 1",
    "dim n\ninput x : [n]\nparam w : [n]",
    "apply(f, x) = f(x)\ny = apply(sin, 1)",
    "f(x) = a x where a = 2",
    "f(x) = ∇g where g(t) = t^2 x",
    "input x : [n]\nparam w : [n]\nloss = w^T x\ng = ∇_w loss",
]
