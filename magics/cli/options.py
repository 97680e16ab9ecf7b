"""What the command line understands. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module

Add = Callable[..., argparse.ArgumentParser]
Options = argparse.Namespace

OUT = "by its ending: .svg .png .pdf .html .dot .txt .json .tex .py; else lines on stdout"
GRAPH_FILE = "a text of the language, - for what is piped in"


def parser() -> argparse.ArgumentParser:
    """The commands and their options; `run` of what is parsed is the function to call."""
    top = argparse.ArgumentParser(
        prog="chalkgrad",
        description="Write the mathematics as on the whiteboard; "
        "get the graph, its gradient and a fast training step.",
        epilog="Without a command, statements are typed and answered: try 1 + 1, then :help.",
    )
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    top.set_defaults(run=_later("magics.repl"))
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    keeps_lines = argparse.RawDescriptionHelpFormatter  # the example at the end of a help
    for add in (_add_run, _add_show, _add_check, _add_fmt, _add_freeze, _add_demo):
        add(partial(commands.add_parser, formatter_class=keeps_lines))
    return top


def _add_run(add: Add) -> None:
    command = add(
        "run",
        help="compute what a text says",
        description="Compute a text and print its bare lines, or the values asked for.",
        epilog="example:\n  chalkgrad run model.graph --feed X.npy --feed t=0.5 --get loss",
    )
    command.add_argument("file", metavar="FILE", help=GRAPH_FILE)
    _add_feed(command)
    command.add_argument("--params", metavar="FILE", help="the parameters, as .safetensors")
    command.add_argument(
        "--seed", type=int, default=0, help="draw the parameters with it (default: %(default)s)"
    )
    command.add_argument(
        "--get", metavar="NAME", action="append", default=[], help="a value to print"
    )
    command.add_argument("--save", metavar="FILE", help="the values in full: .npz or .safetensors")
    command.set_defaults(run=_later("magics.cli.run"))


def _add_show(add: Add) -> None:
    command = add(
        "show",
        help="the graph of a text, as a picture or as lines",
        description="Draw the graph of a text, or of some of its values.",
        epilog="example:\n  chalkgrad show model.graph -o graph.svg --grad loss",
    )
    command.add_argument("file", metavar="FILE", help=GRAPH_FILE)
    command.add_argument("names", metavar="NAME", nargs="*", help="only what these are made of")
    command.add_argument("-o", "--out", metavar="FILE", help=OUT)
    command.add_argument("--depth", type=int, help="close functions nested deeper than this")
    command.add_argument("--grad", metavar="LOSS", help="lay the gradient of this value over it")
    _add_feed(command)
    command.set_defaults(run=_later("magics.cli.show"))


def _add_check(add: Add) -> None:
    command = add(
        "check",
        help="say what is wrong with texts",
        description="Compile texts and tell errors and lints, each after FILE:LINE:COLUMN.",
        epilog="example:\n  chalkgrad check *.graph",
    )
    command.add_argument("files", metavar="FILE", nargs="+", help=GRAPH_FILE)
    _add_feed(command)
    command.add_argument("--strict", action="store_true", help="fail for lints too")
    command.set_defaults(run=_later("magics.cli.check"))


def _add_fmt(add: Add) -> None:
    command = add(
        "fmt",
        help="write texts in their canonical form",
        description="Rewrite texts in their canonical form; comments stay.",
        epilog="example:\n  chalkgrad fmt --check *.graph",
    )
    command.add_argument("files", metavar="FILE", nargs="+", help="rewritten; - to stdout")
    command.add_argument("--check", action="store_true", help="only say which would change")
    command.add_argument("--diff", action="store_true", help="only show what would change")
    command.set_defaults(run=_later("magics.cli.fmt"))


def _add_freeze(add: Add) -> None:
    command = add(
        "freeze",
        help="make the live outputs of a notebook static",
        description="Rewrite a notebook's live pictures as PNG and text, which GitHub shows too.",
        epilog="example:\n  chalkgrad freeze lesson.ipynb --out shown.ipynb",
    )
    command.add_argument("file", metavar="NOTEBOOK", help="rewritten unless there is --out")
    command.add_argument("-o", "--out", metavar="FILE", help="write the static notebook here")
    command.set_defaults(run=_later("magics.cli.freeze"))


def _add_demo(add: Add) -> None:
    command = add(
        "demo",
        help="a transformer learns a text and writes on",
        description="The prelude's decoder-only transformer learns a text character by character "
        "and writes on. It leaves a picture, the loss curve and the weights in a folder.",
        epilog="example:\n  chalkgrad demo --quick",
    )
    command.add_argument("--text", metavar="FILE", help="what to learn (default: Python's help)")
    command.add_argument("--out", metavar="FOLDER", default="build", help="default: %(default)s")
    command.add_argument("--quick", action="store_true", help="a tiny model, in a few seconds")
    command.set_defaults(run=_later("magics.demo"))


def _add_feed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--feed",
        metavar="VALUE",
        action="append",
        default=[],
        help="a value for an input, a constant or a size: X.npy (named by the file), X=file.npy, "
        "t=0.5, or all arrays of an .npz or .safetensors file",
    )


class _Version(argparse.Action):
    """Looks the version up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *found: object) -> None:
        from importlib import metadata

        sys.stdout.write(f"chalkgrad {metadata.version('chalkgrad')}\n")
        parser.exit(0)


def _later(module: str) -> Callable[[Options], int]:
    """What a module does, imported when it is asked for."""
    return lambda options: import_module(module).run(options)
