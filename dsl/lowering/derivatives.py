"""Derivatives: `∇_W loss`, `∂y/∂x`, `∇f(x)`, `f'(t)`, and what they refuse."""

from __future__ import annotations

from collections.abc import Sequence

from engine import Node, gradients, hessian, jacobian, jvp, ops
from engine.dims import known, product, same_shape, show
from engine.graph import depends, toposort

from ..errors import Diagnostic, DslError, Operand, one_line, refuse
from ..scope import Scope
from ..span import Span
from ..syntax import Gradient, Name, Prime
from ..values import CALLABLE, Derived, Formula, Function, Row, Value
from .arguments import Argument, Arguments
from .calls import shapes_of
from .located import Term, bare, located, text_of
from .opened import leaf_of
from .points import Point, at_point
from .products import transposed
from .state import WALKS, Lowering

HIGHEST_ORDER = 8

# Functions of one element each; whatever is made of them alone has a derivative element by element.
ELEMENTWISE = frozenset(
    [
        *["add", "sub", "mul", "div", "neg", "pow", "sqrt", "exp", "log", "abs", "sign", "sin"],
        *["cos", "tanh", "sigmoid", "softplus", "erf", "relu", "gelu", "silu", "maximum"],
        *["minimum", "where", "stop", "cast", "equal", "not_equal", "less", "less_equal"],
    ]
)


def gradient(low: Lowering, scope: Scope, expr: Gradient) -> Value:
    """`∇_W loss`, `∂loss/∂W`; `∇f` is a function."""
    if expr.wrt is not None:
        wrt = low.term(expr.wrt, scope, "with respect to")
        return by(low, scope, expr.span, low.term(expr.of, scope, "of"), [wrt])[0]
    of = low.value(expr.of, scope)
    if isinstance(of, CALLABLE):
        return Derived(of, "gradient")
    text, wrt = text_of(expr.of), _some_variable(low, low.tensor(of, expr.of))
    hint = f"write `∇_{wrt} {text}`, or `grad({one_line(bare(expr.of.span).text)}, {wrt})`"
    raise refuse(f"`∇{text}` does not say with respect to what", expr.span, hint, "gradient")


def _some_variable(low: Lowering, node: Node) -> str:
    """The name of something that a value can be differentiated by; `W` if there is nothing."""
    leaves = [n for n in toposort([node]) if n.op is ops.variable and n.kind == "float"]
    names = [low.labels.get(leaf, leaf.label()) for leaf in leaves]
    return next((name for name in names if name.isidentifier()), "W")


def prime(low: Lowering, scope: Scope, expr: Prime) -> Value:
    """`f'`, `f''` of a function; `x'` of a value is its transpose."""
    value = low.value(expr.operand, scope)
    if isinstance(value, CALLABLE):
        if expr.order > HIGHEST_ORDER:
            message = f"derivatives go up to order {HIGHEST_ORDER}"
            raise refuse(message, expr.span, "", "limit")
        return Derived(value, "derivative", expr.order)
    for _ in range(expr.order % 2):
        value = transposed(low, scope, expr, value, expr.operand)
    return value


def by(low: Lowering, scope: Scope, span: Span, of: Term, wrt: Sequence[Term]) -> list[Node]:
    """The gradients of a number by each of several nodes. Raises DslError where there is none."""
    text = one_line(bare(of.expr.span).text)
    check_number(of.node, text, span, f"`sum({text})`", (text, wrt[0].text, wrt[0].node))
    for each in wrt:
        check_depends(low, of, each, span)
    low.spend_on([of.node], span)
    with located(span, (of, *wrt)):
        found = gradients(of.node, [each.node for each in wrt])
    low.spend_on(found, span)
    return [low.keep(node, span, scope) for node in found]


def check_number(
    node: Node, text: str, span: Span, summed: str, jacobian: tuple[str, str, Node]
) -> None:
    """Refuse a gradient of anything but a number; offer a sum, and a Jacobian where it is known."""
    if node.rank in (0, None):
        return
    of, wrt, x = jacobian
    hint = f"sum it, {summed}, or mean it"
    if None not in map(known, (*(node.shape or ()), *(x.shape or ()))):
        hint += f"; of a vector there is the `jacobian({of}, {wrt})`"
    message = f"a gradient is of a number, and `{text}` is {node.describe()}"
    operand = Operand("of", text, node.describe())
    raise DslError(Diagnostic(message, span, hint, "gradient", (operand,)))


def check_depends(low: Lowering, of: Term, wrt: Term, span: Span) -> None:
    """Refuse a gradient that is zero because no way leads there; say where the last one ends."""
    if wrt.node.op is ops.const:
        hint = "write a function `f(x)` and `∇f(x)`"
        if isinstance(wrt.expr, Name):
            hint = f"declare `input {wrt.text} : {show(wrt.node.shape)}`, or {hint}"
        raise refuse(f"`{wrt.text}` is a constant, which does not vary", span, hint, "gradient")
    if wrt.node.kind != "float":
        return
    order = toposort([of.node])
    live, cuts = {wrt.node}, list[Node]()
    for node in order:
        if any(x in live for x in node.inputs):
            is_cut = node.kind != "float" or node.op is ops.stop
            cuts.append(node) if is_cut else live.add(node)
    if of.node in live and (of.node is not wrt.node or wrt.node in order):
        return
    raise _no_way(low, of, wrt, span, cuts)


