"""The prompt: what is typed is answered, by keys sent through a pipe as from a terminal."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import ColorDepth, DummyOutput

from magics.commands import COMMANDS
from magics.console import Console
from magics.entries import entries, indentation, is_complete
from magics.history import history
from magics.prompt import Colours, Names, Prompt, depth
from magics.repl import answer_all, converse, run
from magics.verbs.cost import cost
from magics.verbs.explain import explain

UP, CTRL_C, CTRL_D, META_ENTER = "\x1b[A", "\x03", "\x04", "\x1b\r"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the history of who runs it, or files of another test; no answer has colours."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("dsl.lowering.modules.FOLDERS", [])


def conversation(keys: str, console: Console | None = None) -> list[str]:
    """What is said to someone who types these keys and leaves."""
    console, said = console or Console(), list[str]()
    with create_pipe_input() as pipe:
        pipe.send_text(keys + CTRL_C + CTRL_D)
        assert converse(console, Prompt(console, pipe, DummyOutput()).read, said.append) == 0
    return said


def test_what_is_typed_is_answered_and_remembered() -> None:
    assert conversation("x = 3\rx + 1\r\r  \rx\r") == ["4", "3"]


def test_a_wrong_line_is_told_as_the_console_tells_it_and_costs_nothing() -> None:
    console = Console()
    assert conversation("x = 3\rx + y\rx\r", console) == [console.enter("x + y"), "3"]


@pytest.mark.parametrize("wrong", ["x + y", ":run z", ":grad x", ":lod f", "[1, 2] @ [1, 2, 3]"])
def test_every_kind_of_fault_begins_with_the_word_error(wrong: str) -> None:
    [told] = conversation(f"x = [1, 2]\r{wrong}\r")
    assert told.startswith("error: ")


def test_a_bracket_waits_for_its_end() -> None:
    assert conversation("sum(\r[1, 2]\r)\r") == ["3"]


def test_a_block_ends_with_an_empty_line_and_is_indented_by_itself() -> None:
    assert conversation("f(t) =\rs = t + 1\rs^2\r\rf(2)\r") == ["9"]


def test_an_empty_line_shows_what_is_wrong_with_what_never_ends() -> None:
    [told] = conversation("sum(\r\r")
    assert told.startswith("error: `(` is never closed")


def test_a_line_can_be_put_above_what_stands_there() -> None:
    assert conversation(f"(1\r+ 1){UP}\r+ 2{META_ENTER}") == ["4"]


def test_ctrl_c_clears_the_line() -> None:
    assert conversation(f"1 + (2{CTRL_C}3\r") == ["3"]


def test_ctrl_d_and_quit_leave() -> None:
    assert conversation(f"1\r{CTRL_D}2\r") == ["1"]
    assert conversation("1\r:quit\r2\r") == ["1"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupt_or_a_bug_costs_the_entry_and_not_the_session(
    fault: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    console, answer = Console(), Console.answer

    def answered(self: Console, text: str) -> str:
        if text == "long":
            raise fault
        return answer(self, text)

    monkeypatch.setattr(Console, "answer", answered)
    told = conversation("x = 3\rlong\rx\r", console)
    assert told[-1] == "3"
    assert "interrupted" in told[0] or "ZeroDivisionError" in told[0]


def test_what_was_typed_survives_the_session(tmp_path: Path) -> None:
    conversation("1 + 2\r")
    assert conversation(f"{UP}\r") == ["3"]
    assert "1 + 2" in (tmp_path / "state" / "chalkgrad" / "history").read_text()


@pytest.mark.parametrize("home", ["file", "file/below", None])
def test_without_a_place_for_it_the_history_lasts_a_session(
    home: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere() -> Path:
        raise RuntimeError("no home")

    (tmp_path / "file").touch()
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", (lambda: tmp_path / home) if home else nowhere)
    assert isinstance(history(), InMemoryHistory)
    assert conversation("1 + 2\r") == ["3"]


def test_a_history_whose_disk_fails_is_no_reason_to_stop(tmp_path: Path) -> None:
    kept = history()
    file = tmp_path / "state" / "chalkgrad" / "history"
    file.unlink()
    file.mkdir()
    kept.append_string("1 + 1")
    assert kept.get_strings() == ["1 + 1"]
    assert isinstance(history(), InMemoryHistory)


@pytest.mark.parametrize(
    "text, complete",
    [
        ("", True),
        ("1 + 1", True),
        ("x = 1  # a number", True),
        ("x + nothing", True),
        ("x + )", True),
        (":run (", True),
        ("softmax(", False),
        ("f(x) =", False),
        ("f(x) =  # a function", False),
        ("f(x) =\n    x", False),
        ("f(x) =\n    y = x", False),
        ("f(x) =\n    x\n", True),
        ("f(x) =\n    x\n    ", True),
        ("f(x) =\n    x\ny = 1", True),
        ("y = 1\nf(x) =\n    x", False),
        ("repeat 3:", False),
        ("repeat 3: x = 1", True),
        ("f(x) = x A where", False),
        ("f(x) = x A where\n    A ∈ ℝ^n", False),
        ("f(x) = x A where\n    A ∈ ℝ^n\n", True),
        ("sum(\n    x\n)", True),
        ("sum(\n", True),
        ("1 +", False),
        ("1 +\n    2", True),
        ("a if b", False),
        ("input", False),
    ],
)
def test_a_text_is_complete_when_the_parser_needs_no_more(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


@pytest.mark.parametrize(
    "text, blanks", [("f(x) =", 4), ("sum(", 4), ("f(x) =\n    s = x", 4), ("1 +", 4), ("x", 0)]
)
def test_a_further_line_begins_where_it_belongs(text: str, blanks: int) -> None:
    assert indentation(text) == " " * blanks


def test_the_words_of_help_name_every_command() -> None:
    [told] = conversation(":help\r")
    rows = told.splitlines()[: len(COMMANDS)]
    assert [row.split()[0] for row in rows] == list(COMMANDS)


@pytest.mark.parametrize(
    "line, answer",
    [
        (":run loss", "25"),
        (":run x loss", "x = [3, 4]\nloss = 25"),
        (":grad loss", "∂loss/∂x = 2 x   [n]"),
        (":grad loss x", "∂loss/∂x = 2 x   [n]"),
        (":help mse", "mse(y, target)"),
        (":help half :run", "half(t)\n:run NAME …   values"),
        (":feed t=1", "t : []"),
    ],
)
def test_commands_answer(line: str, answer: str) -> None:
    console = Console({"x": np.array([3.0, 4.0])})
    told = conversation(f"input x : [n]\rhalf(t) = t/2\rloss = sum(x^2)\r{line}\r", console)
    assert told == [answer]


def test_show_draws_rails_and_check_reports() -> None:
    console = Console({"x": np.array([3.0, 4.0])})
    shown, named, checked = conversation(
        "input x : [n]\ry = x^T x\r:show\r:show x\r:check y\r", console
    )
    assert [line.split()[1] for line in shown.splitlines()] == ["x", "y"]
    assert named == "●  x  input  [n]"
    assert "right" in checked


def test_explain_and_cost_answer_as_the_verbs_do() -> None:
    console = Console({"x": np.array([-3.0, -4.0])})
    explained, counted, at = conversation(
        "input x : [n]\rloss = sum(relu(x)^2)\r:explain loss x\r:cost loss\r:cost loss n=7\r",
        console,
    )
    assert explained == repr(explain(console.desk, "loss", ["x"]))
    assert "∂loss/∂x = 0: every path from loss to x is cut" in explained
    assert counted == repr(cost(console.desk, "loss"))
    assert re.search(r"forward +4·n +28", at)
    assert at == repr(cost(console.desk, "loss", "n=7"))


@pytest.mark.parametrize(
    "line, message, way",
    [
        (":shwo", "there is no command `:shwo`", "did you mean `:show`?"),
        (":", "there is no command `:`", "there are :show"),
        (":run", "this command needs a name", "as in `:run loss`"),
        (":run yy", "`yy` is no value of this graph", "did you mean `y`?"),
        (":run y", "the input `x` [n] has no value", "give it one: `:feed x=x.npy`"),
        (":feed x=0.5", "`x` is declared [n] but was fed []", ""),
        (":explain x", "a gradient is of a number, and `x` is [n]", "sum it, `sum(x)`"),
        (":explain", "this command needs a name", "as in `:explain loss`"),
        (":cost", "this command needs a name", "as in `:cost loss`"),
        (":cost y q=3", "`q` is no size of this graph", "its sizes: n"),
        (":cost y n", "`n` gives no sizes", "write them as"),
        (":help sofmax", "there is no function `sofmax`", "did you mean `softmax`?"),
        (":feed x=abc", "`abc` is no number and no file of arrays", "a value is a number, or"),
        (":load /no/such.graph", "there is no file `/no/such.graph`", ""),
    ],
)
def test_a_wrong_command_is_told_with_the_way_out(line: str, message: str, way: str) -> None:
    [told] = conversation(f"input x : [n]\ry = x^T x\r{line}\r")
    first, *others = told.splitlines()
    assert first == f"error: {message}"
    assert way in "\n".join(others)


def test_before_the_first_statement_there_is_no_graph() -> None:
    [told] = conversation(":show\r")
    assert (
        told
        == "error: there is no graph yet\n  help: begin with a statement, as in `input x : [n]`"
    )


def test_a_file_is_loaded_with_its_neighbours_and_again_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "beside.graph").write_text("twice(x) = 2 x")
    file = tmp_path / "model.graph"
    file.write_text("from beside import twice\ny = twice(3)\ny")
    console = Console()
    assert conversation(f":load {file}\rz = y + 1\r", console) == ["6"]
    file.write_text("from beside import twice\ny = twice(4)\ny")
    assert conversation(f":load {file}\rz\r", console) == ["8", "9"]
    file.write_text("y = (")
    [told] = conversation(f":load {file}\r", console)
    assert f"  {file}:1:5" in told.splitlines()


def test_values_come_from_files(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([3.0, 4.0]))
    keys = f"input x : [n]\r:feed {tmp_path}/x.npy\rx^T x\r"
    assert conversation(keys) == ["x : [2]", "25"]


def offered(text: str, console: Console | None = None) -> list[str]:
    names = Names(console or Console())
    return [each.text for each in names.get_completions(Document(text), CompleteEvent())]


def test_completion_knows_the_session_the_commands_and_files(tmp_path: Path) -> None:
    console = Console()
    console.enter("input softly : [n]")
    assert offered("y = sof", console) == ["softly", "softplus", "softmax"]
    assert offered(":ru") == [":run"]
    (tmp_path / "model.graph").touch()
    assert offered(f":load {tmp_path}/mo") == ["del.graph"]
    assert offered(f":feed x={tmp_path}/mo") == ["del.graph"]


def test_the_colours_of_lines_are_those_of_the_text() -> None:
    document = Document("f(x) =  # twice\n    sum(x")
    line = Colours(Console()).lex_document(document)
    assert ["".join(piece[1] for piece in line(i)) for i in range(2)] == document.lines
    assert ("class:graph.comment", "# twice") in line(0)
    assert ("class:graph.function", "sum") in line(1)
    assert line(2) == []


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert depth() is ColorDepth.MONOCHROME
    assert "\x1b" not in conversation("nothing\r")[0]
    monkeypatch.delenv("NO_COLOR")
    assert depth() is None
    assert "\x1b[31m" in conversation("nothing\r")[0]


TEXT = """\
# a text with everything
f(x) =
  y = x^2

  y + 1
