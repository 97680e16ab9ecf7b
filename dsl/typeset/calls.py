r"""Calls as LaTeX: `sqrt(x)` is a root, `sum(x, axis=-1)` a ∑, `grad(y, x)` a ∇, others `f(x)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from engine.show import Level, Part, beside

from ..syntax import Call, Comprehension, Expr, Keyword, List, Name
from .pieces import bracketed, cases, over_range

if TYPE_CHECKING:
    from .formulas import Formulas

Form: TypeAlias = Callable[["Formulas", tuple[Expr, ...], str], "Part | None"]

_COMMANDS = frozenset({"sin", "cos", "tanh", "exp", "log", "max", "min", "det"})


def call(w: Formulas, node: Call) -> Part:
    """A call in its own form if it has one, else the name and its arguments in brackets."""
    word = node.function.text if isinstance(node.function, Name) else ""
    known = w.names.is_predefined(word)
    below = "".join(_below(w, each) for each in node.keywords if each.name.text == "axis")
    if known and word in _FORMS and _only_axis(node):
        found = _FORMS[word](w, node.args, below)
        if found is not None:
            return found
    given = [w.free(arg) for arg in node.args]
    given += [_keyword(w, each) for each in node.keywords if _is_shown(each)]
    arguments = bracketed(", ".join(given))
    if known and word in _COMMANDS:
        return Part(rf"\{word}{below}{arguments}", Level.POWER)
    return Part(f"{w.at(node.function, Level.POWER)}{below}{arguments}")


def _only_axis(node: Call) -> bool:
    return all(not _is_shown(each) for each in node.keywords)


def _is_shown(keyword: Keyword) -> bool:
    """The axis stands below the sign; that it is kept as 1 shows in no formula."""
    return keyword.name.text not in ("axis", "keepdims")


def _below(w: Formulas, axis: Keyword) -> str:
    axes = axis.value.items if isinstance(axis.value, List) else (axis.value,)
    return rf"_{{\mathrm{{axis}}={','.join(w.free(each) for each in axes)}}}"


def _keyword(w: Formulas, keyword: Keyword) -> str:
    return f"{w.free(keyword.name)} = {w.free(keyword.value)}"


def _big(sign: str) -> Form:
    """∑ or ∏ of a tensor, or over the passes of a loop."""

    def form(w: Formulas, args: tuple[Expr, ...], below: str) -> Part | None:
        match args:
            case (Comprehension(element, target, iterable),) if not below:
                low, high = over_range(w, target, iterable)
                bounds = f"_{{{low}}}" + (f"^{{{high}}}" if high else "")
                return Part(f"{sign}{bounds} {w.behind(element, Level.SUM)}", Level.PREFIX)
            case (operand,):
                return Part(f"{sign}{below} {w.behind(operand, Level.PREFIX)}", Level.PREFIX)
            case _:
                return None

    return form


def _around(before: str, after: str, level: Level = Level.ATOM) -> Form:
    """One operand between two signs."""

    def form(w: Formulas, args: tuple[Expr, ...], below: str) -> Part | None:
        inside = f"{before}{w.free(args[0])}{after}" if len(args) == 1 and not below else ""
        return Part(inside, level) if inside else None

    return form


def _where(w: Formulas, args: tuple[Expr, ...], below: str) -> Part | None:
    if len(args) != 3 or below:
        return None
    condition, then, otherwise = (w.free(arg) for arg in args)
    return Part(cases([(then, condition)], otherwise), Level.FREE)


def _grad(w: Formulas, args: tuple[Expr, ...], below: str) -> Part | None:
    if not 1 <= len(args) <= 2 or below:
        return None
    of = w.at(args[0], Level.POWER)
    if len(args) == 1:
        return Part(rf"\nabla {of}", Level.POWER)
    by = args[1].items if isinstance(args[1], List) else args[1:]
    return Part(beside(rf"\nabla_{{{', '.join(w.free(x) for x in by)}}}", of), Level.POWER)


_FORMS: Mapping[str, Form] = {
    "sqrt": _around(r"\sqrt{", "}", Level.POWER),
    "abs": _around(r"\left|", r"\right|"),
    "sum": _big(r"\sum"),
    "prod": _big(r"\prod"),
    "where": _where,
    "grad": _grad,
}
