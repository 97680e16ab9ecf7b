"""The graph: `Node` = op + inputs + attrs, frozen and interned: equal structure is identity.

Nothing here computes. A node holds no value, no gradient and no position in a text; its shape and
element kind follow from its op when it is built. Every walk is iterative: a chain of 100,000 nodes
builds, sorts and substitutes like a short one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias, cast
from weakref import WeakValueDictionary

import sympy

from engine.dims import Dim, Shape, Size, show, sizes_in
from engine.errors import EngineError, KindError, ShapeError

MOST_AXES = 64  # as many as torch has

Kind = Literal["float", "int", "bool"]
Operand: TypeAlias = "Node | float | int | bool | Any"  # a node, or anything that `const` takes
Cotangents: TypeAlias = (
    "tuple[Node | None, ...]"  # one per input; None where no derivative flows (integers, shapes)
)
Tangents: TypeAlias = "tuple[Node | None, ...]"  # one per input; None is a zero tangent


class Attrs(Mapping[str, Any]):
    """The attributes of a node, immutable, hashed by exact content (2 is not 2.0)."""

    __slots__ = ("_items", "key")

    def __init__(self, items: Mapping[str, Any]) -> None:
        self._items = dict(items)
        self.key = tuple((name, identity(value)) for name, value in self._items.items())

    def __getitem__(self, name: str) -> Any:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def values(self) -> ValuesView[Any]:
        """The values, without a look-up for each."""
        return self._items.values()

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attrs) and self.key == other.key

    def __repr__(self) -> str:
        return f"Attrs({self._items})"

    def __reduce__(self) -> tuple[object, ...]:
        return (Attrs, (self._items,))


def identity(value: Any) -> object:
    """What makes an attribute value distinct: its type with its content, floats by their bits."""
    if isinstance(value, float):
        return float, value.hex()
    if isinstance(value, tuple):
        return tuple(identity(item) for item in cast(tuple[Any, ...], value))
    return type(cast(object, value)), value


@dataclass(frozen=True, eq=False, kw_only=True)
class Op:
    """Everything about an operator in one record. A missing rule is a TypeError at import.

    kernel   what runs: `kernel(*tensors, **attrs)`, a torch function or one of `engine.ops.kernels`
    shape    `shape(attrs, *inputs)`, the result's shape
    vjp      `vjp(g, y, *inputs)`, one cotangent per input: ā = gᵀ ∂y/∂a as graph
    jvp      `jvp(dx, y, *inputs)`, the tangent ẏ = Σ ∂y/∂xᵢ ẋᵢ as graph; a None in `dx` is zero
    tex      LaTeX with one `%s` per input, or a function of the node and its inputs' LaTeX
    glyph    the sign or word by which a picture and the text form know it
    cost     `cost(y, *inputs)`, floating-point operations in symbolic sizes (multiply-adds count 2)

    Optional: `kind`, the result's element kind; `attrs`, the attributes with their defaults;
    `arity`, the number of inputs; `build`, the function that a call of the op goes to when inputs
    need preparing; `code(node, names)`, the source line's expression where `kernel(names, **attrs)`
    is not the best torch; `placed`: the kernel also takes `dtype` and `device`.
    """

    name: str
    kernel: Callable[..., Any]
    shape: Callable[..., Shape]
    vjp: Callable[..., Cotangents]
    jvp: Callable[..., Node | None]
    tex: str | Callable[..., str]
    glyph: str
    cost: Callable[..., Dim]
    kind: Callable[..., Kind] = lambda attrs, *xs: promote(*xs)
    attrs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    arity: int = 1
    build: Callable[..., Node] | None = None
    code: Callable[..., str | None] | None = None
    placed: bool = False

    table: ClassVar[dict[str, Op]] = {}

    def __post_init__(self) -> None:
        assert self.name not in Op.table, f"two operators are called {self.name}"
        Op.table[self.name] = self

    def __call__(self, *args: Any, **kwargs: Any) -> Node:
        """A node of this op: inputs first (numbers, tensors become constants), then attributes."""
        if self.build is not None:
            try:
                return self.build(*args, **kwargs)
            except TypeError:
                misuse = _misuse(self, self.build, args, kwargs)
                if misuse is None:
                    raise
                raise misuse from None
        if len(args) < self.arity or len(args) > self.arity + len(self.attrs):
            raise KindError(f"{self.name} takes {self.arity} operands, not {len(args)}", op=self)
        given = dict(zip(self.attrs, args[self.arity :], strict=False)) | kwargs
        return self.node(tuple(as_node(x) for x in args[: self.arity]), **given)

    def node(self, inputs: tuple[Node, ...], **given: Any) -> Node:
        """The node with exactly these inputs; attributes not given take their defaults."""
        unknown = [name for name in given if name not in self.attrs]
        if unknown:
            takes = ", ".join(f"`{name}`" for name in self.attrs) or "no attributes"
            raise KindError(
                f"{self.name} has no attribute `{unknown[0]}`", op=self, hint=f"it takes {takes}"
            )
        return Node(self, inputs, Attrs({**self.attrs, **given}))

    def run(self, attrs: Mapping[str, Any], *tensors: Any) -> Any:
        """The value for these tensors; the op alone, without a graph."""
        return self.kernel(*tensors, **attrs)

    def __repr__(self) -> str:
        return f"ops.{self.name}"

    def __reduce__(self) -> tuple[object, ...]:
        return (operator_named, (self.name,))


def _misuse(
    op: Op, build: Callable[..., Node], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> KindError | None:
    """What to say when a call does not fit the op's parameters; None when it does."""
    signature = inspect.signature(build)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
        called = signature.replace(parameters=plain, return_annotation=signature.empty)
        return KindError(f"{op.name}: {error}", op=op, hint=f"call it as `{op.name}{called}`")
    return None


