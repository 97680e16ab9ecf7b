"""The prelude as a whole: how its files are written, and its textbook against the engine."""

import pytest
import torch

import dsl
from dsl.library import library
from dsl.lowering.modules import PREDEFINED, available, exported, prelude_functions, tree_of
from dsl.syntax import Annotation, Dim, Name, Syntax, children
from engine import Evaluator, gradients

F64 = torch.float64


@pytest.mark.parametrize("module", available())
def test_every_file_compiles_and_opens_with_its_sizes(module: str) -> None:
    program = dsl.load(module)
    text = program.tree.span.source.text
    assert text.startswith("# ")
    assert "\n# sizes\n" in text
    assert set(exported(tree_of(module))) == set(program.functions)


def sizes_in(tree: Syntax) -> set[str]:
    """The names that stand in the shapes of a text."""
    sizes = tree.sizes or () if isinstance(tree, Annotation) else ()
    here = {each.text for each in sizes if isinstance(each, Name)}
    return here.union(*map(sizes_in, children(tree)))


@pytest.mark.parametrize("module", available())
def test_the_glossary_of_a_file_has_every_size_of_it(module: str) -> None:
    tree = tree_of(module)
    opening = tree.span.source.text.partition("\n\n")[0].splitlines()
    listed = {line.split()[1] for line in opening if line.startswith("#   ")}
    dims = [each for each in tree.statements if isinstance(each, Dim)]
    declared = {each.name.text for line in dims for each in line.sizes}
    assert (sizes_in(tree) | declared) - listed == set()


def test_no_function_that_every_program_knows_hides_another() -> None:
    hidden = set(prelude_functions()) & set(library().names)
    assert not hidden
    names = [name for module in PREDEFINED for name in exported(tree_of(module))]
    assert sorted(names) == sorted(prelude_functions())


@pytest.mark.parametrize("module", PREDEFINED)
def test_functions_of_the_prelude_are_known_without_an_import(module: str) -> None:
    for name in exported(tree_of(module)):
        program = dsl.compile(f"again = {name}")
        assert program.function("again").name == name


TEXTBOOK = """
import textbook
input x : [4, 5]
input targets : int[4]
input g : [4, 5]
{name}_book = {book}
{name}_engine = {engine}
"""
SPELLED_OUT = {
    "softmax": ("sum(g * textbook.softmax(x))", "sum(g * softmax(x))"),
    "log_softmax": ("sum(g * textbook.log_softmax(x))", "sum(g * log_softmax(x))"),
    "logsumexp": ("sum(g[:, 0] * textbook.logsumexp(x))", "sum(g[:, 0] * logsumexp(x, axis=-1))"),
    "layernorm": ("sum(g * textbook.layernorm(x))", "sum(g * layernorm(x))"),
    "cross_entropy": ("textbook.cross_entropy(x, targets)", "cross_entropy(x, targets)"),
    "relu": ("sum(g * textbook.relu(x))", "sum(g * relu(x))"),
    "sigmoid": ("sum(g * textbook.sigmoid(x))", "sum(g * sigmoid(x))"),
    "softplus": ("sum(g * textbook.softplus(x))", "sum(g * softplus(x))"),
    "tanh": ("sum(g * textbook.tanh(x))", "sum(g * tanh(x))"),
    "silu": ("sum(g * textbook.silu(x))", "sum(g * silu(x))"),
    "gelu_tanh": ("sum(g * textbook.gelu_tanh(x))", "sum(g * gelu_tanh(x))"),
    "gelu": ("sum(g * textbook.gelu(x))", "sum(g * gelu(x))"),
}


def test_every_function_of_the_textbook_is_held_against_the_engine() -> None:
    assert set(exported(tree_of("textbook"))) == set(SPELLED_OUT)


@pytest.mark.parametrize("name", SPELLED_OUT)
def test_the_textbook_has_the_values_and_gradients_of_the_engine(name: str) -> None:
    book, engine = SPELLED_OUT[name]
    program = dsl.compile(TEXTBOOK.format(name=name, book=book, engine=engine))
    generator = torch.Generator().manual_seed(5)
    feeds = {
        "x": 3 * torch.randn(4, 5, dtype=F64, generator=generator),
        "g": torch.randn(4, 5, dtype=F64, generator=generator),
        "targets": torch.tensor([0, 4, 2, 2]),
    }
    x = program.inputs["x"]
    pair = [program.nodes[f"{name}_{kind}"] for kind in ("book", "engine")]
    grads = [gradients(node, [x])[0] for node in pair]
    values = Evaluator([*pair, *grads]).run(program.feeds(feeds, {}))
    torch.testing.assert_close(values[0], values[1], rtol=0, atol=1e-10)
    torch.testing.assert_close(values[2], values[3], rtol=0, atol=1e-10)
    assert values[3].abs().max() > 0.01


@pytest.mark.parametrize("name", ["softmax", "logsumexp", "log_softmax", "softplus"])
def test_the_textbook_stays_finite_where_exponentials_do_not(name: str) -> None:
    book, engine = SPELLED_OUT[name]
    program = dsl.compile(TEXTBOOK.format(name=name, book=book, engine=engine))
    x = torch.tensor([[1e3, -1e3, 0.0, 999.0, -5.0]], dtype=F64).expand(4, 5)
    feeds = {"x": x, "g": torch.ones(4, 5, dtype=F64), "targets": torch.zeros(4).long()}
    ours, theirs = program.run([f"{name}_book", f"{name}_engine"], feeds)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)
