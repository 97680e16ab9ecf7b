"""`chalkgrad freeze`: what was live is static, what was not ours is as it was."""

from __future__ import annotations

import html
import json
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
import pytest
from matplotlib.image import imread
from nbconvert import HTMLExporter

import dsl
from magics.cli import main
from magics.display import draw
from magics.freeze import Frozen, freeze
from magics.shown import Graph

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="30pt" height="20pt" viewBox="0 0 30 20">'
    '<rect width="30" height="10" fill="#ff0000"/></svg>'
)
SCRIPT = '<script type="application/json">{"a": "<pre>"}</script><script>live()</script>'
OTHERS: list[Any] = [
    {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
    {"output_type": "error", "ename": "E", "evalue": "", "traceback": []},
    {"output_type": "display_data", "data": {"text/html": "<b>theirs</b><script>x()</script>"}},
    {
        "output_type": "display_data",
        "data": {"text/html": '<img src="data:image/png;base64,AA==">'},
    },
    {"output_type": "display_data", "data": {"text/html": '<div class="cg"><pre>ours</pre></div>'}},
    {"output_type": "display_data", "data": {"image/svg+xml": SVG, "text/plain": "p"}},
    {"output_type": "display_data", "data": None},
    None,
]


def image(svg: str = SVG, alt: str = "● x") -> str:
    data = b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(alt)}">'


def result(page: str, words: str = "● x") -> dict[str, Any]:
    data = {"text/html": page.splitlines(keepends=True), "text/plain": [words]}
    return {"output_type": "execute_result", "execution_count": 3, "data": data, "metadata": {}}