def operator_named(name: str) -> Op:
    """The operator called `name`."""
    return Op.table[name]


class Node:
    """A value not computed yet, built by the operators of `engine.ops` or + - * / ** @ []."""

    __slots__ = ("__weakref__", "attrs", "inputs", "kind", "op", "shape")
    __match_args__ = ("op", "inputs", "attrs")
    __array_ufunc__ = None  # so that numpy arrays leave `array * node` to the node
    __iter__ = None  # indexing builds graph, so iteration would never end
    __hash__ = object.__hash__

    op: Op
    inputs: tuple[Node, ...]
    attrs: Attrs
    shape: Shape
    kind: Kind

    _interned: ClassVar[WeakValueDictionary[object, Node]] = WeakValueDictionary()

    def __new__(cls, op: Op, inputs: tuple[Node, ...], attrs: Attrs) -> Node:
        """The one node of this op, inputs and attributes. Raises what its shape rule raises."""
        key = (op, inputs, attrs.key)
        found = cls._interned.get(key)
        if found is not None:
            return found
        try:
            shape, kind = op.shape(attrs, *inputs), op.kind(attrs, *inputs)
            if len(shape or ()) > MOST_AXES:
                raise ShapeError(f"a tensor has at most {MOST_AXES} axes, not {len(shape or ())}")
        except EngineError as error:
            raise error.about(op, inputs) from None
        self = super().__new__(cls)
        for name, value in (
            ("op", op),
            ("inputs", inputs),
            ("attrs", attrs),
            ("shape", shape),
            ("kind", kind),
        ):
            object.__setattr__(self, name, value)
        return cls._interned.setdefault(key, self)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a node is frozen: cannot set `{name}`")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a node is frozen: cannot delete `{name}`")

    @property
    def rank(self) -> int | None:
        """The number of axes, None when unknown."""
        return None if self.shape is None else len(self.shape)

    @property
    def T(self) -> Node:
        """The transpose of the last two axes; a vector or a scalar is its own."""
        return self if self.rank in (0, 1) else Op.table["transpose"](self, (-1, -2))

    def label(self) -> str:
        """A short name: the leaf's own, else the op's."""
        return str(self.attrs["name"]) if self.op.name == "variable" else self.op.name

    def describe(self) -> str:
        """Shape and element kind, as one writes them: `[B, T, d]`, `int[B, T]`."""
        return show(self.shape) if self.kind == "float" else f"{self.kind}{show(self.shape)}"

    def __repr__(self) -> str:
        return f"<{self.label()} {self.describe()}>"

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: object) -> Node:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return (_unflatten, (_flatten(self),))

    def __bool__(self) -> bool:
        raise KindError(
            f"{self!r} has no truth value before it is evaluated", hint="use ops.where for a choice"
        )

    def __add__(self, other: Operand) -> Node:
        return Op.table["add"](self, other)

    def __radd__(self, other: Operand) -> Node:
        return Op.table["add"](other, self)

    def __sub__(self, other: Operand) -> Node:
        return Op.table["sub"](self, other)

    def __rsub__(self, other: Operand) -> Node:
        return Op.table["sub"](other, self)

    def __mul__(self, other: Operand) -> Node:
        return Op.table["mul"](self, other)

    def __rmul__(self, other: Operand) -> Node:
        return Op.table["mul"](other, self)

    def __truediv__(self, other: Operand) -> Node:
        return Op.table["div"](self, other)

    def __rtruediv__(self, other: Operand) -> Node:
        return Op.table["div"](other, self)

    def __pow__(self, other: Operand) -> Node:
        return Op.table["pow"](self, other)

    def __rpow__(self, other: Operand) -> Node:
        return Op.table["pow"](other, self)

    def __matmul__(self, other: Operand) -> Node:
        return Op.table["matmul"](self, other)

    def __rmatmul__(self, other: Operand) -> Node:
        return Op.table["matmul"](other, self)

    def __neg__(self) -> Node:
        return Op.table["neg"](self)

    def __abs__(self) -> Node:
        return Op.table["abs"](self)

    def __lt__(self, other: Operand) -> Node:
        return Op.table["less"](self, other)

    def __le__(self, other: Operand) -> Node:
        return Op.table["less_equal"](self, other)

    def __gt__(self, other: Operand) -> Node:
        return Op.table["less"](other, self)

    def __ge__(self, other: Operand) -> Node:
        return Op.table["less_equal"](other, self)

    def __getitem__(self, key: Any) -> Node:
        return Op.table["index"](self, key)


