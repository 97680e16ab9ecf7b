"""A built-in function from one line: its signature as users read it, and what builds the node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine import Node

from ..values import Builtin, Form, Slot, Value

# How the argument for a parameter of this name is read; every other one is a tensor.
_KINDS = {
    "axis": "axis",
    "axes": "axis",
    "keepdims": "flag",
    "shape": "shape",
    "n": "size",
    "start": "size",
    "stop": "size",
    "step": "number",
    "diagonal": "number",
    "parts": "parts",
    "eps": "number",
    "which": "number",
    "pattern": "text",
    "reduction": "text",
    "kind": "text",
    "correction": "number",
}
_DEFAULTS: dict[str, object] = {"None": None, "false": False, "true": True}


def builtin(signature: str, build: Callable[..., Node | Sequence[Node]], **kinds: str) -> Builtin:
    """The function with this signature: `sum(x, axis=None, keepdims=false)`.

    `kinds` says how an argument is read where the parameter's name does not.
    """
    name = signature.partition("(")[0]
    return Builtin(name, slots_of(signature, kinds), build, signature)


def form(signature: str, apply: Callable[..., Value]) -> Form:
    """The built-in with this signature that gets its arguments as they were written."""
    return Form(signature.partition("(")[0], slots_of(signature), apply, signature)


def slots_of(signature: str, kinds: Mapping[str, str] = _KINDS) -> tuple[Slot, ...]:
    """The parameters in a signature."""
    inside = signature.removesuffix(")").partition("(")[2]
    return tuple(_slot(each, kinds) for each in inside.split(", ") if each)


def _slot(text: str, kinds: Mapping[str, str]) -> Slot:
    name, has_default, default = text.partition("=")
    if name.startswith("**"):
        return Slot(name[2:], "size", None, required=False, named=True)
    if name.startswith("*"):
        return Slot(name[1:], "tensor", None, required=False, rest=True)
    kind = {**_KINDS, **kinds}.get(name, "optional" if default == "None" else "tensor")
    return Slot(name, kind, _default(default) if has_default else None, not has_default)


def _default(text: str) -> object:
    if text in _DEFAULTS:
        return _DEFAULTS[text]
    if text.startswith('"'):
        return text.strip('"')
    return float(text) if "." in text or "e" in text else int(text)
