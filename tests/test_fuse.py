"""Fusing: what becomes of a formula, and that its values and gradients stay what they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from benchmarks import train_step
from benchmarks.models import Model, decoder, mlp
from engine import Evaluator, GradientError, Node, gradients, ops, var
from engine.dims import evaluate, size
from engine.graph import depends, rebuild, toposort
from engine.ops.selection import place_like
from engine.passes import fused, optimise
from engine.passes.fused import Fused, meaning
from engine.run import memory
from engine.show.text import formula

SIZES = {"B": 2, "T": 3, "d": 4, "k": 5}
B, T, d, k = (size(name) for name in SIZES)

x, g, q, p = (var(name, [B, T, d]) for name in "xgqp")
u, v = (var(name, [T, d]) for name in "uv")
W, V, U = var("W", [d, k]), var("V", [d, k]), var("U", [k, d])
b, c, w, s = var("b", [k]), var("c", [B, T, k]), var("w", [d]), var("s", [d])
mask, column, line, scale = (
    var(name, shape)
    for name, shape in (("mask", [T, T]), ("column", [T, 1]), ("line", [1, d]), ("scale", []))
)
targets, at = var("targets", [B, T], "int"), var("at", [T], "int")
LEAVES = (x, g, q, p, u, v, W, V, U, b, c, w, s, mask, column, line, scale, targets, at)


def feeds(sizes: dict[str, int] = SIZES) -> dict[Node, Tensor]:
    """Random doubles; the whole numbers are classes among d."""
    random = torch.Generator().manual_seed(1)
    shapes = {leaf: [evaluate(dim, sizes) for dim in leaf.shape or () if dim] for leaf in LEAVES}
    return {
        leaf: torch.randn(shape, generator=random, dtype=torch.float64)
        if leaf.kind == "float"
        else torch.randint(0, sizes["d"], shape, generator=random)
        for leaf, shape in shapes.items()
    }


def text(outputs: Sequence[Node]) -> str:
    return " ; ".join(formula(node).replace("\n", " / ") for node in outputs)


def close(a: Sequence[Tensor], b: Sequence[Tensor]) -> None:
    for one, other in zip(a, b, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10, equal_nan=True)


def back(y: Node, *wrt: Node) -> list[Node]:
    """The gradients for a cotangent that is no constant: g where it fits, else y itself."""
    return gradients(y, wrt, seed=g if y.shape == g.shape else ops.stop(y))


@dataclass(frozen=True)
class Row:
    """Outputs, and their formulas after fusing."""

    name: str
    outputs: Sequence[Node]
    after: str

    def __str__(self) -> str:
        return self.name


normed = ops.layer_norm(x, w, s)
product = u @ W
loss = ops.cross_entropy(x, targets)
total = ops.cross_entropy(x, targets, reduction="sum")
mean_a = "item(a, which=1), item(a, which=2)"

PRODUCTS = [
    Row("a linear layer", [u @ W + b], "addmm(b, u, W)"),
    Row("the other way round", [b + u @ W], "addmm(b, u, W)"),
    Row(
        "a linear layer of batches",
        [x @ W + b],
        "reshape(addmm(b, reshape(x, [B*T, d]), W), [B, T, k])",
    ),
    Row(
        "a residual of batches",
        [c + x @ W],
        "reshape(addmm(reshape(c, [B*T, k]), reshape(x, [B*T, d]), W), [B, T, k])",
    ),
    Row("two products", [u @ W + v @ V], "addmm(u @ W, v, V)"),
    Row("a difference", [b - u @ W], "addmm(b, u, W, -1)"),
    Row("scores", [mask + q @ p.T / 2.0], "addmm(mask, q, p^T, 0.5)"),
    Row("scores by a variable", [q @ p.T * scale + mask], "addmm(mask, q, p^T, scale)"),
    Row("scores over a variable", [q @ p.T / scale + mask], "addmm(mask, q, p^T, 1 / scale)"),
    Row("a row added", [line @ V + u @ W], "addmm(line @ V, u, W)"),
    Row("a scalar added", [u @ W + scale], "addmm(scale, u, W)"),
    Row("one matrix for all batches", [x @ W], "reshape(reshape(x, [B*T, d]) @ W, [B, T, k])"),
    Row(
        "the gradient of a matrix",
        gradients(x @ W, [W], seed=c),
        "reshape(x, [B*T, d])^T @ reshape(c, [B*T, k])",
    ),
    Row("a product turned", [(u @ W).T], "W^T @ u^T"),
    Row("a product with a transpose, turned", [(u.T @ v).T], "v^T @ u"),
]
NEURAL = [
    Row("softmax", back(ops.softmax(x), x), "softmax_backward(g, softmax(x))"),
    Row(
        "softmax along an inner axis",
        back(ops.softmax(x, 1), x),
        "softmax_backward(g, softmax(x, axis=-2), axis=-2)",
    ),
    Row("log_softmax", back(ops.log_softmax(x), x), "log_softmax_backward(g, log_softmax(x))"),
    Row("relu backwards alone", back(ops.relu(x), x), "relu_backward(g, x)"),
    Row(
        "relu both ways",
        [ops.relu(x), *back(ops.relu(x), x)],
        "relu(x) ; relu_backward(g, relu(x))",
    ),
    Row(
        "losses", [ops.cross_entropy(u, at, reduction="none")], "cross_entropy(log_softmax(u), at)"
    ),
    Row(
        "a mean loss both ways",
        [loss, *gradients(loss, [x])],
        'cross_entropy(log_softmax(x), targets, reduction="mean") ; '
        "a = -expand(1 / (B*T), [B, T])[..., None] / "
        "cross_entropy_backward(a, log_softmax(x), targets)",
    ),
    Row(
        "a sum of losses both ways",
        [total, *gradients(total, [x])],
        "sum(cross_entropy(log_softmax(x), targets)) ; "
        "a = -expand(1, [B, T])[..., None] / "
        "cross_entropy_backward(a, log_softmax(x), targets)",
    ),
]
NORMS = [
    Row("a norm", [ops.layer_norm(x)], "item(layernorm(x))"),
    Row("with a weight", [ops.layer_norm(x, w)], "item(layernorm(x, w))"),
    Row("with weight and bias", [normed], "item(layernorm(x, w, s))"),
    Row(
        "backwards",
        back(ops.layer_norm(x), x),
        f"a = layernorm(x) / item(layer_norm_backward(g, x, {mean_a}))",
    ),
    Row(
        "both ways with weight and bias",
        [normed, *back(normed, x, w, s)],
        "item(layernorm(x, w, s)) ; "
        f"a = layernorm(x, w, s) / item(layer_norm_backward(g, x, {mean_a}, w)) ; "
        f"a = layernorm(x, w, s) / b = layer_norm_backward(g, x, {mean_a}, w) / item(b, which=1) ; "
        f"a = layernorm(x, w, s) / b = layer_norm_backward(g, x, {mean_a}, w) / item(b, which=2)",
    ),
]
LEFT_ALONE = [
    Row("a product used twice", [product + b, ops.relu(product)], "u @ W + b ; relu(u @ W)"),
    Row("a product that is an output", [product, product + b], "u @ W ; u @ W + b"),
    Row("a vector times a matrix", [w @ W + b], "w @ W + b"),
    Row("a sum larger than the product", [c + u @ W], "c + u @ W"),
    Row(
        "products that are an output",
        [ops.sum_to(x.T @ c, (d, k)), x.T @ c],
        "sum_to(x^T @ c, [d, k]) ; x^T @ c",
    ),
    Row(
        "positions added to batches",
        [u @ V + x @ W],
        "u @ V + reshape(reshape(x, [B*T, d]) @ W, [B, T, k])",
    ),
    Row("scores scaled row by row", [q @ p.T * column + mask], "q @ p^T * column + mask"),
    Row(
        "a softmax less something else",
        [scale * ops.softmax(x) - place_like(g[..., 0], targets, x, -1)],
        "scale * softmax(x) - place(g[..., 0], targets, [B, T, d])",
    ),
    Row(
        "the gradient of a weight alone",
        back(normed, w),
        "sum_to(g * item(layernorm(x)), [d])",
    ),
    Row(
        "a scaled norm that is an output",
        [ops.layer_norm(x, w), normed],
        "item(layernorm(x, w)) ; item(layernorm(x, w)) + s",
    ),
    Row("a softmax of something else", [ops.softmax(x) * (g - q)], "softmax(x) * (g - q)"),
    Row("a step at another place", [ops.where(ops.less(1, x), g, 0.0)], "where(1 < x, g, 0)"),
    Row("a norm along an inner axis", [ops.layer_norm(x, axis=1)], "layernorm(x, axis=-2)"),
    Row("a scale of another shape", [ops.layer_norm(x) * column], "item(layernorm(x)) * column"),
]
ROWS = [*PRODUCTS, *NEURAL, *NORMS, *LEFT_ALONE]
over_rows = pytest.mark.parametrize("row", ROWS, ids=str)


@over_rows
def test_a_formula_becomes_kernels(row: Row) -> None:
    assert text(optimise(row.outputs).outputs) == row.after


@pytest.mark.parametrize(
    "sizes",
    [SIZES, *({**SIZES, name: 1} for name in SIZES), *({**SIZES, name: 0} for name in "BT")],
    ids=str,
)
@over_rows
def test_values_stay_what_they_were_in_fresh_memory_and_in_kept(
    row: Row, sizes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SMALL", 0)
    plain = Evaluator(row.outputs, fuse=False).run(feeds(sizes))
    fast = Evaluator(row.outputs)
    for _ in range(3):
        close(fast.run(feeds(sizes)), plain)


@over_rows
def test_gradients_of_what_is_fused_stay_what_they_were(row: Row) -> None:
    """Those of Σ sin(outputs), through every node that a rule may replace."""
    y = sum((ops.sum(ops.sin(out)) for out in row.outputs), ops.const(0.0))
    slopes = gradients(y, [leaf for leaf in LEAVES if leaf.kind == "float"])
    close(Evaluator(slopes).run(feeds()), Evaluator(slopes, fuse=False).run(feeds()))


def test_a_cross_entropy_along_another_axis_keeps_its_own_kernel() -> None:
    y = ops.cross_entropy(x, ops.zeros((T, d), kind="int"), axis=0)
    outputs = [y, *gradients(y, [x])]
    assert "softmax(x, axis=-3)" in text(optimise(outputs).outputs)
    close(Evaluator(outputs).run(feeds()), Evaluator(outputs, fuse=False).run(feeds()))


item = fused.item.node
stats = (ops.mean(x, -1, keepdims=True), (ops.var(x, -1, keepdims=True) + 1e-5) ** -0.5)
SAMPLES: dict[str, list[Node]] = {  # of every fused op, whoever adds one adds its row
    "item": [item((fused.layer_norm.node((x,)),), which=2)],
    "addmm": [
        fused.addmm.node((b, u, W)),
        fused.addmm.node((u @ W, u, V)),
        fused.addmm.node((u @ W, u, V, scale)),
        fused.addmm.node((mask, q, p.T, ops.const(-0.5))),
    ],
    "softmax_backward": [
        fused.softmax_backward.node((x, ops.softmax(y, axis)), axis=axis)
        for y in (q, scale + q)
        for axis in (-1, -2)
    ],
    "log_softmax_backward": [
        fused.log_softmax_backward.node((x, ops.log_softmax(q, axis)), axis=axis)
        for axis in (-1, -2)
    ],
    "relu_backward": [fused.relu_backward.node((x, q)), fused.relu_backward.node((scale, scale))],
    "layer_norm": [
        item((fused.layer_norm.node(xs, eps=0.1),), which=i)
        for xs in ((x,), (x, w), (x, w, s), (w,), (w, s, s))
        for i in range(3)
    ],
    "layer_norm_backward": [
        item((fused.layer_norm_backward.node((g, x, *stats, *scaling)),), which=i)
        for scaling, results in (((), 1), ((w,), 3))
        for i in range(results)
    ],
    "cross_entropy": [
        fused.cross_entropy.node((ops.log_softmax(y), t), reduction=reduction)
        for y, t in ((x, targets), (u, at), (w, at[0]))
        for reduction in ("none", "mean")
    ],
    "cross_entropy_backward": [
        fused.cross_entropy_backward.node((cotangent, ops.log_softmax(y), t))
        for cotangent, y, t in ((g[..., :1], x, targets), (v[:, 1:2], u, at), (b[:1], w, at[0]))
    ],
}


def test_every_fused_op_has_samples() -> None:
    assert set(SAMPLES) == set(Fused.known)


def spelled_out(outputs: Sequence[Node]) -> list[Node]:
    """The outputs with their fused nodes replaced by what they mean."""
    new: dict[Node, Node] = {}
    for node in toposort(outputs):
        plain = rebuild(node, tuple(new[x] for x in node.inputs))
        new[node] = meaning(plain) if isinstance(node.op, Fused) and not node.op.parts else plain
    return [new[node] for node in outputs]


@pytest.mark.parametrize("name", Fused.known)
def test_a_kernel_computes_what_its_definition_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SMALL", 0)
    for node in SAMPLES[name]:
        kernels = Evaluator([node], fuse=False)
        told = Evaluator(spelled_out([node]), fuse=False).run(feeds())
        for _ in range(3):
            close(kernels.run(feeds()), told)


@pytest.mark.parametrize("name", Fused.known)
def test_a_fused_op_has_the_shape_and_the_cost_of_its_definition(name: str) -> None:
    for node in SAMPLES[name]:
        told = spelled_out([node])[0]
        assert (node.shape, node.kind) == (told.shape, told.kind)
        assert node.op.cost(node, *node.inputs) is not None


def test_a_fused_op_is_not_differentiated() -> None:
    with pytest.raises(GradientError, match="`addmm` is made after differentiation"):
        gradients(ops.sum(fused.addmm.node((b, u, W))), [W])


VIEWS = ("reshape", "transpose", "expand", "item")


@pytest.mark.parametrize(
    "model, kernels",
    [
        (
            mlp(12, 8, 4, 6),
            "addmm cross_entropy cross_entropy_backward log_softmax matmul mul relu "
            "relu_backward sub sum_to",
        ),
        (
            decoder(8, 5, 2, 11, layers=2),
            "add addmm cross_entropy cross_entropy_backward div gather layer_norm "
            "layer_norm_backward log_softmax matmul mul relu relu_backward scatter_add softmax "
            "softmax_backward sub sum_to",
        ),
    ],
    ids=["mlp", "decoder"],
)
def test_the_whole_step_of_a_model_is_covered_by_fast_kernels(model: Model, kernels: str) -> None:
    """No piece of a formula for which there is a kernel is left over."""
    parameters, batch = model.nodes()
    y = model.graph(parameters, batch)
    slopes = gradients(y, list(parameters.values()))
    steps = [θ - 0.1 * slope for θ, slope in zip(parameters.values(), slopes, strict=True)]
    leaves = [*parameters.values(), *batch.values()]
    moving = depends(optimise([y, *steps]).outputs, leaves).difference(leaves)
    assert " ".join(sorted({node.op.name for node in moving}.difference(VIEWS))) == kernels


def test_the_benchmark_agrees_with_torch_and_prints_its_tables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    threads = torch.get_num_threads()
    train_step.main(["--quick", "--threads", "1"])
    torch.set_num_threads(threads)
    printed = capsys.readouterr().out
    assert printed.count("chalkgrad ") == printed.count("PyTorch eager ") == 2


def test_the_benchmark_refuses_to_time_what_differs() -> None:
    model = mlp(12, 8, 4, 6)
    one, other = train_step.chalkgrad(model), train_step.eager(model)
    with torch.no_grad():
        other.parameters["b1"] += 0.1
    with pytest.raises(AssertionError, match="the loss of other"):
        train_step.agree({"one": one, "other": other}, rtol=1e-3)
