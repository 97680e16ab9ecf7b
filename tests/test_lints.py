"""Lints: each warns where it should and nowhere else, says what is true, and offers a way out."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import dsl
from dsl.lints import LINTS
from dsl.lowering import modules
from tests.lint_samples import CLEAN, MATRIX, NEAR, ONE_SIZE, TABLE, USED, Warned
from tests.shells import Shell, opened
from tests.test_lower_anything import HEAD, STATEMENTS, outcome

ROOT = Path(__file__).parent.parent


def told(program: dsl.Program) -> list[Warned]:
    return [Warned(d.code, d.span.text, d.message, d.hint) for d in program.lints]


@pytest.mark.parametrize("text, lints", TABLE)
def test_a_program_has_exactly_these_lints(text: str, lints: list[Warned]) -> None:
    assert told(dsl.compile(text)) == lints


def test_lints_are_numbered_in_order_and_each_is_in_the_table() -> None:
    assert [lint.code for lint in LINTS] == [f"W{i}" for i in range(1, len(LINTS) + 1)]
    assert {lint.code for _, lints in TABLE for lint in lints} == {lint.code for lint in LINTS}
    assert len({lint.sentence for lint in LINTS}) == len(LINTS)


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_near_to_a_lint_is_none(text: str) -> None:
    assert [d for d in dsl.compile(NEAR + text).lints if d.code != "W4"] == []


@pytest.mark.parametrize("text", USED)
def test_what_is_used_is_not_called_unused(text: str) -> None:
    assert told(dsl.compile(text)) == []


@pytest.mark.parametrize("module", modules.available())
def test_the_prelude_has_no_lints(module: str) -> None:
    assert told(dsl.load(module)) == []


def test_sizes_of_the_prelude_may_have_the_same_value() -> None:
    given = dict.fromkeys(("V", "d", "context"), 64)
    assert told(dsl.load("transformer", **given)) == []


def cells(path: Path) -> Iterator[str]:
    """The text of the `%%graph` cells of a notebook, or of a page that shows some."""
    if path.suffix == ".ipynb":
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            before, magic, text = "".join(cell["source"]).partition("%%graph")
            if magic and cell["cell_type"] == "code" and "\n" not in before.rstrip("\n"):
                yield text.partition("\n")[2]
    else:
        yield from re.findall(
            r'compile\("""(.*?)"""\)', path.read_text(encoding="utf-8"), re.DOTALL
        )


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "examples").glob("*.ipynb"))], ids=lambda p: p.name
)
def test_the_examples_have_no_lints(path: Path) -> None:
    texts = list(cells(path))
    assert texts
    assert told(dsl.compile("\n".join(texts))) == []


def rewritten(text: str, lint: dsl.Diagnostic) -> Iterator[str]:
    """The program with each of the ways out that a lint offers."""
    codes = re.findall(r"`([^`]+)`", lint.hint)
    if lint.hint.startswith("in "):
        what, new, old = codes
        yield text.replace(what, what.replace(old, new))
    elif lint.hint.startswith(ONE_SIZE):
        name = codes[0].split()[1]
        yield re.sub(rf"\b{name} = \w+", codes[0].removeprefix("dim "), text)
    else:
        yield from (text[: lint.span.start] + code + text[lint.span.end :] for code in codes)


@pytest.mark.parametrize("text", [text for text, _ in TABLE])
def test_every_way_out_compiles_and_warns_no_more(text: str) -> None:
    (lint,) = dsl.compile(text).lints
    ways = list(rewritten(text, lint))
    assert ways or lint.code in ("W4", "W5")
    for way in ways:
        assert told(dsl.compile(way)) == []


CHOICES = [text for text, lints in TABLE if lints[0].code == "W6"]


@pytest.mark.parametrize("text", CHOICES)
def test_a_gradient_that_is_called_nan_is_nan_and_the_way_out_mends_it(text: str) -> None:
    (way,) = rewritten(text, *dsl.compile(text).lints)
    for program, is_nan in ((dsl.compile(text), True), (dsl.compile(way), False)):
        name, leaf = next(iter(program.inputs.items()))
        points = torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0])
        fed = points if leaf.rank else -2.0
        source = f"{program.tree.span.source.text}\ng = grad(sum(y), {name})"
        slopes = dsl.compile(source).run("g", {name: fed})
        assert bool(slopes.isnan().any()) is is_nan


@pytest.mark.parametrize(
    "text", [text for text, lints in TABLE if lints[0].code == "W9" and "T" not in text]
)
def test_a_logarithm_that_is_called_infinite_is_and_the_way_out_is_not(text: str) -> None:
    (way,) = rewritten(text, *dsl.compile(text).lints)
    x = {"x": torch.tensor([-200.0, 0.0, 200.0])}
    assert dsl.compile(text).run("y", x).isinf().any()
    assert dsl.compile(way).run("y", x).isfinite().all()


@pytest.mark.parametrize("text, lints", TABLE)
def test_a_comment_on_the_line_silences_a_lint_by_its_number(
    text: str, lints: list[Warned]
) -> None:
    number = dsl.compile(text).lints[0].span.line
    for comment, left in (("# ok: W99", lints), (f"# why: ok: W99, {lints[0].code}", [])):
        lines = text.split("\n")
        lines[number - 1] += f"  {comment}"
        assert told(dsl.compile("\n".join(lines))) == left


def test_any_line_of_the_place_may_say_that_it_is_ok() -> None:
    text = "input x : [n]\ny = where(x > 0,{}\n    log(x),{}\n    0){}\nz = 1{}"
    for at, count in enumerate((0, 0, 0, 1)):
        comments = [" # ok: W6" if i == at else "" for i in range(4)]
        assert len(dsl.compile(text.format(*comments)).lints) == count


def test_each_place_is_told_once_however_often_it_is_lowered() -> None:
    body = "f(A, x, unused) = A * x\ninput A : [n, n], x : [n]\n"
    calls = "\n".join(f"y{i} = f(A + {i}, x, 1)" for i in range(12))
    assert [d.code for d in dsl.compile(body + calls).lints] == ["W1", "W5"][::-1]
    loop = "input A : [n, n], x : [n]\nrepeat 5:\n    A = A * x"
    assert [d.code for d in dsl.compile(loop).lints] == ["W1"]


def test_a_function_that_is_elementwise_for_others_is_no_matrix_product() -> None:
    text = "f(a, b) = a * b\ninput A : [n, n], x : [n]\ny = f(A, x)\nz = f(x, x)"
    assert told(dsl.compile(text)) == []


def test_lints_come_in_the_order_of_the_text() -> None:
    text = "dim m\n" + MATRIX + "f(p) = 1\ny = A * x\nz = A^2 x"
    assert [(d.code, d.span.line) for d in dsl.compile(text).lints] == [
        *[("W4", 1), ("W5", 3), ("W1", 4), ("W2", 5)]
    ]


def test_what_an_imported_module_does_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib.graph").write_text("f(A, x, p) = A * x", encoding="utf-8")
    monkeypatch.setattr(modules, "FOLDERS", [tmp_path])
    assert told(dsl.compile("from lib import f\n" + MATRIX + "y = f(A, x, 1)")) == []
    assert [d.code for d in dsl.load("lib").lints] == ["W5"]


def test_a_lint_shows_itself_like_an_error() -> None:
    (lint,) = dsl.compile(MATRIX + "y = A * x").lints
    assert (
        str(lint)
        == """\
