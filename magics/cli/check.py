"""`chalkgrad check`: what is wrong with texts, each fault after `FILE:LINE:COLUMN`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping

import dsl
from dsl import DslError
from dsl.errors import Diagnostic, render
from engine import EngineError
from magics.cli.ending import warn
from magics.errors import GraphError
from magics.feeds import read
from magics.sources import source


def run(options: Namespace) -> int:
    """Status 1 if a text has an error."""
    values = read(options.feed)
    faults = [fault for file in options.files for fault in _faults(file, values)]
    for fault in faults:
        warn(fault)
    return 1 if faults else 0


def _faults(file: str, values: Mapping[str, object]) -> Iterator[str]:
    try:
        text, name = source(file)
        dsl.compile(text, values, name)
    except DslError as error:
        yield from (_placed(each) for each in error.diagnostics)
    except EngineError as error:
        yield f"{file}: error: {error}"
    except GraphError as error:
        yield f"error: {error}"


def _placed(fault: Diagnostic) -> str:
    """The error as editors and tools read it: its place first."""
    place = fault.span.label
    first, *others = (line for line in render(fault).splitlines() if line != f"  {place}")
    return "\n".join([f"{place}: {first}", *others])
