"""`%graph code`: torch code that runs alone, for every model of the prelude, to the last bit."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

import dsl
from engine import Evaluator
from magics.torch_code import Code, torch_code
from tests.peers import F64, spread
from tests.shells import LINE, Shell, fails, opened

X = "input X : [B, T, 8], y : [B, T, 8]\n"
MODELS = {
    "transformer": dsl.load("transformer", V=11, d=8, context=7, layers=2),
    "gpt2": dsl.load("gpt2", V=11, d=8, context=7, H=2, layers=2),
    **{
        name: dsl.compile(f"{imported}{X}loss = mean(({call} - y)^2)")
        for name, imported, call in [
            ("mlp", "from nn import mlp\n", "mlp(X, [16], 8)"),
            ("linear", "from nn import linear\n", "linear(X, 8)"),
            ("block", "from transformer import block\n", "block(X)"),
            ("attention", "from attention import attention\n", "attention(X)"),
            ("multi_head", "from attention import multi_head\n", "multi_head(X, H=2)"),
            (
                "rotary",
                "from attention import multi_head, rotary\n",
                "multi_head(X, 2, turn=rotary)",
            ),
            ("grouped", "from attention import grouped_query\n", "grouped_query(X, H=4, G=2)"),
            ("norms", "from norms import LayerNorm, RMSNorm\n", "RMSNorm(LayerNorm(X))"),
        ]
    },
}
RUNNER = """
import json, runpy, sys, torch
for ours in ("engine", "dsl", "magics", "lark", "sympy"):
    sys.modules[ours] = None  # an import of it fails
apart = {}
for folder in sys.argv[1:]:
    given, wanted, function = torch.load(folder + "/data.pt", weights_only=True)
    found = runpy.run_path(folder + "/model.py")[function](**given)
    apart[folder] = max((a - b).abs().max().item() for a, b in zip(found, wanted, strict=True))
print(json.dumps(apart))
"""


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as shell:
        shell.cell(LINE)
        yield shell


def feeds(program: dsl.Program) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.randint(0, 11, (2, 6), generator=generator)
        if leaf.kind == "int"
        else torch.randn(2, 6, 8, dtype=F64, generator=generator)
        for name, leaf in program.inputs.items()
    }


def written(program: dsl.Program, folder: Path) -> str:
    """A model's file, and beside it what to call it with and what the evaluator says."""
    slopes = program.grad("loss")
    code = torch_code(program, {"loss": program["loss"]}, slopes)
    inputs, params = feeds(program), spread(program.init())
    outputs = [program["loss"], *slopes.values()]
    wanted = Evaluator(outputs, fuse=False).run(program.feeds(inputs, params))
    given = {name: {**inputs, **params}[called] for name, called in code.arguments.items()}
    folder.mkdir()
    (folder / "model.py").write_text(code.text, encoding="utf-8")
    torch.save((given, wanted, code.function), folder / "data.pt")
    return str(folder)


def test_every_model_and_its_gradients_run_where_nothing_of_ours_is(tmp_path: Path) -> None:
    folders = {name: written(program, tmp_path / name) for name, program in MODELS.items()}
    command = [sys.executable, "-I", "-c", RUNNER, *folders.values()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == dict.fromkeys(folders.values(), 0.0)


@pytest.mark.parametrize("name", MODELS)
def test_the_code_agrees_with_what_run_computes(name: str) -> None:
    """The evaluator fuses; the code does not."""
    program = MODELS[name]
    code = torch_code(program, {"loss": program["loss"]})
    inputs, params = feeds(program), spread(program.init())
    space: dict[str, object] = {}
    exec(code.text, space)
    given = {each: {**inputs, **params}[called] for each, called in code.arguments.items()}
    found = space[code.function](**given)  # type: ignore[operator]
    torch.testing.assert_close(found, program.run("loss", inputs, params), rtol=0, atol=1e-12)


def test_the_verb_writes_names_shapes_and_gradients(shell: Shell) -> None:
    code = shell.cell("%graph code loss r --backward")
    assert isinstance(code, Code)
    lines = {line.strip() for line in repr(code).splitlines()}
    assert {"def loss(", "X,  # [n, d]", "r = torch.sub(matmul, y)  # [n]"} <= lines
    assert {"# backward", "return loss, r, d_w"} <= lines
    assert code.arguments == {"X": "X", "w": "w", "y": "y"}


def test_functions_are_told_by_comments(shell: Shell) -> None:
    shell.cell("%%graph\nfrom transformer import block\ninput Z : [B, T, 8]\nY = block(Z)")
    text = repr(shell.cell("%graph code Y"))
    assert re.findall(r"^    # (.*)", text, re.MULTILINE)[:3] == [
        "block.attention",
        "block",
        "block.ffn",
    ]
    assert "block_attention_W_q,  # block.attention.W_q : [8, 8]" in text


def test_in_colours_it_is_the_same_text_escaped(shell: Shell) -> None:
    shell.cell("%%graph\ninput p : [n]\nless = where(p < 1, p, 1)")
    bundle = shell.cell("%graph code less")._repr_mimebundle_()
    shown = re.sub(r"<[^>]*>", "", bundle["text/html"])
    assert html.unescape(shown).strip() == bundle["text/plain"].strip()
    assert "class=" not in bundle["text/html"].replace('class="cg-code"', "")


def test_code_too_long_for_colours_is_plain() -> None:
    assert set(Code("x\n" * 200_000, "f", {})._repr_mimebundle_()) == {"text/plain"}


def test_what_is_no_number_has_no_gradient_and_an_unknown_name_is_told(shell: Shell) -> None:
    assert "a gradient is of a number" in fails(shell, "%graph code r --backward")
    assert "`lost` is no value" in fails(shell, "%graph code lost")
