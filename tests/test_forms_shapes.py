"""Shapes: sizes as polynomials and what they owe; how they agree, bind, and meet the data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import dsl
from dsl.lowering import modules
from engine import EngineError, ShapeError

F64 = torch.float64


def numbers(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=F64, generator=torch.Generator().manual_seed(1))


X, Z, z = numbers(2, 5, 4), numbers(2, 3), numbers(3)

# A program, what it is fed, and the value of its name `out`.
HOLDS: dict[str, tuple[str, dict[str, Tensor], object]] = {
    "a size may be made of earlier ones": (
        "dim n = 3, m = 2n, k = m/n, q = m^2 - n\nout = [n, m, k, q]",
        {},
        [3, 6, 2, 33],
    ),
    "a size without a value is known with the data, and so is what is made of it": (
        "dim n, m = n/2\ninput x : [n]\nout = reshape(x, [m, 2])",
        {"x": X[0, 0]},
        X[0, 0].reshape(2, 2),
    ),
    "an input may introduce names in polynomials": (
        "input x : [2k]\nout = reshape(x, [2, k])",
        {"x": X[0, 0]},
        X[0, 0].reshape(2, 2),
    ),
    "several axes may hold one name": (
        "input x : [k + 1, 2k]\nout = zeros([k])",
        {"x": numbers(4, 6)},
        torch.zeros(3, dtype=F64),
    ),
    "h * (d/h) is d": (
        "dim h = 2\ninput x : [d]\ny : [h * (d/h)] = x\nout = y + x",
        {"x": X[0, 0]},
        2 * X[0, 0],
    ),
    "heads": (
        "dim H = 2\ninput X : [B, T, d]\nout = reshape(X, [B, T, H, d/H])",
        {"X": X},
        X.reshape(2, 5, 2, 2),
    ),
    "different names with equal known values agree": (
        "dim m = 3, n = 3\ninput a : [m]\ninput b : [n]\nout = a + b",
        {"a": z, "b": z},
        2 * z,
    ),
    "a written 1 broadcasts": (
        "input a : [T]\ninput b : [1]\nout = a + b",
        {"a": z, "b": z[:1]},
        z + z[0],
    ),
    "to broadcast, index with None or expand": (
        "input a : [B, T]\ninput b : [B]\nout = a + b[:, None] + expand(b[:, None], [B, T])",
        {"a": Z, "b": z[:2]},
        Z + 2 * z[:2, None],
    ),
    "batch axes broadcast in a product": (
        "input A : [B, n, m]\ninput M : [C, 1, m, k]\nout = A @ M",
        {"A": numbers(2, 4, 3), "M": numbers(5, 1, 3, 2)},
        numbers(2, 4, 3) @ numbers(5, 1, 3, 2),
    ),
    "a vector on the left is contracted with the last axis but one": (
        "input A : [B, n, m]\ninput x : [n]\nout = x @ A",
        {"A": numbers(2, 3, 4), "x": z},
        z @ numbers(2, 3, 4),
    ),
    "a function binds its sizes at each call": (
        "f(x : [k], y : [k, m]) = zeros([m, k]) + k\n"
        "input a : [3]\ninput A : [3, 2]\nout = f(a, A) + f(A[0], A^T)[:1, :1]",
        {"a": z, "A": Z.T},
        torch.full((2, 3), 5.0, dtype=F64),
    ),
    "a name in a polynomial is solved for": (
        "glu(x : [..., 2h]) = x[..., :h] * sigmoid(x[..., h:])\ninput X : [B, T, d]\nout = glu(X)",
        {"X": X},
        X[..., :2] * X[..., 2:].sigmoid(),
    ),
    "plain names come first, in whatever order they stand": (
        "f(x : [T + 1], y : [T]) = x[1:] - x[:T] + y\n"
        "input x : [S + 1]\ninput y : [S]\nout = f(x, y)",
        {"x": X[0, 0], "y": z},
        X[0, 0][1:] - X[0, 0][:-1] + z,
    ),
    "a parameter that is a whole number counts in the shapes beside it": (
        "f(x : [..., H k], H) = reshape(x, [H, k])\ninput x : [6]\nout = f(x, 2)",
        {"x": numbers(6)},
        numbers(6).reshape(2, 3),
    ),
    "the caller's sizes stay his own": (
        "f(x : [2k]) = x[:k]\ninput x : [2k]\nout = f(x)[:k] + f(expand(1.0, [4 k]))[:k]",
        {"x": X[0, 0]},
        X[0, 0][:2] + 1,
    ),
    "a size of the file without a value is bound anew": (
        "dim d\nf(x : [2d]) = x[:d]\ninput x : [6]\nout = f(x)",
        {"x": numbers(6)},
        numbers(6)[:3],
    ),
    "a size that hangs on it follows": (
        "dim d, H = 2, k = d/H, l = 2k\nf(X : [T, d]) = zeros([l]) + k\n"
        "input x : [3, 6]\nout = f(x)",
        {"x": numbers(3, 6)},
        torch.full((6,), 3.0, dtype=F64),
    ),
    "unless nobody asks for it": (
        "dim d, H = 2, k = d/H\nf(X : [T, d]) = X\ninput x : [3, 5]\nout = f(x)",
        {"x": numbers(3, 5)},
        numbers(3, 5),
    ),
    "sizes are values": (
        "input X : [B, T, d]\nout = (X / √d * T - B) * log(T) + T/d + arange(d)^2",
        {"X": X},
        (X / 2 * 5 - 2) * torch.tensor(5.0, dtype=F64).log() + 1.25 + torch.arange(4) ** 2,
    ),
    "element counts are compared as polynomials": (
        "input X : [B, T, d]\nout = reshape(reshape(X, [B T, d]), [T, d B])",
        {"X": X},
        X.reshape(5, 8),
    ),
    "an axis by the name of its size": (
        "input X : [B, T, d]\na, b = split(X, 2, axis=d)\n"
        "out = concat([flip(a, axis=T), b], axis=-1) + max(X, axis=T, keepdims=true)",
        {"X": X},
        torch.cat([X[..., :2].flip(1), X[..., 2:]], -1) + X.max(1, keepdim=True).values,
    ),
    "an axis by a size of the function": (
        "f(Z : [..., k, m]) = sum(Z, axis=k)\ninput X : [B, T, d]\nout = f(X)",
        {"X": X},
        X.sum(1),
    ),
}


@pytest.mark.parametrize("what", HOLDS)
def test_shapes_hold(what: str) -> None:
    text, feeds, meant = HOLDS[what]
    found = dsl.compile(text).run("out", feeds)
    torch.testing.assert_close(found, torch.as_tensor(meant))


# A program, what it is fed, and what is said: by the compiler, or once the data are there.
FAILS: dict[str, tuple[str, dict[str, Tensor], str]] = {
    "a division between known sizes": (
        "dim d = 4, H = 3\nparam W : [d/H]",
        {},
        "the size `d/H` is not a whole number: H = 3 does not divide d = 4",
    ),
    "a division in a call": (
        "f(x : [d], H) = reshape(x, [H, d/H])\ninput x : [6]\nout = f(x, 4)",
        {},
        "the size `d/H` is not a whole number: 4 does not divide 6",
    ),
    "a division once the data are there": (
        "dim H = 3\ninput X : [B, T, d]\nout = reshape(X, [B, T, H, d/H])",
        {"X": X},
        "the size d/H is not a whole number of elements: H = 3, d = 4",
    ),
    "a division in a call once the data are there": (
        "f(x : [d], H) = reshape(x, [H, d/H])\ninput x : [n]\nout = f(x, 2)",
        {"x": z},
        "the size n/2 is not a whole number of elements: n = 3",
    ),
    "a name that cannot be solved for": (
        "f(x : [..., 2h]) = x\ninput x : [5]\nout = f(x)",
        {},
        "`x` of `f` is declared [..., 2h], but it is [5]: 2 does not divide 5",
    ),
    "a name that would be negative": (
        "f(x : [h + 3]) = x\ninput x : [2]\nout = f(x)",
        {},
        "`x` of `f` is declared [h + 3], but it is [2]: no size `h` makes `h + 3` 2",
    ),
    "a name that is not linear": (
        "f(x : [h^2]) = x\ninput x : [4]\nout = f(x)",
        {},
        "`x` of `f` is declared [h^2], but it is [4]: no size `h` makes `h^2` 4",
    ),
    "a size that hangs on one that was bound": (
        "dim d, H = 2, k = d/H\nf(X : [T, d]) = zeros([k])\ninput x : [3, 5]\nout = f(x)",
        {},
        "the size `d/H` is not a whole number: H = 2 does not divide 5",
    ),
    "different names": (
        "input a : [m]\ninput b : [n]\nout = a + b",
        {},
        "cannot add shapes [m] and [n]: axis -1 is m on the left and n on the right",
    ),
    "a name and a number": (
        "input a : [m]\ninput b : [3]\nout = a + b",
        {},
        "cannot add shapes [m] and [3]: axis -1 is m on the left and 3 on the right",
    ),
    "a named size is never 1, even where it has that value": (
        "dim one = 1\ninput a : [T]\ninput b : [one]\nout = a + b",
        {},
        "cannot add shapes [T] and [one]: axis -1 is T on the left and one on the right",
    ),
    "a named size is never 1, even where the data have one": (
        "input a, b : [T]\nout = a + b",
        {"a": z, "b": z[:1]},
        "T = 3 from `a` [3], but `b` is [1]; both are declared [T]",
    ),
    "batch axes that differ": (
        "input A : [B, n, m]\ninput M : [C, m, k]\nout = A @ M",
        {},
        "cannot multiply [B, n, m] by [C, m, k]: the batch axes are [B] and [C]",
    ),
    "a size with a value in the file is a constraint": (
        "dim d = 3\nf(x : [2d]) = x\ninput x : [8]\nout = f(x)",
        {},
        "`x` of `f` is declared [2d], but it is [8]: axis -1 should be 2d = 6 and is 8",
    ),
    "two arguments of one name": (
        "f(x : [k], y : [k]) = x\ninput a : [m]\ninput b : [n]\nout = f(a, b)",
        {},
        "`y` of `f` is declared [k], but it is [n]: axis -1 should be m and is n",
    ),
    "tokens and targets": (
        "input tokens, targets : int[B, T]\nout = tokens + targets",
        {"tokens": torch.zeros(4, 12).long(), "targets": torch.zeros(4, 11).long()},
        "T = 12 from `tokens` [4, 12], but `targets` is [4, 11]; both are declared [B, T]",
    ),
    "a polynomial and the data": (
        "input x : [2k]\nout = x",
        {"x": z},
        "`x` is declared [2k] but was fed [3]: 2k cannot be 3",
    ),
}


@pytest.mark.parametrize("what", FAILS)
def test_shapes_that_do_not_hold_are_told(what: str) -> None:
    text, feeds, message = FAILS[what]
    with pytest.raises((dsl.DslError, EngineError)) as caught:
        dsl.compile(text).run("out", feeds)
    assert isinstance(caught.value, ShapeError if feeds else dsl.DslError)
    assert caught.value.message == message


CONSTS: dict[str, tuple[str, Mapping[str, Any], object]] = {
    "a tensor": ("const A : [n, m]\nout = A[0] + n + m", {"A": Z.float()}, Z[0].float() + 5),
    "a list": ("const a\nout = a + 1", {"a": [1, 2]}, [2, 3]),
    "an array of whole numbers": (
        "const rows : int[k]\nout = eye(3)[rows, rows]",
        {"rows": torch.tensor([2, 0]).numpy()},
        [1.0, 1.0],
    ),
    "truths": ("const mask : bool[n]\nout = where(mask, 1, 0)", {"mask": [True, False]}, [1, 0]),
    "a truth that decides": ("const flag\nout = 1 if flag else missing", {"flag": True}, 1),
    "a number that a loop goes to": (
        "const k : int\nz = 1\nrepeat k: z = 2 z\nout = z",
        {"k": 5},
        32,
    ),
    "a number that is a size": ("const k\ndim n = 2k\nout = arange(n)", {"k": 2}, [0, 1, 2, 3]),
    "it tells a size declared before": (
        "dim n, h = 2n\nparam W : [n, n] = 1\nconst a : [n]\nout = concat([W a, zeros([h - n])])",
        {"a": [1.0, 2.0]},
        [3.0, 3.0, 0.0, 0.0],
    ),
    "it tells a size in a polynomial": (
        "const a : [2k]\nout = arange(k)",
        {"a": [1, 2, 3, 4]},
        [0, 1],
    ),
    "its axes may be left open": ("const A : [..., _, n]\nout = arange(n)", {"A": X}, [0, 1, 2, 3]),
}


@pytest.mark.parametrize("what", CONSTS)
def test_a_const_is_taken_from_the_caller(what: str) -> None:
    text, consts, meant = CONSTS[what]
    program = dsl.compile(text, consts=consts)
    found = program.run("out", {}, program.init())
    torch.testing.assert_close(found, torch.as_tensor(meant))


@pytest.mark.parametrize(
    "text, consts, message",
    [
        (
            "dim n = 4\nconst a : [n]",
            {"a": [1, 2]},
            "the const `a` is declared [n], but it is int[2]: axis -1 should be n = 4 and is 2",
        ),
        (
            "const a, b : [n]",
            {"a": [1, 2], "b": [1]},
            "the const `b` is declared [n], but it is int[1]: axis -1 should be n = 2 and is 1",
        ),
        (
            "const a : [2k]",
            {"a": [1, 2, 3]},
            "the const `a` is declared [2k], but it is int[3]: 2 does not divide 3",
        ),
        ("const a : int", {"a": 0.5}, "the const `a` is declared int, but it is float"),
    ],
)
def test_a_const_of_another_shape_is_told(
    text: str, consts: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(dsl.DslError) as caught:
        dsl.compile(text, consts=consts)
    assert caught.value.message == message


@pytest.fixture
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "FOLDERS", [])
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "parts.graph").write_text(
        "dim d, n = 2, k = d/n\nscale = 10 n\nparam W : [n]\n"
        "f(x : [n]) = scale x\n"
        "heads(X : [T, d]) = reshape(X, [T, n, k])\n"
        "dense(x : [m]) =\n    param W : [m, 2m] = 1\n    x @ W\n"
        "outside(x : [n]) = x + W\n"
    )
    (tmp_path / "nets" / "whole.graph").write_text(
        "import nets.parts\nfrom nets.parts import f\nn = 7\n"
        "g(x) = f(f(x)) + nets.parts.scale + parts.scale\n"
    )
    dsl.register(tmp_path)


IMPORTS = {
    "from nets.parts import f\ninput x : [2]\nout = f(x)": lambda x: 20 * x,
    "import nets.parts\ninput x : [2]\nout = parts.f(x) + nets.parts.f(x)": lambda x: 40 * x,
    "from nets.parts import f\nn = 5\nscale = 1\ninput x : [2]\nout = f(x)": lambda x: 20 * x,
    "from nets.parts import f, scale\ninput x : [2]\nout = scale x": lambda x: 20 * x,
    "from nets.whole import g\ninput x : [2]\nout = g(x)": lambda x: 400 * x + 40,
    "h(x) =\n    from nets.parts import f\n    f(x)\ninput x : [2]\nout = h(x)": lambda x: 20 * x,
    "from nets.parts import heads\ninput x : [2]\nout = heads(outer(x, x))": lambda x: torch.outer(
        x, x
    )[..., None],
    'from nets.parts import dense\ninput x : [2]\nout = dense(x, name="up") + up.W[0]': lambda x: (
        x.sum() + 1
    ).expand(4),
}


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize("text", IMPORTS)
def test_modules_have_sizes_and_names_of_their_own(text: str) -> None:
    program, x = dsl.compile(text), numbers(2)
    found = program.run("out", {"x": x}, program.init(dtype=F64))
    torch.testing.assert_close(found, IMPORTS[text](x))


@pytest.mark.usefixtures("_folder")
def test_the_sizes_of_a_module_hold_where_it_is_used() -> None:
    with pytest.raises(dsl.DslError, match="declared \\[n\\], but it is \\[3\\]"):
        dsl.compile("from nets.parts import f\ninput x : [3]\nout = f(x)")
    with pytest.raises(dsl.DslError, match="`d/n` is not a whole number: 2 does not divide 3"):
        dsl.compile("from nets.parts import heads\ninput x : [1, 3]\nout = heads(x)")


@pytest.mark.usefixtures("_folder")
def test_what_an_import_leaves_behind_is_told_where_it_is_declared() -> None:
    with pytest.raises(dsl.DslError) as caught:
        dsl.compile("from nets.parts import outside\ninput x : [2]\nout = outside(x)")
    assert caught.value.message == "`W` is declared in `nets.parts` and not imported with it"
    assert caught.value.span.label == "nets.parts:3:7"