f(2)
f(
  3)
oh
:run f
1 + 1
:quit
2
"""


def test_a_piped_text_is_answered_entry_by_entry(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer_all(Console(), TEXT) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == ["5", "10", "2"]
    assert "  stdin:9:1\n    9 | oh\n" in told.err
    assert "error: `f` is a function, not a value\n  help: give" in told.err


def test_piped_entries_keep_their_lines() -> None:
    for entry in entries(TEXT):
        assert TEXT.splitlines()[entry.count("\n")] == entry.splitlines()[-1]


class Terminal(io.TextIOWrapper):
    """Lines that someone types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def _dumb(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TERM", "dumb")
    typed = Terminal(io.BytesIO(b"f(x) =\n  x^2\n\nf(3)\noh\n"))
    monkeypatch.setattr(sys, "stdin", typed)
    yield
    typed.close()


@pytest.mark.usefixtures("_dumb")
def test_a_terminal_that_knows_only_lines_is_enough(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR")
    assert run(Namespace()) == 0
    told = capsys.readouterr().out
    assert "chalk>   ...>   ...> chalk> 9\n" in told
    assert "error: `oh` is not defined" in told
    assert "\x1b" not in told


def test_one_and_one_through_a_pipe_is_two() -> None:
    command = [sys.executable, "-m", "magics.cli"]
    done = subprocess.run(
        command, input="1 + 1\n", capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_a_bare_line_is_not_compiled_again_with_every_later_one() -> None:
    console = Console()
    console.enter("x = 3")
    counts = list[int]()
    for _ in range(3):
        assert console.enter("x + 1") == "4"
        counts.append(len(console.session.program.tree.statements))
    assert counts == [2, 2, 2]


def test_the_same_entry_again_is_answered_again() -> None:
    console = Console()
    assert [console.enter("y = 1\ny") for _ in range(2)] == ["1", "1"]


def test_a_bare_line_that_declares_a_parameter_is_kept() -> None:
    console = Console()
    console.enter("f(x) =\n    param w : [2] = 3\n    x^T w")
    assert console.enter("f([1, 2])") == "9"
    assert console.enter(":run f.w") == "[3, 3]"
    console.enter("y = 1")
    assert console.enter(":run f.w") == "[3, 3]"


def test_what_is_pasted_is_taken_as_it_stands() -> None:
    block = "# twice\nf(x) =\n    y = x + x\n\n    y\nf(2)\nf(3)"
    assert conversation(f"\x1b[200~{block}\x1b[201~\r") == ["4\n6"]
