"""The simple expressions: names, numbers, texts, lists, attributes, norms, and `a(b)` decided."""

from __future__ import annotations

from engine import ops

from ..errors import DslError, refuse, two_readings
from ..scope import Scope
from ..span import Span
from ..suggest import did_you_mean, did_you_mean_one_of
from ..syntax import (
    Ambiguous,
    Attribute,
    CallOrProduct,
    Expr,
    Gradient,
    List,
    Name,
    Number,
    Prime,
    Text,
)
from ..values import BROKEN, CALLABLE, Function, Items, Module, Value, Words
from .elsewhere import WORDS, meant, without_prefix
from .located import bare, text_of
from .modules import import_of, prelude_functions
from .state import Dependent, Lowering

MOST_WHOLE = 2**63
ATTRIBUTES = ("shape", "dtype")


def name(low: Lowering, scope: Scope, expr: Name) -> Value:
    """The value of a name. Raises DslError with what was perhaps meant."""
    value = scope.find(expr.text)
    if value is None:
        raise unknown_name(scope, expr)
    if value is BROKEN:
        raise Dependent
    return value


def unknown_name(scope: Scope, expr: Name) -> DslError:
    """The error for a name that nothing is called."""
    if scope.find_size(expr.text):
        message = f"the size `{expr.text}` is not known here: the shape it comes from has `_` there"
        return refuse(message, expr.span, "give the axis a name where it is declared", "name")
    span = bare(expr.span)
    called = span.source.text[span.end :].startswith("(")
    hint = (
        import_of(expr.text)
        or WORDS.get(expr.text)
        or did_you_mean(expr.text, (*scope.known_names(), *prelude_functions()))
        or f"define it above: `{span.text}(…) = …`" * called
        or f"define it above, or declare it: `input {span.text} : [n]`"
    )
    return refuse(f"`{span.text}` is not defined", span, hint, "name")


def number(low: Lowering, scope: Scope, expr: Number) -> Value:
    """A literal; a whole number that no machine integer holds is a float."""
    is_huge = isinstance(expr.value, int) and abs(expr.value) >= MOST_WHOLE
    return ops.const(float(expr.value) if is_huge else expr.value)


def text(low: Lowering, scope: Scope, expr: Text) -> Value:
    """A text in quotes."""
    return Words(expr.value)


def items(low: Lowering, scope: Scope, expr: List) -> Value:
    """`[a, b]`."""
    found = Items(tuple([low.value(item, scope) for item in expr.items]))
    low.spend(found.count, expr.span)
    return found


def call_or_product(low: Lowering, scope: Scope, expr: CallOrProduct) -> Value:
    """`a(b)`: a call if `a` is a function."""
    reading = expr.call if is_function(low, scope, expr.head) else expr.product
    return low.value(reading, scope)


def is_function(low: Lowering, scope: Scope, expr: Expr) -> bool:
    """Whether an expression stands for a function."""
    match expr:
        case Name():
            return isinstance(low.value(expr, scope), CALLABLE)
        case Prime(operand) | Gradient(operand, None):
            return is_function(low, scope, operand)
        case Attribute():
            return isinstance(low.value(expr, scope), CALLABLE)
        case _:
            return False


def ambiguous(low: Lowering, scope: Scope, expr: Ambiguous) -> Value:
    """A product that two people read differently."""
    raise two_readings(expr.span, expr.rewrites)


def attribute(low: Lowering, scope: Scope, expr: Attribute) -> Value:
    """`x.shape`, a name of a module, or a parameter by its path: `block.W_q`, `h.3.W`."""
    path = path_of(expr)
    for full in (".".join((*scope.frame.path, path)), path):
        if path and full in low.params:
            return low.params[full].leaf
    owner = scope.find(path_of(expr.operand))
    if isinstance(owner, Module):
        return _member(owner, expr)
    root = scope.find(path.partition(".")[0])
    if path and (root is None or isinstance(root, Function)) and expr.name not in ATTRIBUTES:
        raise _unknown_path(low, scope, expr, path)
    value = low.value(expr.operand, scope)
    if expr.name == "shape":
        return _shape(low, value, expr)
    if expr.name == "dtype":
        return Words(low.tensor(value, expr.operand).kind)
    raise _no_attribute(scope, expr)


def path_of(expr: Expr) -> str:
    """`block.W_q` as the path of a parameter, empty for anything else than names with dots."""
    match expr:
        case Name(word):
            return word
        case Attribute(operand, word):
            before = path_of(operand)
            return f"{before}.{word}" if before else ""
        case _:
            return ""


def _member(module: Module, expr: Attribute) -> Value:
    value = module.scope.own(expr.name)
    if value is None:
        hint = did_you_mean_one_of(expr.name, module.scope.names)
        raise refuse(f"`{module.name}` has no `{expr.name}`", _name_span(expr), hint, "name")
    return value


def _shape(low: Lowering, value: Value, expr: Attribute) -> Value:
    node = low.tensor(value, expr.operand)
    if node.shape is None or None in node.shape:
        hint = "give each axis a name where it is declared"
        raise refuse(f"the shape {node.describe()} is not known in full", expr.span, hint, "shape")
    return Items(tuple([ops.size(dim) for dim in node.shape]))


def _unknown_path(low: Lowering, scope: Scope, expr: Attribute, path: str) -> DslError:
    known = ", ".join(f"`{each}`" for each in list(low.params)[:6])
    hint = (
        import_of(path.partition(".")[0])
        or without_prefix(scope, path)
        or did_you_mean_one_of(path, low.params)
        or (known and f"parameters so far: {known}")
    )
    return refuse(f"there is no parameter `{path}`", expr.span, hint, "name")


def _no_attribute(scope: Scope, expr: Attribute) -> DslError:
    operand = text_of(expr.operand)
    if expr.name in ("T", "mT"):
        return refuse(
            f"`.{expr.name}` is no attribute here", expr.span, f"write `{operand}^T`", "name"
        )
    hint = meant(scope, expr.name) or did_you_mean_one_of(expr.name, ("shape", "dtype"))
    hint = hint or "a value has `shape` and `dtype`; functions are called: `f(x)`"
    return refuse(f"`{operand}` has no attribute `{expr.name}`", _name_span(expr), hint, "name")


def _name_span(expr: Attribute) -> Span:
    """Where the name of an attribute stands, after its dot."""
    whole = expr.span
    at = whole.source.span(whole.end - len(expr.name), whole.end)
    return at if at.text == expr.name else whole
