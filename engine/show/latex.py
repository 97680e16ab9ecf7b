r"""Formulas as LaTeX, from the `tex` of each operator: `\operatorname{softmax}(Q {K}^{\top})`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import sympy

from engine.dims import sizes_in
from engine.graph import Node
from engine.show.forms import causal_size, write
from engine.show.lines import Level, Notation, Part, written
from engine.show.names import own_name

MOST_LINES = 40

# How tightly an operator's LaTeX holds together, and what it asks of operands (default: nothing).
_L = Level
_LEVELS: Mapping[str, tuple[Level, tuple[Level, ...]]] = {
    "logical_or": (_L.EITHER, (_L.EITHER, _L.BOTH)),
    "logical_and": (_L.BOTH, (_L.BOTH, _L.NEGATION)),
    "logical_not": (_L.NEGATION, (_L.NEGATION,)),
    "equal": (_L.COMPARISON, (_L.SUM, _L.SUM)),
    "not_equal": (_L.COMPARISON, (_L.SUM, _L.SUM)),
    "less": (_L.COMPARISON, (_L.SUM, _L.SUM)),
    "less_equal": (_L.COMPARISON, (_L.SUM, _L.SUM)),
    "add": (_L.SUM, (_L.SUM, _L.SUM)),
    "sub": (_L.SUM, (_L.SUM, _L.PREFIX)),
    "sum": (_L.PREFIX, (_L.POWER,)),
    "sum_to": (_L.PREFIX, (_L.POWER,)),
    "prod": (_L.PREFIX, (_L.POWER,)),
    "max": (_L.PREFIX, (_L.POWER,)),
    "min": (_L.PREFIX, (_L.POWER,)),
    "argmax": (_L.PREFIX, (_L.POWER,)),
    "det": (_L.PREFIX, (_L.POWER,)),
    "logdet": (_L.PREFIX, (_L.POWER,)),
    "mul": (_L.PRODUCT, (_L.PRODUCT, _L.JUXTAPOSED)),
    "neg": (_L.SIGN, (_L.JUXTAPOSED,)),
    "cross_entropy": (_L.SIGN, (_L.FREE, _L.FREE)),
    "matmul": (_L.JUXTAPOSED, (_L.JUXTAPOSED, _L.JUXTAPOSED)),
    "matmul_left": (_L.JUXTAPOSED, (_L.JUXTAPOSED, _L.ATOM, _L.FREE)),
    "matmul_right": (_L.JUXTAPOSED, (_L.POWER, _L.ATOM, _L.FREE)),
    "solve": (_L.JUXTAPOSED, (_L.ATOM, _L.POWER)),
    "div": (_L.POWER, (_L.FREE, _L.FREE)),
    "exp": (_L.POWER, (_L.FREE,)),
    "pow": (_L.POWER, (_L.ATOM, _L.FREE)),
    "transpose": (_L.POWER, (_L.ATOM,)),
    "inv": (_L.POWER, (_L.ATOM,)),
    "index": (_L.POWER, (_L.ATOM,)),
    "gather": (_L.POWER, (_L.ATOM, _L.FREE)),
    "pick": (_L.POWER, (_L.ATOM, _L.FREE)),
    "part": (_L.POWER, (_L.ATOM, _L.FREE)),
}
_OWN_WORDS = {
    "EPSILON": "varepsilon",
    "PHI": "varphi",
    "LAMDA": "lambda",
    "FINAL SIGMA": "varsigma",
}
_LIKE_LATIN = set("οΑΒΕΖΗΙΚΜΝΟΡΤΧ")  # Greek letters without a command
_ACCENTS = {"\u0302": "hat", "\u0304": "bar", "\u0303": "tilde", "\u0307": "dot", "\u0308": "ddot"}


def latex(node: Node, names: Mapping[Node, str] | None = None) -> str:
    r"""The formula of a node as LaTeX; several lines where values are used several times.

    Nodes in `names` are called by their names and not opened.

    >>> from engine import ops, var
    >>> Q, K = var("Q", ["T", "d"]), var("K", ["T", "d"])
    >>> print(latex(ops.softmax(Q @ K.T / 2)))
    \operatorname{softmax}(\frac{Q {K}^{\top}}{2})
    """
    known = names or {}
    lines = written([node], known, TEX, stop=lambda n: n in known and n is not node)
    if not lines:
        return symbol(own_name(node, known) or "")
    shown = [f"{symbol(line.name)} &= {line.text}" for line in lines[-MOST_LINES:-1]]
    if not shown:
        return lines[-1].text
    dots = [r"&\;\,\vdots"] if len(lines) > MOST_LINES else []
    rows = r" \\ ".join([*dots, *shown, f"&{lines[-1].text}"])
    return rf"\begin{{aligned}} {rows} \end{{aligned}}"


def symbol(name: str) -> str:
    r"""A name as LaTeX, harmless whatever it holds.

    >>> symbol("W_q"), symbol("x1"), symbol("loss"), symbol("ŷ"), symbol("∂y/∂W")
    ('W_{q}', 'x_{1}', '\\mathrm{loss}', '\\hat{y}', '\\frac{\\partial y}{\\partial W}')
    >>> symbol("θ_old")
    '\\theta_{\\mathrm{old}}'
    """
    above, slash, below = name.partition("/∂")
    if slash and above.startswith("∂"):
        return rf"\frac{{\partial {symbol(above[1:])}}}{{\partial {symbol(below)}}}"
    base, *subscripts = [
        _word(word)
        for word in re.sub(r"(?<=[^\W\d_]|[\u0300-\u036f])(\d+)$", r"_\1", name).split("_")
    ]
    return f"{base}_{{{','.join(subscripts)}}}" if subscripts else base


def _word(word: str) -> str:
    letters = [_letter(base, marks) for base, marks in _with_accents(word)]
    return letters[0].rstrip() if len(letters) == 1 else rf"\mathrm{{{''.join(letters)}}}"


def _with_accents(word: str) -> list[tuple[str, str]]:
    """Each letter with the accents that stand on it."""
    found = re.findall(r"([^\u0300-\u036f])([\u0300-\u036f]*)", unicodedata.normalize("NFD", word))
    return [(str(base), str(marks)) for base, marks in found]


def _letter(base: str, marks: str) -> str:
    shown = _greek(base) or (base if base.isalnum() or base == "." else r"\square ")
    for mark in marks:
        shown = rf"\{_ACCENTS[mark]}{{{shown.rstrip()}}}" if mark in _ACCENTS else shown
    return shown


def _greek(letter: str) -> str:
    """The command of a Greek letter, an empty text for any other."""
    kind, _, word = unicodedata.name(letter, "").partition(" LETTER ")
    if not kind.startswith("GREEK") or letter in _LIKE_LATIN:
        return ""
    if kind == "GREEK CAPITAL":
        return rf"\{_OWN_WORDS.get(word, word).removeprefix('var').capitalize()} "
    return rf"\{_OWN_WORDS.get(word, word.lower())} "


def beside(left: str, right: str) -> str:
    r"""Two factors side by side: a dot between numbers, a little room around words.

    >>> beside("A", "x"), beside("2", "3"), beside(r"\mathrm{rate}", "x")
    ('A x', '2 \\cdot 3', '\\mathrm{rate} \\, x')
    """
    if right[:1].isdigit() or (left[-1:].isdigit() and right.startswith(r"\frac")):
        return rf"{left} \cdot {right}"
    return f"{left} {right}" if r"\mathrm" not in left + right else rf"{left} \, {right}"


def power_of_ten(plain: Part) -> Part:
    """A number as one writes it: `1e-5` is 10 to the power of -5."""
    mantissa, power, exponent = plain.text.partition("e")
    if not power:
        return plain
    factor = {"1": "", "-1": "-"}.get(mantissa, rf"{mantissa} \cdot ")
    return Part(f"{factor}10^{{{exponent}}}", min(plain.level, Level.PRODUCT))


def _write(node: Node, parts: Sequence[Part]) -> Part:
    if node.op.name == "cast":
        return parts[0]  # whole numbers become floats by themselves
    if causal_size(node) or (not node.inputs and node.op.name != "eye"):
        return _source(node)
    own, needed = _LEVELS.get(node.op.name, (Level.ATOM, ()))
    operands = [
        part.text if level <= part.level else rf"\left({part.text}\right)"
        for part, level in zip(parts, [*needed, *[Level.FREE] * len(parts)], strict=False)
    ]
    return Part(_filled_in(node, operands), own)


def _source(node: Node) -> Part:
    """Sizes as sympy writes them, powers of ten as such, any other source as in the text form."""
    if node.op.name == "size":
        dim = node.attrs["dim"]
        text = sympy.latex(dim, symbol_names={s: symbol(s.name) for s in sizes_in(dim)})
        return Part(text, Level.SUM if isinstance(dim, sympy.Add) else Level.JUXTAPOSED)
    plain = write(node, [Part("")] * len(node.inputs))
    if plain.level is Level.ATOM and not plain.text[0].isdigit():
        return Part(re.sub(r"\w+|[^\w\s\[\](),.;=:*/+-]", lambda word: symbol(word[0]), plain.text))
    return power_of_ten(plain)


def _filled_in(node: Node, operands: Sequence[str]) -> str:
    """The operator's own LaTeX; the product with a number is a dot, that of two tensors ⊙."""
    tex = node.op.tex
    if not isinstance(tex, str):
        return tex(node, *operands)
    if node.op.name == "matmul":
        return beside(*operands)
    if node.op.name == "mul" and any(x.shape == () for x in node.inputs):
        tex = r"%s \cdot %s"
    return tex % tuple(operands[: tex.count("%s")])


TEX = Notation(symbol=symbol, write=_write, width=240)
