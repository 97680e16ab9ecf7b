r"""LaTeX of a program as its author wrote it: from the syntax tree, before anything is computed.

Definitions are aligned lines, declarations say in which set their names lie. What KaTeX and MathJax
both know is used, and nothing else.
"""

from __future__ import annotations

from ..lowering.stack import deep_stack
from ..names import names_of
from ..syntax import Program
from .formulas import Formulas
from .names import Names
from .statements import aligned, inline, row


def latex(tree: Program, name: str | None = None) -> str:
    r"""A program as aligned lines, or the line of one name as it was last defined.

    >>> from dsl import parse
    >>> print(latex(parse("input x : [n]\ny = √(x^T x) / 2"), "y"))
    y = \frac{\sqrt{x^{\top} x}}{2}

    Raises LookupError for a name that no statement at top level defines.
    """
    with deep_stack():
        formulas = Formulas(Names.of(tree))
        if name is None:
            return aligned([row(formulas, each) for each in tree.statements])
        found = [each for each in tree.statements if name in names_of(each)]
        if not found:
            raise LookupError(f"the program has no line that defines `{name}`")
        return inline(row(formulas, found[-1]))
