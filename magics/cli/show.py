"""`chalkgrad show`: the graph of a text as a picture in a file, or as lines."""

from __future__ import annotations

import sys
from argparse import Namespace

from magics.display import Picture
from magics.errors import COMMAND, GraphError
from magics.feeds import read
from magics.session import Session
from magics.sources import source
from magics.verbs.desk import Desk
from magics.verbs.show import picture


def run(options: Namespace) -> int:
    """Draw into a file, or write the rails to stdout."""
    text, name = source(options.file)
    session = Session(COMMAND)
    session.add(text, name, "", read(options.feed))
    drawn = picture(Desk(session), options.names, options.depth, options.grad)
    if options.out:
        _save(drawn, options.out)
    elif drawn.text:
        sys.stdout.write(f"{drawn.text}\n")
    return 0


def _save(picture: Picture, file: str) -> None:
    try:
        picture.save(file)
    except (ValueError, RuntimeError) as error:
        raise GraphError(str(error)) from None
