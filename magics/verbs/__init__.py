"""The verbs of `%graph`: how each is written and what it does; the doing is imported at first use.

A verb is a file of this folder with a function of its own name: the desk and options in, a value
that shows itself out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Usage:
    """How a verb is written, and in one line what it does."""

    written: str
    what: str


VERBS = {
    "show": Usage("show [NAME …] [--depth N] [--backward]", "the graph, derivatives laid over it"),
    "run": Usage("run NAME …", "values; inputs by name from Python"),
    "map": Usage(
        "map NAME [--rows LABELS] [--cols LABELS] [--at INDEX]", "heatmaps, one for each head"
    ),
    "hist": Usage("hist [LOSS] [NAME …]", "histograms of values and of gradients, layer by layer"),
    "grad": Usage("grad LOSS [NAME …] [--layout numerator]", "gradients as formulas"),
    "hessian": Usage("hessian LOSS [NAME …]", "second derivatives: formula, structure, cost"),
    "check": Usage(
        "check LOSS [NAME …] [--closed FORM …] [--rtol X] [--elements N] [--seed N]"
        " [--method best|complex|central] [--order 1|2]",
        "closed form, autodiff and difference of each gradient",
    ),
    "step": Usage("step NAME [--backward]", "the evaluation and the way back, step by step"),
    "explain": Usage("explain LOSS [NAME …]", "the chain rule of your formula, line by line"),
    "cost": Usage("cost NAME [--at B=32,T=1024] [--depth N] [--time]", "operations, by the sizes"),
    "modes": Usage(
        "modes NAME [NAME …] [--at B=32,T=1024] [--time]", "forward against reverse mode, counted"
    ),
    "train": Usage(
        "train LOSS [--data NAME] [--steps N] [--lr X] [--with NAME]", "gradient steps, live"
    ),
    "minimise": Usage(
        'minimise F [NAME …] [--from "X, …"] [--method M,…] [--lr X] [--steps N] [--tol X]',
        "a minimum of a function, and how it was found",
    ),
    "plot": Usage(
        "plot field|race|surface|landscape|curves [NAME …] [--x A:B] [--y A:B] [--uphill]"
        " [--minimum X,Y] [--from X,Y] [--method M,…] [--of NAME] [--lr X] [--steps N]"
        " [--by value|slope] [--animate] [--seed N] [--3d] [--smooth β] [--to FILE]",
        "functions, minimisers and trainings as pictures",
    ),
    "watch": Usage(
        "watch [NAME …] [--every K] [--at I J] [--off]", "a value at one step beside another"
    ),
    "generate": Usage(
        "generate [PROMPT] [--n N] [--temperature X] [--alphabet NAME] [--logits NAME]"
        " [--tokens NAME] [--seed N]",
        "a model writes on, token after token",
    ),
    "code": Usage("code NAME … [--backward]", "values as code of torch, standing alone"),
    "export": Usage(
        "export [NAME …] FILE [--depth N] [--backward]", "into .svg .png .pdf .html .tex .py …"
    ),
    "answer": Usage(
        "answer MINE [--row ROW] run|grad|cost …", "your own answer, held against the right one"
    ),
    "help": Usage("help [VERB]", "this, or how one verb is used"),
}


def find(verb: str) -> Callable[..., Any]:
    """The function of a verb; its options are in its attribute `parser`."""
    return getattr(import_module(f"magics.verbs.{verb}"), verb)
