"""`chalkgrad run`: a text and values for its inputs in, the values of its lines out."""

from __future__ import annotations

import sys
import zipfile
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

import dsl
from dsl import Program
from dsl.suggest import did_you_mean_one_of
from dsl.values import describe
from engine import EngineError, Evaluator, Node
from engine.learn import load, save
from magics.cli.ending import warn
from magics.commands import labelled
from magics.errors import COMMAND, GraphError, from_engine
from magics.feeds import read
from magics.legend import legend
from magics.session import nodes_of
from magics.sources import source
from magics.supply import Supply, needed
from magics.values import in_words


def run(options: Namespace) -> int:
    """Print the values: one alone, several with their names."""
    text, name = source(options.file)
    program, values = _built(text, name, options.feed)
    asked = [(each, _node(program, each)) for each in options.get] or list(_shown(program))
    if not asked:
        known = ", ".join(f"`{each}`" for each in program.nodes) or "nothing"
        hint = f"write one, or name a value: `--get NAME`; it defines {known}"
        raise GraphError(f"`{name}` has no bare line to compute", help=hint)
    nodes = [value for _, value in asked if isinstance(value, Node)]
    try:
        feeds = _feeds(options, program, nodes, values)
        found = iter(Evaluator(nodes).run(feeds)) if nodes else iter(())
    except EngineError as error:
        raise from_engine(program.locate(error), legend(program).names) from None
    told = [(each, next(found) if isinstance(value, Node) else value) for each, value in asked]
    if options.save:
        _save(Path(options.save), {each: x for each, x in told if isinstance(x, Tensor)})
    for each, value in told:
        words = in_words(value) if isinstance(value, Tensor) else value
        sys.stdout.write(f"{words if len(told) == 1 else labelled(each, words)}\n")
    for lint in program.lints:
        warn(str(lint))
    return 0


def _built(text: str, name: str, words: Sequence[str]) -> tuple[Program, dict[str, Any]]:
    """The program, its constants and sizes among the values fed, and all these values."""
    fed = [read([word]) for word in words]
    values = {each: value for found in fed for each, value in found.items()}
    sizes = {each: value for each, value in values.items() if type(value) is int and value >= 0}
    low = dsl.lower(dsl.read(text, name), values, sizes)
    program = Program(low)
    known = {**program.inputs, **dict.fromkeys(sorted(low.used))}
    for found in fed:
        if not found.keys() & known.keys():
            each = next(iter(found), "")
            near = did_you_mean_one_of(each, known) or f"it has {', '.join(known) or 'none'}"
            raise GraphError(f"`{name}` has no input, constant or size `{each}`", help=near)
    return program, values


def _shown(program: Program) -> Iterator[tuple[str, Node | str]]:
    """The bare lines as written, each with its node; of a function its head."""
    for each in program.shown:
        text, nodes = " ".join(each.span.text.split()), nodes_of(each.value)
        if each.formula and each.formula.of is not None:
            yield text, each.formula.text()
            continue
        yield from ((text, node) for node in nodes)
        if not nodes:
            yield text, getattr(each.value, "signature", describe(each.value))


def _node(program: Program, name: str) -> Node:
    try:
        return program[name]
    except LookupError as error:
        raise GraphError(str(error.args[0])) from None


def _feeds(
    options: Namespace, program: Program, nodes: Sequence[Node], values: Mapping[str, Any]
) -> dict[Node, Any]:
    """The leaves with their values; parameters from a file, or drawn with the seed."""
    supply = Supply(COMMAND, options.seed)
    if not options.params:
        return supply.feeds(program, nodes, values)
    supply.inputs(program, nodes, values)
    learned = _parameters(options.params)
    for path in needed(program.params, nodes):
        if path not in learned:
            near = did_you_mean_one_of(path, learned)
            raise GraphError(f"`{options.params}` has no parameter `{path}`", help=near)
    return program.feeds(values, learned)


def _parameters(file: str) -> Mapping[str, Tensor]:
    try:
        return load(file)[0]
    except (FileNotFoundError, EngineError) as error:
        raise GraphError(str(error)) from None


def _save(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write the values in full. Raises GraphError for a file of another kind."""
    if path.suffix == ".safetensors":
        save(path, tensors)
    elif path.suffix == ".npz":
        with zipfile.ZipFile(path, "w") as archive:
            for name, tensor in tensors.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, tensor.numpy())
    else:
        raise GraphError(f"cannot write `{path}`", help="values are saved as .npz or .safetensors")
