"""Verbs that differentiate take a function as they take a value: its parameters are inputs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import dsl
from engine import Evaluator
from magics.console import Console
from tests.shells import Shell, fails, opened

ROOT = Path(__file__).parent.parent
CELL = """%%graph --quiet
param w : [] = 3
valley(x, y) = (1 - x)² + 100 (y - x²)²
bowl(x) = x^T A x where x ∈ ℝ^n, A ∈ ℝ^(n×n)
ridge(x, λ=0.1) = λ sum(x²) + w
shares(x : [n]) = softmax(x)
"""
WITHOUT = """
import sys
_, missing, told, *lines = sys.argv
sys.modules[missing] = None
from tests.shells import fails, opened
with opened() as shell:
    shell.cell("%%graph --quiet\\nvalley(x, y) = (1 - x)² + 100 (y - x²)²")
    for line in lines:
        assert told in fails(shell, f"%graph {line.format('valley')} --from 1,1"), line
"""


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        made.cell(CELL)
        yield made


@pytest.mark.parametrize(
    "line, told",
    [
        ("grad valley", "∂valley/∂y = 200 (y - x^2)   []"),
        ("grad valley y", "∂valley/∂y = 200 (y - x^2)   []"),
        ("grad bowl", "∂bowl/∂x = (A + A^T) x   [n]"),
        ("grad ridge", "∂ridge/∂x = 0.2 x   []"),
        ("grad ridge w", "∂ridge/∂w = 1   []"),
        ("hessian bowl", "∂²bowl/∂x² = A + A^T   [n, n] constant, symmetric, n² operations"),
        ("hessian valley", "∂²valley/∂y² = 200   [] constant, 0 operations"),
        ("explain valley x", "line 3: valley(x, y) = (1 - x)² + 100 (y - x²)²"),
        ("modes shares", "n = 3"),
        ("cost bowl --at n=100", "20.2 k"),
        ('minimise valley --from "-1.2, 1" --method newton', "newton: converged"),
        ('minimise valley --from -1.2,1 --method "newton, bfgs"', "converged"),
        ("plot field valley --x -2:2", "gradient field of valley over x from -2 to 2"),
    ],
)
def test_a_function_is_differentiated_without_a_call(shell: Shell, line: str, told: str) -> None:
    if line.startswith("modes"):
        shell.user_ns["x"] = torch.ones(3)
    assert told in repr(shell.cell(f"%graph {line}"))


def test_the_row_of_three_of_a_function_is_at_the_values_of_its_parameters(shell: Shell) -> None:
    assert "the input `x` [] has no value" in fails(shell, "%graph check valley")
    shell.user_ns.update(x=-1.2, y=1.0)
    report = shell.cell("%graph check valley")
    assert report
    assert [each.analytic for each in report.elements] == pytest.approx([-215.6, -88])
    shell.user_ns.update(x=np.array([1.0, 2.0, 3.0]), A=np.arange(9.0).reshape(3, 3))
    assert [e.closed for e in shell.cell("%graph check bowl").elements] == [32.0, 56.0, 80.0]
    assert len(shell.cell("%graph check ridge").elements) == 3  # of the shape of its value


def test_a_function_is_no_value_elsewhere_and_its_name_is_offered(shell: Shell) -> None:
    told = fails(shell, "%graph run valley")
    assert "`valley` is a function, not a value" in told
    assert "give its value at a point a name: `y = valley(x, y)`" in told
    assert "did you mean `valley`?" in fails(shell, "%graph grad vally")
    assert "valley" not in dsl.compile("x = 1").nodes


def test_what_a_verb_opens_leaves_the_program_as_it_was(shell: Shell) -> None:
    shell.cell("%graph grad bowl")
    shell.cell("%%graph --quiet\nx = 2\nvalue = valley(x, 4)")
    assert shell.cell("%graph run value").item() == 1


def test_an_opened_function_is_a_program_with_its_parameters_as_inputs() -> None:
    program = dsl.compile("f(x) = a ‖x‖² where a : []").opened("f", {"x": (2,)})
    assert set(program.inputs) == {"x", "a"}
    slope = program.grad("f", "x")["x"]
    feeds = program.feeds({"x": [1.0, 2.0], "a": 3.0}, {})
    assert Evaluator([slope]).run(feeds)[0].tolist() == [6, 12]


def test_the_prompt_takes_functions_too() -> None:
    console = Console({"x": 2.0})
    console.enter("cube(x) = x³")
    assert console.enter(":grad cube") == "∂cube/∂x = 3 x^2   []"
    assert console.enter(":check cube").startswith("gradient right at 1 element\n")


@pytest.mark.parametrize("bare", ["∇valley", "valley'"])
def test_a_derivative_without_a_formula_says_why_in_a_cell_as_at_the_prompt(
    shell: Shell, bare: str
) -> None:
    told = f"{bare}(x)   no formula: that takes one parameter that declares its shape"
    assert repr(shell.cell(f"%%graph\n{bare}")) == told
    console = Console()
    console.enter("valley(x, y) = x y")
    assert console.enter(bare) == told


def test_the_head_of_a_formula_of_several_lines_stands_before_its_last(shell: Shell) -> None:
    cell = "%%graph\nf(z : [2]) = (z[0]² + z[1] - 11)² + (z[0] + z[1]² - 7)²\n∇f"
    lines = repr(shell.cell(cell)).splitlines()[-3:]
    assert [line.partition(" = ")[0] for line in lines] == ["a", "b", "∇f"]


@pytest.mark.parametrize(
    "line, said",
    [
        (
            "hessian bowl",
            r"x^2} = A + A^{\top} \quad \text{constant, symmetric, n² operations}$$",
        ),
        ("grad steep", r"\quad \text{not reduced}$$"),
        ("grad bowl", r"\left(A + A^{\top}\right) x$$"),
    ],
)
def test_a_notebook_is_told_of_structure_and_cost_as_a_terminal_is(
    shell: Shell, line: str, said: str
) -> None:
    shell.cell("%%graph --quiet\nsteep(x) = ‖cumsum(x)‖² where x ∈ ℝ^n")
    shown = shell.cell(f"%graph {line}")._repr_mimebundle_()
    assert shown["text/latex"].endswith(said)


def test_in_a_notebook_the_head_stands_before_the_last_of_several_lines(shell: Shell) -> None:
    shell.cell("%%graph --quiet\nf(z : [2]) = (z[0]² + z[1] - 11)² + (z[0] + z[1]² - 7)²")
    tex = shell.cell("%graph grad f")._repr_mimebundle_()["text/latex"]
    assert [row.partition(" &= ")[0] for row in tex.split(r" \\ ")] == [
        r"$$\begin{aligned} a",
        "b",
        r"\frac{\partial f}{\partial z}",
    ]


def test_two_parameters_of_one_name_are_told_apart_in_every_formula(shell: Shell) -> None:
    shell.user_ns["P"] = torch.ones(5, 3)
    text = "input P : [B, d]\nloss = mean(mlp(P, [4], 1)²)"
    console = Console()
    shell.cell(f"%%graph --quiet\n{text}")
    formulas = [
        console.enter(f"{text}\n∇_P loss"),
        repr(shell.cell("%graph grad loss P")),
        repr(shell.cell("%graph check loss mlp.out.weight mlp.hidden.0.weight")),
    ]
    for told in formulas:
        assert "mlp.out.weight" in told
        assert " weight" not in told.replace("by weight", "")


@pytest.mark.parametrize(
    "missing, lines, told",
    [
        (
            "scipy",
            ["minimise {}", "minimise {} --method gd", "plot race {}"],
            "minimisers need SciPy: No module named 'scipy",
        ),
        (
            "matplotlib",
            ["plot field {}", "plot race {}"],
            "pictures need matplotlib: No module named",
        ),
    ],
)
def test_what_is_not_installed_is_told_in_words(missing: str, lines: list[str], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, missing, told, *lines],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
