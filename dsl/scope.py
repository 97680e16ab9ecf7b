"""Where names are looked up, values and sizes, innermost first; and the path of parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from engine import ops
from engine.dims import Dim

from .syntax import Expr
from .values import Value


@dataclass(frozen=True)
class Frame:
    """A body that is being lowered: the path of its call, and the passes of the loops around.

    `steps` counts the calls of each name in this body, so that the second `f` is `f_2`.
    """

    path: tuple[str, ...] = ()
    passes: tuple[int, ...] = ()
    steps: dict[str, int] = field(default_factory=dict[str, int])

    def step(self, name: str) -> tuple[str, ...]:
        """The path of the next call of `name`: `h`, then `h_2`; in a loop `h.0`, `h.1`."""
        count = self.steps[name] = self.steps.get(name, 0) + 1
        return self.place(name if count == 1 else f"{name}_{count}")

    def place(self, name: str) -> tuple[str, ...]:
        """The path of what is called `name` here."""
        return (*self.path, name, *map(str, self.passes))

    def turn(self, number: int) -> Frame:
        """The same body in a pass of a loop: each pass counts its calls from the same start."""
        return replace(self, passes=(*self.passes, number), steps=dict(self.steps))


@dataclass(eq=False)
class Scope:
    """Names and sizes of a module, a call or a block; `fallback` makes what is first used.

    `derived` has the sizes of a module that hang on ones without a value: `k = d/H`.
    """

    frame: Frame
    parent: Scope | None = None
    names: dict[str, Value] = field(default_factory=dict[str, Value])
    sizes: dict[str, Dim] = field(default_factory=dict[str, Dim])
    derived: dict[str, Expr] = field(default_factory=dict[str, Expr])
    fallback: Callable[[str], Value | None] = lambda name: None

    def child(self) -> Scope:
        """A scope inside this one, in the same body."""
        return Scope(self.frame, self)

    @property
    def module(self) -> Scope:
        """The scope of the file around this one (the library is the outermost of all)."""
        scope = self
        while scope.parent is not None and scope.parent.parent is not None:
            scope = scope.parent
        return scope

    @property
    def library(self) -> Scope:
        """The outermost scope."""
        return self if self.parent is None else self.module.parent or self

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def find(self, name: str) -> Value | None:
        """The value of a name; a size is the number it stands for. None if there is none."""
        for scope in self.chain():
            value = scope.own(name)
            if value is not None:
                return value
        return None

    def own(self, name: str) -> Value | None:
        """The value of a name of this very scope."""
        if name in self.names:
            return self.names[name]
        if name in self.sizes:
            dim = self.sizes[name]
            return None if dim is None else ops.size(dim)
        return self.fallback(name)

    def find_size(self, name: str) -> Scope | None:
        """The innermost scope in which the name is a size."""
        return next((scope for scope in self.chain() if name in scope.sizes), None)

    def size_meant(self, name: str) -> Dim:
        """The size that a name means here; None where the name means something else."""
        home = next((s for s in self.chain() if name in s.sizes or name in s.names), None)
        return None if home is None or name in home.names else home.sizes[name]

    def known_names(self) -> list[str]:
        """Every name that can be used here, innermost first."""
        return [name for scope in self.chain() for name in (*scope.names, *scope.sizes)]

    def known_sizes(self) -> list[str]:
        """Every size that can be used here, outermost first."""
        return [name for scope in reversed(list(self.chain())) for name in scope.sizes]