warning W1: `A * x` takes every row of `A` with `x`, entry by entry
    left : A                        [n, n]
    right: x                        [n]
  cell:2:5
    2 | y = A * x
      |     ^^^^^
  help: the matrix product is `A x`; as it is: `A * x[None, :]`"""
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(STATEMENTS, min_size=1, max_size=3))
def test_lints_never_fail_and_leave_the_program_as_it_is(lines: list[str]) -> None:
    program = outcome(HEAD + "\n".join(lines))
    if not isinstance(program, dsl.Program):
        return
    before = [dict(program.nodes), dict(program.inputs), dict(program.params), len(program.origins)]
    known = {lint.code for lint in LINTS}
    for each in program.lints:
        assert each.code in known
        assert each.span.source is program.tree.span.source
        assert str(each).startswith(f"warning {each.code}: ")
    after = [dict(program.nodes), dict(program.inputs), dict(program.params), len(program.origins)]
    assert before == after


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        yield made


def test_a_cell_shows_its_own_lints_under_the_result(shell: Shell) -> None:
    shell.cell("%%graph\ninput A : [n, n], x : [n]\ny = A * x")
    shown = shell.cell("%%graph\nf(t, p) = t\nx < 1\n")
    assert repr(shown).splitlines()[-6:] == [
        "x < 1 : bool[n] = x < 1",
        "warning W5: `f` does not use its parameter `p`",
        "Cell In[2], line 2",
        "    2 | f(t, p) = t",
        "      |      ^",
        "  help: take it out",
    ]
    assert "W5: `f` does not use" in shown._repr_mimebundle_()["text/html"]


def test_what_a_cell_declares_a_later_cell_may_use(shell: Shell) -> None:
    assert "W4" not in repr(shell.cell("%%graph\ndim k\ninput x, z : [n]\ny = 2 x"))
    assert "W4" not in repr(shell.cell("%%graph\nu = z + 1"))
