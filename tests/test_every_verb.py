"""Laws over all verbs: what they return shows itself, safe and bounded, whatever it is made of."""

from __future__ import annotations

import io
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from IPython.core.error import UsageError
from IPython.core.formatters import DisplayFormatter
from torch import Tensor

import magics
from magics.errors import GraphError
from magics.live import html as live_html
from magics.verbs import VERBS
from tests.shells import Shell, opened

MOST_HTML, MOST_TEXT = 400_000, 60_000
LINES = {
    "show": ["show", "show {loss} --backward", "show {value} --depth 0"],
    "run": ["run {value}", "run {loss} {matrix} {value} tokens mask"],
    "map": ["map {matrix} --rows words --cols words", "map {value}", "map mask", "map tokens"],
    "hist": ["hist", "hist {loss}", "hist {loss} {value} {matrix}"],
    "grad": ["grad {loss}", "grad {loss} {matrix} --layout numerator", "grad {bowl}"],
    "hessian": ["hessian {loss}", "hessian {loss} {matrix}", "hessian {bowl}"],
    "check": [
        "check {loss}",
        "check {loss} {matrix} --order 2 --elements 3",
        "check {loss} {matrix} --closed {matrix} --method central",
    ],
    "step": ["step {loss} --backward", "step {value}"],
    "explain": ["explain {loss}", "explain {loss} {matrix}", "explain {bowl} u"],
    "cost": [
        "cost {loss}",
        "cost {loss} --at n=9",
        "cost {loss} --depth 0",
        "cost {value} --time",
        "cost {bowl}",
    ],
    "modes": [
        "modes {loss}",
        "modes {value} {matrix} --at n=9",
        "modes {value} x --time",
        "modes {bowl}",
    ],
    "train": ["train {loss} --steps 3", "train {loss} --data batches --steps 3 --with sgd"],
    "minimise": [
        "minimise {loss} --steps 3",
        'minimise {loss} {matrix} --method "gd, newton,l-bfgs" --steps 2 --lr 0.1',
        'minimise {bowl} --from "-1.2,1" --steps 5',
    ],
    "plot": [
        "plot field {bowl} --x -1:1 --y -1:1 --minimum 0.5,0.5",
        'plot surface {bowl} --from "1,1"',
        'plot race {bowl} --from "-1.2,1" --method newton,bfgs',
        "plot landscape {loss}",
        'plot field {bowl} --to "{folder}/{file}.svg"',
    ],
    "watch": ["watch {matrix} {value} --every 2"],
    "answer": ["answer guess run {loss}", "answer guess grad {loss} {matrix}"],
    "generate": [
        "generate tokens --alphabet words --n 24",
        "generate tokens --n 3 --temperature 1",
    ],
    "code": ["code {loss} --backward", "code {value} {matrix}"],
    "export": [
        f"export {{loss}} {{folder}}/{{file}}{ending}"
        for ending in (".svg", ".html", ".png", ".json", ".tex", ".py", ".txt", ".dot --backward")
    ],
    "help": ["help", *(f"help {verb}" for verb in VERBS)],
}


@dataclass(frozen=True)
class World:
    """A program by the names in it, what the words beside its values are, and its input's values.

    The file of an export has such a name too.
    """

    matrix: str
    value: str
    loss: str
    words: tuple[str, ...]
    x: tuple[float, ...]
    file: str

    @property
    def cell(self) -> str:
        function = f"f_{self.value}"
        return (
            f"%%graph\ninput tokens : int[n], mask : bool[n]\n"
            f"input x : [4]\nparam {self.matrix} : [4, 4] ~ normal(0, 1)\n"
            f"{function}(u) =\n    v = exp(u)\n    v / sum(v)\n"
            f"logits = {self.matrix}[tokens]\n"
            f"{self.value} = {function}(logits x) + where(mask, 1, 0)\n"
            f"{self.bowl}(u, v) = (u - ½)² + (v - ½)²\n"
            f"{self.loss} = mean({self.value}^2)\n{self.loss}\n"
        )

    @property
    def bowl(self) -> str:
        """The name of a function of two numbers."""
        return f"g_{self.value}"

    def line(self, verb: str, folder: Path) -> str:
        names = {name: getattr(self, name) for name in ("matrix", "value", "loss", "file", "bowl")}
        return f"%graph {verb.format(**names, folder=folder)}"


ELEMENTS = ("</script>", "<img src=x onerror=alert(1)>", "\x1b[31mred\x1b[0m", "🙂\u202eא\x00")
WORLDS = {
    "small": World("W", "y", "loss", ("a", "b", "c", "d"), (0.5, -1.0, 2.0, 0.0), "y"),
    "hostile": World(
        "Ω̂_" + "long" * 60,
        "ŷ̈₁",
        "λ̃_loss",
        ELEMENTS,
        (math.nan, math.inf, -math.inf, 1e308),
        "<img src=x onerror=alert(1)>",
    ),
    "strange words": World("é", "ñ", "α̃", ELEMENTS, (1e-30, -1.0, 3.0, 0.0), "&amp;"),
}


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        yield made


