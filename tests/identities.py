"""IDENTITIES: the derivatives of matrix calculus as textbooks write them, read from tests/cookbook.

    ‖x‖                                                          what one calls the function
        f(x) = ‖x‖ where x ∈ ℝ^n                                 the function, in the language
        given x positive                                         what values must be, if anything
        gradient  x / ‖x‖                          Cookbook 129  the textbook's form, and its source
            at zero  zeros([n])                                  where that form does not hold
            prints  a = ‖x‖                                      what the engine prints, if not so,
            prints  x / a                                        line by line
            not reduced                                          right, but with steps in between

Derivatives are by the argument of f: gradient, hessian, jacobian, or along a direction. A matrix
varies in every element of its own, even if its value happens to be symmetric. Sources are
Cookbook (Petersen & Pedersen, The Matrix Cookbook, 2012, by equation), Boyd (Boyd & Vandenberghe,
Convex Optimization, by section), Bishop (Pattern Recognition and Machine Learning, by equation) and
Magnus (Magnus & Neudecker, Matrix Differential Calculus, by chapter).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

FILES = ("linear_and_quadratic", "functions", "traces", "determinants_and_inverses", "losses")


@dataclass(frozen=True)
class Identity:
    """One derivative: `order` is gradient, hessian, jacobian, or `along V`.

    name      what one calls the function
    f         the function of what it is differentiated by, and the shapes of all that it names
    form      the derivative as the textbook writes it
    source    where that is written
    given     what some of the values must be, by name
    edges     where the form does not hold: the situation, and the form there, or `undefined`
    prints    the lines that the engine prints, where they are not the form as it stands
    reduced   whether the engine calls what it prints reduced
    """

    name: str
    f: str
    order: str = ""
    form: str = ""
    source: str = ""
    given: tuple[tuple[str, str], ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    prints: tuple[str, ...] = ()
    reduced: bool = True

    def __str__(self) -> str:
        return f"{self.order} of {self.name}"

    @property
    def by(self) -> str:
        """What it is differentiated by: the argument of f."""
        return self.f[2 : self.f.index(")")]

    @property
    def printed(self) -> str:
        """What the engine prints; it spells the signs as on a keyboard."""
        return "\n".join(self.prints) or self.form.replace("²", "^2").replace("⊙", "*")

    @property
    def shapes(self) -> str:
        """`x ∈ ℝ^n, A ∈ ℝ^(n×n)`."""
        return self.f.partition(" where ")[2]


ORDER = re.compile(r"    (gradient|hessian|jacobian|along \w) +(.+?)   +(.+)")


def read(text: str) -> Iterator[Identity]:
    """The identities of one file, in order."""
    for block in text.split("\n\n"):
        if not block.startswith("#"):
            yield from _derivatives(block.rstrip().split("\n"))


def _derivatives(lines: list[str]) -> Iterator[Identity]:
    """One function with its derivatives: what is said of a derivative stands under it."""
    function = Identity(lines[0], lines[1].strip())
    found: list[Identity] = []
    for line in lines[2:]:
        if line.startswith("    given "):
            pairs = line.strip().removeprefix("given ").split(", ")
            function = replace(function, given=tuple(tuple(p.split(" ", 1)) for p in pairs))
        elif derivative := ORDER.fullmatch(line):
            order, form, source = derivative.groups()
            found.append(replace(function, order=order, form=form, source=source))
        else:
            found[-1] = _said(found[-1], line.strip())
    yield from found


def _said(identity: Identity, line: str) -> Identity:
    """The identity with what a line under it says."""
    key, _, value = line.partition("  ")
    if key == "prints":
        return replace(identity, prints=(*identity.prints, value))
    if key == "not reduced":
        return replace(identity, reduced=False)
    assert key.startswith("at "), f"nobody reads `{line}`"
    return replace(identity, edges=(*identity.edges, (key.removeprefix("at "), value)))


def _table() -> Iterator[Identity]:
    for name in FILES:
        yield from read((Path(__file__).parent / "cookbook" / f"{name}.txt").read_text("utf-8"))


IDENTITIES = tuple(_table())
