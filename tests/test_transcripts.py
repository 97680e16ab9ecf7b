"""What the transcripts and the reference of the language say is what a console answers."""

import builtins
import doctest
import re
from pathlib import Path

import pytest

from dsl.library.forms import FORMS
from dsl.library.functions import FUNCTIONS
from dsl.lints import LINTS
from dsl.lowering.modules import available, exported, tree_of
from dsl.values import Builtin, Form
from tests.transcript import Transcript

HERE = Path(__file__).parent
REFERENCE = HERE.parent / "dsl" / "README.md"
FILES = [*sorted((HERE / "transcripts").glob("*.graph")), REFERENCE]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_transcript_is_what_a_console_answers(path: Path, request: pytest.FixtureRequest) -> None:
    transcript = Transcript()
    now = transcript.renewed(path)
    assert transcript.cells > 3
    if request.config.getoption("--update"):
        path.write_text(now, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == now


def test_an_answer_that_is_not_given_is_found(tmp_path: Path) -> None:
    path = tmp_path / "wrong.graph"
    path.write_text("1 + 1\n> 3\n\nx\n", encoding="utf-8")
    assert Transcript().renewed(path).startswith("1 + 1\n> 2\n\nx\n> error: `x` is not defined\n")


def test_the_reference_shows_what_python_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "_", None, raising=False)  # doctest leaves the last value there
    options = doctest.ELLIPSIS | doctest.REPORT_NDIFF
    done = doctest.testfile(str(REFERENCE), module_relative=False, optionflags=options)
    assert done.attempted > 5
    assert done.failed == 0


@pytest.mark.parametrize("name", [*FUNCTIONS, *FORMS])
def test_the_reference_has_the_signature_of_every_function(name: str) -> None:
    function = {**FUNCTIONS, **FORMS}[name]
    assert isinstance(function, Builtin | Form)
    assert f"`{function.signature}`" in REFERENCE.read_text(encoding="utf-8")


@pytest.mark.parametrize("module", available())
def test_the_reference_has_every_function_of_the_prelude(module: str) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    missing = [n for n in exported(tree_of(module)) if not re.search(rf"`{n}[`(]", text)]
    assert missing == []


def test_the_reference_has_every_lint() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert [each.code for each in LINTS if f"| {each.code} | {each.sentence} |" not in text] == []
