"""Histograms of values and gradients, layer by layer: counts, words, bounds, what is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor

from magics.histogram import histogram
from magics.histograms import Histograms
from magics.measured import Row, by_powers, ends_of, measured
from tests.shells import Shell, fails, opened

NAN, INF = float("nan"), float("inf")
NETWORK = """%%graph --quiet
input X : [n, d], y : [n]
layer(x : [n, d]) =
    param W : [d, d] ~ normal(0, 0.5)
    z = x W
    tanh(z)
H = X
repeat 3:
    H = layer(H, name="h")
off = relu(H - 5)
apart = X^2
loss = mean((sum(H + off, axis=-1) - y)^2)"""


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        made.cell(NETWORK)
        made.user_ns.update(X=torch.randn(20, 4), y=torch.randn(20))
        yield made


def named(shown: Histograms) -> dict[str, Row]:
    return {row.name: row for row in shown.rows}


def parts(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter())


def test_each_value_with_a_name_has_a_row_and_each_pass_of_a_repeat_its_own(shell: Shell) -> None:
    rows = named(shell.cell("%graph hist"))
    assert list(rows) == ["h.0.z", "h.0", "h.1.z", "h.1", "h.2.z", "H", "off", "apart"]
    assert rows["h.0"].shape == (20, 4)


def test_passes_that_give_one_name_to_several_values_have_numbered_rows() -> None:
    with opened() as shell:
        shell.cell("%%graph --quiet\ninput x : [n]\nrepeat 3:\n    x = 2 sin(x)\ny = x + 1")
        shell.user_ns["x"] = torch.tensor([0.5])
        rows = named(shell.cell("%graph hist"))
        assert list(rows) == ["x.0", "x.1", "x", "y"]
        assert torch.equal(shell.cell("%graph run x.1"), 2 * shell.cell("%graph run x.0").sin())


def test_all_elements_are_counted(shell: Shell) -> None:
    for row in shell.cell("%graph hist loss").rows:
        assert row.values is not None
        assert sum(row.values.counts) == 20 * 4
        assert row.slopes is None or sum(row.slopes.counts) == 20 * 4


def test_values_and_gradients_are_those_that_run_and_grad_give(shell: Shell) -> None:
    shown = shell.cell("%graph hist loss h.1 h.0.W y")
    rows = named(shown)
    value = shell.cell("%graph run h.1")
    assert rows["h.1"].values == histogram(value, 24)
    y = shell.cell("%graph run y")
    slope = 2 * (y - shell.cell("%graph run H").sum(-1) - shell.cell("%graph run off").sum(-1)) / 20
    assert shown.ends
    assert rows["y"].slopes == by_powers(slope, shown.ends)
    assert rows["h.0.W"].values == histogram(shell.cell("%graph run h.0.W"), 24)


def test_what_the_loss_is_not_made_of_has_no_gradient(shell: Shell) -> None:
    shown = shell.cell("%graph hist loss apart H")
    assert named(shown)["apart"].slopes is None
    assert re.search(r"^apart .* —$", repr(shown), flags=re.MULTILINE)
    assert "—" in [each.text for each in parts(shown.svg)]
    assert shell.cell("%graph hist").loss is None


@pytest.mark.parametrize(
    "op, value, slope, remarks",
    [
        ("relu", torch.zeros(3, 2), None, "all zero"),
        ("relu", torch.tensor([[0.0, 1.0], [0.0, 2.0]]), None, "1 of 2 units zero throughout"),
        ("relu", torch.tensor([[0.0, 1.0], [1.0, 0.0]]), None, ""),
        ("tanh", torch.tensor([0.999, -0.999, 0.0]), None, "saturated (67%)"),
        ("sigmoid", torch.tensor([0.001, 0.999, 0.5]), None, "saturated (67%)"),
        ("sigmoid", torch.tensor([0.4, 0.5, 0.999]), None, ""),
        ("add", torch.tensor([1.0, -1.0]), None, ""),
        ("log", torch.tensor([1.0, NAN, -INF]), None, "NaN! (1 of 3)  inf! (1 of 3)"),
        ("add", torch.zeros(0, 3), None, "empty"),
        ("add", torch.ones(2), torch.zeros(2), "∂ all zero"),
        ("add", torch.ones(2), torch.tensor([NAN, 1.0]), "∂ NaN! (1 of 2)"),
        ("tanh", torch.tensor(1.0), torch.tensor(0.0), "saturated (100%); ∂ all zero"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_in_words(
    op: str, value: Tensor, slope: Tensor | None, remarks: str
) -> None:
    assert measured("x", op, value, slope, (1e-8, 1.0)).remarks == remarks


def test_gradients_of_all_rows_are_in_one_scale_by_powers_of_ten() -> None:
    large, small = torch.tensor([1.0, 0.1, -1.0]), torch.tensor([1e-4, 0.0, 1e-30])
    ends = ends_of([large, small])
    assert ends
    assert ends == (pytest.approx(1e-8), 1.0)
    for slope, places in ((large, [20, 23, 23]), (small, [0, 0, 11])):
        found = by_powers(slope, ends)
        assert found is not None
        assert [i for i, n in enumerate(found.counts) for _ in range(n)] == pytest.approx(
            places, abs=1
        )
    assert ends_of([torch.zeros(3), torch.tensor([NAN, INF])]) is None
    assert ends_of([torch.full([2], 0.5)]) == (0.05, 0.5)


def test_a_deep_program_has_a_row_for_each_layer_and_at_most_forty(shell: Shell) -> None:
    shell.cell(NETWORK.replace("repeat 3", "repeat 30"))
    assert len(shell.cell("%graph hist").rows) == 32
    assert "h.0.z" not in named(shell.cell("%graph hist"))
    lines = "\n".join(f"v{i} = X + {i}" for i in range(50))
    shell.cell(f"%%graph --quiet\n{lines}")
    shown = shell.cell("%graph hist")
    assert len(shown.rows) == 40
    assert repr(shown).endswith("more: name them")
    assert len(shown.svg) < 100_000


@pytest.mark.parametrize("name", ["</script>", "<img onerror=alert(1)>", "\x1b[31m", "😀" * 500])
def test_hostile_names_are_escaped_and_cut(name: str) -> None:
    row = measured(name, "add", torch.randn(1000, 1000), torch.randn(3), (1e-3, 1.0))
    shown = Histograms((row,), name, (1e-3, 1.0))
    assert {each.tag.rpartition("}")[2] for each in parts(shown.svg)} == {"svg", "text", "path"}
    assert re.findall(r"<(\w+)", shown._repr_mimebundle_()["text/html"]) == ["img"]
    assert "\x1b" not in repr(shown)
    assert len(repr(shown)) < 500


@pytest.mark.parametrize(
    "line, told",
    [
        ("hist H", "a gradient is of a number, and `H` is [n, d]"),
        ("hist loss nothing", "`nothing` is no value of this graph"),
    ],
)
def test_what_cannot_be_counted_is_told(shell: Shell, line: str, told: str) -> None:
    assert told in fails(shell, f"%graph {line}")


def test_a_program_without_values_of_floats_is_told() -> None:
    with opened() as shell:
        shell.cell("%%graph --quiet\ninput t : int[n]\nu = t + 1")
        assert "no value of floats" in fails(shell, "%graph hist")
