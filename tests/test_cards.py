"""Cards of tensors: true to the elements, bounded and escaped, for tensors of every kind."""

from __future__ import annotations

import re
from base64 import b64decode
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor

from magics.cards import card
from magics.histogram import BARS, histogram

NAN, INF = float("nan"), float("inf")
KINDS = [
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64),
]
SHAPES = [[], [0], [1], [5], [0, 3], [3, 0], [2, 3], [7, 7], [2, 0, 4], [2, 3, 4], [1, 2, 3, 4, 5]]
NUMBERS = [
    torch.randn(300, generator=torch.Generator().manual_seed(0)),
    torch.tensor([1.0, NAN, -INF, 2.0]),
    torch.tensor([3e38, -3e38]),
    torch.tensor([1.7e308, -1.7e308], dtype=torch.float64),
    torch.tensor([0, 5e-324], dtype=torch.float64),
    torch.tensor([2**62, -(2**62), 0]),
    torch.tensor([True, False, True]),
    torch.tensor([7.0]),
    torch.tensor(7.0),
]


@pytest.mark.parametrize("value", NUMBERS, ids=str)
@pytest.mark.parametrize("bins", [1, 2, 7, 24])
def test_the_counts_of_a_histogram_sum_to_the_number_of_finite_elements(
    value: Tensor, bins: int
) -> None:
    found = histogram(value, bins)
    assert found is not None
    assert sum(found.counts) == int(torch.isfinite(value).sum())
    beyond = histogram(value, bins, (-0.5, 0.5))
    assert beyond is not None
    assert sum(beyond.counts) == sum(found.counts)


@pytest.mark.parametrize("value", [torch.zeros(0), torch.tensor([NAN, INF])], ids=str)
def test_there_is_no_histogram_without_a_finite_element(value: Tensor) -> None:
    assert histogram(value, 7) is None


def test_a_histogram_counts_what_numpy_counts() -> None:
    value = torch.randn(1000)
    found, expected = histogram(value, 7), torch.histogram(value, 7).hist
    assert found is not None
    assert list(found.counts) == expected.int().tolist()
    assert max(found.bars) == BARS[-1]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_tensor_of_any_kind_and_shape_has_a_card(kind: torch.dtype, shape: list[int]) -> None:
    shown = card(torch.ones(shape).to(kind), "W")
    assert repr(shown) == shown.text
    assert shown._repr_mimebundle_() == {"text/plain": shown.text, "text/html": shown.html}
    if shape or kind is torch.complex64:
        assert shown.line.startswith(f"W = tensor{shape} {str(kind).removeprefix('torch.')}")


@pytest.mark.parametrize(
    "value",
    [torch.zeros(2, 2, device="meta"), torch.eye(2).to_sparse(), torch.eye(2).requires_grad_()],  # type: ignore[no-untyped-call]
    ids=["meta", "sparse", "leaf"],
)
def test_a_tensor_kept_in_another_way_has_a_card(value: Tensor) -> None:
    assert card(value).line.startswith("tensor[2, 2] float32")


@pytest.mark.parametrize(
    "value, line",
    [
        (torch.tensor(11.66667), "11.6667"),
        (torch.tensor(3), "3"),
        (torch.tensor(True), "true"),
        (torch.zeros(3, 0), "tensor[3, 0] float32 empty"),
        (torch.tensor([0.0, 4.0]), "tensor[2] float32 x∈[0 |█     █| 4] μ=2 σ=2"),
        (torch.arange(7), "tensor[7] int64 x∈[0 |███████| 6]"),
        (torch.tensor([True, False]), "tensor[2] bool 1 of 2 true"),
        (torch.full([2, 2], 0.5), "tensor[2, 2] float32 x=0.5"),
        (torch.tensor([NAN, NAN]), "tensor[2] float32 NaN! (2 of 2)"),
        (torch.tensor([1.0, NAN, INF]), "tensor[3] float32 x=1 NaN! (1 of 3)  inf! (1 of 3)"),
    ],
    ids=str,
)
def test_the_line_says_shape_kind_range_and_trouble(value: Tensor, line: str) -> None:
    assert card(value).line == line


def test_the_corner_is_six_by_six_and_says_where_it_is() -> None:
    corner = card(torch.arange(2 * 8 * 9).reshape(2, 8, 9)).corner.splitlines()
    assert corner[0] == "[0]:"
    assert corner[1].split() == ["0", "1", "2", "3", "4", "5", "…"]
    assert corner[6].split()[0] == "45"
    assert corner[7].split() == ["⋮"] * 6 + ["…"]
    assert card(torch.tensor([[1, 20], [3, 4]])).corner == " 1  20\n 3   4"


@pytest.mark.parametrize("shape", [[1000, 1000], [1_000_000], [1_000_000, 1], [10, 100, 1000]])
def test_a_million_elements_make_a_small_card(shape: list[int]) -> None:
    shown = card(torch.randn(shape), "W" * 1000)
    assert len(shown.html.encode()) < 30_000
    assert len(shown.text) < 1500


@pytest.mark.parametrize(
    "name", ["</script>", "<img onerror=alert(1)>", '"&amp;', "\x1b[31m", "😀"]
)
def test_a_hostile_name_is_escaped(name: str) -> None:
    shown = card(torch.zeros(2, 2), name)
    assert set(re.findall(r"<(\w+)", shown.html)) == {"div", "pre", "img"}
    assert "\x1b" not in shown.text + shown.html
    assert ElementTree.fromstring(shown.html.replace('heatmap">', 'heatmap"/>')).tag == "div"


def test_the_heatmap_of_a_card_has_no_style_sheet_and_no_script() -> None:
    svg = card(torch.randn(3, 3)).svg
    assert svg is not None
    tags = {each.tag.rpartition("}")[2] for each in ElementTree.fromstring(svg).iter()}
    assert tags == {"svg", "image", "rect"}
    embedded = re.search(r"base64,([^\"]+)", card(torch.randn(3, 3)).html)
    assert embedded
    assert b64decode(embedded[1]).startswith(b"<svg")


def test_a_card_keeps_what_the_tensor_was() -> None:
    value = torch.zeros(2)
    shown = card(value)
    value += 1
    assert shown.line == "tensor[2] float32 x=0"
