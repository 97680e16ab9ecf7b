"""A function opened: its parameters are inputs, and its name is the value it has there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine import Node, var
from engine.dims import Shape
from engine.graph import sizes_of, toposort

from ..scope import Scope
from ..syntax import Annotation, Parameter
from ..values import Function
from .calls import call_with_nodes, shapes_of
from .shapes import declared, kind_of
from .state import Lowering


def opened(low: Lowering, function: Function, shapes: Mapping[str, Shape]) -> Lowering:
    """The state of the same program with the function opened; parameters with a default keep it.

    `shapes` are of parameters that declare none; without one they are numbers.
    """
    definition, name = function.definition, function.name
    annotations, inner = shapes_of(definition), function.scope.child()
    leaves = {
        each.name.text: leaf_of(low, inner, each, annotation, shapes.get(each.name.text, ()))
        for each in definition.parameters
        for annotation in [annotations.get(each.name.text)]
        if annotation or each.default is None
    }
    frame = replace(low.module.frame, steps=dict(low.module.frame.steps))
    module = replace(low.module, frame=frame, names=dict(low.module.names))
    inputs, params = dict(low.inputs), dict(low.params)
    made = replace(low, module=module, inputs=inputs, params=params)
    node = made.tensor(call_with_nodes(made, function, leaves), definition.body.values[-1])
    made.inputs.update(leaves)
    made.labels.setdefault(node, name)
    module.names[name] = node
    module.sizes = {
        **{size.name: size for each in toposort([node]) for size in sizes_of(each)},
        **module.sizes,
    }
    return made


def leaf_of(
    low: Lowering, inner: Scope, parameter: Parameter, annotation: Annotation | None, shape: Shape
) -> Node:
    """A parameter of a function as a leaf; of `shape` if it declares none."""
    name = parameter.name.text
    if annotation is None:
        return var(name, shape)
    return var(name, declared(low, inner, annotation, True, "this parameter"), kind_of(annotation))
