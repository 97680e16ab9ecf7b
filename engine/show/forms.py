"""How each operator is written in the language's notation, with few brackets.

One table of rules serves readers and the compiler: what is written exactly compiles to the same
nodes. The rules follow what the language makes of a text; a whole number under `/` or `exp`, say,
becomes a float by itself, and only elsewhere does a cast have to be written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from engine.dims import Size, show_dim
from engine.graph import Node, identity
from engine.ops.sources import Literal, constant_value
from engine.show.lines import Level, Part
from engine.show.spelling import Spelling

BRIEF = Spelling()

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
MAKES_FLOATS = frozenset(
    {"div", "sqrt", "exp", "log", "sin", "cos", "tanh", "sigmoid", "softplus", "erf", "gelu"}
    | {"silu", "mean", "var", "logsumexp", "norm", "softmax", "log_softmax", "layer_norm"}
    | {"cross_entropy", "matmul", "einsum", "inv", "solve", "det", "logdet"}
)


def write(node: Node, parts: Sequence[Part], how: Spelling = BRIEF) -> Part:
    """A node in terms of its written operands."""
    if node.op.name in MAKES_FLOATS:
        parts = [part.bare or part for part in parts]
    if is_infix(node):
        return _infix(node, *parts)
    rule = _FORMS.get(node.op.name)
    return rule(how, node, *parts) if rule else Part(_call(how, node, parts))


def is_infix(node: Node) -> bool:
    """Whether an operator stands between its operands."""
    return node.op.name in INFIX


def _infix(node: Node, left: Part, right: Part) -> Part:
    """Operators associate to the left; comparisons do not chain."""
    sign, level = INFIX[node.op.name]
    first = left.inside(level) if level == Level.COMPARISON else left.beside(level)
    return Part(f"{first} {sign} {right.inside(level)}", level)


def _call(how: Spelling, node: Node, parts: Sequence[Part], *more: str) -> str:
    """`name(operands, shape, attributes that are not the default)`."""
    attrs, usual = node.attrs, node.op.attrs
    given = [key for key in attrs if identity(attrs[key]) != identity(usual[key])]
    shape = [how.shape(attrs["shape"])] if "shape" in given else []
    named = [f"{key}={_attribute(how, key, node)}" for key in given if key != "shape"]
    operands = how.listed([part.text for part in parts])
    inside = ", ".join([*([operands] if parts else []), *shape, *named, *more])
    return f"{how.word(word(node))}({inside})"


WORDS = {"layer_norm": "layernorm"}


def word(node: Node) -> str:
    """What the operator is called in a call."""
    if node.op.name == "cast":
        return node.attrs["kind"]
    is_tanh = node.op.name == "gelu" and node.attrs["approximate"] == "tanh"
    return "gelu_tanh" if is_tanh else WORDS.get(node.op.name, node.op.name)


def _attribute(how: Spelling, key: str, node: Node) -> str:
    value = node.attrs[key]
    if key == "axis" and isinstance(value, tuple) and len(cast(tuple[Any, ...], value)) == 1:
        (value,) = cast(tuple[Any, ...], value)
    return how.literal(value)


def _size(how: Spelling, node: Node) -> Part:
    dim = node.attrs["dim"]
    if how.exact:
        return Part(
            how.dim(dim) if isinstance(dim, Size) else f"{how.word('size')}({how.dim(dim)})"
        )
    return Part(how.dim(dim), Level.ATOM if isinstance(dim, Size) else Level.SUM)


def _const(how: Spelling, node: Node) -> Part:
    value = node.attrs["value"]
    if isinstance(value, Literal):
        return Part(how.tensor(node))
    text = how.number(value)
    part = Part(text, Level.SIGN if text.startswith("-") else Level.ATOM)
    if how.exact and text.endswith(".0") and value:
        return Part(text, part.level, bare=Part(text.removesuffix(".0"), part.level))
    return part


def _cast(how: Spelling, node: Node, x: Part) -> Part:
    """For readers, whole numbers become floats by themselves."""
    if not how.exact:
        return x
    operand = node.inputs[0]
    by_itself = node.kind == "float" != operand.kind and constant_value(operand) is None
    return Part(f"{how.word(word(node))}({x.text})", bare=x if by_itself else None)


def _neg(how: Spelling, node: Node, x: Part) -> Part:
    """`-2` is a number, no operation."""
    value = constant_value(node.inputs[0])
    if how.exact and value is not None:
        return Part(_call(how, node, [x]))
    return Part(f"-{x.inside(Level.SIGN)}", Level.SIGN)


def _power(how: Spelling, node: Node, base: Part, exponent: Part) -> Part:
    """x^2, x^n, x^(n + 1); `x^T` is the transpose, `A^-1` the inverse: so x^(T), and 1 / A."""
    if how.exact and node.kind != "float":
        return Part(_call(how, node, [base, exponent]))
    if not how.exact and exponent.text == "-1" and node.shape != ():
        return Part(f"1 / {base.inside(Level.PRODUCT)}", Level.PRODUCT)
    simple = exponent.text if how.exact else exponent.text.removeprefix("-")
    plain = re.fullmatch(r"[^\W\d]\w*|[\d.]+", simple) and simple != "T"
    shown = exponent.text if plain else f"({exponent.text})"
    return Part(f"{base.beside(Level.ATOM)}^{shown}", Level.POWER)


def _transpose(how: Spelling, node: Node, x: Part) -> Part:
    axes = node.attrs["axes"]
    if axes == (-1, -2) or (axes is None and node.rank == 2):
        return Part(f"{x.beside(Level.ATOM)}^T", Level.POWER)
    return Part(_call(how, node, [x]))


def _index(how: Spelling, node: Node, x: Part) -> Part:
    return Part(f"{_indexed(node, x)}[{how.key_of(node)}]")


def _indexed(node: Node, x: Part) -> str:
    """`x^n[0]` can be read two ways, `A^T[0]` cannot."""
    return x.beside(Level.ATOM if node.inputs[0].op.name == "pow" else Level.POWER)


def _unindex(how: Spelling, node: Node, g: Part, *like: Part) -> Part:
    """`unindex(g, zeros([n, 2])[:, 1])`: g in zeros, where the index would have read it."""
    to = like[0].beside(Level.ATOM) if like else _zeros(how, node)
    return Part(f"{how.word('unindex')}({g.text}, {to}[{how.key_of(node)}])")


def _zeros(how: Spelling, node: Node) -> str:
    return f"{how.word('zeros')}({how.shape(node.attrs['shape'])})"


def _gather(how: Spelling, node: Node, x: Part, index: Part) -> Part:
    """A single row may have a number that is known now, which an index would take at once."""
    if how.exact and not node.inputs[1].rank:
        return Part(_call(how, node, [x, index]))
    return Part(f"{_indexed(node, x)}[{index.text}]")


def _reduced(how: Spelling, node: Node, x: Part) -> Part:
    """A product is over one axis; the word alone would mean all of them."""
    keepdims = f", keepdims={how.number(True)}" if node.attrs["keepdims"] else ""
    return Part(f"{how.word(word(node))}({x.text}, axis={node.attrs['axis']}{keepdims})")


def _gelu(how: Spelling, node: Node, x: Part) -> Part:
    return Part(f"{how.word(word(node))}({x.text})")


def _cross_entropy(how: Spelling, node: Node, *parts: Part) -> Part:
    """The language's is a mean over all positions, the operator has one loss for each."""
    return Part(_call(how, node, parts, *['reduction="none"'] * how.exact))


