"""Which function lowers which kind of syntax, and which one carries out which kind of call."""

from __future__ import annotations

from .. import syntax as s
from ..values import Builtin, Derived, Form, Function
from . import (
    arithmetic,
    blocks,
    calls,
    declarations,
    derivatives,
    expressions,
    indexing,
    loops,
    modules,
    norms,
    products,
    showing,
)
from .state import Handlers

EXPRESSIONS: Handlers = {
    s.Name: expressions.name,
    s.Number: expressions.number,
    s.Text: expressions.text,
    s.Unary: arithmetic.unary,
    s.Binary: arithmetic.binary,
    s.Juxtapose: products.juxtapose,
    s.Call: calls.call,
    s.CallOrProduct: expressions.call_or_product,
    s.Ambiguous: expressions.ambiguous,
    s.Index: indexing.index,
    s.Attribute: expressions.attribute,
    s.Transpose: products.transpose,
    s.Prime: derivatives.prime,
    s.Power: products.power,
    s.Gradient: derivatives.gradient,
    s.Norm: norms.norm,
    s.List: expressions.items,
    s.Comprehension: loops.comprehension,
    s.Conditional: arithmetic.conditional,
}

STATEMENTS: Handlers = {
    s.Dim: declarations.dim,
    s.Input: declarations.inputs,
    s.Param: declarations.param,
    s.Const: declarations.const,
    s.Assign: blocks.assign,
    s.FunctionDef: blocks.function,
    s.Repeat: loops.repeat,
    s.For: loops.loop,
    s.Import: modules.imported,
    s.Show: showing.show,
    s.Wrong: blocks.wrong,
}

CALLERS: Handlers = {
    Function: calls.call_function,
    Builtin: calls.call_builtin,
    Form: calls.call_form,
    Derived: derivatives.call_derived,
}
