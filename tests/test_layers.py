"""The architecture: imports follow the arrow, torch's autograd stays off, code stays short."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "engine": {"torch", "sympy", "numpy", "safetensors"},
    "dsl": {"engine", "lark", "torch", "sympy", "numpy", "scipy"},
    "magics": {"engine", "dsl", "torch", "numpy", "safetensors", "tqdm"}
    | {"IPython", "traitlets", "prompt_toolkit", "pygments", "graphviz", "matplotlib"},
}
AUTOGRAD = ("torch.autograd", "torch.nn.Module", "torch.nn.Parameter", "torch.optim", "torch.func")
SWITCHES = {"autograd", "requires_grad", "requires_grad_", "grad_fn", "enable_grad"}
IN_TEXTS = ("torch.autograd", "requires_grad", "nn.Module")  # the executor writes source

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every absolute import, those in functions and by a string too."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in names)
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module")
                | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield node.lineno, name


def against_the_arrow(package: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    allowed = MAY_IMPORT[package] | {package} | sys.stdlib_module_names
    for line, name in imported(tree):
        if name.split(".")[0] not in allowed:
            yield line, f"{package} imports {name}"


def names_bound(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: `from torch import nn as n` binds n to torch.nn."""
    bound: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    top = alias.name.split(".")[0]
                    bound[alias.asname or top] = alias.name if alias.asname else top
            case ast.ImportFrom(module=str(module), names=names):
                bound |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in names}
    return bound


def dotted(node: ast.AST, bound: dict[str, str]) -> str:
    """`F.relu` under `import torch.nn.functional as F` is torch.nn.functional.relu."""
    match node:
        case ast.Name(id=name):
            return bound.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value, bound)}.{attr}"
        case _:
            return ""


def is_autograd(name: str) -> bool:
    return any(f"{name}.".startswith(f"{banned}.") for banned in AUTOGRAD)


def docstrings(tree: ast.AST) -> set[ast.AST]:
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = (node.body[:1] for node in ast.walk(tree) if isinstance(node, owners))
    return {first.value for body in found for first in body if isinstance(first, ast.Expr)}


def has_own_backward(tree: ast.AST, bound: dict[str, str]) -> bool:
    """Whether `.backward()` may be the engine's: the file defines its Variable, or imports it."""
    defined = any(
        isinstance(node, ast.ClassDef) and node.name == "Variable" for node in ast.walk(tree)
    )
    return defined or bound.get("Variable", "").startswith("engine.")


def uses_autograd(tree: ast.AST) -> Iterator[tuple[int, str]]:
    bound, silent = names_bound(tree), docstrings(tree)
    own_backward = has_own_backward(tree, bound)
    yield from ((line, name) for line, name in imported(tree) if is_autograd(name))
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=attr) if attr in SWITCHES or is_autograd(dotted(node, bound)):
                yield node.lineno, dotted(node, bound)
            case ast.keyword(arg="requires_grad"):
                yield node.value.lineno, "requires_grad="
            case ast.Call(func=ast.Attribute(attr="backward")) if not own_backward:
                yield node.lineno, ".backward("
            case ast.Constant(value=str(text)) if node not in silent:
                yield from ((node.lineno, word) for word in IN_TEXTS if word in text)


def code_lines(function: Function) -> int:
    """Lines from `def` to the end, without the docstring."""
    doc = function.body[0] if ast.get_docstring(function) is not None else None
    said = (doc.end_lineno or 0) - doc.lineno + 1 if doc else 0
    return (function.end_lineno or 0) - function.lineno + 1 - said


def where(path: Path, line: int, what: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {what}"


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_follow_the_arrow(package: str) -> None:
    """engine <- dsl <- magics, and each package only the libraries that are its business."""
    assert files(package), f"no files in {package}"
    found = [
        where(path, *fault)
        for path in files(package)
        for fault in against_the_arrow(package, read(path))
    ]
    assert found == []


def test_nothing_but_tests_and_benchmarks_uses_the_autograd_of_torch() -> None:
    found = [
        where(path, *fault)
        for path in files(*MAY_IMPORT, "examples")
        for fault in uses_autograd(read(path))
    ]
    assert found == []


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in files(*MAY_IMPORT)
    }
    assert [where(path, n, "too long") for path, n in lengths.items() if n > 400] == []


def test_no_function_is_longer_than_40_lines() -> None:
    found = [
        where(path, node.lineno, f"{node.name} has {code_lines(node)} lines")
        for path in files(*MAY_IMPORT)
        for node in ast.walk(read(path))
        if isinstance(node, Function) and code_lines(node) > 40
    ]
    assert found == []


@pytest.mark.parametrize(
    "package, source",
    [
        ("engine", "import lark"),
        ("engine", "import torch, graphviz"),
        ("engine", "from IPython.display import HTML"),
        ("engine", "from dsl import compile"),
        ("engine", "def f():\n    import matplotlib.pyplot"),
        ("engine", "if TYPE_CHECKING:\n    import magics"),
        ("engine", "importlib.import_module('lark.visitors')"),
        ("dsl", "import graphviz"),
        ("dsl", "from magics.session import Session"),
        ("magics", "import lark"),
    ],
)
def test_an_import_against_the_arrow_is_seen(package: str, source: str) -> None:
    assert len(list(against_the_arrow(package, ast.parse(source)))) == 1


@pytest.mark.parametrize(
    "package, source",
    [
        ("engine", "import math, torch.nn.functional as F"),
        ("engine", "from .graph import Node"),
        ("dsl", "from engine import Node\nimport lark"),
        ("magics", "import dsl, engine\nfrom IPython.core.magic import Magics"),
    ],
)
def test_an_import_along_the_arrow_is_allowed(package: str, source: str) -> None:
    assert list(against_the_arrow(package, ast.parse(source))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import torch.autograd",
        "from torch import autograd",
        "from torch.nn import Module",
        "import torch as t\nt.autograd.grad(y, x)",
        "from torch import nn\nclass A(nn.Module): ...",
        "import torch.nn as nn\nw = nn.Parameter(x)",
        "import torch\ntorch.optim.SGD(ps)",
        "import torch\ntorch.zeros(3, requires_grad=True)",
        "x.requires_grad_()",
        "x.requires_grad = True",
        "y.grad_fn.next_functions",
        "loss.backward()",
        "line = f'{name} = torch.autograd.grad(y, x)'",
    ],
)
def test_a_use_of_autograd_is_seen(source: str) -> None:
    assert list(uses_autograd(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        '"""Without torch.autograd and requires_grad."""  # nor nn.Module',
        "import torch\nwith torch.inference_mode(): ...",
        "import torch.nn.functional as F\nF.relu(x)",
        "import torch\ntorch.ops.aten.native_layer_norm_backward(g)",
        "class Variable:\n    def backward(self): ...\nVariable().backward()",
        "from engine import Variable\nx.backward()",
    ],
)
def test_kernels_and_the_backward_of_the_engine_are_no_autograd(source: str) -> None:
    assert list(uses_autograd(ast.parse(source))) == []


def test_a_function_is_measured_without_its_docstring() -> None:
    source = 'def f(x):\n    """One\n\n    two.\n    """\n    y = x\n    return y'
    assert code_lines(next(n for n in ast.parse(source).body if isinstance(n, Function))) == 3
