"""`chalkgrad show`: the graph of a text as a picture in a file, or as lines."""

from __future__ import annotations

import sys
from argparse import Namespace

from magics.errors import COMMAND
from magics.feeds import read
from magics.session import Session
from magics.sources import source
from magics.verbs.desk import Desk
from magics.verbs.export import exported
from magics.verbs.show import picture


def run(options: Namespace) -> int:
    """Draw into a file, or write the rails to stdout."""
    text, name = source(options.file)
    session = Session(COMMAND)
    session.add(text, name, "", read(options.feed))
    desk = Desk(session)
    if options.out:
        exported(desk, options.names, options.out, options.depth, options.grad)
        return 0
    text = picture(desk, options.names, options.depth, options.grad).text
    sys.stdout.write(f"{text}\n" if text else "")
    return 0
