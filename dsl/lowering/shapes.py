"""Annotations: `[B, T, d]` declares a shape, checks a value, or binds the sizes of a call."""

from __future__ import annotations

from collections.abc import Sequence

from engine import Node, var
from engine.dims import Dim, Shape, may_agree, valued
from engine.graph import MOST_AXES, Kind

from ..errors import Diagnostic, DslError, Operand, refuse
from ..scope import Scope
from ..span import Span
from ..syntax import Annotation, Declared, Dots, Expr, Hole
from .located import Term
from .sizes import names_in, size
from .state import Lowering

Sizes = Sequence[Expr | Dots | Hole]


def declared(
    low: Lowering, scope: Scope, annotation: Annotation, introduce: bool, owner: str
) -> Shape:
    """The shape of something new. With `introduce`, names that nothing declares become sizes."""
    if annotation.sizes is None:
        return ()
    check_rank(annotation.sizes, annotation.span)
    if introduce:
        introduce_names(low, scope, annotation.sizes)
    return tuple([_declared_size(low, scope, each, introduce, owner) for each in annotation.sizes])


def check_rank(sizes: Sequence[object], span: Span) -> None:
    """Refuse a shape of more axes than a tensor can have."""
    if len(sizes) > MOST_AXES:
        message = f"a tensor has at most {MOST_AXES} axes, not {len(sizes)}"
        raise refuse(message, span, "", "limit")


def _declared_size(
    low: Lowering, scope: Scope, each: Expr | Dots | Hole, introduce: bool, owner: str
) -> Dim:
    match each:
        case Hole():
            if not introduce:
                raise refuse(f"every size of {owner} must be known", each.span, "", "size")
            return None
        case Dots():
            message = f"`...` leaves open how many axes {owner} has"
            hint = "`...` stands only in the shapes of functions; name each axis here"
            raise refuse(message, each.span, hint, "size")
        case _:
            dim = size(low, scope, each, owner)
            if isinstance(dim, int) and dim < 0:
                raise refuse(f"a size cannot be {dim}", each.span, "", "size")
            return dim


def introduce_names(low: Lowering, scope: Scope, sizes: Sizes) -> None:
    """Make sizes of the names in a shape that nothing is called yet."""
    for each in sizes:
        for name in () if isinstance(each, Dots | Hole) else names_in(each):
            if not scope.find_size(name) and scope.find(name) is None:
                scope.sizes[name] = low.new_size(name)


def kind_of(annotation: Annotation) -> Kind:
    """The kind of element, float where nothing else was written."""
    match annotation.kind:
        case None | "float":
            return "float"
        case "int":
            return "int"
        case "bool":
            return "bool"
        case _:
            raise refuse("a text cannot be a tensor", annotation.span, "", "kind")


def check(
    low: Lowering,
    scope: Scope,
    annotation: Annotation,
    node: Node,
    what: str,
    term: Term | None = None,
) -> None:
    """Refuse a value that is not what its annotation says; `term` is what a call gave."""
    check_kind(annotation, node, what)
    if annotation.sizes is None or node.shape is None:
        return
    axes = aligned(annotation, node.shape)
    if axes is None:
        raise mismatch(annotation, node, what, term)
    wanted = [_wanted(low, scope, each) for each, _ in axes]
    if not _agree(wanted, [dim for _, dim in axes]):
        raise mismatch(annotation, node, what, term, _where(wanted, node.shape))


def _wanted(low: Lowering, scope: Scope, each: Expr | Hole) -> Dim:
    return None if isinstance(each, Hole) else size(low, scope, each, "this annotation")


def _agree(wanted: Sequence[Dim], actual: Sequence[Dim]) -> bool:
    return all(may_agree(a, b) for a, b in zip(wanted, actual, strict=True))


def check_kind(annotation: Annotation, node: Node, what: str) -> None:
    """Refuse a value of another kind of element than declared."""
    if annotation.kind is None or (annotation.kind == "float" and node.kind != "bool"):
        return
    if annotation.kind != node.kind:
        message = f"{what} is declared {annotation.kind}, but it is {node.kind}"
        raise refuse(message, annotation.span, "", "kind")


def aligned(annotation: Annotation, shape: Shape) -> list[tuple[Expr | Hole, Dim]] | None:
    """Each written size with the axis it stands for; None if the ranks differ or are not known."""
    if annotation.sizes is None or shape is None:
        return None
    sizes = annotation.sizes
    at = next((i for i, each in enumerate(sizes) if isinstance(each, Dots)), None)
    if at is None:
        axes = shape if len(shape) == len(sizes) else None
    else:
        behind = len(sizes) - 1 - at
        axes = (*shape[:at], *shape[len(shape) - behind :]) if len(shape) >= at + behind else None
    written = [each for each in sizes if not isinstance(each, Dots)]
    return None if axes is None else list(zip(written, axes, strict=True))


def mismatch(
    annotation: Annotation, node: Node, what: str, term: Term | None = None, why: str = ""
) -> DslError:
    """The error for a value of another shape than declared."""
    said = annotation.span.text.lstrip(":∈ ")
    message = f"{what} is declared {said}, but it is {node.describe()}{why}"
    if term is None:
        return DslError(Diagnostic(message, annotation.span, "", "shape"))
    operands = (Operand(term.role, term.text, node.describe()),)
    return DslError(Diagnostic(message, term.expr.span, "", "shape", operands))


def _where(wanted: Sequence[Dim], actual: tuple[Dim, ...]) -> str:
    """The first axis from the right on which they differ."""
    for i in range(1, min(len(wanted), len(actual)) + 1):
        if not may_agree(wanted[-i], actual[-i]):
            return f": axis {-i} should be {valued(wanted[-i])} and is {valued(actual[-i])}"
    return ""


def declare_input(low: Lowering, scope: Scope, each: Declared) -> Node:
    """A new input, whose annotation may introduce sizes."""
    assert each.annotation is not None
    name = each.name.text
    shape = declared(low, scope, each.annotation, True, f"the input `{name}`")
    leaf = var(name, shape, kind_of(each.annotation))
    known_as = low.inputs.setdefault(name, leaf)
    if known_as is not leaf or name in low.params:
        what = "a parameter" if name in low.params else f"an input {known_as.describe()}"
        hint = "give one of them another name"
        raise refuse(f"`{name}` is {what} already", each.name.span, hint, "again")
    return low.keep(leaf, each.span, scope)
