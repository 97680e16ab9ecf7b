"""Binding: the names in a shape take their sizes from what arrives, `n` from [n], `h` from [2h]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine import Node, ShapeError
from engine.dims import Dim, known, show_dim, solve
from engine.dims import size as make_size

from ..scope import Scope
from ..syntax import Annotation, Expr, FunctionDef, Hole, Name
from .located import Term, text_of
from .shapes import aligned, check, check_kind, mismatch
from .sizes import mentioned, names_in, size
from .state import Lowering


@dataclass(frozen=True)
class Described:
    """A value with the annotation that describes it, and what messages call it."""

    annotation: Annotation
    term: Term
    what: str

    @property
    def axes(self) -> Sequence[tuple[Expr, Dim]]:
        """The written sizes with those of the value; none if the ranks differ."""
        found = aligned(self.annotation, self.term.node.shape)
        return [(written, dim) for written, dim in found or () if not isinstance(written, Hole)]


def bind(low: Lowering, call: Scope, described: Sequence[Described]) -> None:
    """Bind the size names of a function's annotations to the sizes of what it was called with.

    A name that has a value in the function's own module is a constraint, as is a number, and a
    name that was bound before; a name is bound once per call. Plain names come first, then sizes
    with one open name in them.
    """
    for each in described:
        check_kind(each.annotation, each.term.node, each.what)
        for written, dim in each.axes:
            if isinstance(written, Name) and not _is_fixed(low, call, written.text):
                call.sizes[written.text] = dim
    _solve_all(low, call, described)
    for each in described:
        check(low, call, each.annotation, each.term.node, each.what, each.term)


def derive(low: Lowering, call: Scope, definition: FunctionDef) -> None:
    """Sizes of the module that hang on the bound ones follow them: `k` of `dim d, H, k = d/H`."""
    derived = call.module.derived
    asked = mentioned(definition) if derived else set[str]()
    for name in [each for each in derived if each in asked and each not in call.sizes]:
        needed = set(names_in(derived[name]))
        if needed & set(call.sizes) and all(map(call.find_size, needed)):
            call.sizes[name] = size(low, call, derived[name])


def _is_fixed(low: Lowering, call: Scope, name: str) -> bool:
    """Whether a size is bound in this call, or has a value in the module of the function."""
    own = call.names.get(name)
    is_given = isinstance(own, Node) and low.statics.size(own) is not None
    return is_given or name in call.sizes or known(call.module.sizes.get(name)) is not None


def _solve_all(low: Lowering, call: Scope, described: Sequence[Described]) -> None:
    waiting = [
        (each, written, dim)
        for each in described
        for written, dim in each.axes
        if not isinstance(written, Name)
    ]
    while waiting:
        ready = [each for each in waiting if len(_open_names(low, call, each[1])) == 1]
        if not ready:
            return
        waiting.remove(ready[0])
        each, written, dim = ready[0]
        (name,) = _open_names(low, call, written)
        try:
            call.sizes[name] = _solved(low, call, written, dim, name)
        except ShapeError as error:
            raise mismatch(
                each.annotation, each.term.node, each.what, each.term, f": {error.message}"
            ) from None


def _open_names(low: Lowering, call: Scope, written: Expr) -> set[str]:
    """The names in a size that nothing fixes: new ones, and sizes of the module without a value."""
    return {
        name
        for name in names_in(written)
        if not _is_fixed(low, call, name) and (call.find_size(name) or call.find(name) is None)
    }


def _solved(low: Lowering, call: Scope, written: Expr, dim: Dim, name: str) -> Dim:
    """The size of the one open name in a written size. Raises ShapeError where there is none."""
    stand_in = make_size(f"{name} of the call")  # no name that the caller's sizes could have
    call.sizes[name] = stand_in
    try:
        expression = size(low, call, written)
    finally:
        del call.sizes[name]
    found = None if dim is None or expression is None else solve(expression, stand_in, dim)
    number = known(found)
    if found is None or (number is not None and number < 0):
        raise ShapeError(f"no size `{name}` makes `{text_of(written)}` {show_dim(dim)}")
    return found
