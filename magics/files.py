"""Files by their endings: whole or as they were before, and shown by name and size."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Forms = Mapping[str, Callable[[], str | bytes]]  # what is written into a file, by its ending


@dataclass(frozen=True)
class File:
    """A file that was written; it goes wherever a path goes."""

    path: Path
    size: int

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"{self.path}, {self._size}"

    @property
    def _size(self) -> str:
        """The size as people say it: `870 bytes`, `12 kB`, `3.4 MB`."""
        if self.size < 1000:
            return f"{self.size} bytes"
        return f"{self.size / 1000:.0f} kB" if self.size < 999_500 else f"{self.size / 1e6:.1f} MB"

    def _repr_html_(self) -> str:
        name = html.escape(self.path.as_posix())
        link = name if self.path.is_absolute() else f'<a href="{name}">{name}</a>'
        return f"{link}, {self._size}"


def save(path: str | Path, forms: Forms) -> File:
    """Write the form that the ending of the path names; missing folders are made.

    Raises ValueError for another ending, and what the form raises; OSError where nothing can be
    written. The file is then as it was.
    """
    path = Path(path).expanduser()
    form = forms.get(path.suffix.lower())
    if form is None:
        *others, last = sorted(forms)
        told = f"it ends in {', '.join(others)} or {last}"
        raise ValueError(f"cannot write {path.name or path}: {told}")
    content = form()
    return write(path, content.encode() if isinstance(content, str) else content)


def write(path: Path, content: bytes) -> File:
    """Write a file beside its place and move it there."""
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o777)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return File(path, len(content))
