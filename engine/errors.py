"""What the engine refuses, as data: the fact, the op and nodes it is about, and the way out.

The engine never sees source text. A hint may therefore hold the places `{0}`, `{1}`, … for the
texts of the operands; who knows the text (a program) fills them in, everybody else sees the nodes'
own short descriptions. A program that ran its graph also says where the failing node was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.graph import Node, Op


class EngineError(Exception):
    """An error of the graph: `message`, the `op`, its operand `nodes`, a `hint` that mends it.

    `at` is the node, a fed leaf for instance, that could not be computed; `told` is the error in
    the words of the program that the node was written in, which `str` then shows.
    """

    def __init__(
        self,
        message: str,
        *,
        op: Op | None = None,
        nodes: tuple[Node, ...] = (),
        hint: str | None = None,
        at: Node | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.op = op
        self.nodes = nodes
        self.hint = hint
        self.at = at
        self.told: str | None = None

    def about(self, op: Op, nodes: tuple[Node, ...]) -> EngineError:
        """The same error, told where it happened (the first to know wins)."""
        self.op = self.op or op
        self.nodes = self.nodes or nodes
        return self

    def placed(self, at: Node) -> EngineError:
        """The same error, told which node could not be computed (the first to know wins)."""
        self.at = self.at or at
        return self

    def help(self, texts: tuple[str, ...] | None = None) -> str | None:
        """The hint with its places filled by `texts`, or by short descriptions of the nodes."""
        if self.hint is None:
            return None
        text = self.hint
        for place, name in enumerate(texts or tuple(node.label() for node in self.nodes)):
            text = text.replace(f"{{{place}}}", name)
        return text

    def __str__(self) -> str:
        if self.told is not None:
            return self.told
        lines = [self.message]
        lines += [f"    {node.label()}: {node.describe()}" for node in self.nodes]
        hint = self.help()
        return "\n".join(lines + ([f"  help: {hint}"] if hint else []))


class ShapeError(EngineError, ValueError):
    """Shapes that do not fit: of operands when a graph is built, of feeds when it is run."""


class KindError(EngineError, TypeError):
    """An element kind (float, int, bool) or an argument type that an op or a leaf does not take."""


class MissingInput(EngineError, LookupError):
    """A leaf that the outputs depend on was not fed."""


class GradientError(EngineError, ValueError):
    """A derivative that does not exist as asked: of or by an integer, or of a wrong shape."""


FAILURES = (RuntimeError, IndexError, TypeError, ValueError)  # what torch raises inside a kernel


def failed(node: Node, error: Exception) -> EngineError:
    """What torch said while it computed the node."""
    message = f"{node.op.name} failed: {error}"
    return EngineError(message, op=node.op, nodes=node.inputs, at=node)
