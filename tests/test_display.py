"""Pictures: laid out where a drawing program works, text everywhere, safe whatever the name."""

from __future__ import annotations

import html
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import dsl
from engine import ops, var
from engine.show import Legend
from magics import layout, live
from magics.display import Picture, draw
from magics.layout import drawing_programs
from magics.legend import legend
from magics.values import computed

BLOCK = """from transformer import block
dim d = 8
input X : [B, T, d]
Y = block(X)"""
HOSTILE = ["</script>", '"]; x -> y [label="', "<img onerror=alert(1)>", "\\N\\l", "&amp;", "😀"]


@pytest.fixture
def picture() -> Picture:
    return draw(dsl.compile(BLOCK))


@pytest.fixture
def nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "drawing_programs", lambda: iter(()))


def words(picture: Picture) -> set[str]:
    assert picture.svg
    return {text.strip() for text in ElementTree.fromstring(picture.svg).itertext()}


def parts(page: str) -> tuple[str, str]:
    """The image and the JSON of a live picture."""
    found = re.fullmatch(
        r'<div class="cg">(<img .*>)<script type="application/json">(.*)</script>'
        r"<script>[^<]*(?:<[^/][^<]*)*</script></div>",
        page,
        re.DOTALL,
    )
    assert found
    return found[1], found[2]


def program(path: Path, code: str) -> Path:
    """An executable that runs some Python."""
    path.write_text(f"#!{sys.executable}\n{code}\n")
    path.chmod(0o755)
    return path


def test_the_block_is_drawn_with_its_functions_and_the_users_names(picture: Picture) -> None:
    shown = {"block", "attention", "ffn", "X", "W_q", "Q", "K", "V", "A", "Y", "[B, T, d]"}
    assert shown <= words(picture)


def test_colours_are_attributes_and_there_is_no_style_sheet_or_script(picture: Picture) -> None:
    assert picture.svg
    tags = {
        element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture.svg).iter()
    }
    assert tags <= {"svg", "g", "title", "path", "polygon", "text", "ellipse", "polyline"}
    assert 'fill="' in picture.svg
    assert "class=" not in re.sub(r'class="(graph|node|edge|cluster)"', "", picture.svg)


def test_a_picture_without_a_drawing_program_is_its_text(
    picture: Picture, nothing_found: None
) -> None:
    assert picture.svg is None
    assert picture._repr_mimebundle_() == {"text/plain": repr(picture)}
    assert repr(picture) == picture.text


@pytest.mark.parametrize(
    "code", ["raise SystemExit(1)", "print('no picture')", "import os; os.write(1, b'\\xff')"]
)
def test_a_program_that_fails_leaves_it_to_the_next(
    picture: Picture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str
) -> None:
    broken, working = program(tmp_path / "broken", code), list(drawing_programs())
    monkeypatch.setattr(layout, "drawing_programs", lambda: iter([broken, *working]))
    assert "attention" in words(picture)


