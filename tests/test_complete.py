"""Tokens, colours and completion: of every text, finished or not, right or wrong."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsl
from dsl.glyphs import LOOK_ALIKES, TEX
from dsl.tokens import reserved_words, statement_words, tokens
from dsl.vocabulary import constants, functions, modules
from magics.colours import runs
from magics.complete import Known, completions

PRELUDE = {
    file.name: file.read_text(encoding="utf-8")
    for file in sorted(files("dsl").joinpath("prelude").iterdir(), key=lambda file: file.name)
}
SIGNS = """x W_q ₁ ŷ = ( ) [ ] | ‖ # " ' ^T 1e .5 for where ∇_ √ ℝ^ \\al $ − _ : ."""
PIECES = st.sampled_from([*SIGNS.split(), "\n", " ", "    ", "\t", "input "])
TEXTS = st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=30)
PROGRAM = dsl.compile("""
dim B, T, d = 8
input X, Xs : [B, T, d]
from transformer import block
import losses
Y = block(X)
loss = mean(Y^2)
twice(x) = 2 x
""")
KNOWN = Known.of(PROGRAM, {":show": "the graph", ":run": "values"})


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind, text[token.start : token.end]) for token in tokens(text)]


@given(TEXTS)
def test_tokens_are_in_order_and_leave_out_nothing_but_blanks(text: str) -> None:
    end = 0
    for token in tokens(text):
        assert end <= token.start < token.end
        assert _is_blank(text[end : token.start])
        end = token.end
    assert _is_blank(text[end:])


def _is_blank(text: str) -> bool:
    return not "".join(LOOK_ALIKES.get(char, char) for char in text).strip()


@given(TEXTS)
def test_the_colours_of_a_text_are_of_all_of_it(text: str) -> None:
    assert "".join(piece for _, piece in runs(text, functions())) == text


@pytest.mark.parametrize("name", PRELUDE)
def test_in_a_right_text_no_token_is_wrong_and_every_definition_is_a_name(name: str) -> None:
    text = PRELUDE[name]
    assert all(token.kind != "wrong" for token in tokens(text))
    found = kinds(text)
    for statement in dsl.parse(text).statements:
        assert all(("name", defined) in found for defined in dsl.names_of(statement))


def test_each_kind_of_token_is_seen() -> None:
    assert kinds('f(x₁) = ∇_W loss^T @ 1e-5 "a b" # c') == [
        *[("name", "f"), ("bracket", "("), ("name", "x₁"), ("bracket", ")"), ("operator", "=")],
        *[("operator", "∇_W"), ("name", "loss"), ("operator", "^T"), ("operator", "@")],
        *[("number", "1e-5"), ("text", '"a b"'), ("comment", "# c")],
    ]
    assert kinds('"open') == [("text", '"open')]
    assert kinds("a $") == [("name", "a"), ("wrong", "$")]


@pytest.mark.parametrize("word", statement_words())
def test_words_that_begin_a_statement_are_names_elsewhere(word: str) -> None:
    assert kinds(f"{word} x")[0] == ("keyword", word)
    assert kinds(f"x {word}")[1] == ("name", word)
    assert kinds(f"f(\n{word}")[2] == ("name", word)


@pytest.mark.parametrize("word", reserved_words())
def test_reserved_words_are_keywords_everywhere_but_within_names(word: str) -> None:
    assert kinds(f"x {word} y")[1] == ("keyword", word)
    assert kinds(f"{word}x") == [("name", f"{word}x")]
    assert kinds(f"{word}_1") == [("name", f"{word}_1")]


def test_where_before_a_bracket_is_a_function() -> None:
    assert kinds("where(c, a, b)")[0] == ("name", "where")
    assert next(runs("where(", functions())) == ("function", "where")


def test_import_is_a_keyword_after_from() -> None:
    assert kinds("from nn import x")[::2] == [("keyword", "from"), ("keyword", "import")]


def texts(text: str, known: Known = KNOWN) -> list[str]:
    """What is offered where the bar stands, or at the end."""
    at = text.index("¦") if "¦" in text else len(text)
    return [each.text for each in completions(text.replace("¦", ""), at, known)]


