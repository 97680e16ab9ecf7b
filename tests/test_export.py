"""`%graph export`: every ending, whole or not at all, and read again by what reads such files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from matplotlib.image import imread

import dsl
from engine import ops, var
from magics import display
from magics.cli import main
from magics.display import Picture, draw
from magics.drawing import pdf, png
from magics.export import Values
from magics.files import File, save, write
from magics.outlines import outline
from tests.shells import LINE, Shell, fails, opened

BEGINNINGS = {
    "dot": b"digraph",
    "html": b"<!doctype html>",
    "json": b"{",
    "pdf": b"%PDF",
    "png": b"\x89PNG",
    "py": b"import torch",
    "svg": b"<svg",
    "tex": rb"\[",
    "txt": "●".encode(),
}
BLOCK = """%%graph
from transformer import block
input Z : [B, T, 8]
ŷ_1 = block(Z)
L = mean(ŷ_1²)"""
HOSTILE = ["</script>", "<img onerror=alert(1)>", '"]; x', "\\N $x$ %", "😀\x00", "&amp;"]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    with opened() as shell:
        shell.cell(LINE)
        yield shell


def text(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")


@pytest.mark.parametrize("ending", BEGINNINGS)
@pytest.mark.parametrize("words", ["loss", "loss r", "", "loss --backward", "loss --depth 0"])
def test_the_ending_chooses(shell: Shell, ending: str, words: str) -> None:
    names, dashes, options = words.partition("--")
    file = shell.cell(f"%graph export {names} new/g.{ending} {dashes}{options}")
    assert Path(file).read_bytes().startswith(BEGINNINGS[ending])
    assert repr(file) == f"new/g.{ending}, {file._size}"
    assert [each.name for each in Path("new").iterdir()] == [f"g.{ending}"]


def test_a_file_goes_where_a_path_goes_and_says_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a<b>.txt"
    file = write(path, b"x" * 12_345)
    assert os.path.getsize(file) == 12_345  # noqa: PTH202
    assert repr(file) == f"{path}, 12 kB"
    assert "<b>" not in file._repr_html_()
    assert repr(File(Path("a"), 999)) == "a, 999 bytes"
    assert repr(File(Path("a"), 3_400_000)) == "a, 3.4 MB"


def test_an_old_file_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    def wrong() -> str:
        raise RuntimeError

    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o600)
    link = tmp_path / "link.txt"
    link.symlink_to(path)
    with pytest.raises(RuntimeError):
        save(path, {".txt": wrong})
    assert path.read_text() == "old"
    save(link, {".txt": lambda: "new"})
    assert (path.read_text(), link.is_symlink()) == ("new", True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 2


def test_what_cannot_be_written_is_told(shell: Shell) -> None:
    told = fails(shell, "%graph export loss a.gif")
    assert "cannot write a.gif: it ends in .dot, .html, .json, .pdf, .png, .py," in told
    assert "cannot write export: " in fails(shell, "%graph export loss export")
    assert "`lost` is no value" in fails(shell, "%graph export lost a.svg")
    Path("a.svg").mkdir()
    assert "cannot write a.svg" in fails(shell, "%graph export loss a.svg")
    Path("file").touch()
    assert "cannot write file/b.svg" in fails(shell, "%graph export loss file/b.svg")
    assert sorted(each.name for each in Path().iterdir()) == ["a.svg", "file"]


def test_without_a_drawing_program_only_pictures_fail(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "layout", lambda source: None)
    for ending in ("svg", "png", "pdf"):
        told = fails(shell, f"%graph export loss g.{ending}")
        assert "no drawing program: `pip install graphviz-pure`" in told
    for ending in ("html", "json", "tex", "py", "txt", "dot"):
        shell.cell(f"%graph export loss g.{ending}")
    assert "mean(r^2)" in text("g.html")


def test_a_name_in_quotes_may_have_blanks(shell: Shell) -> None:
    assert Path(shell.cell('%graph export loss "a b.svg"')).name == "a b.svg"


def test_the_page_has_the_picture_and_stands_alone(shell: Shell) -> None:
    page = text(shell.cell("%graph export loss g.html"))
    assert "data:image/svg+xml;base64," in page
    assert "<title>loss</title>" in page
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_the_data_say_names_shapes_formulas_kinds_and_places(shell: Shell) -> None:
    data = json.loads(text(shell.cell("%graph export loss g.json --backward")))
    keys = {"schema", "outputs", "gradients", "sizes", "loss", "nodes", "edges"}
    assert set(data) == keys
    nodes = {node["id"]: node for node in data["nodes"]}
    loss, slope = nodes[data["outputs"]["loss"]], nodes[data["gradients"]["w"]]
    assert (data["schema"], data["loss"]) == ("chalkgrad-graph/1", "loss")
    assert data["sizes"] == {"n": None, "d": None}
    (residual,) = [node for node in data["nodes"] if node["name"] == "r"]
    assert residual == {
        "id": residual["id"],
        "name": "r",
        "kind": "value",
        "op": "sub",
        "element": "float",
        "shape": ["n"],
        "formula": f"{data['edges'][2]['from']} - y",
        "path": [],
        "source": {"file": "Cell In[1]", "line": 4, "column": 5, "text": "X w - y"},
        "of": None,
    }
    assert (loss["kind"], loss["shape"]) == ("output", [])
    assert (slope["kind"], slope["name"]) == ("gradient", "∂loss/∂w")
    assert nodes[slope["of"]]["formula"] == "X @ w"
    kinds = {node["name"]: node["kind"] for node in data["nodes"] if node["op"] == "variable"}
    assert kinds == {"X": "input", "y": "input", "w": "param"}


def test_edges_lead_from_operands_to_what_reads_them() -> None:
    program = dsl.load("transformer", V=11, d=8, context=7, layers=2)
    asked = {"loss": program["loss"]}
    values = Values(program, asked, "loss", program.grad("loss"))
    data = json.loads(values.forms(Picture(""))[".json"]())
    place = {node["id"]: i for i, node in enumerate(data["nodes"])}
    assert all(place[edge["from"]] < place[edge["to"]] for edge in data["edges"])
    assert len(place) == len(data["nodes"])
    paths = {tuple(node["path"]) for node in data["nodes"]}
    assert len({path for path in paths if "attention" in path}) == 2


@pytest.mark.parametrize("backward", [False, True])
def test_formulas_are_balanced_and_without_raw_letters(shell: Shell, backward: bool) -> None:
    shell.cell(BLOCK)
    tex = text(shell.cell(f"%graph export L ŷ_1 g.tex {'--backward' * backward}"))
    formulas = re.findall(r"\\\[\n(.*?)\n\\\]\n", tex, re.DOTALL)
    assert formulas[1] == r"\hat{y}_{1} = \mathrm{block}\left(Z\right)"
    assert len(formulas) == (10 if backward else 2)
    for each in formulas:
        bare = re.sub(r"\\[{}\\]", "", each)
        assert bare.count("{") == bare.count("}")
        assert each.count(r"\left") == each.count(r"\right")
        assert each.isascii()


def test_a_png_has_the_pictures_colours_at_their_places() -> None:
    svg = (
        '<svg width="40pt" height="20pt" viewBox="0 0 80 40">'
        '<g transform="translate(40 0) scale(2)">'
        '<polygon points="0,0 20,0 20,20 0,20" fill="#0000ff"/></g></svg>'
    )
    shown = imread(BytesIO(png(svg)), format="png")
    assert shown.shape == (40, 80, 4)
    assert shown[20, 60].tolist() == [0, 0, 1, 1]
    assert shown[20, 20, 3] == 0


@pytest.mark.parametrize("name", [*HOSTILE, "∂√Σαβγ", "漢字", "a" * 10_000])
def test_any_word_is_drawn(name: str, tmp_path: Path) -> None:
    picture = draw(ops.exp(var(name, ["n"])))
    for ending in ("png", "pdf", "html", "svg"):
        assert Path(picture.save(tmp_path / f"a.{ending}")).stat().st_size > 500
    assert "<img onerror" not in text(str(tmp_path / "a.html"))


def test_a_tall_picture_is_drawn_with_fewer_dots() -> None:
    shown = imread(BytesIO(png('<svg width="20pt" height="20000pt"/>')), format="png")
    assert shown.shape[0] <= 8000


def test_the_same_picture_is_the_same_file() -> None:
    svg = '<svg width="9pt" height="9pt"><text x="1" y="8" font-size="8">a$b$</text></svg>'
    assert png(svg) == png(svg)
    assert pdf(svg) == pdf(svg)


SHAPES = {
    "path": {"d": "M0,0C0 10 10 10 10,0z"},
    "rect": {"width": "10", "height": "8", "rx": "2"},
    "circle": {"cx": "5", "cy": "5", "r": "5"},
    "ellipse": {"cx": "5", "cy": "4", "rx": "5", "ry": "4"},
    "line": {"x2": "10", "y2": "8"},
    "polygon": {"points": "0,0 10,0 5,8"},
    "polyline": {"points": "0 0 10 8"},
}


@pytest.mark.parametrize("tag", SHAPES)
def test_a_shape_has_its_extent(tag: str) -> None:
    path = outline(tag, SHAPES[tag])
    assert path is not None
    box = path.get_extents()
    assert (box.x0, box.x1) == pytest.approx((0, 10))
    assert box.y0 == pytest.approx(0)


@pytest.mark.parametrize(
    "d", ["M1 1l9 7h-2v-3q1 1 2 2t1 1s1 1 2 2c1 1 2 2 3 3a1 1 0 0 1 2 2z", "", "M", "L1 1", "x"]
)
def test_a_path_of_any_commands_is_drawn_or_nothing(d: str) -> None:
    path = outline("path", {"d": d})
    assert path is None or d.startswith("M1")


@pytest.mark.parametrize(
    "ending", sorted(BEGINNINGS.keys() - {"html", "json"})
)  # these tell places
def test_show_writes_what_export_writes(shell: Shell, ending: str) -> None:
    Path("line.graph").write_text(LINE.partition("\n")[2], encoding="utf-8")
    assert main(["show", "line.graph", "loss", "-o", f"a.{ending}", "--grad", "loss"]) == 0
    shell.cell(f"%graph export loss b.{ending} --backward")
    assert Path(f"a.{ending}").read_bytes() == Path(f"b.{ending}").read_bytes()


def test_asked_for_nothing_all_last_values_are_written(shell: Shell) -> None:
    shell.cell("%%graph\ns = sum(r)")
    assert "return loss, s" in text(shell.cell("%graph export g.py"))


def test_a_leaf_can_be_exported(shell: Shell) -> None:
    data = json.loads(text(shell.cell("%graph export w g.json")))
    assert [node["formula"] for node in data["nodes"]] == ["w"]
    assert data["edges"] == []
