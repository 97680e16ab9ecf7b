"""A value where a tensor is wanted: rows lose their direction, lists are stacked."""

from __future__ import annotations

import torch

from engine import Node, ops

from ..errors import DslError, one_line, refuse
from ..syntax import Expr
from ..values import CALLABLE, Items, Module, Row, Value, Words
from .located import Term, bare, located, written


def as_tensor(value: Value, expr: Expr) -> Node:
    """The value as a node. Raises DslError for functions, texts, modules and `None`."""
    match value:
        case Node():
            return value
        case Row(node):
            return node
        case Items():
            return _stacked(value, expr)
        case _:
            raise _no_tensor(value, expr)


def _stacked(items: Items, expr: Expr) -> Node:
    """One tensor of several values; a list of numbers is a constant."""
    if not items.values:
        raise refuse("an empty list has no shape", expr.span, "write `zeros([0])`", "shape")
    exprs = written(expr, len(items.values))
    parts = [as_tensor(value, part) for value, part in zip(items.values, exprs, strict=True)]
    if all(part.op is ops.const and part.shape == parts[0].shape for part in parts):
        with located(expr.span):
            return ops.const(_constant(parts))
    terms = [Term(f"item {i}", *each) for i, each in enumerate(zip(parts, exprs, strict=True))]
    with located(expr.span, terms):
        return ops.stack(parts)


def _constant(parts: list[Node]) -> torch.Tensor:
    """Numbers of a list as one tensor, floats in full precision."""
    tensors = [_number(part) for part in parts]
    kind = torch.float64 if any(t.is_floating_point() for t in tensors) else tensors[0].dtype
    return torch.stack([t.to(kind) for t in tensors])


def _number(part: Node) -> torch.Tensor:
    value = part.attrs["value"]
    if isinstance(value, float):
        return torch.tensor(value, dtype=torch.float64)
    return value.tensor if hasattr(value, "tensor") else torch.tensor(value)


def _no_tensor(value: Value, expr: Expr) -> DslError:
    span = bare(expr.span)
    text = one_line(span.text)
    if isinstance(value, CALLABLE):
        message, hint = f"`{text}` is a function, not a value", f"call it: `{text}(…)`"
    elif isinstance(value, Words):
        message, hint = f"the text {text} is no value", "texts stand only in `name=` and patterns"
    elif isinstance(value, Module):
        message, hint = f"`{text}` is a module, not a value", f"take a name of it: `{text}.…`"
    else:
        message, hint = "`None` is not a value", "it stands in an index, and in `axis=None`"
    return refuse(message, span, hint, "kind")