def prepared(shell: Shell, world: World) -> Any:
    """The answer of the cell, in a shell where everything has a value."""
    shell.user_ns.update(
        tokens=torch.arange(4),
        mask=torch.tensor([True, False, True, True]),
        x=torch.tensor(world.x, dtype=torch.float32),
        words=list(world.words),
        guess=0.5,
    )
    inputs = ("tokens", "mask", "x")
    shell.user_ns["batches"] = [{name: shell.user_ns[name] for name in inputs}]
    return shell.cell(world.cell)


def bundle(shown: Any) -> dict[str, str]:
    """What a notebook gets, as IPython asks for it."""
    found, _ = DisplayFormatter().format(shown)
    return found


class Page(HTMLParser):
    """What a browser would run of a text: scripts, handlers, and addresses other than data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.running: list[tuple[str, str]] = []
        self._inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append("")
            self._inside = True
        if tag in ("iframe", "object", "embed", "link", "meta", "style", "base", "form"):
            self.running.append((tag, ""))
        for name, value in attrs:
            fetched = name in ("src", "srcset", "xlink:href") and not str(value).startswith("data:")
            if name.startswith("on") or fetched or "javascript:" in str(value).lower():
                self.running.append((tag, f"{name}={value}"))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


def controls(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"}


EMPTY = {"shown": 0, "levels": [{"steps": []}], "boxes": {}}
OWN = Page(live_html("<svg></svg>", "", EMPTY)).scripts[-1]


def shows_itself(shown: Any) -> None:
    """It has a text and perhaps HTML, safe to show and of bounded size."""
    found = bundle(shown)
    assert repr(shown).strip()
    assert found["text/plain"].strip()
    for text in (repr(shown), found["text/plain"]):
        assert not controls(text)
        assert len(text) <= MOST_TEXT
    page = Page(found.get("text/html", ""))
    assert page.running == []
    assert set(page.scripts[1::2]) <= {OWN}
    assert all(text.startswith('{"') and "<" not in text for text in page.scripts[::2])
    assert not controls(found.get("text/html", ""))
    assert len(found.get("text/html", "")) <= MOST_HTML


def answer(shell: Shell, line: str) -> Any:
    """What a line returns; None if it is refused, in words that are safe to show."""
    try:
        return shell.cell(line)
    except GraphError as error:
        refused(error._render_traceback_())
        return None


def refused(lines: list[str]) -> None:
    told = re.sub(r"\x1b\[\d+m", "", "\n".join(lines))
    assert told.startswith("GraphError: ")
    assert not controls(told)
    assert len(told) < 4_000


def test_every_verb_has_its_lines() -> None:
    assert LINES.keys() == VERBS.keys()
    assert all(line.split()[0] == verb for verb, lines in LINES.items() for line in lines)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("verb", VERBS)
def test_what_a_verb_returns_shows_itself_safely(
    shell: Shell, tmp_path: Path, world: str, verb: str
) -> None:
    shows_itself(prepared(shell, WORLDS[world]))
    for line in LINES[verb]:
        shown = answer(shell, WORLDS[world].line(line, tmp_path))
        if shown is None:
            assert world == "hostile"
        else:
            shows_itself(shown)


VALUES: dict[str, tuple[str, Callable[[], Tensor | float]]] = {
    "NaN": ("x : [n]", lambda: torch.full((3,), math.nan)),
    "infinities": ("x : [n]", lambda: torch.tensor([math.inf, -math.inf])),
    "a million": ("x : [n, m]", lambda: torch.randn(1000, 1000)),
    "a million in a row": ("x : [n]", lambda: torch.randn(1_000_000)),
    "nothing": ("x : [n]", lambda: torch.zeros(0)),
    "no rows": ("x : [n, m]", lambda: torch.zeros(0, 3)),
    "a number": ("x : []", lambda: torch.tensor(1.5)),
    "a number of Python": ("x : []", lambda: 2.0),
    "truths": ("x : bool[n]", lambda: torch.tensor([True, False])),
    "a truth": ("x : bool", lambda: torch.tensor(True)),
    "whole numbers": ("x : int[n]", lambda: torch.tensor([-(2**63), 2**63 - 1])),
    "doubles": ("x : [n]", lambda: torch.tensor([1e308, -1e308, 5e-324], dtype=torch.float64)),
    "half": ("x : [n]", lambda: torch.tensor([65504.0, 6e-8], dtype=torch.float16)),
    "many axes": ("x : [a, b, c, d, e, f]", lambda: torch.randn(2, 3, 1, 2, 3, 2)),
    "a column": ("x : [n, m]", lambda: torch.randn(100_000, 1)),
}
OF_A_VALUE = (
    *("run x", "run x y", "map x", "map y", "hist", "step y", "show y", "cost y"),
    *("modes y x", "modes x"),
)


@pytest.mark.parametrize("kind", VALUES)
def test_values_of_every_kind_show_themselves(shell: Shell, kind: str) -> None:
    declared, make = VALUES[kind]
    shell.user_ns["x"] = make()
    for option in ("--eval", "--show rails --eval", "--latex"):
        shown = answer(shell, f"%%graph {option}\ninput {declared}\ny = where(x > 0, 1, 2 x)\ny")
        if shown is not None:
            shows_itself(shown)
    for verb in OF_A_VALUE:
        shown = answer(shell, f"%graph {verb}")
        if shown is not None:
            shows_itself(shown)


def no_program(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("magics.layout.drawing_programs", lambda: iter(()))


def no_graphviz(patch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "graphviz"]:
        patch.delitem(sys.modules, name)
    patch.setitem(sys.modules, "graphviz", None)


def no_matplotlib(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(sys.modules, "magics.drawing", raising=False)
    patch.delattr(magics, "drawing", raising=False)
    for name in [each for each in sys.modules if each.partition(".")[0] == "matplotlib"]:
        patch.delitem(sys.modules, name)
    patch.setitem(sys.modules, "matplotlib", None)


def broken_program(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("magics.layout.drawing_programs", lambda: iter([Path(sys.executable)]))


def closed_stderr(patch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    patch.setattr(sys, "stderr", closed)


@pytest.mark.parametrize(
    "missing",
    [no_program, no_graphviz, no_matplotlib, broken_program, closed_stderr],
)
def test_everything_shows_itself_whatever_is_missing(
    shell: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: Callable[[pytest.MonkeyPatch], None],
) -> None:
    missing(monkeypatch)
    world = WORLDS["small"]
    shows_itself(prepared(shell, world))
    for line in (line for lines in LINES.values() for line in lines):
        shown = answer(shell, world.line(line, tmp_path))
        assert shown is not None or line.startswith(("export", "plot"))
        if shown is not None:
            shows_itself(shown)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "help"])
def test_before_any_cell_a_verb_says_that_there_is_no_graph(
    shell: Shell, tmp_path: Path, verb: str
) -> None:
    for line in LINES[verb]:
        with pytest.raises(GraphError, match="there is no graph yet\n  help: write one in a cell"):
            shell.cell(WORLDS["small"].line(line, tmp_path))


def test_a_comment_is_no_option_and_a_semicolon_shows_nothing(shell: Shell) -> None:
    shell.cell("%%graph --quiet  # what follows is seen below\nx = 3")
    for line in ("run x", "run x # the value", "run x  # it's `;`"):
        assert repr(shell.cell(f"%graph {line}")) == "3"
    for line in ("run x;", "run x ;", "run x; # quiet", "show;"):
        assert shell.cell(f"%graph {line}") is None
    assert shell.cell("%graph # nothing but words") is not None
    with pytest.raises(GraphError, match="`'#x'` is no value"):
        shell.cell("%graph run '#x' # a quoted sign is none")


WRONG = {
    "show nope": "`nope` is no value of this graph",
    "show los": "did you mean `loss`?",
    "show --nope": "unrecognized arguments: --nope; it is `%graph show",
    "show --depth x": "argument --depth: invalid int value: 'x'",
    "show 'y": "No closing quotation; it is `%graph show",
    "run": "required: NAME; it is `%graph run NAME …`",
    "run y nope": "`nope` is no value",
    "map": "required: NAME",
    "map loss": "a map is of rows and columns, and `loss` is a number",
    "map W --at 0": "`W` has 0 axes before its rows and columns",
    "map W --rows nope": "`nope` is no list of words",
    "map W --rows tokens": "`tokens` is no list of words",
    "hist y": "a gradient is of a number, and `y` is",
    "grad": "required: LOSS; it is",
    "grad y": "a gradient is of a number",
    "grad loss tokens": "no gradient with respect to int[n]",
    "grad loss --layout nope": "argument --layout: invalid choice: 'nope'",
    "hessian": "required: LOSS; it is",
    "hessian y": "a gradient is of a number",
    "check": "required: LOSS; it is",
    "check loss nope": "`nope` is no value",
    "check loss --rtol few": "invalid float value: 'few'",
    "check loss --rtol -1": "a relative tolerance lies between 0 and 1, not at -1.0",
    "check loss --elements 0": "cannot compare 0 elements",
    "check loss --method exact": "invalid choice: 'exact'",
    "check loss W --closed W y": "there are 2 formulas for the gradients by W",
    "check loss W --closed loss": "the gradient of `W` [4, 4] has the shape []",
    "check loss y": "only the value of a variable can be varied",
    "step": "required: NAME",
    "step y y": "unrecognized arguments: y",
    "explain": "required: LOSS; it is",
    "explain y": "a gradient is of a number",
    "cost": "required: NAME",
    "cost loss --at n": "`n` gives no sizes",
    "cost loss --at q=1": "`q` is no size of this graph",
    "cost loss --at n=2 --time": "a run is measured at the sizes of its data",
    "modes": "required: NAME",
    "modes y tokens": "no gradient with respect to int[n]",
    "modes mask x": "no gradient of bool[n]",
    "modes y x --at n=2 --time": "a run is measured at the sizes of its data",
    "train": "required: LOSS",
    "train y": "a gradient is of a number",
    "train loss --steps 0": "cannot make 0 steps",
    "train loss --steps few": "invalid int value: 'few'",
    "train loss --lr nan": "a learning rate is a finite number, not nan",
    "train loss --data nope": "`nope` has no value in Python",
    "train loss --data words": "a batch of `words` is no mapping but str",
    "train loss --data none": "`none` is no batches but an empty list",
    "train loss --with nope": "there is no function `nope`",
    "generate nope": "`nope` has no value in Python",
    "generate 'ab'": "a text needs an alphabet",
    "generate --alphabet nope": "`nope` is no alphabet",
    "generate 'xy' --alphabet words": "'x' is not in the alphabet",
    "generate --n -1": "cannot write -1 tokens",
    "generate --temperature -1": "a temperature is 0 or more, not -1.0",
    "generate --seed 99999999999999999999": "a seed is a whole number of 64 bits",
    "generate --logits x": "`x` does not depend on `tokens`",
    "check g_y": "the input `u` [] has no value",
    "run g_y": "`g_y` is a function, not a value",
    "minimise": "required: F",
    "minimise y": "a gradient is of a number, and `y` is",
    "minimise nope": "`nope` is no value of this graph",
    "minimise g_y": "say from where to minimise `g_y(u, v)`",
    "minimise g_y --from 1,2,3": "`g_y(u, v)` varies with 2 values, and x0 has the shape [3]",
    "minimise g_y --from 1,one": "`1,one` is no point to begin at",
    "minimise loss --method nope": "there is no method `nope`; there are gd, momentum",
    "minimise loss --method newton --lr 1": "`newton` finds the length of its steps itself",
    "minimise loss --method f_y": "`f_y(u)` is no optimiser: its first parameters are the learned",
    "minimise loss --steps -1": "steps are a whole number from 0 on, not -1",
    "minimise loss --tol nan": "a tolerance is a number from 0 on, not nan",
    "minimise loss tokens": "only the value of a float variable can be varied",
    "plot": "required: KIND",
    "plot nope": "invalid choice: 'nope'",
    "plot field": "say which function to draw",
    "plot field g_": "did you mean `g_y`?",
    "plot field f_y": "a picture over a plane is of a number, and `f_y` is [2]",
    "plot field y": "a gradient is of a number, and `y` is",
    "plot field loss": "is of two numbers, and `loss` varies with `W` [4, 4]",
    "plot field g_y y": "takes one name",
    "plot field g_y --x 2:1": "`2:1` is no range",
    "plot field g_y --y 2": "`2` is no range",
    "plot field g_y --minimum 2": "`2` is no point",
    "plot race g_y": "say from where to minimise `g_y(u, v)`",
    "plot race g_y --of nope": "`nope` is no result of a minimiser",
    "plot landscape": "takes one name, not 0",
    "plot landscape y": "a gradient is of a number",
    "plot curves": "nothing was trained yet",
    "plot curves --smooth x": "invalid float value: 'x'",
    "watch y --every 0": "cannot look every 0 steps",
    "watch y --at 0 1": "`y` was not recorded at step 0",
    "answer": "required: MINE",
    "code": "required: NAME",
    "export": "required: NAME … FILE",
    "export loss": "cannot write loss: it ends in .dot",
    "export loss /dev/null/a.svg": "cannot write /dev/null/a.svg: ",
    "help nope": "there is no verb `nope`",
    "help show run": "unrecognized arguments: run",
    "Show": "no verb 'Show'; did you mean 'show'?",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_line_is_told_in_words(shell: Shell, line: str) -> None:
    prepared(shell, WORLDS["small"])
    shell.user_ns["none"] = []
    with pytest.raises((UsageError, GraphError)) as caught:
        shell.cell(f"%graph {line}")
    assert WRONG[line] in str(caught.value)


def test_the_wrong_lines_are_of_every_verb() -> None:
    assert VERBS.keys() <= {line.split()[0] for line in WRONG}
