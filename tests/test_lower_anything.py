"""Whatever the program, lowering gives nodes or a DslError that points into a text."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

import dsl
from dsl import DslError
from dsl.library.forms import FORMS
from dsl.library.functions import FUNCTIONS
from engine import Node
from tests.sentences import HEAD as DECLARED

HEAD = DECLARED + "heads = [X, Y]\n"
ATOMS = [
    *["X", "Y", "x", "y", "k", "c", "s", "t", "W", "f", "g", "h", "heads", "B", "T", "d", "H"],
    *["n", "1", "2", "0.5", "-1", "3", "None", "true", "π", "X[0]", "x[1:]", "x.shape"],
]
FUNCTION_NAMES = [*FUNCTIONS, *FORMS, *["f", "g", "h", "attention", "block", "sgd", "he", "s"]]
EXTRA = ["axis=-1", "axis=T", "axis=[0, 1]", "keepdims=true", "shape=[2]", "key=1", "b=3", "h=2"]
TEXTS = ['"ij,jk->ik"', '"a b c -> c (a b)"', 'name="q"', '"..."']
SIGNS = ["+", "-", "*", "/", "@", "·", " ", "<", "==", "and"]
TRAILERS = [
    "^T",
    "^2",
    "^-1",
    "[0]",
    "[:, 1]",
    "[1:]",
    "[-1]",
    "[None]",
    "[k]",
    "'",
    "^x",
    ".shape",
]
LOOPS = ["range(3)", "range(d)", "range(n)", "range(T)", "x", "[x, y]", "X.shape", "range(1, 9, 3)"]
HEADS = ["∇f", "f'", "h'", "∇g", "sin''", "∇", "∇_x ", "∇_W ", "-", "√", "∑ ", "not "]
SHAPES = [
    "[B]",
    "[d]",
    "[T, d]",
    "[..., d]",
    "[_]",
    "[2d]",
    "[q]",
    "[d/3]",
    "[d, d]",
    "int[B, T]",
    "[]",
]


def larger(expr: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = st.sampled_from(FUNCTION_NAMES)
    arguments = st.lists(st.one_of(expr, expr, st.sampled_from(EXTRA + TEXTS)), max_size=3)
    return st.one_of(
        st.builds("{} {} {}".format, expr, st.sampled_from(SIGNS), expr),
        st.builds(lambda name, args: f"{name}({', '.join(args)})", names, arguments),
        st.builds("({}){}".format, expr, st.sampled_from(TRAILERS)),
        st.builds("{}({})".format, st.sampled_from(HEADS), expr),
        st.builds("[{}, {}]".format, expr, expr),
        st.builds("[{} for i in {}]".format, expr, st.sampled_from(LOOPS)),
        st.builds("sum({} for i in {})".format, expr, st.sampled_from(LOOPS)),
        st.builds("({} if {} else {})".format, expr, expr, expr),
        st.builds("|{}| + ‖{}‖₁".format, expr, expr),
    )


EXPRESSIONS = st.recursive(st.sampled_from(ATOMS), larger, max_leaves=6)
STATEMENTS = st.one_of(
    st.builds("v = {}".format, EXPRESSIONS),
    st.builds("v = {}".format, EXPRESSIONS),
    st.builds("u, v = {}".format, EXPRESSIONS),
    st.builds("v : {} = {}".format, st.sampled_from(SHAPES), EXPRESSIONS),
    st.builds(
        "q(z : {}) = {}\nv = q({})".format, st.sampled_from(SHAPES), EXPRESSIONS, EXPRESSIONS
    ),
    st.builds("repeat {}:\n    X = {}".format, st.sampled_from(["2", "H", "n", "x"]), EXPRESSIONS),
    st.builds("for i in {}:\n    x = {}".format, st.sampled_from(LOOPS), EXPRESSIONS),
    st.builds("param P : {} ~ {}".format, st.sampled_from(SHAPES), EXPRESSIONS),
    st.builds("dim p = {}".format, EXPRESSIONS),
    st.builds("v = {} where w ∈ ℝ^n, r = {}".format, EXPRESSIONS, EXPRESSIONS),
    EXPRESSIONS,
)


def outcome(text: str) -> dsl.Program | DslError:
    try:
        return dsl.compile(text)
    except DslError as error:
        return error


@settings(max_examples=300, deadline=None)
@example(["v = transpose(-1, -1)"])
@example(["v = arange(true * H)"])
@example(["v = split(d, -1)"])
@given(st.lists(STATEMENTS, min_size=1, max_size=3))
def test_any_program_has_nodes_or_an_error_with_a_place(lines: list[str]) -> None:
    found = outcome(HEAD + "\n".join(lines))
    if isinstance(found, DslError):
        for each in found.diagnostics:
            assert 0 <= each.span.start <= each.span.end <= len(each.span.source.text)
            assert each.message
        assert "error: " in str(found)
    else:
        assert all(isinstance(node, Node) for node in found.nodes.values())


def test_the_examples_reach_both_outcomes() -> None:
    assert isinstance(outcome(HEAD + "v = (X^T)[0] @ X[0]"), dsl.Program)
    assert isinstance(outcome(HEAD + "v = X x y k"), DslError)
