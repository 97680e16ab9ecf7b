"""The lessons: each runs in a real kernel, shows what it says, asks once, and ends in a picture."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.notebooks import ROOT, code, execute, picture, read, shown, text, words
from tests.shells import Shell, opened

FOLDER = ROOT / "examples"
LESSONS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
Run = Callable[[str], list[Any]]
SLOW = ("%graph train", "%graph generate", "%graph minimise", "%graph plot")  # no answer needs them

# By lesson: the learner's cell answered rightly, and wrongly in ways that are told.
ANSWERS = {
    "01_first_graph": {
        "my_loss = 5.5": "✓ right",
        "my_loss = 16.5": "too large",
        "my_loss = [5.5]": "the shape [1]",
    },
    "02_gradients": {
        "%%graph\ng = 2 X^T r / n": "✓ right",
        "%%graph\ng = X^T r / n": "0.5 times ∂loss/∂w",
        "%%graph\ng = -2 X^T r / n": "the wrong sign",
        "%%graph\ng = 2 r": "the shape [3], and ∂loss/∂w has [2]",
        "g = [-4, -6]": "✓ right",
    },
    "03_softmax_regression": {
        "%%graph\nG = (P - Y) / n": "✓ right",
        "%%graph\nG = P - Y": "150 times ∂loss/∂Z",
        "%%graph\nG = (Y - P) / n": "the wrong sign",
        "%%graph\nG = (P - 1) / n": "is off at 300 of 450 elements",
    },
    "04_attention": {
        "my_row = [1/3, 1/3, 1/3, 0, 0, 0]": "✓ right",
        "my_row = [0.333, 0.333, 0.333, 0, 0, 0]": "✓ right",
        "my_row = [1/6, 1/6, 1/6, 1/6, 1/6, 1/6]": "is off at 6 of 6 elements",
        "my_row = [0, 0, 0, 0, 0, 0]": "is off at 3 of 6 elements",
    },
    "05_transformer_block": {
        'order = "d^2"': "✓ right",
        'order = "O(d²)"': "✓ right",
        'order = "d"': "grows faster than d^1",
        'order = "d^3"': "grows slower than d^3",
    },
    "06_second_derivatives": {
        "%%graph\nmy_H = A + A^T": "✓ right",
        "%%graph\nmy_H = 2 A": "is off at 2 of 4 elements",
        "%%graph\nmy_H = (A + A^T) / 2": "0.5 times H",
    },
    "07_training_and_generation": {
        'order = "T^3"': "✓ right",
        'order = "T²"': "grows faster than T^2",
        'order = "T^4"': "grows slower than T^4",
    },
    "08_matrix_calculus": {
        "%%graph --quiet\nbest = (X^T X + λ eye(d))^-1 X^T y": "✓ right",
        "%%graph --quiet\nbest = solve(X^T X + λ eye(d), X^T y)": "✓ right",
        "%%graph --quiet\nbest = (X^T X)^-1 X^T y": "is off at 2 of 2 elements",
        "%%graph --quiet\nbest = -(X^T X + λ eye(d))^-1 X^T y": "has the wrong sign",
    },
    "09_forward_and_reverse": {
        "%%graph\nmy_back = B^T ((1 - h^2) ⊙ (A^T g))": "✓ right",
        "%%graph\nmy_back = B^T (A^T g)": "is off at 40 of 40 elements",
        "%%graph\nmy_back = A^T g": "the shape [5], and back has [40]",
        "%%graph\nmy_back = B^T ((h^2 - 1) ⊙ (A^T g))": "the wrong sign",
    },
    "10_optimiser_race": {
        "my_u = 10": "✓ right",
        "%%graph\nmy_u = 1 / (1 - 0.9)": "✓ right",
        "my_u = 0.9": "too small",
        "my_u = 300": "too large",
        "my_u = [10]": "the shape [1]",
    },
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The cells of a lesson as they were executed, once."""
    folder = tmp_path_factory.mktemp("notebooks")
    return cache(lambda name: execute(lesson(name), folder))


def lesson(name: str) -> Any:
    return read(FOLDER / f"{name}.ipynb")


def is_asking(cell: Any) -> bool:
    """Whether the answer is to be written in this cell."""
    return re.fullmatch(r"\w+ = \.\.\.|%%graph --quiet\n# \w+ =", cell.source) is not None


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_kept_without_outputs(name: str) -> None:
    for cell in lesson(name).cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_has_its_number_one_question_and_no_more_cells_than_ten_minutes_take(
    name: str,
) -> None:
    cells = lesson(name).cells
    assert cells[0].source.startswith(f"# {int(name[:2])} · ")
    assert len(cells) <= 25
    assert sum(cell.source.startswith("%graph answer ") for cell in cells) == 1
    assert sum(map(is_asking, cells)) == sum("**Your turn.**" in c.source for c in cells) == 1


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_unanswered_and_ends_in_a_picture(name: str, run: Run) -> None:
    assert text(run(name), "%graph answer").startswith("… `")
    last = run(name)[-1].outputs[-1].data
    page = last.get("text/html", "")
    assert "image/png" in last or "data:image/png;base64," in page or picture(last) is not None


