"""Text to syntax tree: every form of the language, shown with all its brackets."""

from __future__ import annotations

import pytest

import dsl
from dsl import syntax as s
from dsl.glyphs import ASCII
from dsl.syntax import Syntax


def sketch(node: Syntax | None) -> str:
    """A node with all its brackets; `{call | product}` where names decide."""
    match node:
        case None:
            return ""
        case s.Name(text):
            return text
        case s.Number(value):
            return repr(value)
        case s.Text(value):
            return f'"{value}"'
        case s.Unary(op, operand):
            return f"({op} {sketch(operand)})"
        case s.Binary(op, left, right):
            return f"({sketch(left)} {op} {sketch(right)})"
        case s.Juxtapose(left, right):
            return f"({sketch(left)} {sketch(right)})"
        case s.Keyword(name, value):
            return f"{name.text}={sketch(value)}"
        case s.Call(function, args, keywords):
            return f"{sketch(function)}({listed((*args, *keywords))})"
        case s.CallOrProduct(_, call, product):
            return f"{{{sketch(call)} | {sketch(product)}}}"
        case s.Ambiguous(rewrites):
            return " or ".join(rewrites)
        case s.Slice(start, stop, step):
            return ":".join(sketch(part) for part in (start, stop, step))
        case s.Dots():
            return "..."
        case s.Hole():
            return "_"
        case s.Index(operand, items):
            return f"{sketch(operand)}[{listed(items)}]"
        case s.Attribute(operand, name):
            return f"{sketch(operand)}.{name}"
        case s.Transpose(operand):
            return f"{sketch(operand)}ᵀ"
        case s.Prime(operand, order):
            return sketch(operand) + "'" * order
        case s.Power(base, exponent):
            return f"({sketch(base)} ^ {sketch(exponent)})"
        case s.Gradient(of, wrt):
            return f"∇[{sketch(wrt)}]{sketch(of)}"
        case s.Norm(operand, order):
            return f"‖{sketch(operand)}‖{order}"
        case s.List(items):
            return f"[{listed(items)}]"
        case s.Comprehension(element, target, iterable):
            return f"{sketch(element)} for {target.text} in {sketch(iterable)}"
        case s.Conditional(then, condition, otherwise):
            return f"({sketch(then)} if {sketch(condition)} else {sketch(otherwise)})"
        case _:
            return sketch_statement(node)


def sketch_statement(node: Syntax) -> str:
    match node:
        case s.Annotation(kind, sizes):
            return f" : {kind or ''}{'' if sizes is None else f'[{listed(sizes)}]'}"
        case s.Declared(name, annotation):
            return f"{name.text}{sketch(annotation)}"
        case s.Size(name, value):
            return f"{name.text} = {sketch(value)}" if value else name.text
        case s.Dim(sizes):
            return f"dim {listed(sizes)}"
        case s.Input(names):
            return f"input {listed(names)}"
        case s.Const(names):
            return f"const {listed(names)}"
        case s.Param(names, draw, fill):
            tail = f" ~ {sketch(draw)}" if draw else f" = {sketch(fill)}" if fill else ""
            return f"param {listed(names)}{tail}"
        case s.Block(statements, values, where):
            lines = [sketch(line) for line in (*where, *statements)]
            return "; ".join([*lines, listed(values)])
        case s.Assign(targets, annotation, body):
            return f"{listed(targets)}{sketch(annotation)} = {sketch(body)}"
        case s.Parameter(name, annotation, default):
            return f"{name.text}{sketch(annotation)}" + (f"={sketch(default)}" if default else "")
        case s.FunctionDef(name, parameters, annotation, body):
            return f"{name.text}({listed(parameters)}){sketch(annotation)} := {sketch(body)}"
        case s.Repeat(count, body):
            return f"repeat {sketch(count)}: {'; '.join(map(sketch, body))}"
        case s.For(target, iterable, body):
            return f"for {target.text} in {sketch(iterable)}: {'; '.join(map(sketch, body))}"
        case s.Import(module, names):
            return f"from {module} import {listed(names)}"
        case s.Show(body):
            return sketch(body)
        case _:
            raise AssertionError(node)


