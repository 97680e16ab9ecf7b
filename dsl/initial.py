"""First values: every parameter drawn from its own key, which is made of the seed and its path.

So one more parameter changes no other, and the same seed gives the same model, in either precision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from engine import Evaluator, Node, ShapeError, var
from engine.dims import Size, sizes_in
from engine.dims import size as make_size

from .lowering.state import Parameter, whole_size


def draw(
    parameters: Sequence[Parameter],
    seed: int,
    dtype: torch.dtype | None,
    sizes: Mapping[str, int],
) -> dict[str, Tensor]:
    """The first value of each parameter by its path, drawn in float64 and rounded to `dtype`.

    Raises ShapeError for a size that has no value, KindError for one that is no whole number.
    """
    sizes = {name: whole_size(name, value) for name, value in sizes.items()}
    _check_sizes(parameters, sizes)
    feeds: dict[Node, Tensor | int] = {each.key: key(seed, each.path) for each in parameters}
    leaf, shape = _sizes_as_feed(sizes)
    feeds[leaf] = shape
    values = Evaluator([each.initial for each in parameters]).run(feeds)
    to = dtype or torch.get_default_dtype()
    return {
        each.path: value.to(to).clone(memory_format=torch.contiguous_format)
        for each, value in zip(parameters, values, strict=True)
    }


def key(seed: int, path: str) -> int:
    """The key of a parameter: 62 bits of a digest, the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{path}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 2


def _sizes_as_feed(sizes: Mapping[str, int]) -> tuple[Node, Tensor]:
    """A leaf with the sizes as its shape, and a float64 tensor for it that takes no memory."""
    leaf = var("the given sizes", tuple(make_size(name) for name in sizes))
    return leaf, torch.zeros((), dtype=torch.float64).expand(tuple(sizes.values()))


def _check_sizes(parameters: Sequence[Parameter], sizes: Mapping[str, int]) -> None:
    for each in parameters:
        unknown = [s for s in _sizes_of(each.leaf) if s.value is None and s.name not in sizes]
        if unknown:
            names = ", ".join(f'"{size.name}": …' for size in unknown)
            raise ShapeError(
                f"the size `{unknown[0].name}` of the parameter `{each.path}` has no value",
                hint=f"give it: `init(sizes={{{names}}})`, or `dim {unknown[0].name} = …`",
            )


def _sizes_of(leaf: Node) -> list[Size]:
    found = {size for dim in leaf.shape or () for size in sizes_in(dim)}
    return sorted(found, key=lambda size: size.name)
