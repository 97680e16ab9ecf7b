"""`%graph export`: values in a file whose ending says how: picture, page, data, formulas, code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from IPython.core.magic_arguments import argument, magic_arguments

from engine import Node
from magics.errors import GraphError
from magics.export import Values
from magics.files import File, save
from magics.legend import sinks
from magics.verbs.desk import Desk
from magics.verbs.grad import grad
from magics.verbs.show import only_loss, picture


@magic_arguments("graph export")
@argument("words", nargs="+", metavar="NAME … FILE", help="values, all if none is named; the file")
@argument("--depth", type=int, metavar="N", help="close functions nested deeper than this")
@argument("--backward", action="store_true", help="with the gradients of the first name")
def export(
    desk: Desk, words: Sequence[str], depth: int | None = None, backward: bool = False
) -> File:
    """Write values into a file, as its ending says: `%graph export loss loss.svg --backward`.

    .svg .png .pdf    the picture; .png on a transparent ground
    .html             a page with the live picture
    .dot .txt         the picture before it is laid out, or as lines
    .json             nodes and edges with names, shapes, formulas and places in the text
    .tex              a line for each value, for a document that uses amsmath
    .py               the code of torch, which runs without this package

    A file that is there is replaced; missing folders are made.
    """
    *names, file = (word.strip("\"'") for word in words)
    loss = (names[0] if names else only_loss(desk)) if backward else None
    return exported(desk, names, file, depth, loss)


def exported(
    desk: Desk, names: Sequence[str], file: str, depth: int | None, loss: str | None
) -> File:
    """Write some values, all if none is named, with the gradients of a loss. Raises GraphError."""
    drawn = picture(desk, names, depth, loss)
    slopes = grad(desk, loss).nodes if loss else {}
    values = Values(desk.session.program, _asked(desk, names), loss, slopes)
    try:
        return save(file, values.forms(drawn))
    except (ValueError, RuntimeError) as error:
        raise GraphError(str(error)) from None
    except OSError as error:
        raise GraphError(f"cannot write {file}: {error.strerror or error}") from None


def _asked(desk: Desk, names: Sequence[str]) -> Mapping[str, Node]:
    """The values of these names, or those that nothing else is made of."""
    known = desk.session.program.nodes
    last = set(sinks(known.values()))
    return {name: desk.session.node(name) for name in names} or {
        name: node for name, node in known.items() if node in last
    }
