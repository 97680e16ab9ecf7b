"""A formula of the language held against torch in float64: its value, and its gradients."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

import dsl
from engine import Evaluator, var, vjp

F64 = torch.float64

Values = Mapping[str, Tensor]
Peer = Callable[[dict[str, Tensor]], Tensor]


def spread(params: Values, seed: int = 2) -> dict[str, Tensor]:
    """Parameters far from 0, biases too, so that no gradient is small by accident."""
    generator = torch.Generator().manual_seed(seed)
    return {
        path: torch.randn(value.shape, dtype=F64, generator=generator) / math.sqrt(value.shape[-1])
        for path, value in params.items()
    }


def assert_agrees(program: dsl.Program, name: str, feeds: Values, peer: Peer) -> None:
    """The value of a name and the slopes of ⟨g, value⟩ by every float are those of torch.

    `peer` computes the value from the inputs by name and the parameters by path.
    """
    params = spread(program.init())
    given = {**feeds, **params}
    leaves = {
        each: value.clone().requires_grad_(value.is_floating_point())
        for each, value in given.items()
    }
    wanted = peer(leaves)
    g = torch.randn(wanted.shape, dtype=F64)
    floats = [each for each, leaf in leaves.items() if leaf.requires_grad]
    slopes = torch.autograd.grad((g * wanted).sum(), [leaves[each] for each in floats])
    node = program.nodes[name]
    cotangent = var("cotangent", node.shape)
    along = vjp(node, [program[each] for each in floats], cotangent)
    fed = program.feeds(feeds, params) | {cotangent: g}
    value, *found = Evaluator([node, *along]).run(fed)
    torch.testing.assert_close(value, wanted.detach(), rtol=0, atol=1e-10)
    for each, ours, theirs in zip(floats, found, slopes, strict=True):
        assert theirs.abs().max() > 1e-4, each
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10, msg=each)
