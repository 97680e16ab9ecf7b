"""`%graph generate`: a model writes on, token after token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import torch
from IPython.core.magic_arguments import argument, magic_arguments

from engine import Node
from engine.graph import toposort
from engine.learn import Sampled, stream
from magics.errors import GraphError
from magics.progress import Output
from magics.verbs.desk import Desk
from magics.writing import Writing, encoded


@magic_arguments("graph generate")
@argument("prompt", nargs="?", metavar="PROMPT", help="tokens, a name of Python; or a quoted text")
@argument("--n", type=int, default=100, metavar="N", help="how many tokens; 100 by default")
@argument("--temperature", type=float, default=0.0, metavar="X", help="0, the default, is greedy")
@argument("--alphabet", metavar="NAME", help="the text of each token, a name of Python")
@argument("--logits", default="logits", metavar="NAME", help="scores of the next token")
@argument("--tokens", default="tokens", metavar="NAME", help="the input they are made of")
@argument("--seed", type=int, default=0, metavar="N", help="of the draws; 0 by default")
def generate(
    desk: Desk,
    prompt: str | None = None,
    n: int = 100,
    temperature: float = 0.0,
    alphabet: str | None = None,
    logits: str = "logits",
    tokens: str = "tokens",
    seed: int = 0,
) -> Writing:
    """Write on with the parameters as they are: `%graph generate "to be" --alphabet characters`.

    Each token runs the whole model on everything before it. Interrupt keeps what is written.
    """
    if n < 0:
        raise GraphError(f"cannot write {n} tokens", help="`--n 100`")
    scores, leaf = desk.session.node(logits), desk.session.node(tokens)
    if leaf not in toposort([scores]):
        raise GraphError(
            f"`{logits}` does not depend on `{tokens}`", help="name both: `--logits y`"
        )
    words = _alphabet(desk, alphabet)
    writing = Writing(_prompt(desk, prompt, words), words)
    feeds = _feeds(desk, scores, leaf, writing.prompt)
    context = desk.session.program.sizes.get("context")
    output = Output() if hasattr(desk.shell, "kernel") else None
    following = stream(scores, leaf, feeds, writing.prompt, temperature, seed, context)
    _write(islice(following, n), writing, output)
    writing.ending = "done"
    if output:
        output.end()
    return writing


def _write(following: Iterable[Sampled], writing: Writing, output: Output | None) -> None:
    """Add the tokens as they come; an interrupt keeps those that are there."""
    try:
        for token, seconds in following:
            writing.add(token, seconds)
            if output:
                output.show(None, writing)
    except KeyboardInterrupt:
        writing.ending = "interrupted"
        if output:
            output.end(writing)
        raise


def _alphabet(desk: Desk, name: str | None) -> Sequence[str] | None:
    if name is None:
        return None
    value = desk.names.get(name)
    is_text = isinstance(value, str | list | tuple) and all(isinstance(x, str) for x in value)
    if not is_text or not value:
        raise GraphError(f"`{name}` is no alphabet", help="a text, or a list of texts, by token")
    return list(value)


def _prompt(desk: Desk, prompt: str | None, words: Sequence[str] | None) -> list[int]:
    """The tokens of the prompt: a quoted text, else what a name of Python holds; by default 0."""
    if prompt is None:
        return [0]
    if prompt[:1] in "'\"" or (words is not None and prompt not in desk.names):
        if words is None:
            raise GraphError(
                "a text needs an alphabet", help="`--alphabet NAME` of a list in Python"
            )
        return encoded(prompt.strip("'\""), words)
    value = desk.names.get(prompt)
    if isinstance(value, str) and words is not None:
        return encoded(value, words)
    if value is None:
        raise GraphError(f"`{prompt}` has no value in Python", help='or quote a text: `"to be"`')
    ids = torch.as_tensor(value)
    if ids.ndim != 1 or ids.is_floating_point():
        raise GraphError(f"`{prompt}` is no row of tokens", help="a list of whole numbers")
    return ids.tolist()


def _feeds(desk: Desk, scores: Node, leaf: Node, prompt: list[int]) -> dict[Node, Any]:
    """The values of all leaves but the tokens; those stand in for the input while it is drawn."""
    rank = leaf.rank or 1
    ids = torch.tensor(prompt)[(None,) * (rank - 1)]
    names = {**desk.names, leaf.label(): ids}
    feeds = desk.session.supply.feeds(desk.session.program, [scores], names)
    return {node: value for node, value in feeds.items() if node is not leaf}
