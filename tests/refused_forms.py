"""Forms that are refused as they are read: what is said, where, and what is offered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A program, what is said to it, where, and the hint.

    `mended` is the program with `{}` where each of the rewrites goes, or with `{0}`, `{1}` where
    several go together; by default it stands in the place that the error points at. ADVICE marks a
    hint that is no rewrite.
    """

    program: str
    message: str
    place: str
    hint: str
    mended: str = "{here}"


ADVICE = ""

FORMS = {
    "a product after a quotient": Row(
        "input x : [n]\ninput A : [n, n]\ny = 1/2 x^T A x",
        "`1/2 x^T A x` can be read two ways",
        "1/2 x^T A x",
        "write `1 / (2 x^T A x)` or `(1 / 2) x^T A x`",
    ),
    "a bracket after a quotient": Row(
        "input x, y : [n]\nz = 1 / 2 (x - y)^2",
        "`1 / 2 (x - y)^2` can be read two ways",
        "1 / 2 (x - y)^2",
        "write `1 / (2 (x - y)^2)` or `(1 / 2) (x - y)^2`",
    ),
    "a power of a power": Row(
        "input x, y, z : []\nw = 2 x^y^z",
        "`x^y^z` can be read two ways",
        "x^y^z",
        "write `(x^y)^z` or `x^(y^z)`",
    ),
    "a chain of comparisons": Row(
        "input x : [n]\ny = 0 < x < 1",
        "`0 < x < 1` can be read two ways",
        "0 < x < 1",
        "write `0 < x and x < 1` or `(0 < x) < 1`",
        "input x : [n]\ny = {0}",
    ),
    "a chain of comparisons denied": Row(
        "input x : [n]\ny = not 0 < x < 1",
        "`0 < x < 1` can be read two ways",
        "0 < x < 1",
        "write `(0 < x and x < 1)` or `((0 < x) < 1)`",
        "input x : [n]\ny = not {0}",
    ),
    "a derivative written as a quotient": Row(
        "param W : [2]\nloss = sum(W^2)\ng = d loss / d W",
        "`d loss / d W` is a quotient of products here, not a derivative",
        "d loss / d W",
        "write `grad(loss, W)` or `∂loss/∂W`",
    ),
    "Python's power": Row(
        "input x : [n]\ny = 2 x**2",
        "`**` is not a sign of the language",
        "**",
        "write `x^2`",
        "input x : [n]\ny = 2 {}",
    ),
    "Python's power of a call, negative": Row(
        "input x : [n]\ny = exp(x)**-1",
        "`**` is not a sign of the language",
        "**",
        "write `exp(x)^-1`",
        "input x : []\ny = {}",
    ),
    "a comma left out": Row(
        "param W : [2] ~ normal(0 0.02)",
        "a comma is missing before this number",
        "0.02",
        "write `normal(0, 0.02)`",
        "param W : [2] ~ {}",
    ),
    "Python's definition": Row(
        "def f(x): return x^2\ny = f(2)",
        "a function needs no `def`",
        "def",
        "write `f(x) = x^2`",
        "{}\ny = f(2)",
    ),
    "Python's definition of a loss": Row(
        "def f(x): x^2",
        "a function needs no `def`",
        "def",
        "write `f(x) = x^2`",
        "{}",
    ),
    "an assignment to a part": Row(
        "dim n = 3\ninput x : [n]\nx[0] = 2",
        "cannot assign to a part: `x[0]`",
        "x[0]",
        "values never change: make a new one, as in `y = where(arange(n) == 0, 2, x)`",
        "dim n = 3\ninput x : [n]\n{}",
    ),
    "a definition at a sum": Row(
        "f(x + 1) = 2",
        "`x + 1` is not the name of a parameter",
        "x + 1",
        "a definition names its parameters: `f(x) = …`",
        "{}",
    ),
    "a shape without a value": Row(
        "X : [B, T]\nY = 2 X",
        "`X : [B, T]` says what `X` looks like, but not what it is",
        "X : [B, T]",
        "write `input X : [B, T]`, or `X : [B, T] = …`",
        "{0}\nY = 2 X",
    ),
    "a bracket that is open three lines up": Row(
        "input Q : [n]\ny = softmax(Q +\nz = 3\nw = 4",
        "`(` is never closed",
        "(",
        "",
    ),
    "a tab": Row("f(x) =\n\tx", "a tab in the indentation", "\t", "indent with spaces", ADVICE),
    "a line between two indentations": Row(
        "f(x) =\n    y = x\n  y",
        "this line is indented less than its block and more than the lines around it",
        "  ",
        "the lines of a block begin in one column",
        ADVICE,
    ),
    "TeX's exponent": Row(
        "input x, n : []\ny = x^{2n}",
        "an exponent stands in round brackets",
        "{",
        "write `x^(2n)`",
        "input x, n : []\ny = {}",
    ),
    "a cross": Row(
        "input a, b : [n, n]\nc = sin(a) × b",
        "`×` stands only between the sizes of ℝ",
        "×",
        "write `sin(a) * b` for elements, `sin(a) @ b` for matrices",
        "input a, b : [n, n]\nc = {}",
    ),
    "a magic": Row(
        "%timeit x",
        "`%timeit` is a magic of IPython, not a statement of the language",
        "%timeit",
        "put it into a cell of its own",
        ADVICE,
    ),
    "a command of the shell": Row(
        "!ls",
        "`!ls` is a command of the shell, not a statement of the language",
        "!ls",
        "put it into a cell of its own",
        ADVICE,
    ),
    "a text in single quotes": Row(
        "f(x, how=relu) = how(x)\ny = f(1, 'gelu')",
        "`'` is the derivative or the transpose; text stands in `\"`",
        "'gelu'",
        'write `"gelu"`; a function is passed by its name: `gelu`',
        "f(x, how=relu) = how(x)\ny = f(1, {1})",
    ),
    "TeX's letter": Row(
        r"α = 2" + "\ny = \\alpha^2",
        r"`\alpha` is TeX",
        r"\alpha",
        "type the sign itself: `α`",
    ),
    "a zero-width space": Row(
        "input a : []\ny = a\N{ZERO WIDTH SPACE}^2",
        "an invisible character: ZERO WIDTH SPACE",
        "\N{ZERO WIDTH SPACE}",
        "delete it",
        ADVICE,
    ),
    "a Cyrillic letter": Row(
        "input A : [n]\ny = 2 \N{CYRILLIC CAPITAL LETTER A}",
        "`\N{CYRILLIC CAPITAL LETTER A}` is CYRILLIC CAPITAL LETTER A",
        "\N{CYRILLIC CAPITAL LETTER A}",
        "did you mean `A`?",
    ),
    "a bold letter": Row(
        "input x : [n]\ny = \N{MATHEMATICAL BOLD SMALL X}",
        "`\N{MATHEMATICAL BOLD SMALL X}` is MATHEMATICAL BOLD SMALL X",
        "\N{MATHEMATICAL BOLD SMALL X}",
        "did you mean `x`?",
    ),
    "a literal too large": Row(
        "x = 1e400", "`1e400` is too large", "1e400", "numbers go up to 10^308", ADVICE
    ),
    "literals that fold too large": Row(
        "x = 10^200 * 10^200",
        "`10^200 * 10^200` is too large",
        "10^200 * 10^200",
        "numbers go up to 10^308",
        ADVICE,
    ),
    "nesting": Row(
        "x = " + "(" * 201 + "1" + ")" * 201,
        "this is nested more than 200 deep",
        "(",
        "give a name to a part of it",
        ADVICE,
    ),
}