@pytest.mark.parametrize(
    "name, given, told", [(name, *each) for name in ANSWERS for each in ANSWERS[name].items()]
)
def test_a_lesson_tells_right_answers_and_wrong_ones(
    name: str, given: str, told: str, tmp_path: Path
) -> None:
    with opened() as shell:
        assert told in _said(shell, code(lesson(name)), given)


def _said(shell: Shell, cells: list[Any], given: str) -> str:
    """What a lesson says of an answer that is written in the cell that asks for it."""
    sources = [given if is_asking(cell) else cell.source for cell in cells]
    (place,) = [i for i, source in enumerate(sources) if source.startswith("%graph answer")]
    for source in sources[:place]:
        if not source.startswith(SLOW):
            shell.cell(source)
    return repr(shell.cell(sources[place]))


def test_every_lesson_is_answered_here_and_listed() -> None:
    assert list(ANSWERS) == LESSONS
    listed = (FOLDER / "README.md").read_text()
    assert re.findall(r"\]\((\w+)\.ipynb\)", listed) == LESSONS


def test_the_first_graph_is_drawn_computed_and_gone_through(run: Run) -> None:
    cells = run("01_first_graph")
    assert {"X", "w", "X @ w", "y", "r", "loss", "mean", "[n]"} <= words(
        shown(cells, "%%graph\ninput")
    )
    assert text(cells, "%graph run loss") == "5.5"
    assert text(cells, "%%graph --show none\n‖r‖").endswith("‖r‖² / n = 5.5")
    steps = text(cells, "%graph step loss").splitlines()
    assert [steps[i].split()[1] for i in (0, 1, 4, 6)] == ["X", "w", "r", "loss"]
    assert not any("∂ = 0" in word for word in words(shown(cells, "%graph step loss")))


def test_a_gradient_is_told_line_by_line_checked_and_followed(run: Run) -> None:
    cells = run("02_gradients")
    assert "∂loss/∂r = ā * (2 * r)" in text(cells, "%graph explain")
    assert text(cells, "%graph grad loss w").startswith("∂loss/∂w = 2 X^T r / n")
    assert text(cells, "%graph check").startswith("gradient right at 2 elements")
    assert text(cells, "%graph train").startswith("loss 5.5 → ")
    assert re.search(r"\b1(\.0+)?,?\s+2\b", text(cells, "%graph run w"))
    assert {"loss", "∂loss/∂w", "2 * r"} <= words(shown(cells, "%graph show loss"))


def test_softmax_regression_begins_at_log_3_and_tells_the_kinds_apart(
    run: Run,
) -> None:
    cells = run("03_softmax_regression")
    assert float(text(cells, "%graph run loss")) == pytest.approx(math.log(3), abs=1e-5)
    assert "∂loss/∂W = X^T @ " in text(cells, "%graph explain")
    assert text(cells, "%graph train").startswith("loss 1.099 → 0.11")
    assert float(text(cells, "%%graph --show none").split(" = ")[-1]) > 0.9


def test_attention_costs_the_square_of_the_length_and_is_drawn_with_its_words(
    run: Run,
) -> None:
    cells = run("04_attention")
    assert {"Q", "K", "V", "scores", "A", "out", "[T, T]"} <= words(shown(cells, "%%graph\ninput"))
    assert "4·T²·d + 9·T²" in text(cells, "%graph cost out")
    assert {"the", "cat", "sat", "on", "mat"} <= words(shown(cells, "%graph map A"))


def test_the_block_norms_its_rows_and_is_drawn_once_of_four(run: Run) -> None:
    cells = run("05_transformer_block")
    assert {"block", "attention", "ffn", "Q", "K", "V", "softmax"} <= words(
        shown(cells, "%%graph\ndim")
    )
    mean, square = re.findall(r" = (\S+)", text(cells, "%%graph --show none"))
    assert abs(float(mean)) < 1e-6
    assert abs(float(square) - 1) < 1e-3
    account = text(cells, "%graph cost Y")
    assert float(re.findall(r"ffn .* ([\d.]+) %", account)[0]) > 50
    assert text(cells, "%graph check").startswith("gradient right at ")
    assert {"h × 4", "attention", "ffn"} <= words(shown(cells, "%graph show H"))


def test_second_derivatives_of_a_form_are_read_off_and_used(run: Run) -> None:
    cells = run("06_second_derivatives")
    assert text(cells, "%%graph --show none\nf(t)").splitlines()[1:] == [
        "f' = 3 t^2 - 2   []",
        "f'' = 6 t   []",
        "f''(2) = 12",
    ]
    assert text(cells, "%graph grad s x") == "∂s/∂x = (A + A^T) v   [n]"


def test_newton_is_at_the_bottom_after_one_step(tmp_path: Path) -> None:
    with opened() as shell:
        for cell in code(lesson("06_second_derivatives"))[:-2]:
            shell.cell(cell.source)
        shell.user_ns["x"] = shell.user_ns["bottom"]
        slope = shell.cell("%graph run g")
        assert slope.abs().max() < 1e-4
        shell.user_ns["x"] = shell.user_ns["downhill"][-1]
        assert 0.001 < shell.cell("%graph run g").abs().max() < 1


