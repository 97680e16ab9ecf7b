"""Every identity of the table holds: the textbook's form, our derivative, differences, torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

import dsl
from engine import EngineError
from engine.closed import Closed, closed
from engine.run.standalone import standalone
from engine.show import BOARD, formula
from tests.differencing import STEP, slope, slopes
from tests.identities import IDENTITIES, Identity
from tests.identity_data import (
    DATA,
    FEW,
    SIZES,
    Sizes,
    Values,
    at_edge,
    draw,
    shapes,
    situations,
    sizes_of,
)

ASKED = {
    "gradient": "grad(f, {x})",
    "jacobian": "jacobian(f, {x})",
    "hessian": "hessian(f, {x})",
    "along": "jvp(f, {x}, {v})",
}
SEEDS = (0, 1, 2)
NOT_THERE = "undefined"  # what the table says of an edge at which there is no derivative
table = pytest.mark.parametrize("identity", IDENTITIES, ids=str)
everywhere = pytest.mark.parametrize(
    "identity, situation",
    [(identity, each) for identity in IDENTITIES for each in situations(identity)],
    ids=str,
)


def program(identity: Identity, sizes: Sizes, form: str | None = None) -> dsl.Program:
    """`value`, `ours` and `textbook` of one identity."""
    lines = [*derivative(identity), f"value = f({identity.by})"]
    return compiled([*lines, f"textbook = {form or identity.form}"], sizes_of(identity, sizes))


def derivative(identity: Identity) -> list[str]:
    """The lines of a program in which `ours` is the derivative."""
    order, _, v = identity.order.partition(" ")
    asked = ASKED[order].format(x=identity.by, v=v)
    return [f"input {identity.shapes}", identity.f, f"ours = {asked}"]


def compiled(lines: list[str], sizes: Sizes) -> dsl.Program:
    return _compiled("\n".join(lines), tuple(sizes.items()))


@cache
def _compiled(text: str, sizes: tuple[tuple[str, int], ...]) -> dsl.Program:
    return dsl.compile(text, sizes=dict(sizes))


def ours_and_textbooks(identity: Identity, sizes: Sizes, values: Values) -> tuple[Tensor, Tensor]:
    ours, textbooks = program(identity, sizes).run(["ours", "textbook"], values)
    return ours, textbooks


def close(found: Tensor, wanted: Tensor, rtol: float, slack: float = 0.0) -> None:
    """Within `rtol` of the largest element, which rounding is relative to."""
    largest = float(wanted.abs().nan_to_num(0, 0).max()) if wanted.numel() else 0.0
    torch.testing.assert_close(found, wanted, rtol=0, atol=rtol * largest + slack, equal_nan=True)


@table
def test_the_engine_derives_what_the_textbook_says(identity: Identity) -> None:
    for sizes in SIZES:
        for seed in SEEDS:
            ours, textbooks = ours_and_textbooks(identity, sizes, draw(identity, sizes, seed))
            assert ours.isfinite().all()
            close(ours, textbooks, 1e-12)


@table
def test_differences_say_what_the_textbook_says(identity: Identity) -> None:
    for sizes in SIZES:
        values = draw(identity, sizes, 3)
        made = program(identity, sizes)
        textbooks = made.run("textbook", values)
        size = float(made.run("value", values).abs().max())
        close(differenced(identity, made, values), textbooks, 1e-7, 1e-8 * size)


def differenced(identity: Identity, made: dsl.Program, values: Values, h: float = STEP) -> Tensor:
    """The derivative from values of f alone, which are taken as far as h away."""

    def f(x: Tensor) -> Tensor:
        return made.run("value", values | {identity.by: x})

    x, (order, _, v) = values[identity.by], identity.order.partition(" ")
    if order == "along":
        return slope(f, x, values[v], h)
    return slopes(lambda x: slopes(f, x, h), x, h) if order == "hessian" else slopes(f, x, h)


@table
def test_torch_derives_what_the_textbook_says(identity: Identity) -> None:
    for sizes in SIZES:
        values = draw(identity, sizes, 4)
        made = program(identity, sizes)
        close(by_torch(identity, made, values), made.run("textbook", values), 1e-11)


def by_torch(identity: Identity, made: dsl.Program, values: Values) -> Tensor:
    """The derivative by torch's own autograd, of f written in torch."""
    written = standalone([made.nodes["value"]], made.labels)
    names: dict[str, Callable[..., Tensor]] = {}
    exec(written.text, names)
    value_of = {made.inputs[name]: value for name, value in values.items() if name in made.inputs}

    def f(x: Tensor) -> Tensor:
        given = value_of | {made.inputs[identity.by]: x}
        return names[written.function](**{k: given[node] for k, node in written.arguments.items()})

    autograd = torch.autograd.functional
    x, (order, _, v) = values[identity.by], identity.order.partition(" ")
    if order == "along":
        _, found = autograd.jvp(f, x, values[v])
    else:
        found = autograd.hessian(f, x) if order == "hessian" else autograd.jacobian(f, x)
    assert isinstance(found, Tensor)
    return found


