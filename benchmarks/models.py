"""The models that are timed, each written twice: as chalkgrad's graph and in torch functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from engine import Node, ops, var

Tensors = dict[str, Tensor]
Nodes = dict[str, Node]


@dataclass(frozen=True)
class Model:
    """A loss of parameters and a batch, in both worlds: `graph` of nodes, `torch` of tensors."""

    name: str
    parameters: Tensors
    batch: Tensors
    graph: Callable[[Nodes, Nodes], Node]
    torch: Callable[[Tensors, Tensors], Tensor]

    def to(self, dtype: torch.dtype) -> Model:
        """The same model in another precision."""
        parameters = {name: x.to(dtype) for name, x in self.parameters.items()}
        batch = {
            name: x.to(dtype) if x.is_floating_point() else x for name, x in self.batch.items()
        }
        return replace(self, parameters=parameters, batch=batch)

    def nodes(self) -> tuple[Nodes, Nodes]:
        """A variable for every parameter and every part of the batch."""
        parameters = {name: var(name, x.shape) for name, x in self.parameters.items()}
        batch = {
            name: var(name, x.shape, kind="float" if x.is_floating_point() else "int")
            for name, x in self.batch.items()
        }
        return parameters, batch


def mlp(inputs: int = 784, hidden: int = 128, classes: int = 10, batch: int = 64) -> Model:
    """Cross-entropy of relu(x W₁ + b₁) W₂ + b₂."""
    sizes = {"W1": (inputs, hidden), "b1": (hidden,), "W2": (hidden, classes), "b2": (classes,)}
    return Model(
        f"MLP {inputs}-{hidden}-{classes}, batch {batch}",
        drawn(sizes),
        {"x": torch.randn(batch, inputs), "targets": torch.randint(classes, (batch,))},
        _mlp_graph,
        _mlp_torch,
    )


def _mlp_graph(p: Nodes, batch: Nodes) -> Node:
    hidden = ops.relu(batch["x"] @ p["W1"] + p["b1"])
    return ops.cross_entropy(hidden @ p["W2"] + p["b2"], batch["targets"])


def _mlp_torch(p: Tensors, batch: Tensors) -> Tensor:
    hidden = torch.relu(torch.addmm(p["b1"], batch["x"], p["W1"]))
    return F.cross_entropy(torch.addmm(p["b2"], hidden, p["W2"]), batch["targets"])


def decoder(
    d: int = 64, T: int = 50, batch: int = 16, vocabulary: int = 96, layers: int = 1
) -> Model:
    """Embedding + positions -> post-LN blocks (causal attention, ReLU FFN) -> cross-entropy."""
    sizes = {"tokens": (vocabulary, d), "positions": (T, d), "head": (d, vocabulary)}
    for i in range(layers):
        block = {"Wq": (d, d), "Wk": (d, d), "Wv": (d, d), "Wo": (d, d), "W1": (d, 4 * d)}
        block |= {"b1": (4 * d,), "W2": (4 * d, d), "b2": (d,)}
        block |= {"gain1": (d,), "shift1": (d,), "gain2": (d,), "shift2": (d,)}
        sizes |= {f"h{i}.{name}": size for name, size in block.items()}
    text = torch.randint(vocabulary, (batch, T + 1))
    return Model(
        f"decoder d={d} T={T} batch {batch}, layers {layers}",
        drawn(sizes),
        {"x": text[:, :-1].contiguous(), "targets": text[:, 1:].contiguous()},
        lambda p, b: _decoder_graph(p, b, layers),
        lambda p, b: _decoder_torch(p, b, layers),
    )


def _decoder_graph(p: Nodes, batch: Nodes, layers: int) -> Node:
    x = p["tokens"][batch["x"]] + p["positions"]
    assert p["positions"].shape is not None
    T, d = p["positions"].shape
    assert d is not None
    mask = ops.triu(ops.full((T, T), -1e9), 1)
    for i in range(layers):
        w = {name: p[f"h{i}.{name}"] for name in BLOCK}
        scores = ops.softmax((x @ w["Wq"]) @ (x @ w["Wk"]).T / ops.sqrt(ops.size(d)) + mask)
        attended = scores @ (x @ w["Wv"]) @ w["Wo"]
        a = ops.layer_norm(x + attended, w["gain1"], w["shift1"])
        inner = ops.relu(a @ w["W1"] + w["b1"]) @ w["W2"] + w["b2"]
        x = ops.layer_norm(a + inner, w["gain2"], w["shift2"])
    return ops.cross_entropy(x @ p["head"], batch["targets"])


def _decoder_torch(p: Tensors, batch: Tensors, layers: int) -> Tensor:
    x = F.embedding(batch["x"], p["tokens"]) + p["positions"]
    d = x.shape[-1]
    for i in range(layers):
        w = {name: p[f"h{i}.{name}"] for name in BLOCK}
        q, k, v = x @ w["Wq"], x @ w["Wk"], x @ w["Wv"]
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True) @ w["Wo"]
        a = F.layer_norm(x + attended, (d,), w["gain1"], w["shift1"])
        inner = torch.relu(F.linear(a, w["W1"].mT, w["b1"]))
        x = F.layer_norm(a + F.linear(inner, w["W2"].mT, w["b2"]), (d,), w["gain2"], w["shift2"])
    return F.cross_entropy((x @ p["head"]).flatten(0, -2), batch["targets"].flatten())


BLOCK = ("Wq", "Wk", "Wv", "Wo", "W1", "b1", "W2", "b2", "gain1", "shift1", "gain2", "shift2")


def drawn(sizes: dict[str, tuple[int, ...]]) -> Tensors:
    """Matrices ~ normal(0, 1/√rows), embeddings ~ normal(0, 1), shifts 0, gains 1."""
    torch.manual_seed(0)
    return {name: _draw(name.split(".")[-1], size) for name, size in sizes.items()}


def _draw(name: str, size: tuple[int, ...]) -> Tensor:
    if len(size) == 1:
        return torch.ones(size) if name.startswith("gain") else torch.zeros(size)
    embeds = name in ("tokens", "positions")
    return torch.randn(size) * (1.0 if embeds else 1 / math.sqrt(size[0]))