def listed(nodes: tuple[Syntax, ...]) -> str:
    return ", ".join(sketch(node) for node in nodes)


def parsed(text: str) -> str:
    return "\n".join(sketch(statement) for statement in dsl.parse(text).statements)


EXPRESSIONS = [
    # names and numbers
    ("x₁ + W_q", "(x1 + W_q)"),
    ("ŷ - y\u0302", "(ŷ - ŷ)"),
    ("x̄' θ₁₂ Ω é", "(((x̄' θ12) Ω) é)"),
    ("12 * 50_257", "(12 * 50257)"),
    ("1e-5 + .5 + 1. + 2.5E3", "(((1e-05 + 0.5) + 1.0) + 2500.0)"),
    ("½ + ¼", "(0.5 + 0.25)"),
    ("∞ + π", "(∞ + π)"),
    ("forward + notable + ink", "((forward + notable) + ink)"),
    ("x + dim + where(c, a, b)", "((x + dim) + where(c, a, b))"),
    # call, index, attribute
    ("f(x, axis=-1)", "f(x, axis=(- 1))"),
    ("f()", "f()"),
    ("f(x)", "{f(x) | (f x)}"),
    ("f(x)(y)", "{{f(x)(y) | (f(x) y)} | (f (x y))}"),
    ("a (b)^2", "{(a(b) ^ 2) | (a (b ^ 2))}"),
    ("a (b)[0]^T c", "({a(b)[0]ᵀ | (a b[0]ᵀ)} c)"),
    ("100 (y - x^2)^2", "(100 ((y - (x ^ 2)) ^ 2))"),
    ("(a + b)(c + d)", "((a + b) (c + d))"),
    ("x^n (y)", "{(x ^ n(y)) | ((x ^ n) y)}"),
    ("x^max(a, b)", "(x ^ max(a, b))"),
    ("x^2 (y)", "((x ^ 2) y)"),
    ("x^T(y)", "(xᵀ y)"),
    ('g(f, name="c_attn")', 'g(f, name="c_attn")'),
    ("h.3.attn.W", "h.3.attn.W"),
    ("x.shape[0]", "x.shape[0]"),
    ("X[:, 1:]", "X[::, 1::]"),
    ("X[..., -1]", "X[..., (- 1)]"),
    ("X[0, :, None]", "X[0, ::, None]"),
    ("X[::2, a:b:c, :n]", "X[::2, a:b:c, :n:]"),
    ("E[tokens]", "E[tokens]"),
    # transpose, derivative, power
    ("K^T", "Kᵀ"),
    ("Kᵀ", "Kᵀ"),
    ("K ^ T", "Kᵀ"),
    ("x^(T)", "(x ^ T)"),
    ("x^Ts", "(x ^ Ts)"),
    ("x^T²", "(xᵀ ^ 2)"),
    ("x'", "x'"),
    ("f''(t)", "{f''(t) | (f'' t)}"),
    ("x² x⁻¹ x^-1 x^n x^(e)", "(((((x ^ 2) (x ^ -1)) (x ^ -1)) (x ^ n)) (x ^ e))"),
    ("x^-n", "(x ^ (- n))"),
    ("x¹²", "(x ^ 12)"),
    # prefixes
    ("√x", "sqrt(x)"),
    ("√x^2", "sqrt((x ^ 2))"),
    ("√a (b)", "{sqrt(a(b)) | (sqrt(a) b)}"),
    ("√(a) (b)", "(sqrt(a) b)"),
    ("√√x", "sqrt(sqrt(x))"),
    ("∇f", "∇[]f"),
    ("∇f(x)^T d", "({∇[]f(x)ᵀ | (∇[]f xᵀ)} d)"),
    ("∇_W loss", "∇[W]loss"),
    ("∇_W_q ‖x‖²", "∇[W_q](‖x‖ ^ 2)"),
    ("∇_W f(x)", "{∇[W]f(x) | (∇[W]f x)}"),
    ("∂y/∂x", "∇[x]y"),
    ("∂f(x)/∂block.W + 1", "(∇[block.W]{f(x) | (f x)} + 1)"),
    ("2 ∂y/∂x (z)", "(2 (∇[x]y z))"),
    ("∑ x", "sum(x)"),
    ("∑ (x - y)^2", "sum(((x - y) ^ 2))"),
    ("∑(x, axis=0)^2", "(sum(x, axis=0) ^ 2)"),
    ("∑(x[i] for i in r)", "sum(x[i] for i in r)"),
    ("∑ f(x)", "{sum(f(x)) | ∑ (f(x)) or (∑ f) (x)}"),
    ("∑ x / n", "(sum(x) / n)"),
    # juxtaposition
    ("A x", "(A x)"),
    ("2 x", "(2 x)"),
    ("2x", "(2 x)"),
    ("x^T A x", "((xᵀ A) x)"),
    ("λ ‖w‖", "(λ ‖w‖)"),
    ("λ √x |y| ∇f", "(((λ sqrt(x)) abs(y)) ∇[]f)"),
    ("[1, 2] x", "([1, 2] x)"),
    ("-x y", "(- (x y))"),
    ("A x * B y", "((A x) * (B y))"),
    # signs, in their order
    ("-x^2", "(- (x ^ 2))"),
    ("a * -b", "(a * (- b))"),
    ("a / b / c * d", "(((a / b) / c) * d)"),
    ("a ⊙ b · c @ d", "(((a * b) · c) @ d)"),
    ("a - b + c", "((a - b) + c)"),
    ("a + b * c", "(a + (b * c))"),
    ("a + b <= c - d", "((a + b) <= (c - d))"),
    ("a ≤ b", "(a <= b)"),
    ("a ≥ b", "(a >= b)"),
    ("a ≠ b", "(a != b)"),
    ("not a == b and c or d", "(((not (a == b)) and c) or d)"),
    ("a if c else b if d else e", "(a if c else (b if d else e))"),
    ("a b / c", "((a b) / c)"),
    ("1 / f(x)", "{(1 / f(x)) | 1 / (f(x)) or (1 / f) (x)}"),
    ("1 / -f(x)", "{(1 / (- f(x))) | 1 / (-f(x)) or (1 / -f) (x)}"),
    ("1 / (2 x)", "(1 / (2 x))"),
    # brackets
    ("((x))", "x"),
    ("|x|", "abs(x)"),
    ("|x| |y|", "(abs(x) abs(y))"),
    ("|x||y|", "(abs(x) abs(y))"),
    ("|a - |b||", "abs((a - abs(b)))"),
    ("|x|^2", "(abs(x) ^ 2)"),
    ("‖x‖", "‖x‖"),
    ("||x||", "‖x‖"),
    ("‖x‖₁ + ‖A‖_F² + ‖x‖_∞", "((‖x‖1 + (‖A‖F ^ 2)) + ‖x‖inf)"),
    ("‖X w - y‖²", "(‖((X w) - y)‖ ^ 2)"),
    ("[]", "[]"),
    ("[1, 2; 3, 4]", "[[1, 2], [3, 4]]"),
    ("[[1, 2], [3, 4]]", "[[1, 2], [3, 4]]"),
    ("[1; 2]", "[[1], [2]]"),
    ("[head(X, h) for h in range(H)]", "head(X, h) for h in {range(H) | (range H)}"),
    ("sum((x[i] - 1)^2 for i in r)", "sum(((x[i] - 1) ^ 2) for i in r)"),
    ("grad(loss, [W, b])", "grad(loss, [W, b])"),
]


