"""`chalkgrad check`: errors and lints of texts, each after `FILE:LINE:COLUMN`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping

import dsl
from dsl import Diagnostic, DslError
from dsl.errors import render
from engine import EngineError
from magics.cli.ending import warn
from magics.errors import GraphError
from magics.feeds import read
from magics.sources import source


def run(options: Namespace) -> int:
    """Status 1 if a text has an error, under `--strict` also if it has a lint."""
    values = read(options.feed)
    found = [each for file in options.files for each in _found(file, values)]
    for _, told in found:
        warn(told)
    return int(any(is_error or options.strict for is_error, _ in found))


def _found(file: str, values: Mapping[str, object]) -> Iterator[tuple[bool, str]]:
    """Errors (True) and lints of a text."""
    try:
        text, name = source(file)
        program = dsl.compile(text, values, name)
        yield from ((False, _placed(each)) for each in program.lints)
    except DslError as error:
        yield from ((True, _placed(each)) for each in error.diagnostics)
    except EngineError as error:
        yield True, f"{file}: error: {error}"
    except GraphError as error:
        yield True, f"error: {error}"


def _placed(fault: Diagnostic) -> str:
    """The error as editors and tools read it: its place first."""
    place = fault.span.label
    first, *others = (line for line in render(fault).splitlines() if line != f"  {place}")
    return "\n".join([f"{place}: {first}", *others])
