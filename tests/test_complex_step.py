"""The row of three over the whole operator table, and where a complex step ends."""

from __future__ import annotations

import pytest
import torch

from engine import GradientError, Op, check_gradients, ops, trace, var
from engine.calculus.complex_step import ANALYTIC
from engine.graph import depends
from tests.sampling import Sample, build
from tests.test_op_laws import NOT_THE_SLOPE, SMOOTH, over

NOT_ANALYTIC = {
    **dict.fromkeys(["equal", "not_equal", "less", "less_equal"], "compares"),
    **dict.fromkeys(["max", "min", "maximum", "minimum", "argmax", "relu"], "compares"),
    **dict.fromkeys(["logical_and", "logical_or", "logical_not"], "takes truth values"),
    **dict.fromkeys(["abs", "norm"], "an absolute value"),
    **dict.fromkeys(["sign", "cast"], "a step"),
    **dict.fromkeys(["erf", "gelu"], "torch has it for real numbers alone"),
    **dict.fromkeys(["variable", "const", "size", "arange"], "a source"),
    **dict.fromkeys(["uniform", "normal", "one_hot"], "takes whole numbers"),
    "stop": "its derivative is not that of its value",
}
x = var("x", [3])


def test_every_operator_is_analytic_or_has_a_reason_why_not() -> None:
    assert set(Op.table) == ANALYTIC.keys() | NOT_ANALYTIC.keys()
    assert not ANALYTIC.keys() & NOT_ANALYTIC.keys()


@over(SMOOTH)
def test_the_three_agree(sample: Sample) -> None:
    """Autodiff is the complex step to the last digits, and the central difference to a few less.

    Where an operator on the way is not analytic the complex step is refused, and says which.
    """
    built = build(sample)
    [y] = [each.value for each in trace([built.y], built.feeds) if each.node is built.y]
    weights = torch.linspace(-1.3, 2.1, y.numel(), dtype=torch.float64).cos().reshape(y.shape)
    output = ops.sum(ops.const(weights) * built.y)
    if sample.op not in NOT_THE_SLOPE:
        report = check_gradients(
            output, built.floats, built.feeds, method="central", max_elements=8
        )
        assert (report.ok, report.kinks) == (True, ()), report
        assert all(e.error <= 1e-8 * max(1, abs(e.analytic)) for e in report.elements), report
    for leaf in built.floats:
        way = depends([output], [leaf]) - {leaf}
        refused = {each.op.name for each in way} - ANALYTIC.keys()
        if refused:
            with pytest.raises(GradientError, match=f"({'|'.join(refused)}) is not analytic"):
                check_gradients(output, [leaf], built.feeds, method="complex")
        else:
            report = check_gradients(output, [leaf], built.feeds, method="complex", max_elements=8)
            assert report.ok, report
            assert {e.method for e in report.elements} <= {"complex step"}
            assert all(e.error <= 1e-13 * max(1, abs(e.analytic)) for e in report.elements), report
