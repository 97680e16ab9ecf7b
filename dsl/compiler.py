"""Compiling: a text to a Program, with every independent error of it, at most five."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from .errors import MOST_REPORTED, Diagnostic, DslError
from .library import library
from .lowering import declarations, modules
from .lowering.stack import deep_stack
from .lowering.state import Dependent, Lowering
from .lowering.table import CALLERS, EXPRESSIONS, STATEMENTS
from .names import names_of
from .parse import read
from .program import Program
from .scope import Frame, Scope
from .suggest import did_you_mean_one_of
from .syntax import Program as Tree
from .values import BROKEN


def compile(
    text: str,
    consts: Mapping[str, object] | None = None,
    name: str = "cell",
    sizes: Mapping[str, int] | None = None,
) -> Program:
    r"""The program that a text says.

    `consts` has the values of its `const` lines by name; others are left alone. `sizes` are numbers
    for its sizes, which come before those in the text. `name` stands in error messages.

    Raises DslError with up to five errors, LookupError for a size that the text does not have,
    KindError for a size that is no whole number.

    >>> compile("input x : [n]\ny = x^T x").run("y", {"x": [3.0, 4.0]})
    tensor(25.)
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] (a user's)
        raise TypeError(f"a program is a text, not a {type(text).__name__}")
    low = lower(read(text, name), consts or {}, sizes or {})
    _check_used(low, sizes or {}, name)
    return Program(low)


def load(module: str, **values: object) -> Program:
    """The program of a prelude file or of a registered folder, its sizes and consts given.

    Raises DslError, and LookupError for a module or a value that does not exist.

    >>> load("transformer", V=65, d=32).nodes["logits"]
    <matmul [B, T, V]>
    """
    if modules.text_of_module(module) is None:
        hint = did_you_mean_one_of(module, modules.available())
        raise LookupError(f"there is no module `{module}`{hint and f'; {hint}'}")
    low = lower(modules.tree_of(module), values, values)
    _check_used(low, values, module)
    return Program(low)


def _check_used(low: Lowering, values: Iterable[str], name: str) -> None:
    for each in values:
        if each not in low.used:
            hint = did_you_mean_one_of(each, low.used) or f"it has {', '.join(sorted(low.used))}"
            raise LookupError(f"`{name}` has no size and no const called `{each}`; {hint}")


def lower(tree: Tree, consts: Mapping[str, object], sizes: Mapping[str, object]) -> Lowering:
    """The nodes of a syntax tree. Raises DslError with up to five errors."""
    module = Scope(Frame(), library())
    known = {**declarations.told(tree, consts), **sizes}
    low = Lowering(EXPRESSIONS, STATEMENTS, CALLERS, module, tree, consts, known)
    module.library.fallback = lambda name: modules.predefined(low, name)
    with deep_stack():
        errors = list(islice(_execute(low), MOST_REPORTED))
    if errors:
        raise DslError(*errors)
    return low


def _execute(low: Lowering) -> Iterator[Diagnostic]:
    """Carry out the statements; what depends on a wrong one is left out."""
    seen: set[tuple[str, object]] = set()
    for statement in low.tree.statements:
        try:
            low.execute(statement, low.module)
        except (DslError, Dependent) as error:
            for name in names_of(statement):
                low.module.names[name] = BROKEN
            for each in error.diagnostics if isinstance(error, DslError) else ():
                if (each.message, each.span) not in seen:
                    seen.add((each.message, each.span))
                    yield each
