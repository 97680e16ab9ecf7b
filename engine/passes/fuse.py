"""The rules that turn formulas into kernels, in the order in which each op tries them."""

from __future__ import annotations

from engine.graph import Op
from engine.passes import fuse_neural, fuse_norms, fuse_products
from engine.passes.cover import Rule, Rules


def _joined(*families: Rules) -> Rules:
    joined: dict[Op, list[Rule]] = {}
    for rules in families:
        for op, some in rules.items():
            joined.setdefault(op, []).extend(some)
    return joined


FUSE = _joined(fuse_norms.RULES, fuse_neural.RULES, fuse_products.RULES)
