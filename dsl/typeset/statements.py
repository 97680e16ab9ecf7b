r"""Statements as lines: `y &= e`, declarations as domains, blocks behind a brace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from engine.show import Level

from ..syntax import (
    Annotation,
    Assign,
    Block,
    Const,
    Declared,
    Dim,
    Expr,
    For,
    FunctionDef,
    Import,
    Input,
    Param,
    Parameter,
    Repeat,
    Show,
    Size,
    Statement,
)
from .formulas import Formulas, item
from .pieces import bracketed, over_range, quoted

Row: TypeAlias = tuple[str, str]  # what stands left and right of the line that rows align at

_SETS: Mapping[str | None, str] = {
    None: r"\mathbb{R}",
    "float": r"\mathbb{R}",
    "int": r"\mathbb{Z}",
    "bool": r"\left\{0, 1\right\}",
    "text": r"\text{text}",
}


def aligned(rows: Sequence[Row]) -> str:
    """Rows one below the other; an empty text if there are none."""
    lines = r" \\ ".join(f"{left} &{right}".strip() for left, right in rows)
    return rf"\begin{{aligned}} {lines} \end{{aligned}}" if rows else ""


def inline(row: Row) -> str:
    """A row by itself."""
    return " ".join(part for part in row if part)


def row(w: Formulas, statement: Statement) -> Row:
    """A statement as a row."""
    return STATEMENTS[type(statement)](w, statement)


def domain(w: Formulas, annotation: Annotation) -> str:
    r"""A shape as a set: `\mathbb{R}^{B \times T}`."""
    base, sizes = _SETS[annotation.kind], annotation.sizes
    if not sizes:
        return base
    product = r" \times ".join(_size(w, each) for each in sizes)
    return f"{base}^{{{product}}}"


def _size(w: Formulas, size: Any) -> str:
    return w.at(size, Level.PRODUCT) if isinstance(size, Expr) else item(w, size)


def _declared(w: Formulas, names: Sequence[Declared]) -> list[Row]:
    """Names that lie in the same set, together."""
    rows: list[Row] = []
    for annotation, group in groupby(names, lambda each: each.annotation):
        listed = ", ".join(w.free(each.name) for each in group)
        lies = rf"\in {domain(w, annotation)}" if annotation else r"\text{ given}"
        rows.append((listed, lies))
    return rows


def _joined(rows: Sequence[Row]) -> Row:
    """Several rows in one line."""
    first, *others = rows
    return first[0], r",\quad ".join([first[1], *map(inline, others)])


def dim(w: Formulas, node: Dim) -> Row:
    """Sizes, and what is known of them."""
    return ", ".join(_sized(w, each) for each in node.sizes), r"\in \mathbb{N}"


def _sized(w: Formulas, size: Size) -> str:
    named = w.free(size.name)
    return named if size.value is None else f"{named} = {w.free(size.value)}"


def declaration(w: Formulas, node: Input | Const) -> Row:
    """The sets in which inputs and constants lie."""
    return _joined(_declared(w, node.names))


def param(w: Formulas, node: Param) -> Row:
    """The set, and how the values begin."""
    left, right = _joined(_declared(w, node.names))
    if node.draw is not None:
        return left, rf"{right} \sim {w.free(node.draw)}"
    if node.fill is not None:
        return left, rf"{right} \quad \text{{initially }} {w.free(node.fill)}"
    return left, right


def assign(w: Formulas, node: Assign) -> Row:
    """`y = e`."""
    return _defined(w, ", ".join(w.free(x) for x in node.targets), node.annotation, node.body)


def function(w: Formulas, node: FunctionDef) -> Row:
    """`f(x) = e`."""
    parameters = bracketed(", ".join(_parameter(w, each) for each in node.parameters))
    return _defined(w, f"{w.free(node.name)}{parameters}", node.annotation, node.body)


def _defined(w: Formulas, left: str, annotation: Annotation | None, body: Block) -> Row:
    lies = rf" \quad \left(\in {domain(w, annotation)}\right)" if annotation else ""
    return left, f"= {_body(w, body)}{lies}"


def _parameter(w: Formulas, node: Parameter) -> str:
    lies = rf" \in {domain(w, node.annotation)}" if node.annotation else ""
    default = f" = {w.free(node.default)}" if node.default is not None else ""
    return f"{w.free(node.name)}{lies}{default}"


def _body(w: Formulas, body: Block) -> str:
    """The values, behind a brace with the lines before them, and what holds for their names."""
    values = ", ".join(w.free(value) for value in body.values)
    if body.statements:
        values = _block([*(inline(row(w, each)) for each in body.statements), values])
    return rf"{values} \quad \text{{where }} {_where(w, body)}" if body.where else values


def _where(w: Formulas, body: Block) -> str:
    rows: list[Row] = []
    for declares, group in groupby(body.where, lambda each: isinstance(each, Declared)):
        found = list(group)
        if declares:
            rows += _declared(w, [each for each in found if isinstance(each, Declared)])
        else:
            rows += [row(w, each) for each in found if not isinstance(each, Declared)]
    return r",\; ".join(map(inline, rows))


def _block(lines: Sequence[str]) -> str:
    """Lines behind a brace."""
    return rf"\left\{{{aligned([('', line) for line in lines])}\right."


def _loop(w: Formulas, body: Sequence[Statement]) -> str:
    return _block([inline(row(w, each)) for each in body])


def repeat(w: Formulas, node: Repeat) -> Row:
    """`repeat n:` and its lines."""
    return "", rf"{w.free(node.count)} \text{{ times: }} {_loop(w, node.body)}"


def loop(w: Formulas, node: For) -> Row:
    """`for i in range(n):` and its lines."""
    low, high = over_range(w, node.target, node.iterable)
    bounds = rf"{low}, \ldots, {high}" if high else low
    return "", rf"\text{{for }} {bounds}\text{{: }} {_loop(w, node.body)}"


def imported(w: Formulas, node: Import) -> Row:
    """Where functions come from."""
    names = ", ".join(w.free(name) for name in node.names)
    module = quoted(node.module)
    return "", rf"{names} \text{{ from }} {module}" if names else rf"\text{{import }} {module}"


def show(w: Formulas, node: Show) -> Row:
    """A bare expression."""
    return "", _body(w, node.body)


STATEMENTS: Mapping[type[Statement], Callable[[Formulas, Any], Row]] = {
    Dim: dim,
    Input: declaration,
    Param: param,
    Const: declaration,
    Assign: assign,
    FunctionDef: function,
    Repeat: repeat,
    For: loop,
    Import: imported,
    Show: show,
}
