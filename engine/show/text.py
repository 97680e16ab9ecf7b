"""Formulas as text in the language's notation, few brackets: `softmax(Q @ K^T / sqrt(d))`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import sympy

from engine.dims import show, show_dim
from engine.graph import Node
from engine.ops.indexing import entry_text
from engine.ops.sources import Literal, number
from engine.show.lines import Level, Line, Notation, Part, written
from engine.show.names import some, visible

MOST_LINES = 60

INFIX = {
    "logical_or": ("or", Level.EITHER),
    "logical_and": ("and", Level.BOTH),
    "equal": ("==", Level.COMPARISON),
    "not_equal": ("!=", Level.COMPARISON),
    "less": ("<", Level.COMPARISON),
    "less_equal": ("<=", Level.COMPARISON),
    "add": ("+", Level.SUM),
    "sub": ("-", Level.SUM),
    "mul": ("*", Level.PRODUCT),
    "div": ("/", Level.PRODUCT),
    "matmul": ("@", Level.PRODUCT),
}


def formula(node: Node, names: Mapping[Node, str] | None = None) -> str:
    """The formula of a node, never long: values used several times are named on lines before it.

    Nodes in `names` are called by their names and not opened.

    >>> from engine import ops, var
    >>> x, w = var("x", ["n", "d"]), var("w", ["d"])
    >>> print(formula(ops.mean((x @ w - 1) ** 2)))
    mean((x @ w - 1)^2)
    >>> y = ops.exp(x)
    >>> print(formula(y / ops.sum(y, axis=-1, keepdims=True)))
    a = exp(x)
    a / sum(a, axis=-1, keepdims=true)
    """
    known = names or {}
    lines = written([node], known, TEXT, stop=lambda n: n in known and n is not node)
    if not lines:
        return visible(node.label())
    *before, last = _last_lines(lines)
    return "\n".join([*before, last.partition(" = ")[2]])


def _last_lines(lines: Sequence[Line]) -> list[str]:
    texts = [f"{line.name} = {line.text}" for line in lines[-MOST_LINES:]]
    hidden = len(lines) - len(texts)
    return [f"… {hidden} more values", *texts] if hidden else texts


def write(node: Node, parts: Sequence[Part]) -> Part:
    """A node in terms of its written operands."""
    if node.op.name in INFIX:
        return _infix(node, *parts)
    rule = _FORMS.get(node.op.name)
    return rule(node, *parts) if rule else Part(_call(node, parts))


def _infix(node: Node, left: Part, right: Part) -> Part:
    """Operators associate to the left; comparisons do not chain."""
    sign, level = INFIX[node.op.name]
    first = left.inside(level) if level == Level.COMPARISON else left.beside(level)
    return Part(f"{first} {sign} {right.inside(level)}", level)


def _call(node: Node, parts: Sequence[Part]) -> str:
    """`name(operands, attributes that are not the default)`."""
    given = [_attribute(key, node) for key in node.attrs if node.attrs[key] != node.op.attrs[key]]
    return f"{word(node)}({', '.join([*some([part.text for part in parts]), *given])})"


WORDS = {"layer_norm": "layernorm", "unindex": "place"}


def word(node: Node) -> str:
    """What the operator is called in a call."""
    return WORDS.get(node.op.name, node.op.name)


def _attribute(key: str, node: Node) -> str:
    value = node.attrs[key]
    if key == "shape":
        return show(value)
    if key == "axis" and isinstance(value, tuple) and len(cast(tuple[Any, ...], value)) == 1:
        (value,) = cast(tuple[Any, ...], value)
    return f"{key}={_literal(value)}"


def _literal(value: Any) -> str:
    """An attribute as one writes it."""
    if isinstance(value, tuple):
        return f"[{', '.join(some([_literal(item) for item in cast(tuple[Any, ...], value)]))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return short_number(value)
    if isinstance(value, sympy.Expr):
        return show_dim(value)
    return f'"{visible(value)}"' if isinstance(value, str) else visible(str(value))


def short_number(value: float) -> str:
    """A number in few characters: 2, 0.5, 10000, -1e9, 1e-5, inf."""
    plain, (mantissa, _, power) = number(value), f"{value:e}".partition("e")
    if isinstance(value, int) or not power:
        return plain
    short = f"{mantissa.rstrip('0').rstrip('.')}e{int(power)}"
    worth_it = "e" in plain or len(short) + 2 < len(plain)
    return short if worth_it and float(short) == value else plain


def _size(node: Node) -> Part:
    text = show_dim(node.attrs["dim"])
    return Part(text, Level.ATOM if text.isidentifier() else Level.SUM)


def _const(node: Node) -> Part:
    value = node.attrs["value"]
    if isinstance(value, Literal):
        return Part(_tensor(value))
    text = str(value).lower() if isinstance(value, bool) else short_number(value)
    return Part(text, Level.SIGN if text.startswith("-") else Level.ATOM)


def _tensor(value: Literal) -> str:
    """A small vector or matrix with its elements, any other tensor by its shape."""
    tensor = value.tensor
    if tensor.ndim > 2 or tensor.numel() > 9 or not tensor.numel():
        return f"tensor{list(tensor.shape)}"
    rows = tensor.tolist() if tensor.ndim == 2 else [tensor.tolist()]
    return f"[{'; '.join(', '.join(_literal(x) for x in row) for row in rows)}]"


def _power(node: Node, base: Part, exponent: Part) -> Part:
    """x^2, x^n, x^(n + 1); `x^T` is the transpose, `A^-1` the inverse: so x^(T), and 1 / A."""
    if exponent.text == "-1" and node.shape != ():
        return Part(f"1 / {base.inside(Level.PRODUCT)}", Level.PRODUCT)
    simple = exponent.text.removeprefix("-")
    plain = simple.replace(".", "").isalnum() and simple != "T"
    shown = exponent.text if plain else f"({exponent.text})"
    return Part(f"{base.beside(Level.ATOM)}^{shown}", Level.POWER)


def _transpose(node: Node, x: Part) -> Part:
    axes = node.attrs["axes"]
    if axes == (-1, -2) or (axes is None and node.rank == 2):
        return Part(f"{x.beside(Level.ATOM)}^T", Level.POWER)
    return Part(_call(node, [x]))


def _index(node: Node, x: Part) -> Part:
    return Part(f"{x.beside(Level.POWER)}[{_key(node)}]")


def _unindex(node: Node, g: Part, *like: Part) -> Part:
    """`place(g, [:, 1], [n, 2])`: g at these places of zeros, of this shape or the one lent."""
    to = like[0].text if like else show(node.attrs["shape"])
    return Part(f"place({g.text}, [{_key(node)}], {to})")


def _key(node: Node) -> str:
    return ", ".join(some([entry_text(k) for k in node.attrs["key"]])) or "..."


def _reduced(node: Node, x: Part) -> Part:
    """A product is over one axis; the word alone would mean all of them."""
    keepdims = ", keepdims=true" if node.attrs["keepdims"] else ""
    return Part(f"{word(node)}({x.text}, axis={node.attrs['axis']}{keepdims})")


def _gelu(node: Node, x: Part) -> Part:
    return Part(
        f"gelu_tanh({x.text})" if node.attrs["approximate"] == "tanh" else f"gelu({x.text})"
    )


def causal_size(node: Node) -> str | None:
    """T for the mask that adds -1e9 above the diagonal of [T, T], None for any other node."""
    if node.op.name != "triu" or node.attrs["diagonal"] != 1:
        return None
    full = node.inputs[0]
    is_mask = full.op.name == "full" and full.attrs["value"] == -1e9 and full.shape
    return show_dim(full.shape[-1]) if is_mask and full.shape else None


def _triu(node: Node, x: Part) -> Part:
    size = causal_size(node)
    return Part(_call(node, [x]) if size is None else f"causal({size})")


def _drawn(node: Node, key: Part) -> Part:
    """uniform(0, 1, shape=[n], key=7)."""
    first, second = (v for name, v in node.attrs.items() if name != "shape")
    given = f"{_literal(first)}, {_literal(second)}, shape={show(node.attrs['shape'])}"
    return Part(f"{word(node)}({given}, key={key.text})")


def _joined(node: Node, *parts: Part) -> Part:
    axis = "" if node.attrs["axis"] == 0 else f", axis={node.attrs['axis']}"
    return Part(f"{word(node)}([{', '.join(some([part.text for part in parts]))}]{axis})")


def _filled(node: Node, *like: Part) -> Part:
    """zeros([n]), zeros(x) of the shape that x lends, full([n], 7)."""
    of = like[0].text if like else show(node.attrs["shape"])
    value = f", {_literal(node.attrs['value'])}" if node.op.name == "full" else ""
    return Part(f"{word(node)}({of}{value})")


def _arange(node: Node) -> Part:
    start, stop, step = (node.attrs[key] for key in ("start", "stop", "step"))
    ends = (
        [stop] if start == 0 and step == 1 else [start, stop] if step == 1 else [start, stop, step]
    )
    return Part(f"arange({', '.join(_literal(end) for end in ends)})")


def _eye(node: Node, *like: Part) -> Part:
    return Part(f"eye({like[0].text if like else _literal(node.attrs['n'])})")


def _einsum(node: Node, *parts: Part) -> Part:
    pattern = _literal(node.attrs["pattern"])
    return Part(f"einsum({', '.join([pattern, *some([part.text for part in parts])])})")


_FORMS: Mapping[str, Callable[..., Part]] = {
    "size": _size,
    "const": _const,
    "cast": lambda node, x: x,  # whole numbers become floats by themselves
    "neg": lambda node, x: Part(f"-{x.inside(Level.SIGN)}", Level.SIGN),
    "logical_not": lambda node, x: Part(f"not {x.beside(Level.NEGATION)}", Level.NEGATION),
    "pow": _power,
    "transpose": _transpose,
    "index": _index,
    "unindex": _unindex,
    "gather": lambda node, x, index: Part(f"{x.beside(Level.POWER)}[{index.text}]"),
    "prod": _reduced,
    "gelu": _gelu,
    "triu": _triu,
    "uniform": _drawn,
    "normal": _drawn,
    "concat": _joined,
    "stack": _joined,
    "zeros": _filled,
    "ones": _filled,
    "full": _filled,
    "arange": _arange,
    "eye": _eye,
    "einsum": _einsum,
}

TEXT = Notation(symbol=str, write=write, width=72)
