"""`%%graph` builds a graph from a cell, `%graph VERB …` does the rest.

Options in, one call, a value out. Torch and the language are imported at the first use.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from traitlets import Enum, Int

from magics.verbs import VERBS, find

if TYPE_CHECKING:
    from dsl import Program
    from magics.session import Session
    from magics.verbs.desk import Desk

COMMENT = re.compile(r"""("[^"]*"|'[^']*')|(?:^|\s)#.*""")
HOW = ("dot", "rails", "none")


@magics_class
class GraphMagics(Magics):
    """The magics of one shell, and its session."""

    show = Enum(HOW, "dot", help="how `%%graph` shows a graph where `--show` does not say").tag(
        config=True
    )
    depth = Int(
        None, allow_none=True, help="close functions nested deeper than this; None: as few as fit"
    ).tag(config=True)
    seed = Int(0, help="seed of the first values of parameters, from the next session on").tag(
        config=True
    )

    layout = Enum(
        ("denominator", "numerator"),
        "denominator",
        help="a gradient by W is shaped as W, or as W^T",
    ).tag(config=True)

    def __init__(self, shell: Any) -> None:
        super().__init__(shell, parent=shell)
        self._shell = shell
        self._session: Session | None = None
        self.editing = ExitStack()  # what is taken back when the magics go

    @property
    def session(self) -> Session:
        """The cells so far, from the first use on."""
        if self._session is None:
            from magics.session import Session

            self._session = Session(seed=self.seed)
        return self._session

    @property
    def program(self) -> Program | None:
        """The program of the cells so far, None before the first."""
        return self._session.program if self._session and self._session.begun else None

    @property
    def desk(self) -> Desk:
        """What the verbs work on."""
        from magics.verbs.desk import Desk

        return Desk(self.session, self._shell.user_ns, self._shell, self.depth, self.layout)

    @no_var_expand
    @cell_magic("graph")
    @magic_arguments("%graph")
    @argument("name", nargs="?", help="bind the compiled program to this name of Python")
    @argument("--show", choices=HOW, help="how to show it; the picture by default")
    @argument("--eval", action="store_true", help="compute values; inputs by name from Python")
    @argument("--grad", metavar="LOSS", help="lay the gradient of this value over the graph")
    @argument("--latex", action="store_true", help="show the cell as mathematics instead")
    @argument("--quiet", action="store_true", help="compile, and show nothing")
    def build(self, line: str, cell: str) -> Any:
        """Compile a cell of the language with the cells before it, and show its graph.

        ::

            %%graph model
            input X : [n, d], y : [n]
            param w : [d] = 0
            loss = mean((X @ w - y)^2)
        """
        options = parse_argstring(self.build, _said(line))
        if options.name and not options.name.isidentifier():
            raise UsageError(f"%%graph: {options.name!r} is no name of Python")
        from magics.cell import present, typeset

        with self.desk.told():
            # the first line was the magic, so the text begins on the second
            built = self.session.add(f"\n{cell}", self._label, self._key, self._shell.user_ns)
            if options.name:
                self._shell.push({options.name: built.program})
            if options.quiet:
                return None
            if options.latex:
                return typeset(built)
            how = options.show or self.show
            return present(self.desk, built, how, options.eval, options.grad)

    @no_var_expand
    @line_magic("graph")
    def command(self, line: str) -> Any:
        """Show, run, differentiate or check values of the graph built so far.

        ::

            %graph show loss --backward
            %graph run loss
            %graph grad loss w
            %graph check loss

        `%graph help` lists all verbs, `%graph help show` the options of one. What stands after `#`
        is a comment; a `;` at the end shows nothing.
        """
        said = _said(line)
        verb, _, rest = said.removesuffix(";").strip().partition(" ")
        if verb and verb not in VERBS:
            from difflib import get_close_matches

            near = get_close_matches(verb, VERBS, n=1)
            way = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(VERBS)}"
            raise UsageError(f"%graph: no verb {verb!r}; {way}")
        function = find(verb or "help")
        options = _options(verb or "help", function, rest)
        with self.desk.told():
            found = function(self.desk, **options)
            return None if said.endswith(";") else found

    @property
    def _label(self) -> str:
        return f"Cell In[{self._shell.displayhook.prompt_count}]"

    @property
    def _key(self) -> str:
        """What the notebook calls the cell, where it says so."""
        parent = self._shell.get_parent() if hasattr(self._shell, "get_parent") else {}
        return parent.get("metadata", {}).get("cellId", "")


def _said(line: str) -> str:
    """The line without a comment."""
    return COMMENT.sub(lambda match: match[1] or "", line).strip()


def _options(verb: str, function: Any, rest: str) -> dict[str, Any]:
    """The options of a verb. Raises UsageError, which says how the verb is written."""
    try:
        return vars(parse_argstring(function, rest))
    except (UsageError, ValueError) as error:  # ValueError: a quote is not closed
        raise UsageError(f"%graph {verb}: {error}; it is `%graph {VERBS[verb].written}`") from None
