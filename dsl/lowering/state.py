"""What a compilation gathers, and how an expression becomes a value: by the table of its kinds."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine import KindError, Node
from engine.dims import Dim, size
from engine.graph import toposort

from ..errors import DslError, Link, Pass, refuse
from ..scope import Scope
from ..span import Span
from ..static import Statics
from ..syntax import Expr, Program, Statement
from ..values import CALLABLE, Callee, Formula, Function, Items, Row, Value
from .located import Term
from .tensors import as_tensor

if TYPE_CHECKING:
    from .arguments import Arguments

MOST_STEPS = 1_000_000
WALKS = 4
DEEPEST = 1_000

Handlers = Mapping[type, Callable[..., Any]]


@dataclass(frozen=True)
class Parameter:
    """A leaf to be learned, and the node that draws its first value out of the leaf `key`."""

    path: str
    leaf: Node
    key: Node
    initial: Node
    span: Span


@dataclass(frozen=True)
class Shown:
    """A bare expression line: what was written, its value, and a derivative's formula to read."""

    span: Span
    value: Value
    formula: Formula | None = None


@dataclass(frozen=True)
class Draw:
    """What a random initialiser fills: the shape of the parameter, and the key it draws with."""

    leaf: Node
    key: Node


@dataclass(eq=False)
class Lowering:
    """The state of one compilation. Handlers are functions of (this, the scope, the syntax).

    expressions, statements, callers   the handlers by kind of syntax, or of function
    module, tree                       the top level of the program, and what was written
    consts, sizes                      what the caller gave by name; `used` has what was asked for
    inputs, params, defined, shown     what the program declares, defines and shows
    origins, places, labels            of each node: the text, the path of the call, the first name
    meanings                           the tensors that each expression came to, by its identity
    modules, loading                   imported modules, and those that are being imported
    calls, chains                      the calls and passes around, and those around each node
    active, draw, statics              calls around, the parameter being drawn, numbers known now
    """

    expressions: Handlers
    statements: Handlers
    callers: Handlers
    module: Scope
    tree: Program
    consts: Mapping[str, object] = field(default_factory=dict[str, object])
    sizes: Mapping[str, object] = field(default_factory=dict[str, object])
    inputs: dict[str, Node] = field(default_factory=dict[str, Node])
    params: dict[str, Parameter] = field(default_factory=dict[str, Parameter])
    origins: dict[Node, Span] = field(default_factory=dict[Node, Span])
    places: dict[Node, tuple[str, ...]] = field(default_factory=dict[Node, tuple[str, ...]])
    chains: dict[Node, tuple[Link, ...]] = field(default_factory=dict[Node, tuple[Link, ...]])
    labels: dict[Node, str] = field(default_factory=dict[Node, str])
    defined: dict[str, Span] = field(default_factory=dict[str, Span])
    shown: list[Shown] = field(default_factory=list[Shown])
    used: set[str] = field(default_factory=set[str])
    meanings: dict[int, dict[Node | Row, None]] = field(
        default_factory=dict[int, dict[Node | Row, None]]
    )
    modules: dict[str, Scope] = field(default_factory=dict[str, Scope])
    loading: list[str] = field(default_factory=list[str])
    active: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])
    statics: Statics = field(default_factory=Statics)
    draw: Draw | None = None
    calls: tuple[Link, ...] = ()
    steps: int = 0
    depth: int = 0
    points: int = 0

    def value(self, expr: Expr, scope: Scope) -> Value:
        """What an expression stands for."""
        self.spend(1, expr.span)
        if self.depth > DEEPEST:
            hint = "give names to parts, or call fewer functions within each other"
            raise refuse("calls and brackets are nested too deep here", expr.span, hint, "limit")
        self.depth += 1
        try:
            value = self.expressions[type(expr)](self, scope, expr)
        finally:
            self.depth -= 1
        if isinstance(value, (Node, Row)):
            self.remember(expr, value)
        return value

    def remember(self, expr: Expr, meaning: Node | Row) -> None:
        """Keep what an expression came to, for the lints."""
        self.meanings.setdefault(id(expr), {})[meaning] = None

    def spend(self, steps: int, span: Span) -> None:
        """Count what is unrolled. Raises DslError beyond the limit, before it is made."""
        self.steps += steps
        if self.steps > MOST_STEPS:
            hint = "unrolled loops and calls count with every pass"
            raise refuse(f"this makes more than {MOST_STEPS:,} steps", span, hint, "limit")

    def spend_on(self, nodes: Iterable[Node], span: Span) -> None:
        """Count what a derivative walks over or makes: each node costs several walks."""
        self.spend(WALKS * len(toposort(nodes)), span)

    def node(self, expr: Expr, scope: Scope) -> Node:
        """The tensor that an expression stands for."""
        return self.tensor(self.value(expr, scope), expr)

    def tensor(self, value: Value, expr: Expr) -> Node:
        """A value as a tensor; a list is stacked. Raises DslError for what is none."""
        if isinstance(value, Items):
            self.spend(value.count, expr.span)
        return value if isinstance(value, Node) else as_tensor(value, expr)

    def as_term(self, value: Value, expr: Expr, role: str) -> Term:
        """A value as an operand that an error message can speak of."""
        node = self.tensor(value, expr)
        if isinstance(value, Items):
            self.remember(expr, node)
        return Term(role, node, expr, isinstance(value, Row))

    def term(self, expr: Expr, scope: Scope, role: str) -> Term:
        """An expression as an operand."""
        return self.as_term(self.value(expr, scope), expr, role)

    def execute(self, statement: Statement, scope: Scope) -> None:
        """Carry out a statement."""
        self.spend(1, statement.span)
        self.statements[type(statement)](self, scope, statement)

    def apply(self, function: Callee, scope: Scope, arguments: Arguments) -> Value:
        """The value of a call."""
        return self.callers[type(function)](self, function, scope, arguments)

    @contextmanager
    def inside(self, function: Function, values: Iterable[Value], span: Span) -> Generator[None]:
        """While the body of a call is lowered. Raises DslError for a call inside itself.

        A function may be called inside itself with other functions as arguments, as in
        `twice(twice(f))`; nothing else that it could be given ends a recursion.
        """
        key = (function, *(each for each in values if isinstance(each, CALLABLE)))
        if key in self.active:
            hint = "a loop is written `repeat n:` or `for i in range(n):`"
            raise refuse(f"`{function.name}` calls itself", span, hint, "recursion")
        self.active.append(key)
        try:
            yield
        finally:
            self.active.pop()

    @contextmanager
    def reached(self, link: Link) -> Generator[None]:
        """While what a call or a pass of a loop leads to is lowered: errors tell that it did.

        A body that is wrong in its first pass is wrong in every pass: that needs no telling.
        """
        around, self.calls = self.calls, (link, *self.calls)
        try:
            yield
        except DslError as error:
            is_first = isinstance(link, Pass) and link.number == 0
            raise (error if is_first else error.within(link)) from None
        finally:
            self.calls = around

    @contextmanager
    def trial(self) -> Generator[None]:
        """While a function is lowered for its formula only: what it declares does not count."""
        before = self.inputs, self.params
        self.inputs, self.params = dict(self.inputs), dict(self.params)
        try:
            yield
        finally:
            self.inputs, self.params = before

    def fresh(self) -> int:
        """A number that no other point of this compilation has."""
        self.points += 1
        return self.points

    def new_size(self, name: str) -> Dim:
        """A size that a shape introduces: with the value that the caller gave it, if any."""
        return size(name, self.given_size(name))

    def given_size(self, name: str) -> int | None:
        """The number that the caller gave a size, if any. Raises KindError for what is no size."""
        self.used.add(name)
        value = self.sizes.get(name)
        return None if value is None else whole_size(name, value)

    def keep(self, node: Node, span: Span, scope: Scope) -> Node:
        """Remember where a node was written: the first place counts."""
        if node not in self.origins:
            self.origins[node] = span
            self.places[node] = scope.frame.path
            self.chains[node] = self.calls
        _ = self.statics[node]  # read now, while its inputs have just been read
        return node


def whole_size(name: str, value: object) -> int:
    """A value for a size. Raises KindError for anything but a whole number from 0 on."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise KindError(f"the size `{name}` is a whole number from 0 on, not {value!r}")


class Dependent(Exception):
    """Raised where a name is used whose definition has an error that was reported already."""
