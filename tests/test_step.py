"""`%graph step`: one line a step, values first and then gradients; in a notebook the slider."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import torch

from tests.shells import LINE, Shell, fails, opened


@pytest.fixture
def data() -> Iterator[Shell]:
    """A shell with the line, whose inputs have values."""
    with opened() as shell:
        shell.user_ns.update(X=torch.tensor([[1.0, 2.0], [3.0, 4.0]]), y=torch.tensor([1.0, 2.0]))
        shell.cell(LINE)
        yield shell


def told(shown: object) -> dict[str, object]:
    """The JSON beside a picture."""
    page = shown._repr_mimebundle_()["text/html"]  # type: ignore[attr-defined]
    return json.loads(re.findall(r'<script type="application/json">(.*?)</script>', page)[0])


def test_every_step_is_a_line_with_its_value_and_then_the_gradients_come_backwards(
    data: Shell,
) -> None:
    rows = [row.split("  ") for row in repr(data.cell("%graph step loss")).splitlines()]
    names = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert [row[0] for row in names] == [str(i) for i in range(1, len(rows) + 1)]
    assert [row[1] for row in names[:2]] == ["X", "w"]
    values = [row for row in names if not row[1].startswith("∂")]
    assert values[-1][1:4] == ["loss", "mean(r^2)", "[]"]
    assert values[-1][-1] == "= 1.25"
    back = [row[1] for row in names[len(values) :]]
    assert back[0] == "∂/∂loss"
    assert back.index("∂/∂r") < back.index("∂/∂w")
    assert names[len(values)][-1] == "∂=1"


def test_of_a_value_that_is_no_number_there_is_no_way_back(data: Shell) -> None:
    assert "∂" not in repr(data.cell("%graph step r"))


def test_the_slider_of_the_picture_begins_at_the_first_step(data: Shell) -> None:
    assert told(data.cell("%graph step loss"))["start"] == 1
    assert told(data.cell("%graph show loss"))["start"] is None


def test_the_graph_of_the_gradients_is_laid_over_on_request(data: Shell) -> None:
    with_them = repr(data.cell("%graph step loss --backward"))
    assert "∂loss/∂w" in with_them
    assert "∂loss/∂w" not in repr(data.cell("%graph step loss"))


def test_an_input_without_a_value_is_named(data: Shell) -> None:
    del data.user_ns["y"]
    assert "the input `y` [n] has no value" in fails(data, "%graph step loss")
