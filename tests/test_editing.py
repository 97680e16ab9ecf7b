"""While a cell is written: completion, help at the cursor, colours; and nothing of it is left."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from IPython.terminal.ptutils import IPythonPTLexer
from jupyter_client.manager import start_new_kernel
from nbconvert import HTMLExporter
from nbformat import v4
from prompt_toolkit.document import Document
from pygments.lexers import get_lexer_by_name
from traitlets.config import Config

from dsl.tokens import reserved_words, statement_words
from dsl.vocabulary import functions
from magics.editing.about import about
from magics.editing.completion import answer
from magics.editing.inspect import help_at
from magics.editing.keywords import KEYWORDS
from magics.lexer import GraphLexer
from magics.verbs import VERBS
from tests.shells import Shell, opened

ROOT = Path(__file__).parent.parent
COLOURS = ROOT / "magics/labextensions/chalkgrad/static/remoteEntry.js"
CELL = """%%graph --quiet
# twice as much
twice(x : [n]) =
    2 x
import losses
input Xs, y : [n, d]
param w : [d] = 0
loss = mean((Xs w)^2)
"""
PIECES = st.sampled_from(
    ["%%graph", "%graph", " ", "\n", "--", "show", "Xs", "\\al", "😀", "(", "#"]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join)


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    with opened() as made:
        made.cell(CELL)
        yield made


def offered(shell: Any, text: str) -> list[tuple[str, str]]:
    """What Tab offers at the bar in a text: what it replaces, and by what."""
    cursor = text.index("|")
    text = text.replace("|", "", 1)
    with provisionalcompleter():
        found = list(shell.Completer.completions(text, cursor))
    assert all(each.end == cursor for each in found)
    return [(text[each.start : each.end], each.text) for each in found]


@pytest.mark.parametrize(
    "text, typed, names",
    [
        ("%graph sh|", "sh", {"show"}),
        ("x = 1\n%graph sh|\ny = 2", "sh", {"show"}),
        ("%graph |", "", set(VERBS)),
        ("%graph help sho|", "sho", {"show"}),
        ("%graph show lo|", "lo", {"loss"}),
        ("%graph show loss --d|", "--d", {"--depth"}),
        ("grads = %graph grad loss X|", "X", {"Xs"}),
        ("%%graph --|", "--", {"--show", "--eval", "--grad", "--latex", "--quiet"}),
        ("%%graph --show r|", "r", {"rails"}),
        ("%%graph --grad lo|", "lo", {"loss"}),
        ("# above\n\n%%graph --qu|", "--qu", {"--quiet"}),
        ("%%graph\ny = softm|", "softm", {"softmax"}),
        ("%%graph\n😀 = \\alp|", "\\alp", {"α"}),
        ("%%graph\nα = 😀 + Xs tw|", "tw", {"twice"}),
        ("%%graph\nαβ = 1\ny = αβ + α|", "α", {"αβ"}),
        ("%%graph\ninp|ut", "inp", {"input"}),
        ("%%graph\ninput z : [|]", "", {"n", "d"}),
        ("%%graph\ninput z : [size_a]\ninput u : [size|]", "size", {"size_a"}),
        ("%%graph\nimport los|", "los", {"losses"}),
        ("%%graph\nlosses.ms|", "losses.ms", {"losses.mse"}),
    ],
)
def test_tab_offers_what_can_stand_there_and_nothing_of_python(
    shell: Shell, text: str, typed: str, names: set[str]
) -> None:
    found = offered(shell, text)
    assert {replaced for replaced, _ in found} == {typed}
    assert {name for _, name in found} == names


@pytest.mark.parametrize(
    "text",
    [
        "%%graph\ninput im|",
        "%%graph\n# pri|",
        "%%graph mod|",
        "%graph show --depth |",
        "%graph n x|",
    ],
)
def test_where_nothing_can_be_offered_python_is_not_asked(shell: Shell, text: str) -> None:
    [(before, after)] = offered(shell, text)
    assert before == after


def test_names_of_python_are_offered_where_an_option_takes_one(shell: Shell) -> None:
    shell.user_ns["batches"] = []
    assert offered(shell, "%graph train loss --data batc|") == [("batc", "batches")]


def test_other_magics_and_python_cells_are_left_to_ipython(shell: Shell) -> None:
    assert ("%ls", "%lsmagic") in offered(shell, "%ls|")
    assert ("sort", "sorted") in offered(shell, "x = sort|")


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.data())
def test_neither_tab_nor_help_raises(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    magics = SimpleNamespace(program=None, shell=SimpleNamespace(user_ns={}))
    found = answer(magics, text, cursor)
    assert found is None or all(0 <= each.start <= cursor for each in found)
    help_at(magics, text, cursor)


def test_a_python_cell_is_completed_and_looked_at_without_importing_the_language() -> None:
    code = """