def _no_way(low: Lowering, of: Term, wrt: Term, span: Span, cuts: list[Node]) -> DslError:
    places = [low.origins[node] for node in cuts if node in low.origins]
    if places:
        message = f"the gradient of `{of.text}` with respect to `{wrt.text}` is zero"
        notes = tuple(f"`{one_line(p.text)}` at {p.label} lets nothing through" for p in places[:3])
        return DslError(Diagnostic(message, span, "", "gradient", notes=notes))
    leaves = [n for n in toposort([of.node]) if n.op is ops.variable]
    names = ", ".join(f"`{low.labels.get(leaf, leaf.label())}`" for leaf in leaves[:8])
    hint = f"it depends on {names}" if names else "it depends on nothing that varies"
    return refuse(f"`{of.text}` does not depend on `{wrt.text}`", span, hint, "gradient")


def call_derived(low: Lowering, function: Derived, scope: Scope, arguments: Arguments) -> Value:
    """`∇f(x)`, `f'(t)`."""
    if len(arguments.positional) != 1:
        raise _one_argument(function, arguments)
    argument = arguments.positional[0]
    point = at_point(low, scope, function.of, argument, arguments.named, arguments.span)
    span = arguments.span
    f, x = function.of.name, text_of(argument.expr)
    if function.form in ("jacobian", "hessian"):
        node = second(low, function.form, point, span, (f"{f}({x})", f, x))
    elif function.form == "gradient":
        check_number(point.y, f"{f}({x})", span, f"`grad(sum({f}({x})), {x})`", (f, x, point.x))
        low.spend_on([point.y], span)
        with located(span):
            (made,) = gradients(point.y, [point.x])
        low.spend_on([made], span)
        node = point.back(made)
    else:
        node = _derivative(low, function, point, span, x)
    low.keep(node, span, scope)
    return Row(node) if isinstance(argument.value(low), Row) else node


def second(low: Lowering, form: str, point: Point, span: Span, texts: tuple[str, str, str]) -> Node:
    """The Jacobian of a value, or the Hessian of a number, at the point; as the texts call them."""
    text, f, wrt = texts
    if form == "hessian":
        check_number(point.y, text, span, f"`hessian(sum({text}), {wrt})`", (f, wrt, point.x))
    passes = known(product(point.x.shape or ())) or 1
    low.spend(passes * WALKS * len(toposort([point.y])), span)
    with located(span):
        made = (hessian if form == "hessian" else jacobian)(point.y, point.x)
        low.spend_on([made], span)
    return point.back(made)


def _derivative(low: Lowering, function: Derived, point: Point, span: Span, at: str) -> Node:
    """d/dx, as often as there are primes; of a tensor element by element."""
    if point.x.shape != () and not _acts_elementwise(point):
        message = f"`{function.name}` is the derivative of a function of one number"
        hint = f"`{function.of.name}` mixes elements; write `jacobian({function.of.name}, {at})`"
        if None in map(known, point.x.shape or (None,)):
            hint += ", which needs sizes with values"
        raise refuse(message, span, hint, "gradient")
    y = point.y
    with located(span):
        for _ in range(function.order):
            low.spend_on([y], span)
            y = jvp(y, [point.x], [ops.ones(point.x.shape)])
    low.spend_on([y], span)
    return point.back(y)


def _acts_elementwise(point: Point) -> bool:
    """Whether each element of y is made of the element of x at the same place alone."""
    if not same_shape(point.y.shape, point.x.shape):
        return False
    between = depends([point.y], [point.x]) - {point.x}
    return all(
        node.op.name in ELEMENTWISE and same_shape(node.shape, point.x.shape) for node in between
    )


def _one_argument(function: Derived, arguments: Arguments) -> DslError:
    texts = [text_of(each.expr) for each in arguments.positional]
    hint = f"write `{function.name}(x)`"
    if texts:
        others = ", ".join(["x", *texts[1:]])
        name = function.of.name
        hint = f"hold the others: `g(x) = {name}({others})`, then `∇g({texts[0]})`"
    message = (
        f"`{function.name}` takes one argument: which one it is the derivative by must be clear"
    )
    return refuse(message, arguments.span, hint, "call")


def formula(low: Lowering, derived: Derived) -> Formula | None:
    """`∇f` alone, in the parameter of f itself; None if its shape is not declared."""
    function: object = derived
    while isinstance(function, Derived):
        function = function.of
    if not isinstance(function, Function) or len(function.definition.parameters) != 1:
        return None
    (parameter,) = function.definition.parameters
    annotation = shapes_of(function.definition).get(parameter.name.text)
    if annotation is None and derived.form != "derivative":
        return None
    inner = function.scope.child()
    leaf = leaf_of(low, inner, parameter, annotation, ())
    name = Name(parameter.name.text, span=parameter.span)
    arguments = Arguments((Argument(name, inner, leaf),), {}, parameter.span)
    with low.trial():
        node = low.tensor(call_derived(low, derived, inner, arguments), name)
    return Formula(node, leaf)
