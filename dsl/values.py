"""What an expression can stand for while it is lowered: a node, a row, a list, a function, …"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from engine import Node
from engine.closed import closed
from engine.show import BOARD, formula

from .syntax import FunctionDef

if TYPE_CHECKING:
    from .scope import Scope


@dataclass(frozen=True)
class Row:
    """A vector under `^T`: on the left of a column it makes a number, on the right a matrix."""

    node: Node


@dataclass(frozen=True)
class Items:
    """Several values: `[a, b]`, `e1, e2`, `split(x, 3)`, or the passes of a comprehension.

    Where a tensor is wanted they are stacked. A reduction of a comprehension's passes
    (`from_loop`) goes over the passes, one of a list over every element.
    """

    values: tuple[Value, ...]
    from_loop: bool = False

    @cached_property
    def count(self) -> int:
        """How many values there are in it and in the lists in it."""
        return sum(each.count + 1 if isinstance(each, Items) else 1 for each in self.values)


@dataclass(frozen=True)
class Words:
    """A text in quotes."""

    text: str


class Nothing(Enum):
    """`None`: a new axis in an index, all axes in `axis=None`."""

    NOTHING = "None"


class Broken(Enum):
    """The value of a name whose definition has an error: what uses it is not reported again."""

    BROKEN = "broken"


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the program: a template, lowered anew at each call, in its own scope."""

    definition: FunctionDef
    scope: Scope

    @property
    def name(self) -> str:
        """The name it was defined by."""
        return self.definition.name.text

    @property
    def signature(self) -> str:
        """Its head as it was written: `attention(X : [B, T, d])`."""
        parameters = ", ".join(each.span.text for each in self.definition.parameters)
        return f"{self.name}({parameters})"


@dataclass(frozen=True)
class Slot:
    """A parameter of a built-in function: `axis=-1`. Its kind says how an argument is read.

    `rest` takes all positional arguments that are left (`*xs`), `named` all by other names.
    """

    name: str
    kind: str
    default: object
    required: bool
    rest: bool = False
    named: bool = False


@dataclass(frozen=True, eq=False)
class Builtin:
    """A function of the library: `build` makes a node, or several, of arguments read by kind."""

    name: str
    slots: tuple[Slot, ...]
    build: Callable[..., Node | Sequence[Node]]
    signature: str


@dataclass(frozen=True, eq=False)
class Form:
    """A built-in that looks at its arguments as they were written: `grad(loss, W)`, `range(n)`."""

    name: str
    slots: tuple[Slot, ...]
    apply: Callable[..., Value]
    signature: str


@dataclass(frozen=True)
class Derived:
    """`∇f`, `f''` (order 2), `hessian(f)`: the derivative of a function is a function."""

    of: Callee
    form: Literal["gradient", "derivative", "jacobian", "hessian"]
    order: int = 1

    @property
    def name(self) -> str:
        """As one writes it."""
        match self.form:
            case "gradient":
                return f"∇{self.of.name}"
            case "derivative":
                return self.of.name + "'" * self.order
            case _:
                return f"{self.form}({self.of.name})"

    @property
    def signature(self) -> str:
        """As one writes a call of it."""
        return f"{self.name}(x)"


@dataclass(frozen=True, eq=False)
class Formula:
    """A derivative on a line of its own, to be read in its textbook form.

    `∇f` alone is a formula in the parameter of f, the leaf `of`, and has no value.
    """

    node: Node
    of: Node | None = None

    def text(self, names: Mapping[Node, str] | None = None, head: str = "") -> str:
        """The formula, as it parses back, its shape, and what it is: `A + A^T   [n, n] symmetric`.

        Nodes in `names` are called by their names and not opened. With a `head` the last line is
        `head = …`, after those that name parts.
        """
        known = {node: name for node, name in (names or {}).items() if node is not self.node}
        found = closed(self.node, known, self.of)
        about = [self.node.describe(), ", ".join(found.words)]
        *parts, last = formula(found.node, known, BOARD).splitlines()
        told = f"{head} = {last}" if head else last
        return "\n".join([*parts, f"{told}   {' '.join(about).rstrip()}"])


@dataclass(frozen=True, eq=False)
class Module:
    """What `import transformer` binds: its names are attributes."""

    name: str
    scope: Scope


Callee: TypeAlias = Function | Builtin | Form | Derived
Value: TypeAlias = Node | Row | Items | Words | Nothing | Broken | Callee | Module

NOTHING = Nothing.NOTHING
BROKEN = Broken.BROKEN
CALLABLE = (Function, Builtin, Form, Derived)


def describe(value: Value) -> str:
    """What a value is, for a message: its shape, or words."""
    match value:
        case Node():
            return value.describe()
        case Row(node):
            return f"{node.describe()}, a row"
        case Items(values):
            return f"a list of {len(values)}"
        case Words():
            return "a text"
        case Module():
            return "a module"
        case Function() | Builtin() | Form() | Derived():
            return "a function"
        case _:
            return "None"