import sys
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from magics.editing.inspect import is_ours
shell = InteractiveShell()
shell.run_line_magic("load_ext", "magics")
with provisionalcompleter():
    assert list(shell.Completer.completions("x = sort", 8))
assert not is_ours("x = sort", 8)
print(sorted({"torch", "engine", "dsl", "numpy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_loading_imports_only_what_takes_hold_of_ipython() -> None:
    code = """
import sys
from IPython.terminal.interactiveshell import TerminalInteractiveShell
shell = TerminalInteractiveShell()
before = set(sys.modules)
shell.run_line_magic("load_ext", "magics")
print(sorted(name for name in set(sys.modules) - before if name.split(".")[0] == "magics"))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    hooks = ["magics.editing", "magics.editing.hooks"]
    names = ["magics", *hooks, "magics.extension", "magics.graph_magic", "magics.verbs"]
    assert done.stdout.rstrip().endswith(str(names))  # a terminal may write its title first


def told(shell: Shell, text: str) -> str | None:
    """The help at the bar in a text."""
    magics = shell.magics_manager.registry["GraphMagics"]
    return help_at(magics, text.replace("|", "", 1), text.index("|"))


@pytest.mark.parametrize(
    "text, first",
    [
        ("%%graph\nz = lo|ss", "loss : []\nloss = mean((Xs @ w)^2)\nCell In["),
        ("%%graph\nXs|", "Xs : [n, d]  input\n"),
        ("%%graph\nw|", "w : [d]  param\n"),
        ("%%graph\nn|", "n: a size"),
        ("%%graph\nz = twi|ce(y)", "# twice as much\ntwice(x : [n]) =\n    2 x\n(Cell In["),
        ("%%graph\nlinear(Xs, |3)", "# The same affine map at every position"),
        ("%%graph\nlosses.m|se", "mse(y, target) = "),
        ("%%graph\nlosses|", "losses: mse, "),
        ("%%graph\nz = causal(|", "causal(n)\nThe additive mask"),
        ("%%graph\nnew = 3\nz = ne|w", "new = 3\n(of this cell, which has not run)"),
        ("%%graph\ninp|ut", "input: a tensor that is fed"),
        ("%%graph\n😀 = \\alp|ha", "\\alpha is α"),
        ("%%graph --gr|ad loss", "--grad LOSS: lay the gradient"),
        ("%graph show --dep|th 2", "--depth N: close functions"),
        ("%graph show lo|ss", "loss : []"),
    ],
)
def test_help_is_of_the_word_at_the_cursor(shell: Shell, text: str, first: str) -> None:
    assert (told(shell, text) or "").startswith(first)


def test_help_of_a_verb_is_its_own(shell: Shell) -> None:
    assert "Draw some values" in (told(shell, "%graph sh|ow loss") or "")
    assert "Compile a cell" in (told(shell, "%%gr|aph\nloss") or "")
    assert told(shell, "%%graph\nzork|") is None


@pytest.mark.parametrize("name", functions())
def test_every_function_is_told_by_its_head(name: str) -> None:
    assert f"{name}(" in (about(name, None) or "")


def test_every_keyword_is_told() -> None:
    assert set(KEYWORDS) == {*statement_words(), *reserved_words()}


def test_help_is_bounded_and_shows_what_no_one_can_see() -> None:
    text = about("f", None, f"f(x) = \x1b[31m{'x' * 10_000}") or ""
    assert len(text) < 300
    assert "\x1b" not in text


@pytest.fixture(scope="module")
def kernel() -> Iterator[Any]:
    """A client of a real kernel in which the cell has run."""
    manager, client = start_new_kernel(
        kernel_name="python3", env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    client.execute_interactive("%load_ext magics", timeout=60)
    client.execute_interactive(CELL, timeout=60)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_kernel_counts_the_cursor_in_characters(kernel: Any) -> None:
    code = "# 😀\n%%graph\nα = 😀 + \\alp + 1\n"
    cursor = code.index(" + 1")
    found = kernel.complete(code, cursor, reply=True, timeout=60)["content"]
    assert found["matches"] == ["α"]
    assert code[found["cursor_start"] : found["cursor_end"]] == "\\alp"


def test_a_kernel_answers_shift_tab_with_help_and_to_python_as_before(kernel: Any) -> None:
    code = "%%graph\nz = 😀 + loss"
    found = kernel.inspect(code, len(code), reply=True, timeout=60)["content"]
    assert found["found"]
    assert found["data"]["text/plain"].startswith("loss : []")
    assert found["data"]["text/html"].startswith("<pre>loss : []")
    assert not kernel.inspect("%%graph\nprint", 13, reply=True)["content"]["found"]
    assert "sorted(" in kernel.inspect("sorted", 6, reply=True)["content"]["data"]["text/plain"]


def quiet() -> Config:
    config = Config()
    config.HistoryManager.enabled = False
    return config


def state(shell: Any) -> list[Any]:
    """What the extension may touch of a shell."""
    return [
        list(shell.Completer.custom_matchers),
        dict(vars(shell.Completer)).get("completions"),
        vars(shell.kernel).get("do_inspect"),
        IPythonPTLexer.lex_document,
        {name: set(found) for name, found in shell.magics_manager.magics.items()},
        list(shell.magics_manager.registry),
        list(shell.configurables),
        list(shell.input_transformers_cleanup),
        list(shell.input_transformers_post),
        {name: len(found) for name, found in shell.events.callbacks.items()},
        {kind: len(x.type_printers) for kind, x in shell.display_formatter.formatters.items()},
    ]


class Kernel:
    """As much of a kernel as help needs."""

    def do_inspect(self, code: str, cursor_pos: int, detail_level: int = 0) -> dict[str, Any]:
        return {"python": code}


@pytest.mark.parametrize("kind", [InteractiveShell, TerminalInteractiveShell])
def test_unloading_leaves_nothing_behind(kind: Any) -> None:
    shell = kind(config=quiet())
    shell.kernel = Kernel()
    before = state(shell)
    shell.extension_manager.load_extension("magics")
    loaded = state(shell)
    shell.extension_manager.load_extension("magics")
    shell.extension_manager.reload_extension("magics")
    assert [len(each) for each in state(shell)[5:8]] == [len(each) for each in loaded[5:8]]
    assert len(shell.Completer.custom_matchers) == len(loaded[0])
    assert shell.kernel.do_inspect("%%graph\nexp", 9)["found"]
    assert shell.kernel.do_inspect("exp", 1, detail_level=1) == {"python": "exp"}
    assert (loaded[3] is not before[3]) == (kind is TerminalInteractiveShell)
    shell.extension_manager.unload_extension("magics")
    assert state(shell) == before


def styles(text: str) -> list[tuple[str, str]]:
    """The pieces of a text, each with its style, as IPython's terminal shows them."""
    document = Document(text)
    line_of = IPythonPTLexer().lex_document(document)
    return [(each[0], each[1]) for i in range(document.line_count) for each in line_of(i)]


def test_a_terminal_colours_cells_and_leaves_python_alone() -> None:
    shell = TerminalInteractiveShell(config=quiet())
    python = styles("input = 3")
    shell.run_line_magic("load_ext", "magics")
    shown = styles("# c\n%%graph\ninput x : [n]\ny = exp(x)")
    assert ("class:pygments.keyword", "input") in shown
    assert ("class:pygments.name.function", "exp") in shown
    assert styles("input = 3") == python
    shell.run_line_magic("unload_ext", "magics")


def test_a_lexer_loses_no_character() -> None:
    for file in (ROOT / "dsl/prelude").glob("*.graph"):
        text = file.read_text(encoding="utf-8")
        cell = f"# above\n%%graph --eval\n{text}"
        for each in (text, cell):
            assert "".join(x for _, _, x in GraphLexer().get_tokens_unprocessed(each)) == each


def test_an_exported_notebook_has_its_cells_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    # as if installed; that the wheel tells Pygments of it is tested with the wheel
    names = get_lexer_by_name.__globals__
    monkeypatch.setitem(names, "find_plugin_lexers", lambda: [GraphLexer])
    config = Config()
    config.HighlightMagicsPreprocessor.languages = {"%%graph": "graph"}
    notebook = v4.new_notebook(cells=[v4.new_code_cell("%%graph\ndim n\ny = softmax(x)")])
    text, _ = HTMLExporter(config=config).from_notebook_node(notebook)
    assert '<span class="k">dim</span>' in text
    assert '<span class="nf">softmax</span>' in text


@pytest.mark.parametrize(
    "table, words", [("STATEMENT", statement_words()), ("RESERVED", reserved_words())]
)
def test_the_extension_of_jupyterlab_knows_the_keywords(table: str, words: tuple[str, ...]) -> None:
    found = re.search(rf"{table} = /\^\(\?:([a-z|]+)\)\$/", COLOURS.read_text(encoding="utf-8"))
    assert found is not None
    assert set(found[1].split("|")) == set(words)
