"""The commands on files: results on stdout, words on stderr, status 0, 1 or 2."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import dsl
from engine.learn import load, save
from magics.cli import main

LINE = """\
# A line through points.
input X : [n, d], y : [n]
param w : [d] = 0.5
r = X w - y
loss = mean(r^2)
loss
r
"""
WRONG = """\
input Q, K : [B, T, d]
s = softmax(Q @ K)
z = nothing + 1
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with two texts and data; texts import from it and from the prelude only."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dsl.lowering.modules.FOLDERS", [])
    Path("line.graph").write_text(LINE, encoding="utf-8")
    Path("wrong.graph").write_text(WRONG, encoding="utf-8")
    np.save("X.npy", np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.save("y.npy", np.array([1.0, 2.0], dtype=">f4"))
    np.savez("both.npz", X=np.ones((3, 2)), y=np.zeros(3), beside=np.ones(7))


Told = tuple[int, str, str]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]):
    """Run a command: its status, what it wrote to stdout and to stderr."""

    def run(line: str) -> Told:
        status = main(line.split())
        out, err = capsys.readouterr()
        return status, out, err

    return run


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


FED = "--feed X.npy --feed y.npy"


def test_run_prints_the_bare_lines_with_their_names(command) -> None:
    assert command(f"run line.graph {FED}") == (0, "loss = 1.25\nr = [0.5, 1.5]\n", "")


def test_one_value_stands_alone(command) -> None:
    assert command(f"run line.graph {FED} --get loss") == (0, "1.25\n", "")


def test_values_are_asked_for_by_name_inputs_and_parameters_too(command) -> None:
    status, out, _ = command(f"run line.graph {FED} --get w --get X")
    assert (status, out) == (0, "w = [0.5, 0.5]\nX =\n[[1, 2],\n [3, 4]]\n")


@pytest.mark.parametrize(
    "feeds, loss",
    [
        ("--feed X=X.npy --feed y=y.npy", "1.25"),
        ("--feed both.npz", "1"),
        ("--feed both.npz --feed X.npy --feed y.npy", "1.25"),
        ("--feed inputs.safetensors", "4"),
        ("--feed y=one.npz --feed X.npy", "1.25"),
    ],
)
def test_inputs_are_fed_from_files_by_name(command, feeds: str, loss: str) -> None:
    save("inputs.safetensors", {"X": torch.ones(3, 4), "y": torch.zeros(3)})
    np.savez("one.npz", anything=np.array([1.0, 2.0]))
    assert command(f"run line.graph {feeds} --get loss") == (0, f"{loss}\n", "")


def test_numbers_feed_inputs_constants_and_sizes(command) -> None:
    Path("t.graph").write_text("dim n\nconst c\ninput t : []\nc t + sum(ones([n]))")
    assert command("run t.graph --feed t=0.5 --feed c=4 --feed n=3") == (0, "5\n", "")


def test_a_text_is_piped_in(command, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, "√4\r\n".encode())
    assert command("run -") == (0, "2\n", "")


def test_a_text_imports_its_neighbours(command) -> None:
    Path("beside.graph").write_text("twice(x) = 2 x")
    Path("uses.graph").write_text("from beside import twice\ntwice(3)")
    assert command("run uses.graph") == (0, "6\n", "")


def test_a_neighbour_called_as_a_prelude_file_hides_nothing_of_the_prelude(command) -> None:
    Path("losses.graph").write_text("mine(x) = 2 mse(x, 0)\nmse([1, 2], [3, 4])")
    Path("attention.graph").write_text("f(x) = (")
    imports = "from losses import mine\nfrom prelude.losses import mae\n"
    lines = "mine(3) + mae(1, 2)\ninput X : [B, T, d]\nblock(X)"
    Path("uses.graph").write_text(imports + lines)
    assert command("run losses.graph") == (0, "4\n", "")
    assert command("check uses.graph") == (0, "", "")
    np.save("X.npy", np.ones((1, 2, 4), dtype="f4"))
    status, out, _ = command("run uses.graph --feed X.npy")
    assert (status, out.splitlines()[0]) == (0, "mine(3) + mae(1, 2) = 19")


