"""The syntax tree: what was written, before it is known what any name means.

Every node is a frozen dataclass with a `span`, which takes no part in equality. No path from the
root to a leaf is longer than 200 nodes (the parser refuses such a text), so recursion is safe.

What the parser does away with: `√x`, `∑ x`, `|x|` are calls of `sqrt`, `sum`, `abs` (the span of
the called Name is the glyph); `[1, 2; 3, 4]` is a list of lists; `⊙` is `*`, `≤` is `<=`; `x²` and
`x^2` are the same Power. Round brackets leave no node: they are in the span of what they hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .errors import DslError
from .span import Span

UnaryOp: TypeAlias = Literal["-", "not"]
BinaryOp: TypeAlias = Literal[
    "+", "-", "*", "/", "@", "·", "<", "<=", ">", ">=", "==", "!=", "and", "or"
]


@dataclass(frozen=True)
class Syntax:
    """A node of the tree; `span` is where it was written, its brackets included."""

    span: Span = field(kw_only=True, compare=False, repr=False)


@dataclass(frozen=True)
class Name(Syntax):
    """`W_q`, `π`, `∞`, `None`, `x₁` (text `x1`): in NFKC; `span.text` is what was typed."""

    text: str


@dataclass(frozen=True)
class Number(Syntax):
    """`12`, `50_257` (int), `1e-5`, `1.`, `½` (float); finite, never negative except in `x^-1`."""

    value: int | float


@dataclass(frozen=True)
class Text(Syntax):
    """`"c_attn"`: for `name=` and for rearrange and einsum patterns."""

    value: str


@dataclass(frozen=True)
class Unary(Syntax):
    """`-x` or `not x`."""

    op: UnaryOp
    operand: Expr


@dataclass(frozen=True)
class Binary(Syntax):
    """`left op right` with a written operator; comparisons do not chain."""

    op: BinaryOp
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Juxtapose(Syntax):
    """`A x`, `2 (x + y)`: a product by standing side by side, associating to the left."""

    left: Expr
    right: Expr


@dataclass(frozen=True)
class Keyword(Syntax):
    """`axis=-1` in a call."""

    name: Name
    value: Expr


@dataclass(frozen=True)
class Call(Syntax):
    """`f(x, axis=-1)`: certainly a call. `f` is any Expr: a Name, a Prime (`f'`), a Gradient…"""

    function: Expr
    args: tuple[Expr, ...]
    keywords: tuple[Keyword, ...] = ()


@dataclass(frozen=True)
class CallOrProduct(Syntax):
    """`a(b)` with what follows it: take `call` if `head` is a function, `product` otherwise.

    Both readings are trees that share their leaves: of `a(b)^2` Power(Call(a, b), 2) and
    Juxtapose(a, Power(b, 2)). A `√`, `∇_W` or `1 /` before it is inside the readings, which is why
    `product` can be Ambiguous. Equality looks at `call` alone: both would double at every level.
    """

    head: Expr
    call: Expr
    product: Expr = field(compare=False, repr=False)


@dataclass(frozen=True)
class Ambiguous(Syntax):
    """`1 / a (b)` as a product, which two people read differently: it is told by `two_readings`."""

    rewrites: tuple[str, str]


@dataclass(frozen=True)
class Slice(Syntax):
    """`1:`, `:n`, `::2` in an index."""

    start: Expr | None
    stop: Expr | None
    step: Expr | None


@dataclass(frozen=True)
class Dots(Syntax):
    """`...` in an index or in a shape."""


@dataclass(frozen=True)
class Hole(Syntax):
    """`_` in a shape: a size that gets no name."""


@dataclass(frozen=True)
class Index(Syntax):
    """`X[0, :, None]`, `E[tokens]`; `None` is a Name like any other."""

    operand: Expr
    items: tuple[Expr | Slice | Dots, ...]


@dataclass(frozen=True)
class Attribute(Syntax):
    """`x.shape`, `block.W_q`, `h.3`: `name` is a name in NFKC or decimal digits."""

    operand: Expr
    name: str


@dataclass(frozen=True)
class Transpose(Syntax):
    """`x^T` or `xᵀ`."""

    operand: Expr


@dataclass(frozen=True)
class Prime(Syntax):
    """`x'`, `f''`: the derivative of that order if `operand` is a function, else transposes."""

    operand: Expr
    order: int


@dataclass(frozen=True)
class Power(Syntax):
    """`x^2`, `x⁻¹`, `x^n`, `x^(e)`; `x^-1` has the exponent Number(-1)."""

    base: Expr
    exponent: Expr


@dataclass(frozen=True)
class Gradient(Syntax):
    """`∇f` (wrt None: a function), `∇_W loss` and `∂loss/∂W` (wrt a Name or Attribute path)."""

    of: Expr
    wrt: Expr | None


@dataclass(frozen=True)
class Norm(Syntax):
    """`‖x‖` (order ""), `‖x‖₁` ("1"), `‖A‖_F` ("F"), `‖x‖_∞` ("inf")."""

    operand: Expr
    order: str


@dataclass(frozen=True)
class List(Syntax):
    """`[a, b]`; a matrix `[1, 2; 3, 4]` is a List of Lists of equal length."""

    items: tuple[Expr, ...]


@dataclass(frozen=True)
class Comprehension(Syntax):
    """`[head(X, h) for h in range(H)]`, and the same without brackets as the only argument."""

    element: Expr
    target: Name
    iterable: Expr


@dataclass(frozen=True)
class Conditional(Syntax):
    """`then if condition else otherwise`."""

    then: Expr
    condition: Expr
    otherwise: Expr


Expr: TypeAlias = (
    Name
    | Number
    | Text
    | Unary
    | Binary
    | Juxtapose
    | Call
    | CallOrProduct
    | Ambiguous
    | Index
    | Attribute
    | Transpose
    | Prime
    | Power
    | Gradient
    | Norm
    | List
    | Comprehension
    | Conditional
)


@dataclass(frozen=True)
class Annotation(Syntax):
    """`[B, T, d]`, `int[B, T]`, `ℝ^(n×m)`, `int` alone (sizes None), `ℝ` and `[]` (sizes ()).

    `kind` is "float", "int", "bool" or "text" where it was written (ℝ is "float"), else None.
    """

    kind: str | None
    sizes: tuple[Expr | Dots | Hole, ...] | None


@dataclass(frozen=True)
class Declared(Syntax):
    """A declared name with its annotation (None only in a `const` without one)."""

    name: Name
    annotation: Annotation | None


@dataclass(frozen=True)
class Size(Syntax):
    """One size of a `dim` line: `T`, or `h = 4d`."""

    name: Name
    value: Expr | None


@dataclass(frozen=True)
class Dim(Syntax):
    """`dim B, T, d = 64, h = 4d`."""

    sizes: tuple[Size, ...]


@dataclass(frozen=True)
class Input(Syntax):
    """`input tokens, targets : int[B, T]`: every name carries its annotation."""

    names: tuple[Declared, ...]


@dataclass(frozen=True)
class Param(Syntax):
    """`param W, U : [d, h] ~ normal(0, 0.02)` (draw), `param b : [h] = 0` (fill), or neither."""

    names: tuple[Declared, ...]
    draw: Expr | None
    fill: Expr | None


@dataclass(frozen=True)
class Const(Syntax):
    """`const A : [n, n]`, `const lr`."""

    names: tuple[Declared, ...]


@dataclass(frozen=True)
class Block(Syntax):
    """What stands to the right of `=`: statements, then the values (at least one, `a, b` is two).

    `where` holds shapes of free names (Declared) and locals (Assign, FunctionDef), which come
    before the statements. `y = e` is Block((), (e,), ()).
    """

    statements: tuple[Statement, ...]
    values: tuple[Expr, ...]
    where: tuple[Declared | Assign | FunctionDef, ...]


@dataclass(frozen=True)
class Assign(Syntax):
    """`y : [B, T] = e`, `a, b = e1, e2`, `q, k = split(x, 2)`: a value for each, or one for all."""

    targets: tuple[Name, ...]
    annotation: Annotation | None
    body: Block


@dataclass(frozen=True)
class Parameter(Syntax):
    """`x`, `x : [..., n]`, `p=0.1` in the head of a function."""

    name: Name
    annotation: Annotation | None
    default: Expr | None


@dataclass(frozen=True)
class FunctionDef(Syntax):
    """`f(x : [..., n], p=0.1) = e`, with an annotation of the result if `f(x) : [n] = e`."""

    name: Name
    parameters: tuple[Parameter, ...]
    annotation: Annotation | None
    body: Block


@dataclass(frozen=True)
class Repeat(Syntax):
    """`repeat n:` and its statements."""

    count: Expr
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class For(Syntax):
    """`for i in range(n):` and its statements."""

    target: Name
    iterable: Expr
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Import(Syntax):
    """`from transformer import block`; `import transformer` has no names."""

    module: str
    names: tuple[Name, ...]


@dataclass(frozen=True)
class Show(Syntax):
    """A bare expression line at top level: its values are shown."""

    body: Block


@dataclass(frozen=True)
class Wrong(Syntax):
    """A statement that could not be read: what it defines, what it may introduce, its error."""

    names: tuple[str, ...]
    perhaps: tuple[str, ...]
    error: DslError | None = field(compare=False)  # None where the one before tells enough


Statement: TypeAlias = (
    Dim | Input | Param | Const | Assign | FunctionDef | Repeat | For | Import | Show | Wrong
)


@dataclass(frozen=True)
class Program(Syntax):
    """A whole text; `span.source` is that text."""

    statements: tuple[Statement, ...]


def children(node: Syntax) -> Iterator[Syntax]:
    """The nodes directly below; of a CallOrProduct only `call`, which mentions every leaf once."""
    if isinstance(node, CallOrProduct):
        yield node.call
        return
    for value in vars(node).values():
        parts: tuple[object, ...] = value if isinstance(value, tuple) else (value,)  # pyright: ignore[reportUnknownVariableType]
        yield from (part for part in parts if isinstance(part, Syntax))
