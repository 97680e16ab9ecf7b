"""Heatmaps: true to the numbers cell by cell, escaped and bounded, with the labels one asks for."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
import torch
from torch import Tensor

from magics.heatmap import heatmap
from magics.panels import LETTERS, Labels, Panel
from magics.raster import ABOVE, BELOW, LEVELS, MOST, NAN, Scale, cells, png, scale_of
from tests.shells import Shell, fails, opened

NOT_A_NUMBER, INF = float("nan"), float("inf")
HOSTILE = ["</script>", "<img onerror=alert(1)>", '"&amp;', "\x1b[31m", "😀", "a" * 5000, "]]>", ""]
MATRICES = [
    torch.randn(64, 64, generator=torch.Generator().manual_seed(0)),
    torch.rand(3, 5, generator=torch.Generator().manual_seed(0)),
    -torch.rand(5, 3, generator=torch.Generator().manual_seed(0)),
    torch.tensor([[1.0, NOT_A_NUMBER], [-INF, INF]]),
    torch.tensor([[1.7e308, -1.7e308]], dtype=torch.float64),
    torch.zeros(2, 2),
    torch.full([1, 1], NOT_A_NUMBER),
    torch.tensor([[True, False]]),
    torch.arange(6).reshape(2, 3),
]


def decoded(data: bytes) -> list[list[str]]:
    """The colours of the pixels of a PNG with a palette."""
    found, at = dict[bytes, bytes](), 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + content).to_bytes(4, "big") == data[at + 8 + size : at + 12 + size]
        found[kind], at = content, at + 12 + size
    width, height = (int.from_bytes(found[b"IHDR"][i : i + 4], "big") for i in (0, 4))
    palette = [f"#{found[b'PLTE'][i : i + 3].hex()}" for i in range(0, 768, 3)]
    lines = zlib.decompress(found[b"IDAT"])
    rows = [lines[i * (width + 1) : (i + 1) * (width + 1)] for i in range(height)]
    assert [row[0] for row in rows] == [0] * height
    return [[palette[entry] for entry in row[1:]] for row in rows]


def images(svg: str) -> list[list[list[str]]]:
    return [decoded(b64decode(data)) for data in re.findall(r"image/png;base64,([^\"]+)", svg)]


def colour(x: float, scale: Scale) -> str:
    """The colour of a number by the definition of the scale, without tensors."""
    low, high = scale.low, scale.high
    if low < 0 < high:
        low, high = -max(-low, high), max(-low, high)
    level = 0.0 if low == high else (min(max(x, low), high) / 2 - low / 2) / (high / 2 - low / 2)
    return scale.palette[round(level * (LEVELS - 1))]


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(svg).iter() if "text" in each.tag]


@pytest.mark.parametrize("matrix", MATRICES, ids=lambda matrix: str(list(matrix.shape)))
def test_a_matrix_of_at_most_64_by_64_has_one_cell_for_each_element_in_its_colour(
    matrix: Tensor,
) -> None:
    scale = scale_of(matrix)
    pixels = images(heatmap("A", [Panel("", matrix)]).svg)[0]
    rows = matrix.double().tolist()
    assert pixels == [[NAN if x != x else colour(x, scale) for x in row] for row in rows]


@pytest.mark.parametrize("matrix", MATRICES, ids=lambda matrix: str(list(matrix.shape)))
def test_zero_is_white_and_signs_have_their_own_hue(matrix: Tensor) -> None:
    scale = scale_of(matrix)
    white, strong = ABOVE[0], max(-scale.low, scale.high) / 10
    assert white == BELOW[-1]
    for x in matrix.double().nan_to_num(0).flatten().tolist():
        red, _, blue = bytes.fromhex(colour(x, scale)[1:])
        if abs(x) > strong and colour(x, scale) != white:
            assert (blue > red) == (x > 0)
    if scale.low < 0 < scale.high:
        assert colour(0, scale) == white


def test_larger_matrices_are_shown_by_the_means_of_blocks() -> None:
    assert torch.equal(cells(torch.arange(8.0)[None], 4), torch.tensor([[0.5, 2.5, 4.5, 6.5]]))
    assert cells(torch.tensor([[1.0, 2.0, NOT_A_NUMBER, 3.0]]), 2).isnan().tolist() == [
        [False, True]
    ]
    whole = torch.randn(1000, 700)
    shown = cells(whole)
    assert shown.shape == (MOST, MOST)
    assert shown[0, 0].item() == pytest.approx(whole[:16, :11].mean().item(), abs=1e-5)
    assert "the mean of 15.6 × 10.9 elements" in repr(heatmap("A", [Panel("", whole)]))


def test_an_image_is_read_by_others_as_it_was_written() -> None:
    entries = torch.tensor([[0, 1, 2], [2, 1, 255]], dtype=torch.uint8)
    palette = Scale(0, 1).palette
    assert decoded(png(entries, palette)) == [[palette[i] for i in row] for row in entries.tolist()]


def test_all_panels_are_in_one_scale() -> None:
    one, two = torch.tensor([[0.0, 2.0]]), torch.tensor([[0.0, 4.0]])
    shown = images(heatmap("A", [Panel("[0]", one), Panel("[1]", two)]).svg)
    assert shown[:2] == [[[ABOVE[0], colour(2, Scale(0, 4))]], [[ABOVE[0], ABOVE[-1]]]]


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_titles_and_labels_are_escaped_and_cut(word: str) -> None:
    shown = heatmap(word, [Panel("", torch.eye(2))], Labels((word, "b"), ("c", word)), word[:50])
    tags = {each.tag.rpartition("}")[2] for each in ElementTree.fromstring(shown.svg).iter()}
    assert tags == {"svg", "text", "image", "rect"}
    assert all(len(text) <= LETTERS for text in texts(shown.svg)[1:-3])
    assert "\x1b" not in shown.svg
    assert "\x1b" not in repr(shown)
    html = shown._repr_mimebundle_()["text/html"]
    assert re.findall(r"<(\w+)", html) == ["img"]


def test_labels_that_are_blank_are_seen() -> None:
    shown = heatmap("A", [Panel("", torch.eye(3))], Labels((" ", "\n", "\t")))
    assert [text for text in texts(shown.svg) if text in "␣⏎⇥"] == ["␣", "⏎", "⇥"]


def test_a_terminal_gets_blocks() -> None:
    matrix = torch.tensor([[0.0, 1.0], [NOT_A_NUMBER, 0.5]])
    shown = heatmap("A", [Panel("[0]", matrix)], Labels(("the", "cat"), ("the", "cat")))
    assert repr(shown).splitlines() == [
        "A",
        "[0]",
        "    the cat",
        "the ▁▁▁ ███",
        "cat ××× ▄▄▄",
        "▁ 0 … █ 1   × NaN",
    ]


@pytest.mark.parametrize("shape", [[16, 1000, 1000], [16, 64, 64], [16, 1, 100_000]])
def test_many_numbers_make_a_bounded_picture_and_text(shape: list[int]) -> None:
    panels = [Panel(f"[{i}]", matrix) for i, matrix in enumerate(torch.randn(shape))]
    shown = heatmap("A", panels)
    assert len(shown.svg) < 150_000
    assert "text/html" in shown._repr_mimebundle_()
    assert len(repr(shown).splitlines()) < 110
    assert max(map(len, repr(shown).splitlines())) < 80


ATTENTION = """%%graph --quiet
from attention import weigh
input Q, K, V : [H, T, m]
A = softmax(Q K^T / √m + causal(T))
Y = A V
n = sum(Y)
v = Y[0, 0]
empty = Y[:0]"""


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        made.cell(ATTENTION)
        Q, K, V = torch.randn(3, 4, 3, 2)
        made.user_ns.update(Q=Q, K=K, V=V, words=["the", "cat", "sat"], text="a b", five=[1] * 5)
        yield made


def test_a_map_has_a_panel_for_each_head_and_the_words_as_labels(shell: Shell) -> None:
    shown = shell.cell("%graph map A --rows words --cols text")
    weights = shell.cell("%graph run A")
    assert [text for text in texts(shown.svg) if text[:1] == "["] == ["[0]", "[1]", "[2]", "[3]"]
    assert [text for text in texts(shown.svg) if text in ("the", "cat", "sat")] == [
        "the",
        "cat",
        "sat",
    ]
    scale = scale_of(weights.flatten(0, 1))
    expected = [
        [[colour(x, scale) for x in row] for row in head] for head in weights.double().tolist()
    ]
    assert images(shown.svg)[:4] == expected


def test_indices_choose_among_the_heads(shell: Shell) -> None:
    one = shell.cell("%graph map A --at 2")
    assert [text for text in texts(one.svg) if text[:1] == "["] == ["[2]"]
    assert shell.cell("%graph map A --at -2").svg == one.svg
    assert shell.cell("%graph map A --at :").svg == shell.cell("%graph map A").svg
    shell.user_ns.update(dict(zip("QKV", torch.randn(3, 20, 3, 2), strict=True)))
    assert repr(shell.cell("%graph map A")).endswith("4 more: choose by --at")


def test_a_row_of_numbers_is_a_map_of_one_row(shell: Shell) -> None:
    assert len(images(shell.cell("%graph map v").svg)[0]) == 1


@pytest.mark.parametrize(
    "line, told",
    [
        ("map n", "`n` is a number"),
        ("map empty", "`empty` is empty, [0, 3, 2]"),
        ("map A --at 4", "`A` has no index `4` in an axis of 4"),
        ("map A --at x", "give a number from 0 to 3, or `:` for all"),
        ("map A --at 0,0", "`A` has 1 axes before its rows and columns"),
        ("map A --rows five", "the rows of `A` are 3, and `five` has 5 labels"),
        ("map A --cols Q", "`Q` is no list of words and no text"),
        ("map A --cols nothing", "`nothing` is no list of words and no text"),
        ("map B", "`B` is no value of this graph"),
    ],
)
def test_what_has_no_map_is_told(shell: Shell, line: str, told: str) -> None:
    assert told in fails(shell, f"%graph {line}")


def test_labels_that_run_code_when_read_are_refused(shell: Shell) -> None:
    class Word(str):
        __slots__ = ()

    shell.user_ns["words"] = [Word("a"), "b", "c"]
    assert "no list of words" in fails(shell, "%graph map A --rows words")


def test_the_attention_of_each_head_inside_a_model_is_drawn_by_its_path(shell: Shell) -> None:
    shell.cell(
        "%%graph --quiet\nfrom attention import multi_head\n"
        'input X : [1, t, 8]\nrepeat 2:\n    X = multi_head(X, 4, name="h")'
    )
    shell.user_ns.update(X=torch.randn(1, 3, 8))
    shown = shell.cell("%graph map h.1.weigh.weights --rows words --cols words")
    assert shown.title == "h.1.weigh.weights  [4, 1, 3, 3]"
    heads = [text for text in texts(shown.svg) if text[:1] == "["]
    assert heads == ["[0, 0]", "[1, 0]", "[2, 0]", "[3, 0]"]
    one = shell.cell("%graph map h.1.weigh.weights --at 3,0")
    assert [text for text in texts(one.svg) if text[:1] == "["] == ["[3, 0]"]
    weights = shell.cell("%graph run h.1.weigh.weights")
    assert torch.allclose(weights.sum(-1), torch.ones(4, 1, 3))
