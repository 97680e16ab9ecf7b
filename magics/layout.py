"""DOT laid out as SVG by the first drawing program that works.

One comes with the package `graphviz-pure`; `dot` on PATH is the second choice.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

LONGEST = 20  # seconds that a layout may take


def layout(source: str, longest: float = LONGEST) -> str | None:
    """The SVG that the first working drawing program makes of a DOT text, None without one.

    A program that takes more than the `longest` seconds does not work.
    """
    for program in drawing_programs():
        svg = _run(program, source, longest)
        if svg is not None:
            return _slim(svg[svg.index("<svg") :])
    return None


def drawing_programs() -> Iterator[Path]:
    """Where Graphviz may be: the file of the package `graphviz-pure`, then `dot` on PATH."""
    try:
        packaged = importlib.metadata.files("graphviz-pure") or []
    except importlib.metadata.PackageNotFoundError:
        packaged = []
    found = [str(file.locate()) for file in packaged if file.stem == "graphviz-pure"]
    found.append(shutil.which("graphviz-pure", path=sysconfig.get_path("scripts")) or "")
    found.append(shutil.which("dot") or "")
    programs = dict.fromkeys(Path(program).resolve() for program in found if program)
    yield from (program for program in programs if program.is_file())


def _slim(svg: str) -> str:
    """The same picture in fewer bytes: tenths of a point, and once what all words have in common.

    Quotes do not occur in the words of an SVG but as `&quot;`, so this reaches attributes only.
    """
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    shared = ' xml:space="preserve"', ' font-family="Arial"'
    for attribute in shared:
        svg = svg.replace(attribute, "")
    svg = svg.replace("<svg", f"<svg{''.join(shared)}", 1).replace("\n", "")
    return re.sub(r' (d|points|x|y|font-size)="[^"]*"', _rounded, svg)


def _rounded(attribute: re.Match[str]) -> str:
    return re.sub(
        r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), attribute[0]
    )


def _run(program: Path, source: str, longest: float) -> str | None:
    try:
        from graphviz.backend import dot_command, execute

        command = [program, *dot_command.command("dot", "svg")[1:]]
        done = execute.run_check(
            command, input=source.encode(), capture_output=True, quiet=True, timeout=longest
        )
        svg = done.stdout.decode()
    except (ImportError, OSError, RuntimeError, UnicodeError, subprocess.SubprocessError):
        return None
    return svg if "<svg" in svg else None
