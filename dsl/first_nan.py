"""The first value of a run that is not a number, at the place in the text where it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from engine import Node, ops, trace
from engine.graph import depends
from engine.run import Traced
from engine.show import summary

from .errors import DslError, Operand
from .failures import called, place_of
from .lowering.state import Lowering


def first_nan(low: Lowering, outputs: Sequence[Node], feeds: Mapping[Node, Any]) -> DslError | None:
    """The error that tells of the first NaN below the outputs; None where there is none.

    Where an output is infinite and nothing is NaN it tells where that begins: at a value that
    depends on what was fed and is made of finite ones. A mask is infinite on purpose.
    """
    traced = trace(outputs, feeds)
    values = {each.node: each.value for each in traced}
    bad = next((each for each in traced if bool(torch.isnan(each.value).any())), None)
    if bad is None and any(_is_infinite(values[node]) for node in outputs):
        fed = depends(outputs, [each.node for each in traced if each.node.op is ops.variable])
        infinite = [each for each in traced if each.node in fed and _is_infinite(each.value)]
        finite = (x for x in infinite if not any(_is_infinite(values[n]) for n in x.node.inputs))
        bad = next(finite, None)
    place = None if bad is None else place_of(low, bad.node)
    if bad is None or place is None:
        return None
    is_fed = bad.node.op is ops.variable
    text = f"`{bad.node.label()}` was fed with" if is_fed else f"{place.words} is the first"
    operands = [
        Operand(called(low, x) or x.op.name, summary(values[x]), "") for x in bad.node.inputs
    ]
    return DslError(place.diagnostic(f"{text} {_share(bad)}", "", operands))


def _is_infinite(value: Tensor) -> bool:
    return bool(torch.isinf(value).any())


def _share(bad: Traced) -> str:
    """`NaN, 1 of 3 elements`."""
    is_nan, n = torch.isnan(bad.value), bad.value.numel()
    any_nan = bool(is_nan.any())
    count = int((is_nan if any_nan else torch.isinf(bad.value)).sum())
    return ("NaN" if any_nan else "infinity") + (f", {count} of {n} elements" if n > 1 else "")