def notebook(*outputs: Any) -> str:
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# ∂"},
        {
            "cell_type": "code",
            "execution_count": 3,
            "id": "b",
            "metadata": {},
            "outputs": list(outputs),
            "source": "%graph show",
        },
    ]
    whole = {"cells": cells, "metadata": {"z": 1, "a": 2}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def outputs(text: str) -> list[Any]:
    return json.loads(text)["cells"][1]["outputs"]


def pixels(output: Any) -> Any:
    return imread(BytesIO(b64decode(output["data"]["image/png"])), format="png")


def test_a_picture_becomes_png_beside_its_text() -> None:
    frozen = freeze(notebook(result(f'<div class="cg">{image()}{SCRIPT}</div>')))
    [output] = outputs(frozen.text)
    assert frozen.count == 1
    assert (output["output_type"], output["execution_count"]) == ("execute_result", 3)
    assert set(output["data"]) == {"image/png", "text/plain"}
    assert output["data"]["text/plain"] == ["● x"]
    assert output["metadata"] == {"image/png": {"width": 40}}
    shown = pixels(output)
    assert shown.shape == (40, 60, 4)
    assert shown[10, 30].tolist() == [1, 0, 0, 1]
    assert shown[30, 30, 3] == 0


def test_words_beside_a_picture_become_an_output_of_their_own() -> None:
    program = dsl.compile("input x : [n]\ny = x^2")
    graph = Graph(program, draw(program), ("f(x) = <1>", "g"))
    first, second = outputs(freeze(notebook(result(graph._repr_mimebundle_()["text/html"]))).text)
    assert "image/png" in first["data"]
    assert second == {
        "data": {"text/plain": ["f(x) = <1>\n", "g"]},
        "metadata": {},
        "output_type": "display_data",
    }


def test_words_that_no_picture_says_are_kept() -> None:
    _, second = outputs(freeze(notebook(result(image(alt="heatmap"), "tensor[2]"))).text)
    assert second["data"] == {"text/plain": ["tensor[2]"]}


def test_pieces_stay_in_their_order() -> None:
    inside = f"{SCRIPT}<pre>1 &lt; 2</pre>{image()}<pre><b>two</b></pre>{SVG}{SCRIPT}"
    page = f'<div class="cg">{inside}</div>'
    made = [each["data"] for each in outputs(freeze(notebook(result(page))).text)]
    assert [[*each] for each in made if "image/png" in each] == [["image/png", "text/plain"]] * 2
    assert made[0] == {"text/plain": ["1 < 2"]}
    assert made[2] == {"text/plain": ["two"]}


def test_pixels_of_a_heatmap_keep_their_sharp_edges() -> None:
    black = as_png()
    picture = SVG.replace(
        "</svg>",
        f'<image x="0" y="10" width="15" height="10" href="data:image/png;base64,{black}"/></svg>',
    )
    shown = pixels(outputs(freeze(notebook(result(image(picture)))).text)[0])
    assert shown[30, 15].tolist() == pytest.approx([0, 0, 0, 1])
    assert shown[30, 45, 3] == 0


def as_png() -> str:
    import numpy as np
    from matplotlib.image import imsave

    out = BytesIO()
    imsave(out, np.zeros((2, 2, 3)), format="png")
    return b64encode(out.getvalue()).decode()


def test_a_script_without_a_picture_leaves_the_text() -> None:
    frozen = freeze(notebook(result(f'<div class="cg">{SCRIPT}</div>', "step 3")))
    assert outputs(frozen.text)[0]["data"] == {"text/plain": ["step 3"]}


def test_other_outputs_are_untouched() -> None:
    text = notebook(*OTHERS)
    assert freeze(text).text is text
    changed = outputs(freeze(notebook(*OTHERS, result(image()))).text)
    assert changed[: len(OTHERS)] == OTHERS


def test_frozen_twice_is_frozen_once() -> None:
    once = freeze(notebook(result(image()), *OTHERS)).text
    assert freeze(once) == Frozen(once, 0)
    assert outputs(once)[1:] == OTHERS


def test_nothing_else_in_the_notebook_changes() -> None:
    before, after = notebook(result(image())), freeze(notebook(result(image()))).text
    assert before.split('"outputs"')[0] == after.split('"outputs"')[0]
    assert before.split('"source": "%graph')[1] == after.split('"source": "%graph')[1]


@pytest.mark.parametrize("svg", ["<svg>", "no picture", '<svg width="x"><path d="M"/></svg'])
def test_a_picture_that_cannot_be_drawn_stays(svg: str) -> None:
    text = notebook(result(image(svg)))
    assert freeze(text).text == text


def test_the_picture_is_seen_in_pages_made_of_live_and_frozen_notebooks() -> None:
    drawn = draw(dsl.compile("input x : [n]\ny = x^2"))
    live = notebook(result(drawn._repr_mimebundle_()["text/html"], drawn.text))
    for text, kind in [(live, "svg+xml"), (freeze(live).text, "png")]:
        read = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(read)  # type: ignore[no-untyped-call]
        page, _ = HTMLExporter().from_notebook_node(read)
        assert f"data:image/{kind};base64," in page
        assert "<script>live" not in page


WRONG = {
    "": "no notebook",
    "{": "no notebook",
    "[]": "no `nbformat`",
    '{"cells": []}': "no `nbformat`",
    '{"nbformat": 3, "worksheets": []}': "no notebook of format 4",
    '{"nbformat": 4}': "no notebook of format 4",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_notebook_is_told_and_left_alone(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text)
    assert main(["freeze", str(path)]) == 1
    assert WRONG[text] in capsys.readouterr().err
    assert path.read_text() == text


def test_the_command_rewrites_in_place_or_writes_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, other = tmp_path / "a.ipynb", tmp_path / "new" / "b.ipynb"
    live = notebook(result(image()))
    path.write_text(live, encoding="utf-8")
    assert main(["freeze", str(path), "--out", str(other)]) == 0
    assert path.read_text(encoding="utf-8") == live
    assert other.read_text(encoding="utf-8") == freeze(live).text
    assert main(["freeze", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == freeze(live).text
    assert "outputs frozen: 1" in capsys.readouterr().err
    assert main(["freeze", str(path)]) == 0
    assert capsys.readouterr().err == ""
    assert [each.name for each in sorted(tmp_path.iterdir())] == ["a.ipynb", "new"]


def test_a_missing_notebook_and_one_of_bytes_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.ipynb"
    assert main(["freeze", str(path)]) == 1
    assert "No such file" in capsys.readouterr().err
    path.write_bytes(b"\xff\xfe")
    assert main(["freeze", str(path)]) == 1
    assert "cannot freeze" in capsys.readouterr().err


def test_hostile_words_come_out_as_text() -> None:
    words = "</script><img onerror=alert(1)> 😀"
    page = f'<div class="cg">{image(alt=words)}<pre>{html.escape(words)}</pre></div>'
    first, second = outputs(freeze(notebook(result(page, words))).text)
    assert first["data"]["text/plain"] == second["data"]["text/plain"] == [words]
