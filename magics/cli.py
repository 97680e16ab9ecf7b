"""The command `chalkgrad`. A sub-command imports what it needs when it runs: help is quick."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; the exit status."""
    options = parser().parse_args(arguments)
    return options.run(options)


def parser() -> argparse.ArgumentParser:
    """What the command line understands."""
    top = argparse.ArgumentParser(
        prog="chalkgrad",
        description="Write the mathematics as on the whiteboard; "
        "get the graph, its gradient and a fast training step.",
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    demo = commands.add_parser(
        "demo",
        help="a transformer learns a text and writes on",
        description="The prelude's decoder-only transformer learns a text character by character "
        "and writes on. It leaves a picture, the loss curve and the weights in a folder.",
    )
    demo.add_argument("--text", metavar="FILE", help="what to learn (default: Python's own help)")
    demo.add_argument("--out", metavar="FOLDER", default="build", help="default: %(default)s")
    demo.add_argument("--quick", action="store_true", help="a tiny model, in a few seconds")
    demo.set_defaults(run=_demo)
    return top


def _demo(options: argparse.Namespace) -> int:
    from magics import demo

    return demo.run(options)


if __name__ == "__main__":
    sys.exit(main())
