"""Writing updates into their leaves: θ ← θ ± r g in place, all parameters together; else copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from engine import ops
from engine.dims import known, product, same_shape
from engine.graph import Node, toposort
from engine.ops.sources import constant_value, in_python
from engine.run import adam
from engine.run.adam import Adam

Names = Mapping[Node, str]
Check = Callable[[Node], bool]


@dataclass(frozen=True)
class Slope:
    """leaf ← leaf ± rate · slope: no new value of the leaf is computed beside the old one.

    A slope that is a product A B of small factors is added to the leaf as it is multiplied.
    """

    leaf: Node
    sign: str
    rate: Node | None  # None is 1
    slope: Node
    factors: tuple[Node, ...] = ()

    @property
    def leaves(self) -> tuple[Node]:
        """What it writes."""
        return (self.leaf,)

    def needed(self) -> list[Node]:
        """The nodes whose values it takes."""
        return [*(self.factors or (self.slope,)), *(() if self.rate is None else (self.rate,))]

    def alpha(self, name: Names) -> str:
        """`, alpha=-0.1`."""
        if self.rate is None:
            return "" if self.sign == "+" else ", alpha=-1"
        number = constant_value(self.rate)
        factor = f"{name[self.rate]}.item()" if number is None else in_python(number)
        return f", alpha={factor}" if self.sign == "+" else f", alpha=-{factor}"


@dataclass(frozen=True)
class Updates:
    """What happens to the leaves at the end of a step."""

    copies: Mapping[Node, Node]
    slopes: Sequence[Slope]
    adams: Sequence[Adam]

    def needed(self) -> list[Node]:
        """The nodes whose values must be there at the end."""
        return [
            *self.copies.values(),
            *(x for step in (*self.slopes, *self.adams) for x in step.needed()),
        ]

    def lines(self, name: Names, aliases: Check) -> list[str]:
        """The source. A copied value that `aliases` a leaf is read before any leaf is written."""
        lines: list[str] = []
        if self.copies:
            values = [name[x] + ".clone()" * aliases(x) for x in self.copies.values()]
            targets = [name[leaf] for leaf in self.copies]
            lines.append(f"torch._foreach_copy_([{', '.join(targets)}], [{', '.join(values)}])")
        lines += adam.lines(self.adams, name)
        lines += [
            f"torch.addmm({name[s.leaf]}, {name[s.factors[0]]}, {name[s.factors[1]]}"
            f"{s.alpha(name)}, out={name[s.leaf]})"
            for s in self.slopes
            if s.factors
        ]
        whole = [s for s in self.slopes if not s.factors]
        for alpha in dict.fromkeys(s.alpha(name) for s in whole):
            together = [s for s in whole if s.alpha(name) == alpha]
            leaves = ", ".join(name[s.leaf] for s in together)
            slopes = ", ".join(name[s.slope] for s in together)
            lines.append(f"torch._foreach_add_([{leaves}], [{slopes}]{alpha})")
        return lines


def plan_updates(outputs: Sequence[Node], values: Mapping[Node, Node], aliases: Check) -> Updates:
    """How each leaf gets its new value: along a slope where that saves computing the value.

    What `aliases` a leaf would change while the leaves are written: such values are copied.
    """
    adams = [a for leaf in values if (a := adam.adam(leaf, values))]
    moved = {leaf for a in adams for leaf in a.leaves}
    others = [leaf for leaf in values if leaf not in moved]
    slopes = [s for leaf in others if (s := _along_slope(leaf, values[leaf]))]
    plan = _with_copies(values, slopes, adams, lambda step: not any(map(aliases, step.needed())))
    computed = set(toposort([*outputs, *plan.needed()]))
    new = _with_copies(
        values,
        plan.slopes,
        plan.adams,
        lambda step: computed.isdisjoint(values[x] for x in step.leaves),
    )
    rest = [*outputs, *new.copies.values(), *(x for a in new.adams for x in a.needed())]
    return replace(new, slopes=_factored(new.slopes, rest, aliases))


def _with_copies(
    values: Mapping[Node, Node],
    slopes: Sequence[Slope],
    adams: Sequence[Adam],
    fits: Callable[[Slope | Adam], bool],
) -> Updates:
    """The steps that fit, and copies for the leaves that none of them writes."""
    slopes, adams = list(filter(fits, slopes)), list(filter(fits, adams))
    written = {leaf for step in (*slopes, *adams) for leaf in step.leaves}
    copies = {leaf: value for leaf, value in values.items() if leaf not in written}
    return Updates(copies, slopes, adams)


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


def _factored(slopes: Sequence[Slope], others: Sequence[Node], aliases: Check) -> list[Slope]:
    """The slopes, those that are products of two matrices by their factors where that pays.

    Both factors live to the end then, so together they must be smaller than the product.
    """
    inner = [x for s in slopes for x in (*s.slope.inputs, *s.needed()[1:])]
    elsewhere = set(toposort([*others, *inner]))
    uses = Counter(s.slope for s in slopes)
    return [
        replace(s, factors=s.slope.inputs)
        if uses[s.slope] == 1
        and s.slope not in elsewhere
        and _is_large_product(s.slope)
        and not any(map(aliases, s.slope.inputs))
        else s
        for s in slopes
    ]


def _is_large_product(x: Node) -> bool:
    if x.op is not ops.matmul or any(factor.rank != 2 for factor in x.inputs):
        return False
    a, b, whole = (known(product(y.shape or ())) for y in (*x.inputs, x))
    return a is not None and b is not None and whole is not None and a + b <= whole
