"""Who uses which name: every declaration and definition of a program, and whether it is read.

Names are followed as the program runs: rebinding a name makes a new one, what the body of a loop
leaves behind is there in its next pass, and the body of a function finds what the scope around has
when it is called, be that defined before or after it. A size that a shape introduces (`x : [n]`)
is carried by the name with that shape: who uses n uses x.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..syntax import (
    Annotation,
    Assign,
    Attribute,
    Block,
    Comprehension,
    Const,
    Declared,
    Dim,
    For,
    FunctionDef,
    Import,
    Input,
    Keyword,
    Name,
    Param,
    Repeat,
    Show,
    Statement,
    Syntax,
    children,
)


@dataclass(eq=False)
class Binding:
    """A name at the place where it begins to mean something; `what` says it in a word.

    `home` is the function around it, `is_inner` whether it is inside any definition. `together`
    are all that were bound at once: `q, k, v = split(x, 3)`.
    """

    name: Name
    what: str
    home: str
    is_inner: bool
    is_used: bool = False
    together: Sequence[Binding] = ()


@dataclass(eq=False)
class Scope:
    """The names of a program, a block, or a function, whose body `runs_later`."""

    parent: Scope | None = None
    home: str = ""
    runs_later: bool = False
    now: dict[str, Binding] = field(default_factory=dict[str, Binding])
    ever: dict[str, list[Binding]] = field(default_factory=dict[str, list[Binding]])
    carriers: dict[str, list[Binding]] = field(default_factory=dict[str, list[Binding]])
    read_later: set[str] = field(default_factory=set[str])

    def child(self) -> Scope:
        """A scope in the same body."""
        return Scope(self, self.home)

    def find(self, name: str) -> Binding | None:
        """What a name means here, sizes that shapes introduce left out."""
        scope: Scope | None = self
        while scope is not None and name not in scope.now:
            scope = scope.parent
        return None if scope is None else scope.now[name]


def bindings(statements: Iterable[Statement]) -> list[Binding]:
    """Every name that a program binds, in the order of the text."""
    reader, scope = _Reader(), Scope()
    for statement in statements:
        reader.statement(statement, scope)
    for each in reader.found:
        each.is_used |= each.what == "param" and each.name.text in reader.attributes
    return reader.found


class _Reader:
    """One pass over a program; `loops` has the names read so far in each loop around."""

    def __init__(self) -> None:
        self.found: list[Binding] = []
        self.attributes: set[str] = set()
        self.loops: list[set[str]] = []

    def statement(self, statement: Statement, scope: Scope) -> None:
        match statement:
            case Dim(sizes):
                for each in sizes:
                    self.read(each.value, scope)
                    self.bind(each.name, "size", scope)
            case Input(names):
                for each in names:
                    self.introduce(each.annotation, self.bind(each.name, "input", scope), scope)
            case Const(names):
                for each in names:
                    self.introduce(each.annotation, self.bind(each.name, "const", scope), scope)
            case Param(names, draw, fill):
                for each in (draw, fill, *(each.annotation for each in names)):
                    self.read(each, scope)
                for each in names:
                    self.bind(each.name, "param", scope)
            case Import(module, names):
                last = Name(module.rpartition(".")[2], span=statement.span)
                for each in names or (last,):
                    self.bind(each, "import", scope)
            case Show(body):
                self.block(body, scope.child())
            case Assign():
                self.assign(statement, scope)
            case FunctionDef():
                self.function(statement, scope)
            case Repeat(count, body):
                self.read(count, scope)
                self.loop(body, scope)
            case For(target, iterable, body):
                self.read(iterable, scope)
                self.bind(target, "pass", scope)
                self.loop(body, scope)

    def assign(self, statement: Assign, scope: Scope) -> None:
        body = statement.body
        self.block(body, scope.child() if body.statements or body.where else scope)
        self.read(statement.annotation, scope)
        made = [self.bind(each, "definition", scope) for each in statement.targets]
        for each in made:
            each.together = made

    def function(self, statement: FunctionDef, scope: Scope) -> None:
        self.bind(statement.name, "definition", scope)
        inner = Scope(scope, statement.name.text, runs_later=True)
        for each in statement.parameters:
            self.bind(each.name, "parameter", inner)
        for each in statement.parameters:
            self.introduce(each.annotation, inner.now[each.name.text], inner)
            self.read(each.default, inner)
        self.block(statement.body, inner)
        self.read(statement.annotation, inner)

    def block(self, block: Block, scope: Scope) -> None:
        for local in block.where:
            if isinstance(local, Declared):
                found = scope.find(local.name.text)
                found = found or self.bind(local.name, "input", scope)
                self.introduce(local.annotation, found, scope)
            else:
                self.statement(local, scope)
        for statement in block.statements:
            self.statement(statement, scope)
        for value in block.values:
            self.read(value, scope)

    def loop(self, body: Sequence[Statement], scope: Scope) -> None:
        """The names that the body reads are read in the next pass too."""
        self.loops.append(set())
        for statement in body:
            self.statement(statement, scope)
        names = self.loops.pop()
        for name in names & set(scope.now):
            scope.now[name].is_used = True
        if self.loops:
            self.loops[-1] |= names

    def bind(self, name: Name, what: str, scope: Scope) -> Binding:
        is_inner = scope.parent is not None
        made = Binding(name, what, scope.home, is_inner, name.text in scope.read_later)
        scope.now[name.text] = made
        scope.ever.setdefault(name.text, []).append(made)
        self.found.append(made)
        return made

    def introduce(self, annotation: Annotation | None, owner: Binding, scope: Scope) -> None:
        """The shape of something new: a plain name in it is a size that is declared, or new."""
        for each in (annotation and annotation.sizes) or ():
            declared = scope.find(each.text) if isinstance(each, Name) else None
            if isinstance(each, Name) and (declared is None or declared.what == "size"):
                scope.carriers.setdefault(each.text, []).append(owner)
            if declared is not None or not isinstance(each, Name):
                self.read(each, scope)

    def read(self, piece: Syntax | None, scope: Scope) -> None:
        """Every name in an expression or in a shape."""
        stack = [] if piece is None else [piece]
        while stack:
            match stack.pop():
                case Name(text):
                    self.use(text, scope)
                case Keyword(_, value):
                    stack.append(value)
                case Comprehension(element, target, iterable):
                    self.read(iterable, scope)
                    inner = scope.child()
                    self.bind(target, "pass", inner)
                    self.read(element, inner)
                case other:
                    if isinstance(other, Attribute):
                        self.attributes.add(other.name)
                    stack.extend(children(other))

    def use(self, name: str, scope: Scope) -> None:
        """What a name means is used: of a body that runs later, whatever it may mean then."""
        if self.loops:
            self.loops[-1].add(name)
        is_later, around = False, scope
        while around is not None:
            if is_later:
                around.read_later.add(name)
                used = [*around.ever.get(name, ()), *around.carriers.get(name, ())]
            else:
                used = [around.now[name]] if name in around.now else around.carriers.get(name, [])
            for each in used:
                each.is_used = True
            if used and not is_later:
                return
            is_later, around = is_later or around.runs_later, around.parent