def test_what_cannot_be_executed_is_passed_over(
    picture: Picture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no program")
    monkeypatch.setattr(layout, "drawing_programs", lambda: iter([tmp_path / "text"]))
    assert picture.svg is None


def test_without_the_package_that_runs_graphviz_a_picture_is_its_text(
    picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "graphviz.backend", None)
    assert picture._repr_mimebundle_() == {"text/plain": picture.text}


def test_dot_on_the_path_is_the_second_choice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dot = program(tmp_path / "dot", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = list(drawing_programs())
    assert found[0].stem == "graphviz-pure"
    assert found[-1] == dot.resolve()


def test_a_picture_too_large_for_a_notebook_is_shown_as_text(
    picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LARGEST", 1000)
    assert "text/html" not in picture._repr_mimebundle_()


@pytest.mark.parametrize("ending", ["svg", "dot", "txt", "png", "pdf", "html"])
def test_a_picture_is_saved_by_the_ending_of_its_file(
    picture: Picture, tmp_path: Path, ending: str
) -> None:
    path = picture.save(tmp_path / "new" / f"block.{ending}")
    beginning = {"svg": b"<svg", "dot": b"digraph", "txt": "●".encode(), "png": b"\x89PNG"}
    beginning |= {"pdf": b"%PDF", "html": b"<!doctype html>"}
    assert Path(path).read_bytes().startswith(beginning[ending])


def test_what_cannot_be_saved_is_said(
    picture: Picture, tmp_path: Path, nothing_found: None
) -> None:
    with pytest.raises(ValueError, match=r"block\.gif: it ends in \.dot, .*\.svg or \.txt"):
        picture.save(tmp_path / "block.gif")
    with pytest.raises(RuntimeError, match="no drawing program"):
        picture.save(tmp_path / "block.svg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_drawn_as_it_is_written(name: str) -> None:
    y = ops.exp(var(name, ["n"]))
    picture = draw(y, Legend({y: name}, {y: (name,)}))
    assert {name, f"exp({name})", "[n]"} <= words(picture)
    image, data = parts(picture.html)
    assert re.fullmatch(r'<img src="[\w/+:;,=]+" alt="[^"<>]*">', image, re.DOTALL)
    assert html.unescape(image).count(name) == picture.text.count(name)
    assert "<" not in data
    assert {name} <= {box.get("name") for box in json.loads(data)["boxes"].values()}


def test_a_graph_of_ten_thousand_nodes_is_drawn_closed() -> None:
    x = var("x", ["n"])
    for _ in range(10_000):
        x = ops.sin(x)
    assert {"⋮", "9802 values"} <= words(draw(x))


def about(picture: Picture) -> list[dict[str, str]]:
    """What the panel says of each box of the picture."""
    return list(json.loads(parts(picture.html)[1])["boxes"].values())


def test_what_the_panel_says_of_a_deep_formula_is_short() -> None:
    x = var("x", ["n"])
    for _ in range(1000):
        x = ops.sin(x)
    texts = [text for box in about(draw(x)) for text in (box.get("formula", ""),)]
    assert max(map(len, texts)) <= live.FORMULA
    assert "sin(" * 8 + "…" + ")" * 8 in texts


def test_a_derivative_says_where_its_value_was_written() -> None:
    program = dsl.compile("input x : [n]\ny = sin(x)\nloss = sum(y)", name="here")
    picture = draw([program.nodes["loss"]], legend(program), backward=[program.grad("loss")["x"]])
    sources = {box["source"] for box in about(picture) if box["kind"] == "backward"}
    assert sources == {"here, line 2: y = sin(x)"}


def test_depths_that_take_too_long_are_left_out(
    picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LONGEST", 0.0)
    levels = picture.payload["levels"]
    assert [level is None for level in levels] == [True, True, False]
    assert "data-on" in picture.html
    assert {box["kind"] for box in about(picture) if "kind" in box} >= {"input", "param", "value"}


def test_a_drawing_program_that_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hanging = program(tmp_path / "hanging", "import time; time.sleep(60)")
    monkeypatch.setattr(layout, "drawing_programs", lambda: iter([hanging]))
    assert layout.layout("digraph {}", longest=0.1) is None


def test_every_box_knows_the_function_it_stands_in(picture: Picture) -> None:
    boxes = json.loads(parts(picture.html)[1])["boxes"]
    (w,) = [box for box in boxes.values() if box.get("name") == "W_q"]
    attention = boxes[w["within"]]
    assert attention["name"] == "attention"
    assert boxes[attention["within"]]["name"] == "block"
    assert "within" not in boxes[attention["within"]]


def test_of_a_repeated_value_the_panel_tells_the_first_pass_and_the_last() -> None:
    program = dsl.compile(
        "double(x) = 2 x\ninput x : []\nrepeat 5:\n    x = double(x)\ny = x + 0.5"
    )
    feeds = program.feeds({"x": 1.0}, {})
    y = program.nodes["y"]
    picture = draw([y], legend(program), computed=computed([y], feeds, y))
    (box,) = [box for box in about(picture) if "pass 5" in box.get("value", "")]
    assert (box["value"], box["slope"]) == (
        "= 2 in pass 1, = 32 in pass 5",
        "∂=16 in pass 1, ∂=1 in pass 5",
    )
