"""Adam and AdamW, recognised as they stand in papers, for torch's fused kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose

from engine import ops
from engine.dims import same_shape
from engine.graph import Node
from engine.ops.sources import constant_value, in_python, is_const

Values = Mapping[Node, Node]  # leaf -> what is to be written to it


@dataclass(frozen=True)
class Setting:
    """What parameters share; the rate and the number of the step may be fed."""

    lr: Node
    t: Node
    β1: float
    β2: float
    ε: float
    decay: float


@dataclass(frozen=True)
class Adam:
    """m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,  θ ← θ - lr m̂ / (√v̂ + ε) - lr decay θ.

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) (Kingma and Ba, 2015; Loshchilov and Hutter, 2019).
    """

    θ: Node
    g: Node
    m: Node
    v: Node
    setting: Setting

    @property
    def leaves(self) -> tuple[Node, Node, Node]:
        """What it writes."""
        return self.θ, self.m, self.v

    def needed(self) -> list[Node]:
        """The nodes whose values it takes."""
        return [self.g, self.setting.t, self.setting.lr]


def lines(adams: Sequence[Adam], name: Mapping[Node, str]) -> list[str]:
    """The source: one call for all parameters of a setting."""
    return [
        _call([a for a in adams if a.setting == setting], setting, name)
        for setting in dict.fromkeys(a.setting for a in adams)
    ]


def _call(adams: Sequence[Adam], s: Setting, name: Mapping[Node, str]) -> str:
    listed = (", ".join(name[getattr(a, part)] for a in adams) for part in "θgmv")
    number = constant_value(s.lr)
    lr = name[s.lr] if number is None else in_python(float(number))
    return (
        f"fused.adam({', '.join(f'[{part}]' for part in listed)}, {name[s.t]}, lr={lr}, "
        f"betas=({s.β1!r}, {s.β2!r}), eps={s.ε!r}, decay={s.decay!r})"
    )


def adam(θ: Node, values: Values) -> Adam | None:
    """The Adam by which a leaf is updated together with its two moments, None where it is not."""
    value, decay = values[θ], 0.0
    match value:
        case Node(ops.sub, (Node(ops.sub) as rest, Node(ops.mul, (rate, decayed)))) if decayed is θ:
            value, decay = rest, rate
    match value:
        case Node(
            ops.sub,
            (
                start,
                Node(
                    ops.div,
                    (Node(ops.mul, (lr, first)), Node(ops.add, (Node(ops.sqrt, (second,)), ε))),
                ),
            ),
        ) if start is θ and lr.shape == ():
            return _with_moments(θ, lr, _decay(decay, lr), _number(ε), (first, second), values)
    return None


def _with_moments(
    θ: Node,
    lr: Node,
    decay: float | None,
    ε: float | None,
    corrected: tuple[Node, Node],
    values: Values,
) -> Adam | None:
    first, second = map(_moment, corrected)
    if first is None or second is None or decay is None or ε is None:
        return None
    square, m, v = second.of, first.leaf, second.leaf
    match square:
        case Node(ops.pow, (g, two)) if g is first.of and is_const(two, 2):
            pass
        case _:
            return None
    kept = values.get(m) is first.value and values.get(v) is second.value
    alike = all(same_shape(x.shape, θ.shape) and x.kind == "float" for x in (g, m, v))
    if not kept or not alike or m is v or first.t is not second.t:
        return None
    return Adam(θ, g, m, v, Setting(lr, first.t, first.β, second.β, ε, decay))


@dataclass(frozen=True)
class Moment:
    """β leaf + (1 - β) of, divided by 1 - βᵗ."""

    leaf: Node
    of: Node
    β: float
    t: Node
    value: Node


def _moment(corrected: Node) -> Moment | None:
    match corrected:
        case Node(
            ops.div,
            (
                Node(ops.add, (Node(ops.mul, (β, leaf)), Node(ops.mul, (rest, of)))) as value,
                Node(ops.sub, (one, Node(ops.pow, (base, t)))),
            ),
        ) if base is β and is_const(one, 1) and t.shape == ():
            number, share = _number(β), _number(rest)
            if number is not None and share is not None and isclose(share, 1 - number):
                return Moment(leaf, of, number, t, value)
    return None


def _decay(rate: Node | float, lr: Node) -> float | None:
    """λ of lr · λ."""
    match rate:
        case float():
            return rate
        case Node(ops.mul, (factor, λ)) if factor is lr:
            return _number(λ)
    return None


def _number(x: Node) -> float | None:
    """The number that a constant or a difference of constants stands for."""
    if x.op is ops.sub:
        a, b = map(_number, x.inputs)
        return None if a is None or b is None else a - b
    value = constant_value(x)
    return None if value is None else float(value)