@everywhere
def test_at_the_edges_of_the_domain_it_is_never_silently_wrong(
    identity: Identity, situation: str
) -> None:
    """A derivative that does not exist is an error, infinite or not a number."""
    sizes, values = at_edge(identity, situation)
    says = dict(identity.edges).get(situation, identity.form)
    made = program(identity, sizes, identity.form if says == NOT_THERE else says)
    found, wanted = (run_or_refuse(made, name, values) for name in ("ours", "textbook"))
    if says == NOT_THERE:
        assert found is None or not found.isfinite().any()
    elif wanted is None:  # the textbook's form divides by zero where f may be as good as ever
        assert found is None or differences_agree(identity, made, values, found)
    else:
        assert found is not None
        close(found, wanted, 1e-7, rounding(identity, made, values))


def run_or_refuse(made: dsl.Program, name: str, values: Values) -> Tensor | None:
    """The value, None where the engine refuses."""
    try:
        found: Tensor = made.run(name, values)
        return found
    except EngineError:
        return None


def rounding(identity: Identity, made: dsl.Program, values: Values) -> float:
    """What rounding in f may do to its slopes."""
    x, y = values[identity.by], made.run("value", values)
    if not x.numel() or not y.numel() or not y.isfinite().all():
        return 0.0
    return 1e-14 * float(y.abs().max()) / (float(x.abs().max()) or 1.0)


@everywhere
def test_at_the_edges_of_the_domain_differences_say_the_same(
    identity: Identity, situation: str
) -> None:
    """Where the form holds as it stands, and f and it are finite."""
    sizes, values = at_edge(identity, situation)
    made = program(identity, sizes)
    wanted = run_or_refuse(made, "textbook", values)
    if situation not in dict(identity.edges) and wanted is not None and wanted.isfinite().all():
        assert differences_agree(identity, made, values, wanted)


def differences_agree(
    identity: Identity, made: dsl.Program, values: Values, wanted: Tensor
) -> bool:
    """Whether differences of some width agree: none fits every function and every size of x."""
    x, y = values[identity.by], run_or_refuse(made, "value", values)
    if y is None or not y.isfinite().all() or not x.numel() or not y.numel():
        return True  # there are none
    size = float(x.abs().max()) or 1.0
    widths = {size * STEP, STEP, size * STEP**2, size * STEP**3}
    return any(agrees(identity, made, values, wanted, h) for h in widths)


def agrees(identity: Identity, made: dsl.Program, values: Values, wanted: Tensor, h: float) -> bool:
    """Whether differences of width h are within what they leave and what rounding does."""
    x = values[identity.by]
    size = float(x.abs().max())
    found = differenced(identity, made, values, h)
    near = made.run("value", values | {identity.by: x + h})
    order = 2 if identity.order == "hessian" else 1
    relative = 1e-5 + 1e-14 * size / h**order
    rounded = 1e-13 * float(near.abs().max()) / h**order + 1e-12 * min(1.0, size)
    return bool(((found - wanted).abs() <= relative * wanted.abs().max() + rounded).all())


def closed_form(identity: Identity) -> Closed:
    """As the engine writes it, of any size where that needs no passes."""
    try:
        made = compiled(derivative(identity), {})
    except dsl.DslError:
        made = compiled(derivative(identity), sizes_of(identity, FEW))
    return closed(made.nodes["ours"], x=made.inputs[identity.by])


@table
def test_what_the_engine_prints_is_the_textbooks_form(identity: Identity) -> None:
    """Or what the table says that it prints, or that it is not reduced."""
    found = closed_form(identity)
    assert found.reduced == identity.reduced
    assert formula(found.node, notation=BOARD) == identity.printed or not identity.reduced


@table
def test_what_the_engine_prints_is_read_again_and_has_the_value(identity: Identity) -> None:
    text = formula(closed_form(identity).node, notation=BOARD)
    if "…" in text:  # too long to be read by anybody
        assert not identity.reduced
        return
    *before, last = text.splitlines()
    values = draw(identity, FEW, 5)
    lines = [f"input {identity.shapes}", *before, f"again = {last}"]
    again = compiled(lines, sizes_of(identity, FEW)).run("again", values)
    close(again.double(), program(identity, FEW).run("textbook", values), 1e-11)


def test_what_is_right_but_not_reduced_is_named() -> None:
    """Derivatives of matrices by matrices, and ∏ x, whose quotient would be NaN at 0."""
    left = [identity for identity in IDENTITIES if not identity.reduced]
    assert [str(identity) for identity in left] == [
        "gradient of ∏ x",
        "hessian of ‖X‖²",
        "hessian of tr XᵀBX",
        "jacobian of AX",
        "jacobian of AXB",
        "hessian of log det X",
        "jacobian of X⁻¹",
    ]
    assert [closed_form(identity).node.rank for identity in left].count(4) == len(left) - 1


def test_the_table_says_nothing_that_nobody_checks() -> None:
    assert len(IDENTITIES) >= 60
    assert len({str(identity) for identity in IDENTITIES}) == len(IDENTITIES)
    for identity in IDENTITIES:
        assert {name for name, _ in identity.given} <= set(shapes(identity, SIZES[0]))
        assert {what for _, what in identity.given} <= set(DATA)
        assert {at for at, _ in identity.edges} <= set(situations(identity))


def test_the_readme_counts_the_identities() -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    assert f"\n{len(IDENTITIES)} identities of the textbooks" in text
