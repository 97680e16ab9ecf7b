"""What the magics do, without IPython: a session and names in, something that shows itself out."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dsl
from dsl import DslError
from engine import EngineError, Evaluator, Node, check_gradients, gradients
from engine.graph import toposort
from engine.show import Legend, formula
from magics.display import Picture, draw
from magics.errors import GraphError, from_engine, from_language, from_lint
from magics.legend import legend, sinks
from magics.session import Built, Session
from magics.shown import Derivatives, Graph, Written
from magics.supply import Namespace
from magics.values import in_words, slopes, values


@contextmanager
def told(session: Session) -> Generator[None]:
    """What the language and the engine refuse, as a notebook shows it; bugs pass as they are."""
    try:
        yield
    except DslError as error:
        raise from_language(error) from None
    except EngineError as error:
        raise from_engine(session.locate(error), session.names) from None


def present(
    session: Session,
    built: Built,
    names: Namespace,
    how: str = "dot",
    evaluate: bool = False,
    loss: str | None = None,
) -> Graph:
    """The graph of what a cell defines, and what its bare lines come to."""
    words = tuple(_words(session, built, names))
    nodes = sinks([*built.nodes.values(), *(node for _, node in built.lines)])
    nodes = nodes or list(built.leaves.values())
    if how == "none" or not nodes:
        return Graph(built.program, words=words)
    backward = grad(session, loss, []).nodes if loss else {}
    computed = {}
    if evaluate:
        feeds = session.supply.feeds(built.program, [*nodes, *backward.values()], names)
        computed["values"] = values([*nodes, *backward.values()], feeds)
        computed["slopes"] = slopes(session.node(loss), feeds) if loss else None
    known = _with_derivatives(legend(built.program), loss, backward)
    picture = draw(nodes, known, backward=list(backward.values()), **computed)
    shown = Picture("", picture.text) if how == "rails" else picture
    return Graph(built.program, shown, words, with_values=evaluate)


def typeset(built: Built) -> Written:
    """A cell in LaTeX as its author wrote it."""
    text = dsl.format(built.cell.source.text, built.cell.source.name)
    return Written(text.rstrip("\n"), dsl.latex(built.cell.tree))


def _words(session: Session, built: Built, names: Namespace) -> Iterator[str]:
    """Cells set aside; functions; bare lines, with values if every input has one; lints."""
    yield from built.lost
    yield from (function.signature for function in built.functions)
    for text, node in built.lines:
        value = session.supply.value(built.program, node, names)
        if value is None:
            yield f"{text} : {node.describe()} = {formula(node, session.names)}"
        else:
            yield f"{text} = {in_words(value)}"
    yield from map(from_lint, built.lints)


def show(session: Session, names: Sequence[str], depth: int | None, backward: bool) -> Picture:
    """The picture of some values, of all if none is named; a loss with its gradients."""
    loss = (names[0] if names else _only_loss(session)) if backward else None
    return picture(session, names, depth, loss)


def picture(session: Session, names: Sequence[str], depth: int | None, loss: str | None) -> Picture:
    """The picture of some values, of all if none is named, the gradients of a loss over it."""
    program = session.program
    nodes = [session.node(name) for name in names] or sinks(program.nodes.values())
    nodes = nodes or [*program.inputs.values(), *program.params.values()]
    laid_over = grad(session, loss, []).nodes if loss else {}
    known = _with_derivatives(legend(program), loss, laid_over)
    return draw(nodes, known, backward=list(laid_over.values()), depth=depth)


def run(session: Session, names: Sequence[str], namespace: Namespace) -> Any:
    """The tensor of a name, or the tensors of several by name."""
    nodes = [session.node(name) for name in names]
    found = Evaluator(nodes).run(session.supply.feeds(session.program, nodes, namespace))
    return found[0] if len(names) == 1 else dict(zip(names, found, strict=True))


def grad(session: Session, loss: str, wrt: Sequence[str]) -> Derivatives:
    """The gradients of a loss by some values: by default all parameters, else all float inputs."""
    node = session.node(loss)
    if node.rank not in (0, None):
        raise GraphError(
            f"a gradient is of a number, and `{loss}` is {node.describe()}",
            help=f"sum it, `sum({loss})`, or mean it",
        )
    by = {name: session.node(name) for name in wrt} or _leaves(session, node)
    if not by:
        raise GraphError(f"`{loss}` depends on no parameter and on no input of floats")
    found = gradients(node, list(by.values()))
    return Derivatives(loss, dict(zip(by, found, strict=True)), session.names)


def check(session: Session, loss: str, wrt: Sequence[str], namespace: Namespace) -> Any:
    """The gradients of a loss held against central differences, in double precision."""
    node = session.node(loss)
    by = {name: session.node(name) for name in wrt} or _leaves(session, node)
    return check_gradients(
        node, list(by.values()), session.supply.feeds(session.program, [node], namespace)
    )


def _leaves(session: Session, node: Node) -> dict[str, Node]:
    """The parameters that a node depends on, by name; where there are none, the float inputs."""
    below, program = set(toposort([node])), session.program
    learned = {name: x for name, x in program.params.items() if x in below}
    fed = {name: x for name, x in program.inputs.items() if x in below and x.kind == "float"}
    return learned or fed


def _only_loss(session: Session) -> str:
    """The last number that the program defines."""
    numbers = [name for name, node in session.program.nodes.items() if node.rank == 0]
    if not numbers:
        raise GraphError("there is no number to differentiate", help="name it: `%graph show loss`")
    return numbers[-1]


def _with_derivatives(known: Legend, loss: str | None, nodes: Mapping[str, Node]) -> Legend:
    names = {node: f"∂{loss}/∂{name}" for name, node in nodes.items()}
    return Legend({**names, **known.names}, known.paths, known.roles)
