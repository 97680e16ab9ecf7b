"""Values for inputs from the words of a command line: `X.npy`, `Q=query.npy`, `t=0.5`.

A file gives the input of its own name a value; an archive gives each of its arrays by name.
"""

from __future__ import annotations

import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from engine import EngineError
from engine.learn import load
from magics.errors import GraphError

Value = Any  # a number, an array or a tensor


def read(words: Iterable[str]) -> dict[str, Value]:
    """The values by name, of a name given twice the last. Raises GraphError.

    >>> read(["t=0.5", "n=3"])
    {'t': 0.5, 'n': 3}
    """
    return {name: value for word in words for name, value in _values(word).items()}


def _values(word: str) -> dict[str, Value]:
    name, is_named, text = word.partition("=")
    if not is_named:
        found = _from_file(Path(word))
        return {unicodedata.normalize("NFKC", each): value for each, value in found.items()}
    name = unicodedata.normalize("NFKC", name.strip())
    number = _number(text.strip())
    return {name: _only(text, _from_file(Path(text))) if number is None else number}


def _number(text: str) -> bool | int | float | None:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _only(text: str, found: dict[str, Value]) -> Value:
    if len(found) == 1:
        return next(iter(found.values()))
    names = ", ".join(f"`{name}`" for name in found)
    raise GraphError(f"`{text}` holds {len(found)} arrays: {names}", help=f"feed it as `{text}`")


def _from_file(path: Path) -> dict[str, Value]:
    """The arrays in a file. Raises GraphError where it cannot be read."""
    if path.suffix not in _READERS:
        raise GraphError(
            f"`{path}` is no number and no file of arrays",
            help="a value is a number, or a .npy, .npz or .safetensors file",
        )
    try:
        return _READERS[path.suffix](path)
    except FileNotFoundError:
        raise GraphError(f"there is no file `{path}`") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise GraphError(f"`{path}` cannot be read: {error}") from None
    except EngineError as error:
        raise GraphError(error.message) from None


def _npy(path: Path) -> dict[str, Value]:
    return {path.stem: _plain(path, np.load(path, allow_pickle=False))}


def _npz(path: Path) -> dict[str, Value]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: _plain(path, archive[name]) for name in archive.files}


def _plain(path: Path, array: np.ndarray) -> np.ndarray:
    """The array in this machine's order of bytes."""
    if array.dtype.kind not in "biuf":
        raise GraphError(f"`{path}` holds {array.dtype}: an input is of floats, ints or bools")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


_READERS: dict[str, Callable[[Path], dict[str, Value]]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".safetensors": lambda path: dict(load(path)[0]),
}