def causal_size(node: Node) -> str | None:
    """T for the mask that adds -1e9 above the diagonal of [T, T], None for any other node."""
    if node.op.name != "triu" or node.attrs["diagonal"] != 1:
        return None
    full = node.inputs[0]
    if full.op.name != "full" or identity(full.attrs["value"]) != identity(-1e9):
        return None
    is_mask = full.shape and not full.inputs and full.shape == (full.shape[-1],) * 2
    return show_dim(full.shape[-1]) if is_mask and full.shape else None


def _triu(how: Spelling, node: Node, x: Part) -> Part:
    if causal_size(node) is None:
        return Part(_call(how, node, [x]))
    assert node.shape is not None
    return Part(f"{how.word('causal')}({how.dim(node.shape[-1])})")


def _drawn(how: Spelling, node: Node, key: Part) -> Part:
    """uniform(-1, 1, shape=[n], key=7), uniform(shape=[n], key=7) between 0 and 1."""
    usual = identity(tuple(node.attrs.values())[1:]) == identity(tuple(node.op.attrs.values())[1:])
    given = [] if usual else [how.literal(v) for name, v in node.attrs.items() if name != "shape"]
    if node.inputs[0] is not how.key:
        given += [f"shape={how.shape(node.attrs['shape'])}", f"key={key.text}"]
    return Part(f"{how.word(word(node))}({', '.join(given)})")


