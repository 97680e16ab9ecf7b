"""How a parameter begins, as the text after its shape: `~ normal(0.0, 0.02)`, `= 0.0`.

A value that one draw is made into is an expression, in which the draw takes its shape and its key
from the parameter. Any other is a function of the key, which parameters of one shape share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine import EngineError, Node, ops, var
from engine.dims import same_shape
from engine.graph import depends, sizes_of, substitute, toposort
from engine.show import Spelling, exactly, written

from ..lowering.initial import fitted
from ..lowering.state import Parameter
from .calling import Names

_KEY = var("key", (), "int")


@dataclass(eq=False)
class Beginnings:
    """The functions that parameters are drawn with, found while their lines are written."""

    names: Names
    how: Spelling
    functions: dict[Node, str] = field(default_factory=dict[Node, str])
    text: list[str] = field(default_factory=list[str])

    def of(self, parameter: Parameter) -> str:
        """`~ normal(0.0, 0.02)` or `= 0.0`."""
        first = _before_it_was_fitted(parameter)
        key = parameter.key
        if key not in toposort([first]):
            lines = self._lines(first, self.how)
            return f"= {lines[-1][1]}" if len(lines) == 1 else f"~ {self._function(first, lines)}"
        if _is_one_draw(first, parameter):
            lines = self._lines(first, replace(self.how, key=key))
            if len(lines) == 1:
                return f"~ {lines[-1][1]}"
        (of_key,) = substitute([first], {key: _KEY})
        return f"~ {self._function(of_key, self._lines(of_key, self.how))}"

    def _lines(self, node: Node, how: Spelling) -> list[tuple[str, str]]:
        constants: Mapping[Node, str] = self.names.constants
        if node in constants:
            return [("", constants[node])]
        lines = written([node], constants, exactly(how), stop=constants.__contains__)
        return [(line.name, line.text) for line in lines]

    def _function(self, node: Node, lines: Sequence[tuple[str, str]]) -> str:
        """The name of the function with these lines."""
        if any(size.name == "key" for part in toposort([node]) for size in sizes_of(part)):
            raise EngineError("no program can draw a parameter with a size that is called `key`")
        if node not in self.functions:
            name = self.functions[node] = self.names.fresh("draw")
            body = [f"    {local} = {text}" for local, text in lines[:-1]]
            self.text += [f"{name}(key) =", *body, f"    {lines[-1][1]}"]
        return self.functions[node]


def _before_it_was_fitted(parameter: Parameter) -> Node:
    """The value without the floats and the shape that a parameter gives it by itself."""
    first = parameter.initial
    for op in (ops.expand, ops.cast):
        if first.op is op and fitted(first.inputs[0], parameter.leaf) is parameter.initial:
            first = first.inputs[0]
    return first


def _is_one_draw(first: Node, parameter: Parameter) -> bool:
    """Whether the key goes into one draw of the parameter's shape, whose numbers are used once."""
    order = toposort([first])
    drawn = depends([first], [parameter.key])
    uses = Counter(x for node in order for x in node.inputs if x in drawn)
    draws = [node for node in order if parameter.key in node.inputs]
    return (
        max(uses.values()) == 1
        and draws[0].op in (ops.uniform, ops.normal)
        and same_shape(draws[0].shape, parameter.leaf.shape)
        and draws[0].attrs["shape"] == parameter.leaf.shape
    )
