"""A program as the lints see it: its syntax, what each expression came to, what is around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from engine import Node, ops
from engine.graph import toposort

from ..lowering.state import Lowering
from ..span import Source, Span
from ..syntax import Call, CallOrProduct, FunctionDef, Syntax, children
from ..values import Row
from .names import Binding, bindings


@dataclass(eq=False)
class Seen:
    """A compiled program; `parents` has what each piece of syntax stands in, by its identity."""

    low: Lowering
    parents: dict[int, Syntax] = field(default_factory=dict[int, Syntax])

    @cached_property
    def pieces(self) -> tuple[Syntax, ...]:
        """Every piece of syntax, in the order of the text, what is around before what is inside."""
        found: list[Syntax] = []
        stack: list[Syntax] = list[Syntax](reversed(self.low.tree.statements))
        while stack:
            piece = stack.pop()
            found.append(piece)
            inside = list(self._inside(piece))
            self.parents.update((id(each), piece) for each in inside)
            stack.extend(reversed(inside))
        return tuple(found)

    def _inside(self, piece: Syntax) -> Iterator[Syntax]:
        """What stands in a piece; of `a(b)` the reading that was taken."""
        if isinstance(piece, CallOrProduct) and self.values(piece.head):
            return iter((piece.product,))
        return children(piece)

    def values(self, expr: Syntax) -> list[Node | Row]:
        """The tensors that an expression came to: of the body of a function one for each call."""
        return list(self.low.meanings.get(id(expr), ()))

    def nodes(self, expr: Syntax) -> list[Node]:
        """The tensors that an expression came to, rows as any other."""
        return [each.node if isinstance(each, Row) else each for each in self.values(expr)]

    def is_row(self, expr: Syntax) -> bool:
        """Whether an expression came to a vector under `^T`."""
        return any(isinstance(each, Row) for each in self.values(expr))

    def within(self, call: Call) -> list[Node]:
        """What a function of another module made of the arguments of a call, and these."""
        origins = self.low.origins
        made = [x for x in self.nodes(call) if x in origins and not self.is_own(origins[x])]
        arguments = [*call.args, *(each.value for each in call.keywords)]
        given = {node for each in arguments for node in self.nodes(each)}
        return toposort(made, stop=given.__contains__)

    def around(self, piece: Syntax) -> Iterator[Syntax]:
        """What a piece stands in, from the inside out."""
        while id(piece) in self.parents:
            piece = self.parents[id(piece)]
            yield piece

    def function(self, piece: Syntax) -> FunctionDef | None:
        """The innermost function whose definition a piece stands in."""
        return next((each for each in self.around(piece) if isinstance(each, FunctionDef)), None)

    @cached_property
    def varying(self) -> set[Node]:
        """What a gradient can reach: made of an input or a parameter by way of floats alone."""
        found: set[Node] = set()
        for node in toposort(self.low.origins):
            is_made = node.op is ops.variable or any(x in found for x in node.inputs)
            if is_made and node.kind == "float" and node.op is not ops.stop:
                found.add(node)
        return found

    @cached_property
    def bindings(self) -> list[Binding]:
        """Every name that the program binds, and whether it is used."""
        return bindings(self.low.tree.statements)

    @cached_property
    def sources(self) -> list[Source]:
        """The texts of the program itself, in order: one, or those of the cells of a notebook."""
        return list(dict.fromkeys(each.span.source for each in self.low.tree.statements))

    def is_own(self, span: Span) -> bool:
        """Whether a place is in the program itself, not in a module that it takes from."""
        return span.source in self.sources
