"""`%%graph` builds a graph from a cell, `%graph VERB …` does the rest.

Options in, one call, a value out. Torch and the language are imported at the first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

if TYPE_CHECKING:
    from magics.session import Session

VERBS = ("show", "run", "grad", "check", "help")
HELP = """\
%%graph [NAME] [--show dot|rails|none] [--eval] [--grad LOSS] [--latex] [--quiet]
    compile the cell and show its graph; NAME is the program, for Python
%graph show [NAME …] [--depth N] [--backward]    the graph of values, derivatives laid over it
%graph run NAME …                                values; inputs by name from Python
%graph grad LOSS [NAME …]                        gradients as formulas
%graph check LOSS [NAME …]                       gradients against central differences"""


class Help:
    """A text that shows itself."""

    def __repr__(self) -> str:
        return HELP


@magics_class
class GraphMagics(Magics):
    """The magics of one shell, and its session."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._shell = shell
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The cells so far, from the first use on."""
        if self._session is None:
            from magics.session import Session

            self._session = Session()
        return self._session

    @no_var_expand
    @cell_magic("graph")
    @magic_arguments("%graph")
    @argument("name", nargs="?", help="bind the compiled program to this name of Python")
    @argument("--show", choices=("dot", "rails", "none"), default="dot", help="how to show it")
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
        options = parse_argstring(self.build, line)
        if options.name and not options.name.isidentifier():
            raise UsageError(f"%%graph: {options.name!r} is no name of Python")
        from magics import verbs

        names = self._shell.user_ns
        with verbs.told(self.session):
            # the first line was the magic, so the text begins on the second
            built = self.session.add(f"\n{cell}", self._label, self._key, names)
            if options.name:
                self._shell.push({options.name: built.program})
            if options.quiet:
                return None
            if options.latex:
                return verbs.typeset(built)
            return verbs.present(
                self.session,
                built,
                names,
                options.show,
                options.eval,
                options.grad,
            )

    @no_var_expand
    @line_magic("graph")
    @magic_arguments("graph")
    @argument("verb", nargs="?", default="help", help="show, run, grad, check or help")
    @argument("names", nargs="*", help="names of the graph")
    @argument("--depth", type=int, help="show: close functions nested deeper than this")
    @argument("--backward", action="store_true", help="show: lay the gradients over the graph")
    def command(self, line: str) -> Any:
        """Show, run, differentiate or check values of the graph built so far.

        ::

            %graph show loss --backward
            %graph run loss
            %graph grad loss w
            %graph check loss
        """
        options = parse_argstring(self.command, line)
        if options.verb not in VERBS:
            raise UsageError(f"%graph: no verb {options.verb!r}; there are {', '.join(VERBS)}")
        return getattr(self, f"_{options.verb}")(options)

    def _help(self, options: Any) -> Help:
        return Help()

    def _show(self, options: Any) -> Any:
        from magics import verbs

        with verbs.told(self.session):
            return verbs.show(self.session, options.names, options.depth, options.backward)

    def _run(self, options: Any) -> Any:
        from magics import verbs

        with verbs.told(self.session):
            return verbs.run(self.session, _some(options, "run"), self._shell.user_ns)

    def _grad(self, options: Any) -> Any:
        from magics import verbs

        loss, *wrt = _some(options, "grad")
        with verbs.told(self.session):
            return verbs.grad(self.session, loss, wrt)

    def _check(self, options: Any) -> Any:
        from magics import verbs

        loss, *wrt = _some(options, "check")
        with verbs.told(self.session):
            return verbs.check(self.session, loss, wrt, self._shell.user_ns)

    @property
    def _label(self) -> str:
        return f"Cell In[{self._shell.displayhook.prompt_count}]"

    @property
    def _key(self) -> str:
        """What the notebook calls the cell, where it says so."""
        parent = self._shell.get_parent() if hasattr(self._shell, "get_parent") else {}
        return parent.get("metadata", {}).get("cellId", "")


def _some(options: Any, verb: str) -> list[str]:
    if not options.names:
        raise UsageError(f"%graph {verb}: say of which value, as in `%graph {verb} loss`")
    return options.names