@pytest.mark.parametrize(
    "text, offered",
    [
        ("y = lo", ["losses", "loss", "log", "logsumexp", "log_softmax", "logdet"]),
        ("y = lo¦ + 1", ["losses", "loss", "log", "logsumexp", "log_softmax", "logdet"]),
        ("tw", ["twice"]),
        ("TW", ["twice"]),
        ("X", ["X", "Xs"]),
        ("∇_lossy + ∇_tw", ["twice"]),
        ("dim q = ", None),
        ("inp", ["input"]),
        ("f(x) =\n  para", ["param"]),
        ("y = inp", []),
        ("(\n  inp", []),
        ("input Z", []),
        ("input Z, X", []),
        ("param W, b", []),
        ("input Z : [", ["B", "T", "d"]),
        ("input Z : int[B, ", ["B", "T", "d"]),
        ("f(x : [B, ", ["B", "T", "d"]),
        ("f(x) = x where x ∈ ℝ^(", ["B", "T", "d"]),
        ("X[", None),
        ("X[0:Y[", None),
        ("input Z : [B]\ntw", ["twice"]),
        ("Y.", ["Y.shape"]),
        ("block.attention.", [f"block.attention.W_{c}" for c in "qkvo"]),
        ("losses.m", ["losses.mse", "losses.mae"]),
        ("block", ["block"]),
        ("from tr", ["transformer"]),
        ("import lo", ["losses"]),
        ("from transformer import ff", ["ffn"]),
        ("from transformer import ffn, bl", ["block"]),
        ("from nothing import ", []),
        ("# lo", []),
        ('f(x, name="lo', []),
        (":", [":show", ":run"]),
        (":s", [":show"]),
        (":show lo", ["losses", "loss"]),
        (":run block.attention.W_q", ["block.attention.W_q"]),
        ("\\alp", ["α"]),
        ("y = \\nabla", ["∇"]),
        ("\\le", ["≤", "≤"]),
        ("\\nosuch", []),
    ],
)
def test_what_is_offered_depends_on_the_place(text: str, offered: list[str] | None) -> None:
    if offered is None:  # any name
        assert {"X", "B", "twice", "softmax", "pi"} <= set(texts(text))
    else:
        assert texts(text) == offered


def test_the_users_own_names_come_first_and_say_what_they_are() -> None:
    found = completions("y = X", 5, KNOWN)
    assert [(each.start, each.text, each.what) for each in found] == [
        (4, "X", "[B, T, d]"),
        (4, "Xs", "[B, T, d]"),
    ]
    [d] = [each for each in completions("d", 1, KNOWN) if each.text == "d"]
    assert d.what == "size 8"


@pytest.mark.parametrize("name", [*functions(), *constants()])
def test_every_word_of_the_language_is_offered(name: str) -> None:
    if name[0].isalpha():
        assert name in texts(f"y = {name[:1]}", Known.of(None))


@pytest.mark.parametrize("name", TEX)
def test_every_sign_is_offered_by_its_tex_name(name: str) -> None:
    assert texts(f"\\{name}")[0] == TEX[name]


def test_signatures_are_those_of_functions_that_exist() -> None:
    assert functions()["softmax"] == "softmax(x, axis=-1)"
    assert functions()["mse"] == "mse(y, target)"
    assert set(constants()) >= {"true", "pi", "∞"}
    assert {"ffn", "block"} <= set(modules()["transformer"])


def test_a_module_that_is_wrong_offers_nothing_and_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("neighbours")
    (folder / "wrong.graph").write_text("f(x) = (")
    monkeypatch.setattr("dsl.lowering.modules.FOLDERS", [folder])
    assert texts("from wrong import ") == []
    assert texts("from wro") == ["wrong"]


@given(TEXTS, st.data())
def test_completion_of_any_text_at_any_place_is_in_the_text(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    for each in completions(text, cursor, KNOWN):
        assert 0 <= each.start <= cursor
        assert each.text


def test_a_word_half_typed_is_among_what_is_offered() -> None:
    text = "scores = softmax(X @ Xs^T / sqrt(d))\nrepeat 2: Y = block(Y)"
    for token in tokens(text):
        word = text[token.start : token.end]
        if token.kind in ("name", "keyword") and word != "scores":
            assert word in texts(text[: token.end - len(word) // 2])
