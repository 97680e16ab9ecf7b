"""A compiled program: names to nodes, and what one does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine import EngineError, Evaluator, GradientError, KindError, Node, gradients
from engine.dims import known
from engine.learn import Optimizer, generate

from . import initial, lints
from .errors import Diagnostic, DslError
from .failures import locate, located
from .first_nan import first_nan
from .lowering.calls import call_with_nodes
from .lowering.modules import find_function
from .lowering.opened import opened
from .lowering.state import Lowering, Shown
from .lowering.tensors import as_tensor
from .minimisers import Method, minimised
from .minimisers.given import of_function, of_node, variables
from .optimisers import optimiser
from .printed import Contents, Printed, printed
from .span import Span
from .suggest import did_you_mean_one_of
from .syntax import Name
from .training import ProgramTrainer
from .typeset import latex
from .values import Function, Items, Row, Value

if TYPE_CHECKING:
    from .minimisers.result import Minimum


class Program:
    """A program of the language, compiled.

    nodes      what is defined at top level, by name
    inputs     the leaves that are fed, by name
    params     the leaves that are learned, by path: `block.attention.W_q`
    functions  the functions defined at top level, by name
    sizes      the sizes of the program with their values, None where the data tell
    shown      the bare expression lines, each with its value
    origins    where in the text each node was written
    labels     the first name that each node was given, in functions too
    places     the path of the call that made each node, () at top level
    """

    def __init__(self, lowering: Lowering) -> None:
        self._lowering = lowering
        self._evaluators: dict[tuple[Node, ...], Evaluator] = {}
        self.tree = lowering.tree
        self.inputs: Mapping[str, Node] = lowering.inputs
        self.params: Mapping[str, Node] = {path: p.leaf for path, p in lowering.params.items()}
        self.nodes: Mapping[str, Node] = dict(_nodes(lowering))
        self.functions: Mapping[str, Function] = dict(_functions(lowering))
        self.sizes = {name: known(dim) for name, dim in lowering.module.sizes.items()}
        self.shown: Sequence[Shown] = tuple(lowering.shown)
        self.origins: Mapping[Node, Span] = lowering.origins
        self.labels: Mapping[Node, str] = lowering.labels
        self.places: Mapping[Node, tuple[str, ...]] = lowering.places

    @cached_property
    def lints(self) -> tuple[Diagnostic, ...]:
        r"""What is allowed and probably not meant, in the order of the text, to be shown by `str`.

        >>> from dsl import compile
        >>> [lint.code for lint in compile("input A : [n, n], x : [n]\ny = A * x").lints]
        ['W1']
        """
        return lints.find(self._lowering)

    def __repr__(self) -> str:
        return f"Program({self.tree.span.source.name!r}: {', '.join(self.nodes) or 'nothing'})"

    def __getitem__(self, name: str) -> Node:
        """The node of a name, an input or the path of a parameter. Raises LookupError."""
        for names in (self.nodes, self.inputs, self.params):
            if name in names:
                return names[name]
        known = [*self.nodes, *self.inputs, *self.params]
        hint = did_you_mean_one_of(str(name), known) or f"it has {', '.join(known) or 'nothing'}"
        raise LookupError(f"the program has no `{name}`; {hint}")

    def latex(self, name: str | None = None) -> str:
        r"""The program in LaTeX as its author wrote it, or the line that defines a name.

        >>> from dsl import compile
        >>> compile("input K : [T, d]\ny = K^T K / 2").latex("y")
        'y = \\frac{K^{\\top} K}{2}'

        Raises LookupError for a name that no line defines.
        """
        return latex(self.tree, name)

    def _repr_latex_(self) -> str | None:
        """The program as a notebook shows it."""
        return f"$${self.latex()}$$" if self.tree.statements else None

    @property
    def names(self) -> Mapping[str, Value]:
        """What a further line of the program could use by name; sizes are in `sizes`."""
        return self._lowering.module.names

    def text(self, nodes: Mapping[str, Node] | None = None) -> str:
        r"""The program as its graph says it, or the one that makes these nodes of its leaves.

        Compiled again, with `consts` if there are any, it has the same nodes, inputs, parameters
        and first values; functions are unrolled. Raises EngineError for a node that the language
        has no words for.

        >>> from dsl import compile
        >>> p = compile("input x, y : [n]\nr = x - y\nloss = mean(r²)")
        >>> print(p.text({"slope": p.grad("loss", "x")["x"]}), end="")
        dim n
        input x, y : [n]
        r = x - y
        slope = 2 * r / n
        """
        return self._printed(nodes).text

    @property
    def consts(self) -> Mapping[str, Tensor]:
        """The tensors that `text()` leaves to its `const` lines, by name."""
        return self._printed(None).consts

    def _printed(self, nodes: Mapping[str, Node] | None) -> Printed:
        low, own = self._lowering, tuple(self.nodes.values())
        values = self.nodes if nodes is None else nodes
        params = tuple(low.params.values())
        return printed(Contents(values, low.inputs, params, low.module.sizes, low.labels, own))

    def init(
        self,
        seed: int = 0,
        dtype: torch.dtype | None = None,
        sizes: Mapping[str, int] | None = None,
        only: Iterable[str] | None = None,
    ) -> dict[str, Tensor]:
        r"""First values of all parameters, path -> tensor: the same for the same seed.

        `sizes` gives the sizes that have no value in the text, `only` the paths of some parameters.
        Raises ShapeError for a size without a value, KeyError for a path without a parameter.

        >>> from dsl import compile
        >>> compile("dim n\nparam b : [n] = 0").init(sizes={"n": 3})
        {'b': tensor([0., 0., 0.])}
        """
        known = self._lowering.params
        parameters = [known[path] for path in (known if only is None else only)]
        return initial.draw(parameters, seed, dtype, sizes or {})

    def run(
        self,
        names: str | Sequence[str],
        feeds: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value of a name, or of several as a tuple, for these inputs and parameters by name.

        Raises LookupError for a name that the program does not have, and what `Evaluator.run`
        raises: MissingInput, ShapeError, KindError, EngineError, whose texts show the place.
        """
        asked = (names,) if isinstance(names, str) else tuple(names)
        nodes = tuple(self[name] for name in asked)
        if nodes not in self._evaluators:
            self._evaluators[nodes] = Evaluator(nodes, names=self.labels)
        with located(self._lowering):
            values = self._evaluators[nodes].run(self.feeds(feeds or {}, params or {}))
        return values[0] if isinstance(names, str) else tuple(values)

    def first_nan(
        self,
        name: str,
        feeds: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        gradients: bool = False,
    ) -> DslError | None:
        r"""Where the first NaN below a name arises, as an error to show or raise; None if nowhere.

        With `gradients` also in its gradients. Every value is kept meanwhile: this is for the
        search, not for every step.

        >>> from dsl import compile
        >>> program = compile("input p : [n]\ny = sum(p ⊙ log(p))")
        >>> program.first_nan("y", {"p": [0.0, 1.0]}).message
        '`p ⊙ log(p)` is the first NaN, 1 of 2 elements'
        """
        nodes = [self[name], *(self.grad(name).values() if gradients else ())]
        with located(self._lowering):
            return first_nan(self._lowering, nodes, self.feeds(feeds or {}, params or {}))

    def feeds(self, inputs: Mapping[str, Any], params: Mapping[str, Any]) -> dict[Node, Any]:
        """What an Evaluator takes: the leaves with their values; names of no leaf are left out."""
        for given in (inputs, params):
            if not isinstance(given, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise KindError(f"values are given as {{name: value}}, not as {type(given)}")
        found = {self.inputs[name]: value for name, value in inputs.items() if name in self.inputs}
        return found | {self.params[p]: value for p, value in params.items() if p in self.params}

    def grad(self, name: str = "loss", wrt: Iterable[str] | str | None = None) -> dict[str, Node]:
        """The gradient of a number by each name of `wrt`: all parameters, else all float inputs.

        Raises GradientError if `name` is not a number.
        """
        loss = self._number(name)
        floats = [each for each, leaf in self.inputs.items() if leaf.kind == "float"]
        asked = [wrt] if isinstance(wrt, str) else list(wrt or self.params or floats)
        return dict(zip(asked, gradients(loss, [self[each] for each in asked]), strict=True))

    def _number(self, name: str) -> Node:
        node = self[name]
        if node.rank in (0, None):
            return node
        error = GradientError(
            f"a gradient is of a number, and `{name}` is {node.describe()}",
            hint=f"sum it: `s = sum({name})`",
            at=node,
        )
        raise self.locate(error)

    def locate(self, error: EngineError) -> EngineError:
        """The same error of a run; its text shows where its node was written in the program."""
        locate(self._lowering, error)
        return error

    def trainer(
        self,
        loss: str = "loss",
        optimizer: str | Function | Optimizer = "adamw",
        lr: float | Callable[[int], float] = 3e-4,
        params: Mapping[str, Any] | None = None,
        seed: int = 0,
        only: Iterable[str] | None = None,
        **settings: float,
    ) -> ProgramTrainer:
        """A trainer of all parameters, from `params` or from first values drawn with `seed`.

        `only` are the paths of some parameters; the others are inputs of each batch.
        `optimizer` names a function of the program or of the prelude (sgd, momentum, adam, adamw,
        …); `settings` are its hyperparameters, as in `decay=0.1`.
        """
        paths = list(self.params if only is None else only)
        values = self.init(seed, only=paths) if params is None else params
        if not isinstance(optimizer, Optimizer):
            named = optimizer if isinstance(optimizer, Function) else self.function(optimizer)
            optimizer = optimiser(self._lowering, named, settings)
        leaves = {path: self.params[path] for path in paths}
        return ProgramTrainer(self._lowering, self._number(loss), leaves, values, optimizer, lr)

    def minimise(
        self,
        f: str | Function | Node,
        x0: Any,
        method: Method = "bfgs",
        *,
        wrt: Iterable[str | Node] | str | Node | None = None,
        consts: Mapping[Any, Any] | None = None,
        **settings: Any,
    ) -> Minimum:
        r"""A minimum of a function of the program, or of a value by its inputs, as `dsl.minimise`.

        >>> from dsl import compile
        >>> compile("bowl(x) = (x - a)²  where a : []").minimise("bowl", 0, consts={"a": 3}).x
        array(3.)
        """
        low, given = self._lowering, consts or {}
        with located(low):
            if isinstance(f, Function) or f in self.functions:
                named = f if isinstance(f, Function) else self.functions[str(f)]
                objective = of_function(low, named, x0, given)
            else:
                node = f if isinstance(f, Node) else self._number(f)
                objective = of_node(node, self._varied(node, wrt, given), x0, given)
            return minimised(low, objective, method, **settings)

    def _varied(
        self, node: Node, wrt: Iterable[str | Node] | str | Node | None, consts: Mapping[Any, Any]
    ) -> dict[str, Node]:
        """The leaves to vary, by name; by default those of the program in its order."""
        if wrt is not None:
            asked = [wrt] if isinstance(wrt, str | Node) else list(wrt)
            return {x.label(): x for x in (self[x] if isinstance(x, str) else x for x in asked)}
        below = variables(node, consts)
        ordered = [name for name in (*self.params, *self.inputs) if name in below]
        return {name: below[name] for name in dict.fromkeys((*ordered, *below))}

    def function(self, name: str) -> Function:
        """A function of the program, or of the prelude. Raises LookupError."""
        found = self.functions.get(name) or find_function(self._lowering, str(name))
        if found is None:
            hint = did_you_mean_one_of(
                str(name), [*self.functions, "sgd", "momentum", "adam", "adamw"]
            )
            raise LookupError(f"there is no function `{name}`{hint and f'; {hint}'}")
        return found

    def applied(self, name: str, values: Mapping[str, Node]) -> Node:
        r"""What a function of the program makes of nodes, by the names of its parameters.

        Inputs that it declares are leaves of these names, and no inputs of the program.

        >>> from dsl import compile
        >>> from engine import var
        >>> compile("f(x) = x^T A x  where A : [n, n]").applied("f", {"x": var("x", ["n"])})
        <matmul []>
        """
        low, function = self._lowering, self.functions[name]
        with located(low), low.trial():
            value = call_with_nodes(low, function, values)
            return low.tensor(value, function.definition.body.values[-1])

    def opened(self, name: str, shapes: Mapping[str, Sequence[int]] | None = None) -> Program:
        """The program in which a function's parameters are inputs, and its name is its value there.

        `shapes` are of parameters that declare none; without one they are numbers.

        >>> from dsl import compile
        >>> compile("f(x, y) = (1 - x)² + y²").opened("f").grad("f")
        {'x': <...>, 'y': <...>}
        """
        known = {each: tuple(shape) for each, shape in (shapes or {}).items()}
        with located(self._lowering):
            return Program(opened(self._lowering, self.functions[name], known))

    def generate(
        self,
        prompt: Tensor | Sequence[int],
        n: int,
        temperature: float = 0.0,
        cache: bool = False,
        params: Mapping[str, Any] | None = None,
        feeds: Mapping[str, Any] | None = None,
        seed: int = 0,
        logits: str = "logits",
        tokens: str = "tokens",
    ) -> Tensor:
        """The prompt, [T] or [B, T], and `n` tokens more, by one full forward pass per token.

        `logits` [..., T, V] is computed from the input `tokens`; only the last `context` tokens are
        fed if the program has a size of that name. `params` are first values by default.
        """
        if cache:
            raise EngineError("there is no cache of keys and values yet", hint="leave it off")
        values = self.init(seed) if params is None else params
        fed = self.feeds(feeds or {}, values)
        context = self.sizes.get("context")
        with located(self._lowering):
            return generate(
                self[logits], self.inputs[tokens], fed, prompt, n, temperature, seed, context
            )


def _nodes(lowering: Lowering) -> Iterable[tuple[str, Node]]:
    """The tensors among what was defined; a list as their stack, or as `heads.0`, `heads.1`."""
    for name, span in lowering.defined.items():
        yield from _named(name, lowering.module.names[name], span)


def _named(name: str, value: Value, span: Span) -> Iterable[tuple[str, Node]]:
    match value:
        case Node():
            yield name, value
        case Row(node):
            yield name, node
        case Items(values):
            try:
                yield name, as_tensor(value, Name(name, span=span))
            except DslError:  # its items have different shapes
                for i, each in enumerate(values):
                    yield from _named(f"{name}.{i}", each, span)
        case _:
            pass


def _functions(lowering: Lowering) -> Iterable[tuple[str, Function]]:
    for name in lowering.defined:
        value = lowering.module.names[name]
        if isinstance(value, Function):
            yield name, value
