"""Tensors on disk: safetensors files that are whole or absent, never half written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.errors import EngineError


def save(
    path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write tensors and words about them to one safetensors file.

    It is written beside `path` and renamed once it is on the disk, so that a crash leaves the
    old file or the new one.
    Raises FileNotFoundError when the folder does not exist.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    content = safetensors.torch.save(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        dict(metadata) if metadata else None,
    )
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    _flush_names(target.parent)


def _flush_names(folder: Path) -> None:
    """Wait until the folder's new list of names is on the disk, where a folder can be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a safetensors file.

    Raises FileNotFoundError, or EngineError when the file is cut short or of another format.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file `{path}`")
    try:
        with safe_open(path, framework="pt") as file, torch.inference_mode(False):
            names, metadata = list(file.keys()), file.metadata() or {}
            return {name: file.get_tensor(name) for name in names}, dict(metadata)
    except (SafetensorError, OSError, ValueError) as error:
        raise EngineError(
            f"`{path}` is not a whole safetensors file: {error}",
            hint="it was cut short while it was copied, or was written by another program",
        ) from error


def check(path: str | Path, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Raises EngineError when the file's names, shapes or precisions are not those wanted."""
    faults = [f"`{name}` is not in the file" for name in wanted if name not in found]
    faults += [f"`{name}` is in the file alone" for name in found if name not in wanted]
    faults += [
        f"`{name}` is {_describe(found[name])} in the file, not {_describe(tensor)}"
        for name, tensor in wanted.items()
        if name in found and _describe(found[name]) != _describe(tensor)
    ]
    if faults:
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise EngineError(f"`{path}` is of another model: {'; '.join(faults[:3])}{more}")


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"
