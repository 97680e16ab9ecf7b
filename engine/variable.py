"""`Variable`: the mini-autograd. An operation records a node of the graph and computes it at once.

The rules are those of the operator table. `backward` builds the recorded graph's `gradients` and
evaluates them from the values that the forward pass left behind.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from engine.calculus import gradients
from engine.errors import EngineError, GradientError, KindError
from engine.graph import Node, Op, toposort
from engine.ops import variable as var
from engine.ops.families import dtype_kind

_serial = count()


class Variable:
    """A tensor that remembers how it was computed: `data`, `grad`, `backward()`.

    What a user makes is a leaf; operators, and every operator of the table as a method, compute new
    Variables. Numbers, arrays and tensors beside them are constants. Setting `data` begins anew:
    what was computed before keeps the old value.

    >>> x = Variable([1.0, 2.0])
    >>> y = (x * x + x.exp()).sum()
    >>> y.backward()
    >>> y, x.grad
    (Variable(15.1073), tensor([ 4.7183, 11.3891]))
    """

    __array_ufunc__ = None  # numpy arrays leave `array * variable` to the Variable

    def __init__(self, data: Any) -> None:
        self.grad: Tensor | None = None
        self.data = data

    @property
    def data(self) -> Tensor:
        """The value."""
        return self._record.value

    @data.setter
    def data(self, value: Any) -> None:
        self._record = _leaf(value, weakref.ref(self))

    @property
    def node(self) -> Node:
        """The node that the operations recorded."""
        return self._record.node

    @property
    def shape(self) -> torch.Size:
        """The shape of the value."""
        return self.data.shape

    @property
    def T(self) -> Variable:
        """The transpose of the last two axes; a vector or a scalar is its own."""
        return Variable.apply(lambda x: x.T, self)

    @staticmethod
    def apply(op: Callable[..., Node], *args: Any, **kwargs: Any) -> Variable:
        """The value of `op`, an operator or any function that makes a node, on these operands.

        Raises what building the node raises, KindError for operands of several precisions, and
        EngineError for what fails inside a kernel, naming the op.

        >>> from engine import ops
        >>> Variable.apply(ops.concat, [Variable([1.0]), Variable([2.0])], axis=0)
        Variable([1., 2.])
        """
        operands: list[_Record] = []
        node = op(
            *(_lower(value, operands) for value in args),
            **{name: _lower(value, operands) for name, value in kwargs.items()},
        )
        values = {record.node: record.value for record in operands}
        _evaluate([node], values, operands)
        result = object.__new__(Variable)
        result.grad = None
        result._record = _record(node, values[node], tuple(operands))
        return result

    def backward(self, seed: Any = None) -> None:
        """Add the gradient of this value to the `grad` of each float leaf it was computed from.

        `seed` is the gradient of the value itself, of its shape; 1 by default for one element.
        Raises GradientError when a larger value has no seed, when the seed is of another shape,
        when the value is not a float, or when a recorded value was written into since.
        """
        values, leaves = _unwind(self._record)
        start = None if seed is None and self.data.numel() == 1 else self._seed(seed)
        if start is not None:
            values[start.node] = start.value
        grads = gradients(self.node, list(leaves), start and start.node)
        _evaluate(grads, values, [self._record])
        with torch.inference_mode(False):
            for owner, g in zip(leaves.values(), grads, strict=True):
                owner.grad = values[g].clone() if owner.grad is None else owner.grad + values[g]

    def _present(self) -> _Record:
        """The record; a leaf whose data were written into gets a new one."""
        if not self._record.intact:
            if self._record.owner is None:
                raise _written(self._record)
            self.data = self._record.value
        return self._record

    def _seed(self, seed: Any) -> _Record:
        if seed is None:
            raise GradientError(
                f"backward starts from one element, not from {list(self.shape)}",
                hint="sum the value, or give a seed of its shape",
            )
        given = _leaf(seed, dtype=self.data.dtype)
        if given.value.shape != self.shape:
            raise GradientError(
                f"the seed is {list(given.value.shape)}, the value {list(self.shape)}"
            )
        return given

    def __getattr__(self, name: str) -> Callable[..., Variable]:
        op = Op.table.get(name)
        if op is None:
            raise AttributeError(f"a Variable has no attribute and no operator `{name}`")
        return lambda *args, **kwargs: Variable.apply(op, self, *args, **kwargs)

    def __repr__(self) -> str:
        return f"Variable{repr(self.data).removeprefix('tensor')}"

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Variable]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.data)

    def __getitem__(self, key: Any) -> Variable:
        return self.index(key)

    def __neg__(self) -> Variable:
        return self.neg()

    def __abs__(self) -> Variable:
        return self.abs()

    def __add__(self, other: Any) -> Variable:
        return self.add(other)

    def __sub__(self, other: Any) -> Variable:
        return self.sub(other)

    def __mul__(self, other: Any) -> Variable:
        return self.mul(other)

    def __truediv__(self, other: Any) -> Variable:
        return self.div(other)

    def __pow__(self, other: Any) -> Variable:
        return self.pow(other)

    def __matmul__(self, other: Any) -> Variable:
        return self.matmul(other)

    def __radd__(self, other: Any) -> Variable:
        return Variable.apply(Op.table["add"], other, self)

    def __rsub__(self, other: Any) -> Variable:
        return Variable.apply(Op.table["sub"], other, self)

    def __rmul__(self, other: Any) -> Variable:
        return Variable.apply(Op.table["mul"], other, self)

    def __rtruediv__(self, other: Any) -> Variable:
        return Variable.apply(Op.table["div"], other, self)

    def __rpow__(self, other: Any) -> Variable:
        return Variable.apply(Op.table["pow"], other, self)

    def __rmatmul__(self, other: Any) -> Variable:
        return Variable.apply(Op.table["matmul"], other, self)

    def __lt__(self, other: Any) -> Variable:
        return self.less(other)

    def __le__(self, other: Any) -> Variable:
        return self.less_equal(other)

    def __gt__(self, other: Any) -> Variable:
        return Variable.apply(Op.table["less"], other, self)

    def __ge__(self, other: Any) -> Variable:
        return Variable.apply(Op.table["less_equal"], other, self)


@dataclass(frozen=True, eq=False, slots=True)
class _Record:
    """A link of the tape: a node, its value, and what it was computed from."""

    node: Node
    value: Tensor
    version: int  # torch's count of the writes into the value
    parents: tuple[_Record, ...]
    owner: weakref.ref[Variable] | None  # of a leaf

    @property
    def intact(self) -> bool:
        return _writes(self.value) == self.version


def _writes(value: Tensor) -> int:
    return value._version  # pyright: ignore[reportPrivateUsage] (torch has no other name for it)


def _record(
    node: Node,
    value: Tensor,
    parents: tuple[_Record, ...] = (),
    owner: weakref.ref[Variable] | None = None,
) -> _Record:
    return _Record(node, value, _writes(value), parents, owner)


def _leaf(
    value: Any, owner: weakref.ref[Variable] | None = None, dtype: torch.dtype | None = None
) -> _Record:
    """A leaf of its own for a value."""
    if isinstance(value, Variable):
        raise KindError("a Variable of a Variable", hint="take its data: `Variable(v.data)`")
    with torch.inference_mode(False):
        try:
            tensor = torch.as_tensor(value, dtype=dtype).detach()
        except (TypeError, ValueError, RuntimeError) as error:
            raise KindError(f"no tensor can be made of a {type(value).__name__}") from error
    node = var(f"leaf {next(_serial)}", tuple(tensor.shape), dtype_kind(tensor.dtype))
    return _record(node, tensor, owner=owner)


def _lower(value: Any, operands: list[_Record]) -> Any:
    """An argument for the op: Variables, arrays and tensors as nodes, noted among the operands."""
    if isinstance(value, Variable):
        record = value._present()  # pyright: ignore[reportPrivateUsage] (the other half of the class)
    elif isinstance(value, Tensor | np.ndarray) and value.ndim:
        record = _leaf(value)
    elif isinstance(value, list | tuple):
        items = cast(Iterable[Any], value)
        return type(value)(_lower(item, operands) for item in items)
    else:
        return value
    operands.append(record)
    return record.node


def _written(record: _Record) -> GradientError:
    return GradientError(
        f"a value {list(record.value.shape)} was written into after it had been computed",
        hint="compute a new value instead of changing `data` in place",
    )


def _evaluate(nodes: Iterable[Node], values: dict[Node, Tensor], beside: Iterable[_Record]) -> None:
    """Compute the nodes from the values that are known, in the one precision of those beside."""
    found = {record.value.dtype for record in beside if record.value.is_floating_point()}
    if len(found) > 1:
        raise KindError(f"operands in {' and '.join(sorted(map(str, found)))}", hint="convert one")
    placed = {
        "dtype": next(iter(found), torch.get_default_dtype()),
        "device": next((record.value.device for record in beside), None),
    }
    with torch.inference_mode(False):  # nothing here asks for torch's own gradients
        for node in toposort(nodes, stop=values.__contains__):
            if node not in values:
                attrs = {**node.attrs, **placed} if node.op.placed else node.attrs
                values[node] = _run(node, attrs, [values[x] for x in node.inputs])


def _run(node: Node, attrs: Any, inputs: list[Tensor]) -> Tensor:
    try:
        return node.op.run(attrs, *inputs)
    except (RuntimeError, IndexError, ValueError) as error:
        raise EngineError(
            f"{node.op.name} failed: {error}", op=node.op, nodes=node.inputs
        ) from error


def _unwind(last: _Record) -> tuple[dict[Node, Tensor], dict[Node, Variable]]:
    """Every value on the tape, and the Variable of each float leaf that still has one."""
    values, leaves = dict[Node, Tensor](), dict[Node, Variable]()
    seen, stack = {last}, [last]
    while stack:
        record = stack.pop()
        if not record.intact:
            raise _written(record)
        values[record.node] = record.value
        owner = None if record.owner is None else record.owner()
        if owner is not None and record.value.is_floating_point():
            leaves[record.node] = owner
        fresh = [parent for parent in record.parents if parent not in seen]
        seen.update(fresh)
        stack += fresh
    return values, leaves
