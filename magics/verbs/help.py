"""`%graph help`: all verbs, or how one is used."""

from __future__ import annotations

from IPython.core.magic_arguments import argument, magic_arguments

from magics.errors import GraphError
from magics.shown import Text
from magics.verbs import VERBS, find
from magics.verbs.desk import Desk

CELL = """\
%%graph [NAME] [--show dot|rails|none] [--eval] [--grad LOSS] [--latex] [--quiet]
    compile the cell and show its graph; NAME is the program, for Python"""


@magic_arguments("graph help")
@argument("verb", nargs="?", metavar="VERB", help="one of the verbs")
def help(desk: Desk, verb: str | None = None) -> Text:
    """Say what there is, or how one verb is used: `%graph help show`."""
    if verb is None:
        rows = (f"%graph {usage.written}\n    {usage.what}" for usage in VERBS.values())
        return Text("\n".join([CELL, *rows]))
    if verb not in VERBS:
        raise GraphError(f"there is no verb `{verb}`", help=f"there are {', '.join(VERBS)}")
    return Text(find(verb).__doc__ or "")
