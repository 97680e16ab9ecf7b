"""How an argument of a built-in is read: as a tensor, an axis, a size, a shape, a flag, a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine import Node
from engine.dims import Dim

from ..errors import DslError, refuse
from ..syntax import Expr, List, Name
from ..values import NOTHING, Items, Slot, Value, Words
from .arguments import Argument, Bound
from .located import Term, text_of, written
from .shapes import check_rank
from .sizes import size
from .state import Lowering


@dataclass(frozen=True)
class Reduced:
    """What a reduction goes over: a tensor, or the passes of a loop stacked along a first axis."""

    node: Node
    from_loop: bool


@dataclass(eq=False)
class Reading:
    """One call of a built-in: the tensors read so far are what its axes are axes of."""

    low: Lowering
    terms: list[Term] = field(default_factory=list[Term])

    def read(self, slot: Slot, bound: Bound) -> object:
        """The argument for a parameter, or its default."""
        if slot.rest:
            return self._several(bound.rest)
        argument = bound.one.get(slot.name)
        return slot.default if argument is None else READERS[slot.kind](self, argument, slot)

    def node(self, argument: Argument, slot: Slot) -> Node:
        """A tensor."""
        term = argument.term(self.low, slot.name)
        self.terms.append(term)
        return term.node

    def optional(self, argument: Argument, slot: Slot) -> Node | None:
        """A tensor or `None`."""
        return None if argument.value(self.low) is NOTHING else self.node(argument, slot)

    def reduced(self, argument: Argument, slot: Slot) -> Reduced:
        """What a reduction goes over, and whether it is the passes of a comprehension."""
        value = argument.value(self.low)
        return Reduced(self.node(argument, slot), isinstance(value, Items) and value.from_loop)

    def _several(self, arguments: tuple[Argument, ...]) -> list[Node]:
        """Tensors one by one, or one list of them."""
        value = arguments[0].value(self.low) if len(arguments) == 1 else None
        if isinstance(value, Items):
            exprs = written(arguments[0].expr, len(value.values))
            pairs = enumerate(zip(value.values, exprs, strict=True))
            terms = [self.low.as_term(each, expr, f"item {i}") for i, (each, expr) in pairs]
        else:
            terms = [arg.term(self.low, f"item {i}") for i, arg in enumerate(arguments)]
        self.terms += terms
        return [term.node for term in terms]

    def axis(self, argument: Argument, slot: Slot) -> object:
        """An axis by number, by the name of its size, several in a list, or `None` for all."""
        if isinstance(argument.expr, List):
            return tuple([self._axis(Argument(e, argument.scope)) for e in argument.expr.items])
        return self._axis(argument)

    def _axis(self, argument: Argument) -> int | None:
        expr = argument.expr
        dim = argument.scope.size_meant(expr.text) if isinstance(expr, Name) else None
        if isinstance(expr, Name) and dim is not None:
            return self._axis_of(dim, expr)
        value = argument.value(self.low)
        if value is NOTHING:
            return None
        number = self.low.statics[self.low.tensor(value, expr)]
        if not isinstance(number, int) or isinstance(number, bool):
            raise refuse(
                f"`{text_of(expr)}` is no axis", expr.span, "an axis is a whole number", "axis"
            )
        return number

    def _axis_of(self, dim: Dim, expr: Name) -> int:
        """The place of a size, which must occur exactly once."""
        shape = self.terms[0].node.shape if self.terms else None
        places = [i for i, each in enumerate(shape or ()) if each == dim]
        if len(places) == 1:
            return places[0] - len(shape or ())
        text = self.terms[0].text if self.terms else "this"
        what = self.terms[0].node.describe() if self.terms else ""
        message = f"`{expr.text}` occurs {len(places)} times in {what}, the shape of `{text}`"
        raise refuse(message, expr.span, "count the axis: `axis=-1` is the last", "axis")

    def size(self, argument: Argument, slot: Slot) -> Dim:
        """A size: a whole number or a polynomial."""
        return self._size(argument.expr, argument, slot.name)

    def _size(self, expr: Expr, argument: Argument, what: str) -> Dim:
        if argument.known is not None and expr is argument.expr:
            found = self.low.statics.size(self.low.tensor(argument.known, expr))
        else:
            found = size(self.low, argument.scope, expr)
        if found is None:
            raise refuse(f"`{text_of(expr)}` is not known as a size", expr.span, "", "size")
        return found

    def shape(self, argument: Argument, slot: Slot) -> tuple[Dim, ...] | Node:
        """A shape: sizes in a list, one size alone, or a tensor that lends its shape."""
        if isinstance(argument.expr, List):
            check_rank(argument.expr.items, argument.expr.span)
            return self._sizes(argument.expr, argument, slot)
        value = argument.value(self.low)
        if isinstance(value, Node) and value.rank != 0:
            return value
        values = value.values if isinstance(value, Items) else (value,)
        return tuple([self._item_size(each, argument.expr) for each in values])

    def _sizes(self, sizes: List, argument: Argument, slot: Slot) -> tuple[Dim, ...]:
        return tuple([self._size(each, argument, slot.name) for each in sizes.items])

    def extent(self, argument: Argument, slot: Slot) -> Dim | Node:
        """A size, or a tensor that lends its last."""
        value = argument.value(self.low)
        if isinstance(value, Node) and value.rank != 0:
            return value
        return self.size(argument, slot)

    def _item_size(self, value: Value, expr: Expr) -> Dim:
        found = self.low.statics.size(self.low.tensor(value, expr))
        if found is None:
            raise refuse(f"`{text_of(expr)}` is no shape", expr.span, "as in `[B, T]`", "size")
        return found

    def parts(self, argument: Argument, slot: Slot) -> object:
        """A number of parts, or a list of their sizes."""
        if isinstance(argument.expr, List):
            return list(self._sizes(argument.expr, argument, slot))
        found = self.size(argument, slot)
        if not isinstance(found, int):
            number = self.low.statics.number(self.low.node(argument.expr, argument.scope))
            if not isinstance(number, int):
                text = text_of(argument.expr)
                raise refuse(f"`{text}` parts: the number is not known", argument.expr.span)
            return number
        return found

    def number(self, argument: Argument, slot: Slot) -> int | float:
        """A number that is known now."""
        found = self.element(argument, slot)
        if isinstance(found, bool):
            raise self._not_known(argument, slot)
        return found

    def element(self, argument: Argument, slot: Slot) -> int | float | bool:
        """A number or a truth value that is known now."""
        value = argument.value(self.low)
        found = self.low.statics.number(self.low.tensor(value, argument.expr))
        if found is None:
            raise self._not_known(argument, slot)
        return found

    def _not_known(self, argument: Argument, slot: Slot) -> DslError:
        message = f"`{slot.name}` is a number that is known before the program runs"
        return refuse(message, argument.expr.span, "", "kind")

    def flag(self, argument: Argument, slot: Slot) -> bool:
        """`true` or `false`."""
        value = argument.value(self.low)
        found = self.low.statics.number(self.low.tensor(value, argument.expr))
        if not isinstance(found, bool):
            raise refuse(f"`{slot.name}` is `true` or `false`", argument.expr.span, "", "kind")
        return found

    def text(self, argument: Argument, slot: Slot) -> str:
        """A text in quotes."""
        value = argument.value(self.low)
        if not isinstance(value, Words):
            hint = _TEXTS.get(slot.name, "")
            raise refuse(f"`{slot.name}` is a text in quotes", argument.expr.span, hint, "kind")
        return value.text


_TEXTS = {
    "pattern": 'as in `"ij,jk->ik"`',
    "kind": 'as in `kind="int"`; a shape is one list: `[3, 4]`',
    "reduction": 'as in `reduction="sum"`',
}

READERS: dict[str, Callable[[Reading, Argument, Slot], object]] = {
    "tensor": Reading.node,
    "optional": Reading.optional,
    "reduced": Reading.reduced,
    "axis": Reading.axis,
    "size": Reading.size,
    "extent": Reading.extent,
    "shape": Reading.shape,
    "parts": Reading.parts,
    "number": Reading.number,
    "element": Reading.element,
    "flag": Reading.flag,
    "text": Reading.text,
}