def _joined(how: Spelling, node: Node, *parts: Part) -> Part:
    axis = "" if node.attrs["axis"] == 0 else f", axis={node.attrs['axis']}"
    return Part(f"{how.word(word(node))}([{how.listed([part.text for part in parts])}]{axis})")


def _filled(how: Spelling, node: Node, *like: Part) -> Part:
    """zeros([n]), zeros(x) of the shape that x lends, full([n], 7)."""
    given = [like[0].text if like else how.shape(node.attrs["shape"])]
    if node.op.name == "full":
        given.append(how.literal(node.attrs["value"]))
    elif node.attrs["kind"] != "float":
        given.append(f'kind="{node.attrs["kind"]}"')
    return Part(f"{how.word(word(node))}({', '.join(given)})")


def _reshape(how: Spelling, node: Node, *parts: Part) -> Part:
    """A size that is not known is what is left: -1."""
    shape = node.attrs["shape"]
    if not how.exact or shape is None or None not in shape:
        return Part(_call(how, node, parts))
    to = how.shape(tuple(-1 if dim is None else dim for dim in shape))
    return Part(f"{how.word(word(node))}({parts[0].text}, {to})")


def _arange(how: Spelling, node: Node) -> Part:
    start, stop, step = (node.attrs[key] for key in ("start", "stop", "step"))
    ends = (
        [stop] if start == 0 and step == 1 else [start, stop] if step == 1 else [start, stop, step]
    )
    return Part(f"{how.word('arange')}({', '.join(how.literal(end) for end in ends)})")


def _eye(how: Spelling, node: Node, *like: Part) -> Part:
    return Part(f"{how.word('eye')}({like[0].text if like else how.literal(node.attrs['n'])})")


def _one_hot(how: Spelling, node: Node, index: Part) -> Part:
    return Part(f"{how.word('one_hot')}({index.text}, {how.dim(node.attrs['n'])})")


def _einsum(how: Spelling, node: Node, *parts: Part) -> Part:
    given = [how.literal(node.attrs["pattern"]), how.listed([part.text for part in parts])]
    return Part(f"{how.word('einsum')}({', '.join(given)})")


_FORMS: Mapping[str, Callable[..., Part]] = {
    "size": _size,
    "const": _const,
    "cast": _cast,
    "neg": _neg,
    "logical_not": lambda how, node, x: Part(f"not {x.beside(Level.NEGATION)}", Level.NEGATION),
    "pow": _power,
    "transpose": _transpose,
    "index": _index,
    "unindex": _unindex,
    "gather": _gather,
    "prod": _reduced,
    "gelu": _gelu,
    "cross_entropy": _cross_entropy,
    "triu": _triu,
    "uniform": _drawn,
    "normal": _drawn,
    "concat": _joined,
    "stack": _joined,
    "zeros": _filled,
    "ones": _filled,
    "full": _filled,
    "reshape": _reshape,
    "arange": _arange,
    "eye": _eye,
    "one_hot": _one_hot,
    "einsum": _einsum,
}
