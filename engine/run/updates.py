"""Writing updates into their leaves: θ ← θ ± r g for all parameters in one call, else copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine import ops
from engine.dims import same_shape
from engine.graph import Node, toposort
from engine.ops.sources import constant_value


@dataclass(frozen=True)
class Slope:
    """leaf ← leaf ± rate · slope: no new value of the leaf is computed beside the old one."""

    leaf: Node
    sign: str
    rate: Node | None  # None is 1
    slope: Node


@dataclass(frozen=True)
class Updates:
    """What happens to the leaves at the end of a step."""

    copies: Mapping[Node, Node]
    slopes: Sequence[Slope]

    def needed(self) -> list[Node]:
        """The nodes whose values must be there at the end."""
        rates = [s.rate for s in self.slopes if s.rate is not None]
        return [*self.copies.values(), *rates, *(s.slope for s in self.slopes)]

    def lines(self, name: Mapping[Node, str], aliases: Callable[[Node], bool]) -> list[str]:
        """The source. A copied value that `aliases` a leaf is read before any leaf is written."""
        lines: list[str] = []
        if self.copies:
            values = [name[x] + ".clone()" * aliases(x) for x in self.copies.values()]
            targets = [name[leaf] for leaf in self.copies]
            lines.append(f"torch._foreach_copy_([{', '.join(targets)}], [{', '.join(values)}])")
        for rate, sign in dict.fromkeys((s.rate, s.sign) for s in self.slopes):
            together = [s for s in self.slopes if (s.rate, s.sign) == (rate, sign)]
            leaves = ", ".join(name[s.leaf] for s in together)
            slopes = ", ".join(name[s.slope] for s in together)
            lines.append(f"torch._foreach_add_([{leaves}], [{slopes}]{_alpha(sign, rate, name)})")
        return lines


def _alpha(sign: str, rate: Node | None, name: Mapping[Node, str]) -> str:
    if rate is None:
        return "" if sign == "+" else ", alpha=-1"
    number = constant_value(rate)
    factor = f"{name[rate]}.item()" if number is None else repr(number)
    return f", alpha={factor if sign == '+' else f'-{factor}'}"


def plan_updates(
    outputs: Sequence[Node], values: Mapping[Node, Node], aliases: Callable[[Node], bool]
) -> Updates:
    """How each leaf gets its new value: along a slope where that saves computing the value.

    A slope that `aliases` a leaf would change while the leaves are written: that one is copied.
    """
    found = [s for leaf, value in values.items() if (s := _along_slope(leaf, value))]
    found = [s for s in found if not aliases(s.slope)]
    copied = {leaf: values[leaf] for leaf in values if leaf not in {s.leaf for s in found}}
    computed = set(toposort([*outputs, *Updates(copied, found).needed()]))
    slopes = [s for s in found if values[s.leaf] not in computed]
    along = {s.leaf for s in slopes}
    return Updates({leaf: x for leaf, x in values.items() if leaf not in along}, slopes)


def _along_slope(leaf: Node, value: Node) -> Slope | None:
    """The slope and rate of leaf ± rate · slope."""
    if value.op not in (ops.add, ops.sub) or value.inputs[0] is not leaf:
        return None
    rate, slope = None, value.inputs[1]
    if slope.op is ops.mul and () in (slope.inputs[0].shape, slope.inputs[1].shape):
        rate, slope = slope.inputs if slope.inputs[0].shape == () else slope.inputs[::-1]
    if slope.kind != "float" or not same_shape(slope.shape, leaf.shape):
        return None
    return Slope(leaf, "+" if value.op is ops.add else "-", rate, slope)
