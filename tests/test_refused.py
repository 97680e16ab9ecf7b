"""Every form that the language refuses, compiled: its own words, its place, a way out that works.

A rewrite that an error offers is put where the text was and must compile there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import dsl
from dsl import DslError
from dsl.errors import Diagnostic
from dsl.lowering import modules
from tests.test_shape_errors import WRONG


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

REFUSED = {
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
    "a function without brackets": Row(
        "input x : []\ny = 2 sin x",
        "`sin` is a function: its argument stands in brackets",
        "sin x",
        "write `sin(x)`",
    ),
    "two equals signs": Row(
        "y = x = 1",
        "a statement has one `=`",
        "=",
        "write `x = 1`, then `y = x`",
        "{0}\n{1}",
    ),
    "left division": Row(
        "input A : [n, n]\ninput b : [n]\nx = A \\ b",
        "there is no left division `\\`",
        "\\",
        "write `solve(A, b)`",
        "input A : [n, n]\ninput b : [n]\nx = {}",
    ),
    "a raised letter": Row(
        "input x, n : []\ny = 2 xⁿ",
        "`ⁿ` cannot be an exponent",
        "ⁿ",
        "write `x^n`",
        "input x, n : []\ny = 2 {}",
    ),
    "a line that starts with a sign": Row(
        "input x : []\ny = x\n+ 2",
        "a statement does not begin with `+`",
        "+",
        "indent the line, so that it continues the line before",
        ADVICE,
    ),
    "an unused value in a block": Row(
        "f(x) =\n    x + 1\n    x\ny = f(1)",
        "the value `x + 1` is not used",
        "x + 1",
        "only the last line of a definition is a value: give this one a name",
        ADVICE,
    ),
    "recursion": Row(
        "f(x) = f(x) + 1\ny = f(2)",
        "`f` calls itself",
        "f(x)",
        "a loop is written `repeat n:` or `for i in range(n):`",
        "n = 2\nx = 1\n{}\n    x = x + 1\ny = x",
    ),
    "the gradient of a vector": Row(
        "input x : [3]\ng = ∇_x x^2",
        "a gradient is of a number, and `x^2` is [3]",
        "∇_x x^2",
        "sum it, `sum(x^2)`, or mean it; of a vector there is the `jacobian(x^2, x)`",
        "input x : [3]\ng = ∇_x {0}\nh = {1}",
    ),
    "the gradient of a vector of unknown length": Row(
        "input x : [n]\ng = grad(2 x, x)",
        "a gradient is of a number, and `2 x` is [n]",
        "grad(2 x, x)",
        "sum it, `sum(2 x)`, or mean it",
        "input x : [n]\ng = grad({}, x)",
    ),
    "the derivative of a function that mixes elements": Row(
        "f(x) = softmax(x)\ninput z : [3]\ny = f'(2 z)",
        "`f'` is the derivative of a function of one number",
        "f'(2 z)",
        "`f` mixes elements; write `jacobian(f, 2 z)`",
        "f(x) = softmax(x)\ninput z : [3]\ny = {1}",
    ),
    "the gradient of a function that is no number": Row(
        "f(x) = 3 x\ninput z : [3]\ny = ∇f(2 z)",
        "a gradient is of a number, and `f(2 z)` is [3]",
        "∇f(2 z)",
        "sum it, `grad(sum(f(2 z)), 2 z)`, or mean it; of a vector there is the `jacobian(f, 2 z)`",
    ),
    "the gradient by something that is not there": Row(
        "input x, z : [n]\nloss = sum(x)\ng = ∂loss/∂z",
        "`loss` does not depend on `z`",
        "∂loss/∂z",
        "it depends on `x`",
        "input x, z : [n]\nloss = sum(x)\ng = ∂loss/∂{}",
    ),
    "the gradient of what was stopped": Row(
        "input x : [n]\nloss = sum(stop(2 x)^2)\ng = ∇_x loss",
        "the gradient of `loss` with respect to `x` is zero",
        "∇_x loss",
        "",
    ),
    "two columns": Row(
        "input x, y : [n]\nz = 2 * x y",
        "`x y`: both are column vectors ([n] and [n])",
        "x y",
        "dot product `(x^T y)`, outer product `(x y^T)`, elementwise `(x ⊙ y)`",
    ),
    "a power -1 of a vector": Row(
        "input x, z : [n]\ny = z^T x^-1",
        "`x^-1`: [n] is neither a number nor a square matrix",
        "x^-1",
        "elementwise `(1/x)`, the inverse of a matrix `inv(x)`",
        "input x, z : [n]\ny = z^T {0}",
    ),
    "a power -1 of a matrix that is not square": Row(
        "input A : [n, m]\ny = A^-1",
        "`A^-1`: [n, m] is neither a number nor a square matrix",
        "A^-1",
        "elementwise `1/A`, the inverse of a matrix `inv(A)`",
        "input A : [n, m]\ny = {0}",
    ),
    "a product whose axes agree otherwise": Row(
        "input Q, K, V : [B, T, d]\ns = (2 Q K) @ V",
        "cannot multiply [B, T, d] by [B, T, d]: the inner sizes are d and T",
        "(2 Q K)",
        "the last axes agree: did you mean `(2 Q) @ K^T`?",
    ),
    "a product whose axes agree otherwise, in a product": Row(
        "input Q, K : [B, T, d]\ns = 3 * Q K",
        "cannot multiply [B, T, d] by [B, T, d]: the inner sizes are d and T",
        "Q K",
        "the last axes agree: did you mean `(Q @ K^T)`?",
    ),
    "a product whose second-last axes agree": Row(
        "input A : [m, n]\ninput B : [m, k]\ny = A @ B",
        "cannot multiply [m, n] by [m, k]: the inner sizes are n and m",
        "A @ B",
        "the second-last axes agree: did you mean `A^T @ B`?",
    ),
    "a product the other way round": Row(
        "input A : [m, n]\ninput B : [k, m]\ny = A @ B",
        "cannot multiply [m, n] by [k, m]: the inner sizes are n and k",
        "A @ B",
        "the other order fits: did you mean `B @ A`?",
    ),
    "a comparison that does not fit": Row(
        "input A : [T, d]\ninput b : [T]\ny = A > b",
        "cannot compare shapes [T, d] and [T]: axis -1 is d on the left and T on the right",
        "A > b",
        "the T axis of the right side would have to sit one place further left: "
        "index it with `[:, None]`",
        "input A : [T, d]\ninput b : [T]\ny = A > b{}",
    ),
    "a product that no transpose mends": Row(
        "input Q : [B, T, d]\ninput K : [H, T, d]\ns = Q @ K",
        "cannot multiply [B, T, d] by [H, T, d]: the inner sizes are d and T",
        "Q @ K",
        "",
    ),
    "a matrix product of a number": Row(
        "input x : []\ninput A : [n, n]\ny = 2 * x @ A",
        "cannot multiply [] by [n, n]: a matrix product needs at least one axis on either side",
        "2 * x @ A",
        "scale with `(2 * x) * A`",
    ),
    "a number where a truth value is due": Row(
        "input x : []\ny = true and x + 1",
        "a truth value is needed, not []",
        "true and x + 1",
        "compare it: `(x + 1) != 0`",
        "input x : []\ny = true and {}",
    ),
    "a vector for a batch of matrices": Row(
        "input A : [B, n, n]\ninput b : [n]\ny = solve(A, 2 b)",
        "cannot solve [B, n, n] x = [n]",
        "solve(A, 2 b)",
        "write `(2 b)[:, None]`",
        "input A : [B, n, n]\ninput b : [n]\ny = solve(A, {})",
    ),
    "a sum whose axes sit elsewhere": Row(
        "input X : [B, T, d]\ninput b : [T]\ny = X + b",
        "cannot add shapes [B, T, d] and [T]: axis -1 is d on the left and T on the right",
        "X + b",
        "the T axis of the right side would have to sit one place further left: "
        "index it with `[:, None]`",
        "input X : [B, T, d]\ninput b : [T]\ny = X + b{}",
    ),
    "two axes of a maximum": Row(
        "input x : [n]\ny = max(x, 0)",
        "`max` of a tensor and 0 can be read two ways",
        "max(x, 0)",
        "write `maximum(x, 0)` or `max(x, axis=0)`",
    ),
    "an attribute for a transpose": Row(
        "input A : [n, n]\ny = A.T A",
        "`.T` is no attribute here",
        "A.T",
        "write `A^T`",
    ),
    "a size that nobody declared": Row(
        "dim d, B\nparam W : [dd, d]",
        "the size `dd` of this parameter is not known here",
        "dd",
        "known sizes: d, B; did you mean `d`?",
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


def refused(program: str) -> Diagnostic:
    with pytest.raises(DslError) as caught:
        dsl.compile(program)
    assert len(caught.value.diagnostics) == 1
    return caught.value.diagnostics[0]


@pytest.mark.parametrize("what", REFUSED)
def test_a_refused_form_has_words_of_its_own(what: str) -> None:
    row, found = REFUSED[what], refused(REFUSED[what].program)
    assert (found.message, found.span.text, found.hint) == (row.message, row.place, row.hint)


def test_no_two_kinds_of_refusal_share_their_words() -> None:
    """Except where one form is refused in several surroundings."""
    words = {re.sub(r"`[^`]*`|\[[^\]]*\]", "…", row.message) for row in REFUSED.values()}
    assert len(words) > 0.75 * len(REFUSED)


# Of the programs in the table of wrong shapes and names: where the rewrites go, if not in place.
MENDED = {
    "the gradient of a tensor": "input x : [n]\ng = ∇_x {}",
    "the gradient by a constant": "{0}\n{1} = x^2\n{2}",
    "a function as a value": "input x : []\ny = x + {}",
    "a value called": "input x : []\nz = {0}",
    "too many arguments": "f(x) = x\ninput x : []\ny = {}",
    "an argument missing": "f(x, y) = x y\ninput x, y : []\nz = {}",
    "an axis by a size that occurs twice": "input X : [T, T]\ny = sum(X, {})",
    "recursion": REFUSED["recursion"].mended,
    "a loop of unknown length": "{1}\ninput x : [{0}]\nrepeat n:\n    x = 2 x",
    "a row and a column": "input x, y : [n]\nz = {0} + y\nw = x^T + {1}",
    "a parameter of an open rank": ADVICE,
    "a const without a value": ADVICE,
    "a slice backwards": "input x : [3]\ny = {}",
    "what a reduction took away": "input X : [B, T, d]\ny = X - mean(X, axis=-1){}",
    "a power -1 of a vector": "input x : [n]\ny = {0}",
    "a norm of a matrix that is no sum of squares": "input A : [n, n]\ny = {}²",
    "an index by floats": "input x : [n]\ny = x[{}]",
    "an input in a function": "{}",
    "the derivative of what mixes elements": ADVICE,
}


# Slips of writing, and where the rewrites go: what is said to them stands in the transcript.
SLIPS = {
    "x = 1\nx += 2 x": "x = 1\n{}",
    "x = 1\nx -= 2 x + 1": "x = 1\n{}",
    "x := 1": "{}",
    "a = 5\ny = a // 2": "a = 5\ny = {}",
    "x = 1\ny = x <> 1": "x = 1\ny = {}",
    "x = 1\ny = (x + 1) =< 2": "x = 1\ny = {}",
    "f = lambda x: x^2": "{}",
    "def f(x):\n    x": "{}",
    "y = [1 2; 3 4]": "y = {}",
    "x = 1\ny = x 2": "x = 1\ny = {}",
    "x = 1\ny = sin(x) 2": "x = 1\ny = {}",
    "y = 1 2": "y = {}",
    "input x ∈ R^n": "input x ∈ {}",
    "f(x) = 2 x where x ∈ ℝ^n×m": "f(x) = 2 x where x ∈ {}",
    "_x = 1": "{here}",
    "x = 1\nx' = 1": "{here}",
    "x = [1, 2]\ni = 0\ny = xᵢ": "x = [1, 2]\nx_i = 3\ni = 0\ny = {}",
    "f(x) =\n    y = x": "f(x) =\n    y = x\n    {}",
    "input y, x : []\nz = y x^2\ng = ∂z/∂x^2": "{here}",
    "input w, x : []\ny = 2 * ∑ w x": "{here}",
    "input w, x : []\ny = ½ ∑ w * x": "{here}",
    "f(x) = 2 x\ninput x, y : []\nz = 1/f(x) y": "{here}",
    "a = true\nb = false\ny = a && b": "a = true\nb = false\ny = a {} b",
    "a = true\ny = !a": "a = true\ny = {} a",
    "input X": "{0}",
    "y = s where s": "y = s where {}",
    "x = 2\ny = x^√2": "x = 2\ny = {}",
    "dim n = 3\nx = ones([n])\ny = x(1, 2)": "dim n = 3\nx = ones([n])\ny = {}",
    "a = 1, 2": "a = {}",
    "while x:\n    y": ADVICE,
}


def rows() -> dict[str, Row]:
    """The tables, as far as a hint offers something."""
    wrong = {
        what: Row(program, *said, MENDED.get(what, "{here}"))
        for what, (program, said) in WRONG.items()
    }
    slips = {program: Row(program, "", "", "", mended) for program, mended in SLIPS.items()}
    every = {**wrong, **REFUSED, **slips}
    return {what: row for what, row in every.items() if row.mended != ADVICE}


def offers(hint: str) -> list[str]:
    return hint.split("`")[1::2]


def programs(row: Row) -> list[str]:
    """The program with each rewrite in its place, or with all of them where they go together."""
    found = refused(row.program)
    texts = [each.replace("…", "0") for each in offers(found.hint)]
    start, end, text = found.span.start, found.span.end, found.span.source.text
    if row.mended == "{here}":
        return [text[:start] + each + text[end:] for each in texts]
    if "{0}" in row.mended or "{1}" in row.mended:
        return [row.mended.format(*texts)]
    return [row.mended.replace("{}", each) for each in texts]


@pytest.mark.parametrize("what", rows())
def test_what_is_offered_compiles_in_its_place(what: str) -> None:
    for program in programs(rows()[what]):
        dsl.compile(program)


# A program and the place of each of its errors: independent ones together, in the order of the
# text, what follows from another not at all.
TOGETHER = {
    "a form and a name": ("input X : [n]\na = X**2\nb = X + nothing\nc = a + b", ["2:6", "3:9"]),
    "a name and a form": ("a = nothing\nb = 1 2\nc = a + b", ["1:5", "2:7"]),
    "a declaration that cannot be read": (
        "input X : [n, m\nparam W : [n, m]\ny = X @ W^T\nz = zeta",
        ["1:11", "4:5"],
    ),
    "a function that cannot be read": (
        "f(x) =\n    y = x**2\n    y\nz = f(1) + 1\nw = zeta",
        ["2:10", "5:5"],
    ),
    "a function with a shape and no value": ("f(x) : [n]\ny = f(1)\nz = zeta", ["1:1", "3:5"]),
    "Python's definition": ("def f(x): x^2\ny = f(1)\nz = zeta", ["1:1", "3:5"]),
    "a loop that cannot be read": ("repeat 3:\n    x = 1**2\ny = x\nz = zeta", ["2:10", "4:5"]),
    "two targets": ("a, b = 1 2\nc = a + b\nz = zeta", ["1:10", "3:5"]),
    "an import that cannot be read": ("from m import a,\ny = a\nz = zeta", ["1:16", "3:5"]),
    "an import of nothing": ("from m import a\ny = a\nz = zeta", ["1:6", "3:5"]),
    "a statement indented by mistake": ("x = 1\n  y = 2\nz = x + y\nw = zeta", ["2:3", "4:5"]),
    "an open bracket over lines": ("y = f(a +\nb +\nc\nz = 1\nw = zeta", ["1:6", "5:5"]),
    "an invisible character in a comment": (
        "y = 1 # \N{ZERO WIDTH SPACE}\nz = zeta",
        ["1:9", "2:5"],
    ),
    "a tab": ("f(x) =\n\tx\ny = f(1)\nz = zeta", ["2:1", "4:5"]),
    "a name given anew": ("x = 1\nx = 1/2 x\ny = x + [1, 2] @ x\nz = zeta", ["2:5", "4:5"]),
}


def places(program: str) -> list[str]:
    with pytest.raises(DslError) as caught:
        dsl.compile(program)
    return [each.span.label.removeprefix("cell:") for each in caught.value.diagnostics]


@pytest.mark.parametrize("what", TOGETHER)
def test_independent_errors_are_told_together_and_what_follows_is_not(what: str) -> None:
    program, expected = TOGETHER[what]
    assert places(program) == expected


def test_five_errors_at_most_are_told_of_both_kinds() -> None:
    assert places("a = x**2\nb = zeta\n" * 5) == ["1:6", "2:5", "3:6", "4:5", "5:6"]


def test_a_text_that_only_ends_too_early_is_not_held_against_its_names() -> None:
    with pytest.raises(DslError) as caught:
        dsl.compile("a = zeta\ny = f(")
    assert [each.code for each in caught.value.diagnostics] == ["incomplete"]


# A slip, and what was meant: of every kind of name.
MEANT = {
    "a value": ("input duration : [n]\ny = duratoin", "did you mean `duration`?"),
    "a product of names": ("input X, W_q : [n, n]\ny = XW_q", "did you mean `X W_q`?"),
    "a function": ("y = sofmax([1, 2])", "did you mean `softmax`?"),
    "a function of the prelude": ("y = atention(1)", "did you mean `attention`?"),
    "a module": ("y = textbook(1, 2)", "it is a module: `import textbook`"),
    "a module not imported": ("y = textbook.softmax(1)", "it is a module: `import textbook`"),
    "a module misspelled": ("import txtbook", "did you mean `textbook`?"),
    "a name of a module": ("import textbook\ny = textbook.sofmax(1)", "did you mean `softmax`?"),
    "a name imported": ("from textbook import sofmax", "did you mean `softmax`?"),
    "a size": ("dim width\nparam W : [widht]", "known sizes: width; did you mean `width`?"),
    "a keyword": ("y = sum([1, 2], axes=0)", "did you mean `axis`?"),
    "a keyword of a function": ("f(x, rate=1) = x\ny = f(1, rat=2)", "did you mean `rate`?"),
    "an attribute": ("input x : [n]\ny = x.shpe", "did you mean `shape`?"),
    "a path": (
        "f(x) =\n    param W_q : [2]\n    W_q\ny = f(1)\nz = f.W_k",
        "did you mean `f.W_q`?",
    ),
    "a function that nothing is near": (
        "y = unheard_of(1, 2)",
        "define it above: `unheard_of(…) = …`",
    ),
    "a kind of element": (
        "input x : integer[n]",
        "did you mean `int`? the kinds are `float`, `int` and `bool`; a shape is written `[n, m]`",
    ),
}


@pytest.mark.parametrize("what", MEANT)
def test_what_was_perhaps_meant_is_asked(what: str) -> None:
    program, hint = MEANT[what]
    assert refused(program).hint == hint


def test_a_function_of_a_module_is_found_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modules, "FOLDERS", [tmp_path])
    (tmp_path / "broken.graph").write_text("f(x) = x**2")
    (tmp_path / "mine.graph").write_text("variance(x) = mean(x^2) - mean(x)^2")
    assert refused("y = variance([1, 2])").hint == "import it: `from mine import variance`"
    dsl.compile("from mine import variance\ny = variance([1, 2])")
