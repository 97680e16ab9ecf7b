"""A built-in function from one line: its signature, as a user reads it, and what builds the node."""

from __future__ import annotations

from collections.abc import Callable

from ..values import Builtin, Slot

# How the argument for a parameter of this name is read; every other one is a tensor.
_KINDS = {
    "axis": "axis",
    "keepdims": "flag",
    "shape": "shape",
    "n": "size",
    "start": "size",
    "stop": "size",
    "step": "number",
    "diagonal": "number",
    "parts": "parts",
    "eps": "number",
    "pattern": "text",
    "correction": "number",
}
_DEFAULTS: dict[str, object] = {"None": None, "false": False, "true": True}


def builtin(signature: str, build: Callable[..., object]) -> Builtin:
    """The function with this signature: `sum(x, axis=None, keepdims=false)`."""
    return Builtin(signature.partition("(")[0], slots_of(signature), build, signature)


def slots_of(signature: str) -> tuple[Slot, ...]:
    """The parameters in a signature."""
    inside = signature.removesuffix(")").partition("(")[2]
    return tuple(_slot(each) for each in inside.split(", ") if each)


def _slot(text: str) -> Slot:
    name, has_default, default = text.partition("=")
    if name.startswith("*"):
        return Slot(name[1:], "tensor", None, required=False, rest=True)
    kind = _KINDS.get(name, "optional" if default == "None" else "tensor")
    return Slot(name, kind, _default(default) if has_default else None, not has_default)


def _default(text: str) -> object:
    if text in _DEFAULTS:
        return _DEFAULTS[text]
    return float(text) if "." in text or "e" in text else int(text)