@pytest.mark.parametrize("text, tree", EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_an_expression_means(text: str, tree: str) -> None:
    assert parsed(text) == tree


STATEMENTS = [
    ("dim B, T, d = 64, h = 4d", "dim B, T, d = 64, h = (4 d)"),
    ("input X : [B, T, d]", "input X : [B, T, d]"),
    ("input tokens, targets : int[B, T]", "input tokens : int[B, T], targets : int[B, T]"),
    ("input x ∈ ℝ^n, A ∈ ℝ^(n×m)", "input x : float[n], A : float[n, m]"),
    (
        "input x ∈ ℝ, y ∈ ℝ^3, z ∈ ℝ², u ∈ ℝ^T",
        "input x : float[], y : float[3], z : float[2], u : float[T]",
    ),
    ("param W, U : [d, h] ~ normal(0, 0.02)", "param W : [d, h], U : [d, h] ~ normal(0, 0.02)"),
    ("param b : [h] = 0", "param b : [h] = 0"),
    ("param b : [h]", "param b : [h]"),
    ("const A : [n, n]", "const A : [n, n]"),
    ("const lr", "const lr"),
    ("y = e", "y = e"),
    ("a, b = e1, e2", "a, b = e1, e2"),
    ("q, k, v = split(x, 3)", "q, k, v = split(x, 3)"),
    ("y : [B, T] = e", "y : [B, T] = e"),
    ("y : bool[..., 4d, d/h, _] = e", "y : bool[..., (4 d), (d / h), _] = e"),
    ("n : int = 3", "n : int = 3"),
    ("a, b", "a, b"),
    ("f(x : [..., n], m, p=0.1) = e", "f(x : [..., n], m, p=0.1) := e"),
    ("f(x : int[T] = y, s : text) : [] = e", "f(x : int[T]=y, s : text) : [] := e"),
    ("sgd(θ, g, lr) = θ - lr g", "sgd(θ, g, lr) := (θ - (lr g))"),
    ("f() = 1, 2", "f() := 1, 2"),
    ("repeat 3: x = f", "repeat 3: x = f"),
    ("for i in r: x = f", "for i in r: x = f"),
    ("from transformer import block, ffn", "from transformer import block, ffn"),
    ("from nets.gpt import block", "from nets.gpt import block"),
    ("import nets.gpt", "from nets.gpt import "),
    (
        "f(x) = x^T A x where x ∈ ℝ^n, A ∈ ℝ^(n×n)",
        "f(x) := x : float[n]; A : float[n, n]; ((xᵀ A) x)",
    ),
    ("y = s x where s = 2, x, z ∈ ℝ^n", "y = s = 2; x : float[n]; z : float[n]; (s x)"),
    ("y = g where g(t) = t, s : [] = 3", "y = g(t) := t; s : [] = 3; g"),
    ("‖x‖ where x : [n]", "x : [n]; ‖x‖"),
]


@pytest.mark.parametrize("text, tree", STATEMENTS, ids=[text for text, _ in STATEMENTS])
def test_a_statement_means(text: str, tree: str) -> None:
    assert parsed(text) == tree


LAYOUTS = [
    ("x = a\n  + b\n    + c\ny = d", "x = ((a + b) + c)\ny = d"),
    ("x = f(a,\nb,\n\n  c)\ny = d", "x = f(a, b, c)\ny = d"),
    ("x = f(\n  a\n)\ny = d", "x = {f(a) | (f a)}\ny = d"),
    ("m = [1, 2;\n3, 4]", "m = [[1, 2], [3, 4]]"),
    ("y =\n    a\n      + b", "y = (a + b)"),
    ("f(x) =\n  y = x\n\n  # why\n  y + 1\nz = 2", "f(x) := y = x; (y + 1)\nz = 2"),
    ("f(x) =\n  return x, 2", "f(x) := x, 2"),
    ("f(x) =\n  g(y) =\n    z = y\n    z\n  g", "f(x) := g(y) := z = y; z; g"),
    ("repeat n:\n  x = f\n  y = x\nz = y", "repeat n: x = f; y = x\nz = y"),
    ("for i in r:\n  repeat 2:\n    x = f", "for i in r: repeat 2: x = f"),
    ("f(x) = A x\n  where x ∈ ℝ^n,\n        A : [n, n]", "f(x) := x : float[n]; A : [n, n]; (A x)"),
    (
        "f(x) = A x where\n  x ∈ ℝ^n\n  A : [n,\n  n]\n  s = 1\n    + 2",
        "f(x) := x : float[n]; A : [n, n]; s = (1 + 2); (A x)",
    ),
    ("f(x) =\n  y = s x\n  y where s = 1\n  where x : [n]", "f(x) := s = 1; x : [n]; y = (s x); y"),
    ("  x = 1\n  y = 2", "x = 1\ny = 2"),
    ("# nothing\n\n   # at all\n", ""),
    ("", ""),
    ("x = 1 # one\n  # two\n  + 2\n", "x = (1 + 2)"),
    ("x = |a\n  - b|\n|c|", "x = abs((a - b))\nabs(c)"),
    ("\ufeffx = 1\r\ny = 2\rz = 3", "x = 1\ny = 2\nz = 3"),
]


@pytest.mark.parametrize("text, tree", LAYOUTS, ids=[repr(text) for text, _ in LAYOUTS])
def test_lines_and_blocks_mean(text: str, tree: str) -> None:
    assert parsed(text) == tree


def test_the_prelude_block_parses() -> None:
    text = """
attention(X : [B, T, d]) =
    param W_q, W_k, W_v, W_o : [d, d] ~ normal(0, 0.02)
    Q = X W_q
    K = X W_k
    V = X W_v
    softmax(Q K^T / √d + causal(T)) V W_o

block(X) =
    A = layernorm(X + attention(X))
    layernorm(A + ffn(A))
"""
    attention, block = dsl.parse(text).statements
    assert isinstance(attention, s.FunctionDef)
    assert isinstance(block, s.FunctionDef)
    assert [type(line).__name__ for line in attention.body.statements] == ["Param", *["Assign"] * 3]
    assert attention.body.values[0].span.line == 7


@pytest.mark.parametrize("sign", ["⊙", "≤", "≥", "≠"])
def test_a_sign_and_its_ascii_form_say_the_same(sign: str) -> None:
    assert dsl.parse(f"a {sign} b") == dsl.parse(f"a {ASCII[sign]} b")


@pytest.mark.parametrize(
    "sign, plain",
    [
        ("√x", "√(x)"),
        ("∑(x, axis=0)", "sum(x, axis=0)"),
        ("‖x‖", "||x||"),
        ("x ∈ [n] = 1", "x : [n] = 1"),
        ("X[…, 0]", "X[..., 0]"),
        ("x²", "x^2"),
        ("x⁻¹", "x^-1"),
        ("xᵀ", "x^T"),
        ("∂y/∂x", "∇_x y"),
    ],
)
def test_a_form_and_its_ascii_form_say_the_same(sign: str, plain: str) -> None:
    assert parsed(sign) == parsed(plain)


def test_calls_nested_deep_compare_hash_and_print_at_once() -> None:
    text = "y = " + "f(" * 90 + "x" + ")" * 90
    tree = dsl.parse(text)
    assert tree == dsl.parse(text)
    assert hash(tree) == hash(dsl.parse(text))
    assert repr(tree).count("Call(") == 90


def test_spans_take_no_part_in_equality() -> None:
    assert dsl.parse("y = f(x)") == dsl.parse("\n\n  y  =  f(  x)")
    assert dsl.parse("y = f(x)") != dsl.parse("y = f(z)")