def test_a_transformer_learns_a_poem_and_writes_it_on(run: Run) -> None:
    cells = run("07_training_and_generation")
    first, last = map(float, re.findall(r"loss (\S+) → (\S+)", text(cells, "%graph train"))[0])
    assert abs(first - math.log(24)) < 0.3
    assert last < 0.1
    assert {"E", "tokens", "block", "logits", "loss"} <= words(shown(cells, "%graph show loss"))
    assert "weights" not in words(shown(cells, "%graph show loss"))
    assert text(cells, "%graph generate").startswith("twas brillig and the slithy toves")
    account = text(cells, "%graph cost logits")
    assert "O(T²): the whole text anew" in account
    assert "O(T³)" in account


def test_gradients_by_matrices_are_those_of_the_cookbook(run: Run) -> None:
    cells = run("08_matrix_calculus")
    assert text(cells, "%%graph --show none\nf(x)").splitlines()[1:] == [
        "∇f = (A + A^T) x   [n]",
        "hessian(f) = A + A^T   [n, n] constant, symmetric",
    ]
    assert text(cells, "%%graph --show none\nvolume").splitlines()[4:] == [
        "∇volume = (X^-1)^T   [n, n]",
        "∇size = (A + A^T) X   [n, m]",
        "∇meet = a b^T   [n, m] constant",
        "∇back = -(X^-1 A X^-1)^T   [n, n]",
    ]
    assert "diag(softmax(x)) - softmax(x) softmax(x)^T" in text(cells, "%%graph --show none\np(x)")
    assert text(cells, "%graph grad loss w") == "∂loss/∂w = 2 X^T r + 2 λ w   [d]"
    assert "2 X^T X + 2 λ eye(d)   [d, d] constant, symmetric" in text(cells, "%graph hessian")
    assert text(cells, "%graph check").startswith("gradient right at 2 elements")


def test_one_jacobian_takes_forty_passes_forward_and_three_in_reverse(run: Run) -> None:
    cells = run("09_forward_and_reverse")
    assert text(cells, "%%graph --show none\nalong") == "along : [m] = A @ (B @ v * (1 - h^2))"
    one, other = re.findall(r" = (\S+)", text(cells, "%%graph --show none --eval"))
    assert float(one) == pytest.approx(float(other), rel=1e-4)
    told = text(cells, "%graph modes y x").splitlines()
    assert "reverse, the cheaper" in told[2]
    assert told[3].split()[1:] == ["n", "=", "40", "m", "=", "3"]
    assert re.search(r"passes .* 215 +1$", text(cells, "%graph modes loss A B"), re.MULTILINE)
    held = re.findall(r"(\d+)·d = ", text(cells, "%graph modes deep").splitlines()[-1])
    assert held == ["8", "12", "88"]


def test_minimisers_diverge_creep_and_arrive_and_say_so(run: Run) -> None:
    cells = run("10_optimiser_race")
    gd = '%graph minimise f --from "-1.2, 1" --method gd'
    assert text(cells, f"{gd} --lr 0.01").startswith("gd: diverged: f grew from 24.2")
    assert text(cells, f"{gd} --lr 0.0001").startswith("gd: not converged: 1000 steps used up")
    steps = _steps(text(cells, f"{gd},momentum,nesterov"))
    assert steps["gd"] / steps["momentum"] == pytest.approx(10, rel=0.2)
    told = text(cells, "%%graph --show none\nhessian(f)")
    form = "[2 + 800 p[0]^2 - 400 (p[1] - p[0]^2), -400 p[0]; -400 p[0], 200]"
    assert told == f"hessian(f) = {form}   [2, 2] symmetric"
    table = text(cells, "race = %graph minimise f")
    steps = _steps(table)
    order = ["newton", "bfgs", "quick", "mine", "momentum", "nesterov", "gd"]
    assert sorted(steps, key=steps.__getitem__) == order
    assert re.findall(r"(\w+) .* steps$", table, re.MULTILINE) == ["gd"]
    assert text(cells, 'race["gd"]').startswith("gd: not converged: 10000 steps used up")
    drawn = text(cells, "%graph plot race f")
    assert all(f"after {count} steps" in drawn for count in steps.values())


def _steps(table: str) -> dict[str, int]:
    """The steps in a table of minimisers, by method."""
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+) ", table, re.MULTILINE)}


def test_the_curvatures_at_the_bottom_are_those_that_the_lesson_tells() -> None:
    with opened() as shell:
        for cell in code(lesson("10_optimiser_race"))[:2]:
            shell.cell(cell.source)
        shell.cell("%%graph --quiet\ninput p : [2]\nz = f(p)\nH = hessian(z, p)")
        shell.user_ns["p"] = torch.ones(2)
        H = shell.cell("%graph run H")
    assert H.tolist() == [[802, -400], [-400, 200]]
    low, high = torch.linalg.eigvalsh(H.double()).tolist()
    assert (round(low, 2), round(high)) == (0.4, 1002)