def as_node(value: Operand) -> Node:
    """The value itself when it is a node, else a constant."""
    return value if isinstance(value, Node) else Op.table["const"](value)


def sizes_of(node: Node) -> set[Size]:
    """The named sizes in the shape and in the attributes of a node."""
    parts: list[Any] = [*(node.shape or ()), *node.attrs.values()]
    found = set[Size]()
    while parts:
        part = parts.pop()
        if isinstance(part, tuple):
            parts.extend(cast(tuple[Any, ...], part))
        elif isinstance(part, sympy.Expr):
            found |= sizes_in(part)
    return found


def several(nodes: Sequence[Node] | Node) -> list[Node]:
    """A list of nodes; one alone is a list of one."""
    return [nodes] if isinstance(nodes, Node) else list(nodes)


def promote(*nodes: Node) -> Kind:
    """The kind of arithmetic on these operands: float over int over bool."""
    kinds = {node.kind for node in nodes}
    return "float" if "float" in kinds else "int" if "int" in kinds else "bool"


def toposort(outputs: Iterable[Node], stop: Callable[[Node], bool] | None = None) -> list[Node]:
    """Every node the outputs depend on, inputs before users; nothing below where `stop` holds.

    >>> from engine import ops, var
    >>> x = var("x", [])
    >>> [node.label() for node in toposort([ops.exp(x) + x])]
    ['x', 'exp', 'add']
    """
    done: dict[Node, None] = {}
    stack = list(outputs)[::-1]
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
            continue
        waiting = [] if stop and stop(node) else [x for x in node.inputs if x not in done]
        if waiting:
            stack.extend(reversed(waiting))
        else:
            done[node] = None
            stack.pop()
    return list(done)


def substitute(outputs: Iterable[Node], replacements: Mapping[Node, Node]) -> list[Node]:
    """The outputs with some nodes replaced; shapes and kinds are inferred anew."""
    outputs = list(outputs)
    new = dict(replacements)
    for node in toposort(outputs, stop=new.__contains__):
        if node not in new:
            new[node] = rebuild(node, tuple(new[x] for x in node.inputs))
    return [new[node] for node in outputs]


def rebuild(node: Node, inputs: tuple[Node, ...]) -> Node:
    """The same op and attributes over other inputs."""
    return node if inputs == node.inputs else Node(node.op, inputs, node.attrs)


def depends(outputs: Iterable[Node], on: Iterable[Node]) -> set[Node]:
    """The nodes below the outputs that depend on any of `on` (those included)."""
    found = set(on)
    for node in toposort(outputs):
        if any(x in found for x in node.inputs):
            found.add(node)
    return found


_Row: TypeAlias = "tuple[Op, tuple[int, ...], Attrs]"


def _flatten(node: Node) -> list[_Row]:
    """The graph below a node as rows (op, places of inputs, attrs): pickle must not recurse."""
    order = toposort([node])
    place = {n: i for i, n in enumerate(order)}
    return [(n.op, tuple(place[x] for x in n.inputs), n.attrs) for n in order]


def _unflatten(rows: list[_Row]) -> Node:
    nodes: list[Node] = []
    for op, places, attrs in rows:
        nodes.append(Node(op, tuple(nodes[i] for i in places), attrs))
    return nodes[-1]
