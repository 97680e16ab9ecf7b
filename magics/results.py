"""Tensors that were computed: shown as cards, in Python tensors like any other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from magics.cards import card


class Result(Tensor):
    """A tensor that shows itself as a card. What is computed of it is a plain tensor again.

    >>> value = result(torch.tensor([0.0, 4.0]))
    >>> value
    tensor[2] float32 x∈[0 |█     █| 4] μ=2 σ=2
    0  4
    >>> value + 1
    tensor([1., 5.])
    """

    __torch_function__: Any = torch._C._disabled_torch_function_impl

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return card(self).text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return card(self)._repr_mimebundle_()

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and not self.ndim else super().__format__(spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return self.detach().clone()


class Results(dict[str, Result]):
    """Tensors by name, their cards one below the other."""

    def __repr__(self) -> str:
        return "\n".join(card(value, name).text for name, value in self.items())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = "".join(card(value, name).html for name, value in self.items())
        return {"text/plain": repr(self), "text/html": shown}


def result(value: Tensor) -> Result:
    """The same elements, shown as a card."""
    return value.as_subclass(Result)
