"""Random programs out of the grammar itself, so that a new form is tried by existing.

A sentence is derived from dsl/grammar.lark rule by rule. Names mean what `HEAD` declares, so that
many sentences come as far as to be lowered. The tests try a few; ten minutes of them are tried by

    python -m tests.sentences 10

which ends at the first text that does anything but compile or be refused, and shows it. A second
number is the seed to begin with.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from random import Random

import torch
from lark.grammar import Rule
from lark.lexer import PatternStr

import dsl
from dsl import DslError
from dsl.grammar import parser
from engine import EngineError, Node
from engine.dims import known

HEAD = """dim B, T = 3, d = 4, H = 2, n
input X, Y : [B, T, d]
input x, y : [d]
input k : int[B, T]
input c : bool[d]
input s, t : []
param W : [d, d] ~ normal(0, 0.02)
f(a) = a^2 + 1
g(a : [..., m], b=2) = a * b
h(a) =
    param V : [d, d] ~ he
    a V
"""
TENSORS: list[str] = ["X", "Y", "x", "y", "k", "c", "s", "t", "W", "x", "y", "s", "t", "v"]
SIZES: list[str] = ["B", "T", "d", "H", "n"]
FUNCTIONS: list[str] = [
    *["f", "g", "h", "sum", "mean", "softmax", "sqrt", "exp", "log", "norm", "grad", "jacobian"],
    *["hessian", "range", "stack", "zeros"],
]
WORDS: dict[str, list[str]] = {
    "NAME": [*TENSORS, *TENSORS, *SIZES, *FUNCTIONS[:3], "i", "axis", "key", "shape", "None", "π"],
    "NAME LPAR": FUNCTIONS,  # before a bracket
    "NUMBER": ["0", "1", "2", "3", "4", "0.5", "1e-5", ".5", "½", "1e300", "50_257"],
    "DIGITS": ["0", "1"],
    "TEXT": ['"ij,jk->ik"', '"a b c -> c (a b)"', '"q"'],
    "TRANSPOSE": ["^T", "ᵀ"],
    "SUPERSCRIPT": ["²", "⁻¹", "³"],
    "NABLA_OF": ["∇_x", "∇_W", "∇_s"],
    "NORM_ORDER": ["₁", "₂", "_F", "_inf"],
    "TIMES": ["*", "@", "·", "⊙"],
    "COMPARE": ["<", "<=", "==", "≠"],
    "DOTS": ["..."],
    "_ABS_OPEN": ["|"],
    "_ABS_CLOSE": ["|"],
    "_NORM_OPEN": ["‖"],
    "_NORM_CLOSE": ["‖"],
}
LAYOUT = ("_NEWLINE", "_INDENT", "_DEDENT")
DEEPEST = 4
PRECEDENCE = (
    *["expr", "either", "both", "negation", "comparison", "sum", "product", "signed", "juxtaposed"],
    *["values", "local"],
)

# How likely a rule is by what it begins with: names say most, the rest is 1.
WEIGHTS = {
    "NAME": 12,
    "NUMBER": 0.4,
    "TEXT": 0.03,
    "INFINITY": 0.1,
    "HOLE": 0.1,
    "DOTS": 0.05,
    "group": 0.2,
    "brackets": 0.15,
    "abs": 0.5,
    "norm": 0.5,
    "partial": 0.4,
    "where": 0.1,
    "NOT": 0.02,
    "MINUS": 0.1,
    "ROOT": 0.5,
    "DOT": 0.1,
    "PRIME": 0.3,
    "COLON": 0.1,
    **dict.fromkeys(["CIRCUMFLEX", "SUPERSCRIPT", "TRANSPOSE"], 0.2),
    **dict.fromkeys(["DIM", "INPUT", "CONST", "PARAM", "REPEAT", "FOR"], 0.3),
    **dict.fromkeys(["IMPORT", "FROM", "RETURN"], 0.1),
}
ALIASES = {"parameter": 0.02, "keyword": 0.1, "slice": 0.2}
OPERATOR, UNITS = 0.12, 0.05


def program(random: Random) -> str:
    """A program of up to three statements under `HEAD`, most of them definitions of `v`."""
    return HEAD + "".join(
        parsing(random, "v = ", "expr")
        if random.random() < 0.7
        else parsing(random, "", "statement")
        for _ in range(random.randint(1, 3))
    )


def parsing(random: Random, start: str, symbol: str) -> str:
    """The first of six derived lines that parses, so that most are lowered."""
    text = ""
    for _ in range(6):
        text = start + derived(random, symbol)
        text += "" if text.endswith("\n") else "\n"
        try:
            dsl.parse(text)
        except DslError:
            continue
        break
    return text


def derived(random: Random, symbol: str) -> str:
    """A text that the grammar derives from a symbol."""
    return written(random, list(terminals(random, symbol, DEEPEST)))


def terminals(random: Random, symbol: str, depth: int) -> Iterator[str]:
    """The terminals of a sentence; without depth left, by the rules with the least below them."""
    choices = rules()[symbol]
    least = min(map(_least, choices))
    fit = [rule for rule in choices if _least(rule) <= max(depth, least)]
    (rule,) = random.choices(fit, list(map(_weight, fit)))
    for each in rule.expansion:
        below = depth - (len(rule.expansion) > 1)
        yield from (each.name,) if each.is_term else terminals(random, each.name, below)


def _weight(rule: Rule) -> float:
    """An operator is rarer than what it would stand between, an empty bracket rarer still."""
    first, *more = rule.expansion
    if rule.alias in ALIASES:
        return ALIASES[rule.alias]
    if all(each.name in ("LPAR", "RPAR", "LSQB", "RSQB") for each in rule.expansion):
        return UNITS
    if first.is_term:
        return WEIGHTS.get(first.name, 1)
    return OPERATOR if more and rule.origin.name in PRECEDENCE else 1


@cache
def rules() -> dict[str, list[Rule]]:
    """The rules of the grammar by the symbol that they are rules of."""
    found: dict[str, list[Rule]] = {}
    for rule in parser().rules:
        found.setdefault(rule.origin.name, []).append(rule)
    return found


@cache
def least() -> dict[str, int]:
    """How many branchings there are at least below each symbol that is no terminal."""
    depths: dict[str, int] = {}
    while len(depths) < len(rules()):
        for name, choices in rules().items():
            found = [n for rule in choices if (n := _below(rule, depths)) is not None]
            depths.update({name: min(found)} if found else {})
    return depths


def _least(rule: Rule) -> int:
    found = _below(rule, least())
    assert found is not None
    return found


def _below(rule: Rule, depths: dict[str, int]) -> int | None:
    parts = [0 if each.is_term else depths.get(each.name) for each in rule.expansion]
    if None in parts:
        return None
    return max((n for n in parts if n is not None), default=0) + (len(parts) > 1)


@cache
def spelled() -> dict[str, list[str]]:
    """What each terminal may be: out of the tables above, or the text that the grammar says."""
    literal: dict[str, list[str]] = {
        each.name: [each.pattern.value]
        for each in parser().terminals
        if isinstance(each.pattern, PatternStr)
    }
    return literal | WORDS


def written(random: Random, kinds: list[str]) -> str:
    """Terminals as text: blanks between words, line ends and indentation from the layout."""
    text, depth = "", 0
    for kind, after in pairwise([*kinds, ""]):
        if kind in LAYOUT:
            depth += {"_INDENT": 1, "_DEDENT": -1}.get(kind, 0)
            text += "" if text.endswith("\n") else "\n"
            continue
        word = random.choice(spelled().get(f"{kind} {after}") or spelled()[kind])
        text += "    " * depth if text.endswith("\n") else _between(random, text, word)
        text += word
    return text


def _between(random: Random, text: str, word: str) -> str:
    """A blank, or nothing where two signs need none."""
    needed = text[-1:].isalnum() and word[0].isalnum()
    return " " if needed or (text and random.random() < 0.3) else ""


def check(text: str) -> dsl.Program | DslError:
    """Compile a text; what compiles is written as mathematics and run with tiny feeds."""
    found = outcome(text)
    if isinstance(found, DslError):
        for each in found.diagnostics:
            assert each.message
            assert 0 <= each.span.start <= each.span.end <= len(each.span.source.text)
        assert "error: " in str(found)
    else:
        assert found.latex()
        run(found)
    return found


def outcome(text: str) -> dsl.Program | DslError:
    """What compiling gives; what can be parsed is formatted too."""
    try:
        dsl.format(text)
        return dsl.compile(text)
    except DslError as error:
        return error


def run(made: dsl.Program) -> None:
    """Every node for feeds of ones, each unknown size 2: a value, or an EngineError."""
    feeds = {name: fed(node) for name, node in made.inputs.items()}
    state = {path: fed(node) for path, node in made.params.items()}
    for name in made.nodes:
        try:
            made.run(name, feeds, params=state)
        except EngineError:
            continue


def fed(node: Node) -> torch.Tensor:
    """Ones, of the kind and of the shape, with the sizes that are not known equal to 2."""
    kind = {"float": torch.float32, "int": torch.int64, "bool": torch.bool}[node.kind]
    return torch.ones([known(dim) or 2 for dim in node.shape or ()], dtype=kind)


def main(minutes: float, seed: int) -> str:
    """Try programs for so long. Raises what the first one raises that should not."""
    count, end = 0, time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        text = program(Random(seed + count))
        try:
            check(text)
        except Exception as error:
            error.add_note(f"seed {seed + count}:\n{text}")
            raise
        count += 1
    return f"{count} programs, from seed {seed} on: programs and DslErrors only"


if __name__ == "__main__":
    raise SystemExit(main(float(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 0))