def test_parameters_come_from_a_file_or_are_drawn_with_a_seed(command) -> None:
    Path("p.graph").write_text("param w : [2] ~ normal(0, 1)\nw")
    save("w.safetensors", {"w": torch.tensor([7.0, 8.0]), "beside": torch.ones(1)})
    assert command("run p.graph --params w.safetensors") == (0, "[7, 8]\n", "")
    drawn = [command(f"run p.graph --seed {seed}")[1] for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("name", ["out.npz", "out.safetensors"])
def test_values_are_saved_in_full(command, name: str) -> None:
    Path("file.graph").write_text("file = arange(1000)\nfile\nsum(file)")
    assert command(f"run file.graph --save {name}")[0] == 0
    saved = np.load(name) if name.endswith("npz") else load(name)[0]
    assert np.array_equal(saved["file"], np.arange(1000))
    assert int(saved["sum(file)"]) == 499500


WRONG_RUNS = [
    ("run nope.graph", "there is no file `nope.graph`", ""),
    ("run .", "`.` cannot be read: Is a directory", ""),
    ("run X.npy", "`X.npy` is not in UTF-8: see byte 0", ""),
    ("run line.graph", "the input `X` [n, d] has no value", "`--feed X=x.npy`"),
    (f"run line.graph {FED} --get lose", "the program has no `lose`; did you mean `loss`?", ""),
    (f"run line.graph {FED} --feed Y=3", "`line.graph` has no input, constant or size `Y`", "`y`"),
    ("run line.graph --feed X.npy --feed y=X.npy", "`y` is declared [n] but was fed [2, 2]", ""),
    ("run line.graph --feed Z.npy", "there is no file `Z.npy`", ""),
    ("run line.graph --feed X=both.npz", "`both.npz` holds 3 arrays: `X`, `y`, `beside`", ""),
    ("run line.graph --feed line.graph", "`line.graph` is no number and no file of arrays", ".npy"),
    ("run line.graph --feed cut.npy", "`cut.npy` cannot be read: ", ""),
    ("run line.graph --feed cut.npz", "`cut.npz` cannot be read: ", ""),
    ("run line.graph --feed cut.safetensors", "`cut.safetensors` is not a whole safe", ""),
    ("run line.graph --feed words.npy", "`words.npy` holds <U1: an input is of floats,", ""),
    ("run line.graph --feed things.npy", "`things.npy` cannot be read: Object arrays", ""),
    (f"run line.graph {FED} --params no.safetensors", "there is no file `no.safetensors`", ""),
    (f"run line.graph {FED} --params v.safetensors", "`v.safetensors` has no parameter `w`", ""),
    (f"run line.graph {FED} --save out.pt", "cannot write `out.pt`", ".npz or .safetensors"),
    (f"run line.graph {FED} --save no/out.npz", "no/out.npz: No such file or directory", ""),
    ("run silent.graph", "`silent.graph` has no bare line to compute", "it defines `x`"),
    ("run singular.graph", "`inv(zeros([2, 2]))` failed: ", ""),
    ("show line.graph -o picture.gif", "cannot write picture.gif: it ends in .dot, .html", ""),
    ("show line.graph lose", "`lose` is no value of this graph", "did you mean `loss`?"),
    ("show line.graph --grad r", "a gradient is of a number, and `r` is [n]", "sum it"),
]


@pytest.mark.parametrize("line, message, way", WRONG_RUNS, ids=[row[0] for row in WRONG_RUNS])
def test_what_a_user_gets_wrong_is_told_on_stderr(
    command, line: str, message: str, way: str
) -> None:
    for kind in ("npy", "npz", "safetensors"):
        Path(f"cut.{kind}").write_bytes(b"\x93NUM")
    np.save("words.npy", np.array(["a"]))
    np.save("things.npy", np.array([{}], dtype=object), allow_pickle=True)
    save("v.safetensors", {"v": torch.ones(2)})
    Path("silent.graph").write_text("x = 1")
    Path("singular.graph").write_text("inv(zeros([2, 2]))")
    status, out, err = command(line)
    assert (status, out) == (1, "")
    assert err.startswith(f"error: {message}")
    assert way in "".join(err.splitlines()[1:])


@pytest.mark.parametrize("name", ["run", "show"])
def test_a_wrong_text_is_told_as_everywhere(command, name: str) -> None:
    with pytest.raises(dsl.DslError) as caught:
        dsl.compile(WRONG, name="wrong.graph")
    assert command(f"{name} wrong.graph") == (1, "", f"{caught.value}\n")


def test_check_says_every_fault_after_its_place(command) -> None:
    status, out, err = command("check line.graph wrong.graph nope.graph")
    heads = [line for line in err.splitlines() if "error: " in line]
    assert (status, out) == (1, "")
    assert heads[0].startswith("wrong.graph:2:13: error: cannot multiply [B, T, d] by [B, T, d]")
    assert heads[1:] == [
        "wrong.graph:3:5: error: `nothing` is not defined",
        "error: there is no file `nope.graph`",
    ]
    assert "  help: the last axes agree: did you mean `Q @ K^T`?" in err.splitlines()
    assert err.count("wrong.graph:2:13") == 1


def test_check_tells_lints_which_fail_only_if_asked(command) -> None:
    Path("lint.graph").write_text("input A : [n, n], x : [n]\ny = A * x\n", encoding="utf-8")
    status, out, err = command("check lint.graph")
    assert (status, out) == (0, "")
    assert err.startswith("lint.graph:2:5: warning W1: ")
    assert command("check --strict lint.graph") == (1, "", err)


def test_run_labels_each_value_of_a_line_by_its_own_text(command) -> None:
    Path("several.graph").write_text("2^-1, 4^½\n", encoding="utf-8")
    assert command("run several.graph") == (0, "2^-1 = 0.5\n4^½ = 2\n", "")


def test_run_tells_lints_beside_the_values(command) -> None:
    Path("lint.graph").write_text("A = [1, 2; 3, 4]\nA * [1, 2]\n", encoding="utf-8")
    status, out, err = command("run lint.graph")
    assert (status, out) == (0, "[[1, 4],\n [3, 8]]\n")
    assert err.startswith("warning W1: ")


def test_check_is_silent_about_what_is_right(command) -> None:
    assert command("check line.graph") == (0, "", "")


@pytest.mark.parametrize("name", ["check", "show"])
def test_a_constant_is_fed_to_what_only_compiles(command, name: str) -> None:
    Path("const.graph").write_text("const X : [n, m]\ny = X^T X")
    status, _, err = command(f"{name} const.graph")
    assert (status, "the const `X` has no value" in err) == (1, True)
    assert command(f"{name} const.graph --feed X.npy")[0] == 0


def test_show_writes_rails_or_a_picture(command) -> None:
    status, out, _ = command("show line.graph")
    assert status == 0
    assert [line.split()[-2] for line in out.splitlines()[-1:]] == ["mean(r^2)"]
    assert command("show line.graph r")[1].count("\n") == 4
    assert command("show line.graph -o new/g.svg --depth 0") == (0, "", "")
    assert Path("new/g.svg").read_text(encoding="utf-8").startswith("<svg")


def test_show_lays_a_gradient_over_the_graph(command) -> None:
    assert "∂loss/∂w" not in command("show line.graph")[1]
    assert "∂loss/∂w" in command("show line.graph --grad loss")[1]


@pytest.mark.parametrize("content", [b"y = x^", b"\xff"])
def test_a_fault_of_what_is_piped_in_says_so(
    command, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, content)
    status, out, err = command("run -")
    assert (status, out) == (1, "")
    assert "stdin" in err


def test_a_reader_that_leaves_early_is_no_fault() -> None:
    code = """
import sys
from argparse import Namespace
from magics.cli.ending import ended
def run(options):
    for _ in range(100_000):
        sys.stdout.write("a line that nobody reads\\n")
    return 0
sys.exit(ended(Namespace(run=run)))
"""
    writer = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert writer.stdout is not None
    writer.stdout.close()
    assert writer.wait() == 1
    assert writer.stderr is not None
    assert writer.stderr.read() == b""
    writer.stderr.close()


def test_an_interrupt_ends_a_command_as_a_shell_expects(
    command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dsl.compile", interrupted)
    assert command("check line.graph") == (130, "", "")


def test_a_bug_of_ours_keeps_its_traceback(command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("dsl.compile", broken)
    with pytest.raises(ZeroDivisionError):
        command("check line.graph")


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("chalkgrad 0.")


@pytest.fixture
def _ragged() -> None:
    Path("ragged.graph").write_bytes(b"x  = 1\r\ny =  2\r\n")
    Path("neat.graph").write_bytes(b"x = 1\n")


@pytest.mark.usefixtures("_ragged")
def test_fmt_rewrites_what_is_not_canonical(command) -> None:
    before = Path("neat.graph").stat().st_mtime_ns
    assert command("fmt ragged.graph neat.graph") == (0, "", "ragged.graph formatted\n")
    assert Path("ragged.graph").read_bytes() == b"x = 1\ny = 2\n"
    assert Path("neat.graph").stat().st_mtime_ns == before


@pytest.mark.usefixtures("_ragged")
def test_fmt_only_tells_where_it_is_asked_to(command) -> None:
    assert command("fmt --check ragged.graph neat.graph") == (1, "", "ragged.graph would change\n")
    assert command("fmt --check neat.graph") == (0, "", "")
    status, out, err = command("fmt --diff neat.graph ragged.graph")
    assert (status, err) == (1, "")
    assert out.splitlines()[3:] == ["-x  = 1", "-y =  2", "+x = 1", "+y = 2"]
    assert Path("ragged.graph").read_bytes().startswith(b"x  =")


@pytest.mark.usefixtures("_ragged")
def test_fmt_of_a_pipe_goes_to_stdout(command, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b"x  = 1\n")
    assert command("fmt -") == (0, "x = 1\n", "")


@pytest.mark.usefixtures("_ragged")
def test_fmt_leaves_a_wrong_text_alone_and_goes_on(command) -> None:
    Path("open.graph").write_text("y  = (")
    status, out, err = command("fmt open.graph nope.graph ragged.graph")
    assert (status, out) == (1, "")
    assert "  open.graph:1:6\n" in err
    assert "error: there is no file `nope.graph`\nragged.graph formatted\n" in err
    assert Path("open.graph").read_text() == "y  = ("
