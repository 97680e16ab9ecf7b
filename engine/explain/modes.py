"""Forward against reverse mode: what the same derivatives ∂y/∂x cost by either, counted.

A pass forward makes J v, for v = eⱼ a column of the Jacobian; a pass in reverse makes Jᵀ g, for
g = eᵢ a row. So a whole Jacobian takes a pass for each element of x forward, and one for each
element of y in reverse. What in a pass does not depend on its seed, the slopes, is computed once.

The cheap-gradient principle: a value with one pass costs a small multiple of the value alone,
whatever the number of elements: three to five where operators are counted fairly, for a gradient
too (Griewank and Walther, Evaluating Derivatives, ch. 4).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine import ops
from engine.calculus.jvp import jvp
from engine.calculus.second import Mode
from engine.calculus.vjp import check_differentiable, gradients
from engine.dims import Dim, product, total
from engine.explain.cost import cost
from engine.explain.live import live
from engine.explain.polynomial import added, estimate, text
from engine.explain.polynomial import value as number_of
from engine.graph import Node, depends, several, toposort
from engine.ops.families import elements


@dataclass(frozen=True)
class Passes:
    """What a pass makes, how many a Jacobian takes, operations of `each` and those done `once`."""

    made: tuple[Node, ...]
    number: Dim
    each: Dim
    once: Dim

    @property
    def one(self) -> Dim:
        """The operations of a single pass beside the value."""
        return added([self.once, self.each])

    @property
    def all(self) -> Dim:
        """The operations of all passes beside the value; None for an unknown number of them."""
        whole = product((self.number, self.each))
        return None if whole is None else added([self.once, whole])


@dataclass(frozen=True, repr=False)
class Modes:
    """Both modes for the derivatives of `output` by all of `wrt`.

    `value` has the operations of the output itself; `memory` the bytes that live at once when it
    is computed, and the bytes for each mode when it is computed with one pass. `unknown` values
    have no known shape and are in no sum.
    """

    output: Node
    wrt: tuple[Node, ...]
    value: Dim
    memory: Dim
    forward: Passes
    reverse: Passes
    memories: Mapping[Mode, Dim]
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    unknown: int = 0

    @property
    def cheaper(self) -> Mode | None:
        """The mode whose passes take less, None where they take the same.

        Operations count, and the elements that each pass is given and makes. Sizes without a value
        are taken to be alike and large.
        """
        return _cheaper({"forward": self.forward, "reverse": self.reverse}, self.sizes)

    def ratio(self, mode: Mode) -> float | None:
        """What the value costs with one pass, in units of the value alone."""
        alone = number_of(self.value, self.sizes)
        beside = number_of(self.passes(mode).one, self.sizes)
        return 1 + beside / alone if alone and beside is not None else None

    def passes(self, mode: Mode) -> Passes:
        """Those of a mode."""
        return self.forward if mode == "forward" else self.reverse

    def __repr__(self) -> str:
        return f"{self._line('forward')}\n{self._line('reverse')}"

    def _line(self, mode: Mode) -> str:
        passes = self.passes(mode)
        counted = (passes.number, passes.one, passes.all, self.memories[mode])
        number, one, every, bytes_ = (text(dim, self.sizes) for dim in counted)
        told = f"{mode}: {number} passes of {one} operations, {every} in all, {bytes_} bytes live"
        return f"{told}; cheaper" if mode == self.cheaper else told


def modes(
    output: Node, wrt: Sequence[Node] | Node, sizes: Mapping[str, int] | None = None
) -> Modes:
    """Count the derivatives of `output` by `wrt` in both modes; a pass is along all of `wrt`.

    Raises GradientError for an output or a `wrt` of whole numbers or truth values.

    >>> from engine import var
    >>> A, x = var("A", ["m", "n"]), var("x", ["n"])
    >>> modes(A @ x, x, {"m": 2, "n": 50})
    forward: n passes of 2·m·n operations, 2·m·n² in all, 8·m bytes live
    reverse: m passes of 2·m·n operations, 2·m²·n in all, 4·n + 4·m bytes live; cheaper
    """
    told = sizes or {}
    found = _passes(output, several(wrt))
    made: dict[Mode, list[Node]] = {m: [output, *passes.made] for m, passes in found.items()}
    memories: dict[Mode, Dim] = {mode: live(outputs, told) for mode, outputs in made.items()}
    return Modes(
        output=output,
        wrt=tuple(several(wrt)),
        value=cost([output]).each,
        memory=live([output], told),
        forward=found["forward"],
        reverse=found["reverse"],
        memories=memories,
        sizes=told,
        unknown=cost([node for outputs in made.values() for node in outputs]).unknown,
    )


def cheaper(output: Node, wrt: Node) -> Mode:
    """The mode in which a whole Jacobian takes less; reverse where both take the same.

    >>> from engine import var
    >>> x = var("x", [3])
    >>> cheaper(ops.sum(ops.exp(x)), x), cheaper(ops.concat([ops.exp(x), ops.sin(x)]), x)
    ('reverse', 'forward')
    """
    return _cheaper(_passes(output, [wrt]), {}) or "reverse"


def is_cheaper(formula: Node, output: Node, wrt: Node) -> bool:
    """Whether a formula for the whole Jacobian takes no more than the passes of either mode."""
    found = _passes(output, [wrt])
    moved, own = _moved(found), cost([formula], beside=[output]).each
    fewest = min(_size(passes, moved, {}) for passes in found.values())
    return (estimate(added([own, elements(formula)]), {}), 0) <= fewest


def _cheaper(found: Mapping[Mode, Passes], sizes: Mapping[str, int]) -> Mode | None:
    """By operations, elements of seeds and results counting one each; if equal, by passes."""
    moved = _moved(found)
    forward, reverse = (_size(found[mode], moved, sizes) for mode in ("forward", "reverse"))
    return None if forward == reverse else "forward" if forward < reverse else "reverse"


def _moved(found: Mapping[Mode, Passes]) -> Dim:
    """The elements that a pass is given and makes: those of x and of y."""
    return added(passes.number for passes in found.values())


def _size(passes: Passes, moved: Dim, sizes: Mapping[str, int]) -> tuple[float, float]:
    """What all passes take, and their number; an unknown one is beyond every other."""
    if passes.number is None:
        return math.inf, math.inf
    whole = added([passes.all, product((passes.number, moved))])
    return estimate(whole, sizes), estimate(passes.number, sizes)


def _passes(output: Node, wrt: Sequence[Node]) -> dict[Mode, Passes]:
    check_differentiable(output, wrt)
    tangents = [_seed(i, x) for i, x in enumerate(wrt)]
    cotangent = _seed(len(wrt), output)
    columns, rows = total(map(elements, dict.fromkeys(wrt))), elements(output)
    return {
        "forward": _counted(output, [jvp(output, wrt, tangents)], tangents, columns),
        "reverse": _counted(output, gradients(output, wrt, cotangent), [cotangent], rows),
    }


def _seed(serial: int, x: Node) -> Node:
    """A tangent or cotangent of x as a variable; no name of a user has a slash."""
    return ops.variable(f"seed/{serial}", x.shape)


def _counted(output: Node, made: Sequence[Node], seeds: Sequence[Node], number: Dim) -> Passes:
    moving = depends(made, seeds)
    slopes = cost([node for node in toposort(made) if node not in moving], beside=[output]).each
    one = cost(made, beside=[output]).each
    return Passes(tuple(made), number, added([one, product((-1, slopes))]), slopes)
