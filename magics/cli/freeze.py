"""`chalkgrad freeze`: the live outputs of a notebook made static, for GitHub and other viewers."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from magics.cli.ending import warn
from magics.errors import GraphError
from magics.files import write
from magics.freeze import freeze


def run(options: Namespace) -> int:
    """Rewrite the notebook, or write the static one elsewhere; tell how many outputs changed."""
    source = Path(options.file)
    target = Path(options.out) if options.out else source
    try:
        frozen = freeze(source.read_text(encoding="utf-8"))
        content = frozen.text.encode()
    except ValueError as error:  # bytes that are no text among them
        raise GraphError(f"cannot freeze `{source}`: {error}") from None
    if frozen.count or target != source:
        write(target, content)
        warn(f"{target} written, outputs frozen: {frozen.count}")
    return 0
