"""`Evaluator(outputs).run(feeds)`: plan once per graph, bind once per shapes, run many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from threading import Lock
from types import TracebackType
from typing import cast

import torch
from torch import Tensor

from engine.errors import FAILURES, EngineError, KindError, failed
from engine.graph import Node
from engine.passes import optimise
from engine.run.bind import (
    Beside,
    Feeds,
    as_tensors,
    beside,
    bind_sizes,
    match,
    placement,
    ready,
)
from engine.run.memory import Block
from engine.run.plan import Plan, Step, make_plan
from engine.run.schedule import schedule
from engine.run.written import check_updates, refuse_copies

NOTHING = Beside()


class Evaluator:
    """Computes `outputs` from feeds: {leaf or its name: tensor, array, list or number}.

    `updates` maps leaves to nodes whose values are written into the fed tensors, in place, after
    everything is computed. Precision and device come from the feeds. Nothing runs before every feed
    was checked.

    >>> from engine import ops, var
    >>> x = var("x", ["n"])
    >>> Evaluator([ops.sum(x), x * 2]).run({"x": [1.0, 2.0]})
    [tensor(3.), tensor([2., 4.])]
    """

    def __init__(
        self,
        outputs: Sequence[Node] | Node,
        *,
        updates: Mapping[Node, Node] | None = None,
        names: Mapping[Node, str] | None = None,
        fuse: bool = True,
    ) -> None:
        asked = [outputs] if isinstance(outputs, Node) else list(outputs)
        for node in asked:
            if not isinstance(cast(object, node), Node):
                raise KindError(f"an evaluator computes nodes, not a {type(node).__name__}")
        check_updates(updates or {})
        self._targets = list(updates or {})
        self._labels = dict(names or {})
        self._wanted = [*asked, *(updates or {}).values()]
        self._count, self._fuse = len(asked), fuse
        self._stands_for: Mapping[Node, Node] = {}
        self._plan: Plan | None = None
        self._steps: dict[object, Step] = {}
        self._met: set[int] = set()
        self._alone = Lock()
        self._block = Block()

    @property
    def plan(self) -> Plan:
        """The plan, made at the first use."""
        if self._plan is None:
            outputs, names = self._wanted, self._labels
            if self._fuse:
                covered = optimise(outputs)
                outputs, self._stands_for = covered.outputs, covered.stands_for
                names = {covered.new.get(node, node): name for node, name in names.items()}
            updates = dict(zip(self._targets, outputs[self._count :], strict=True))
            order = partial(schedule, written=self._wanted, stands_for=self._stands_for)
            self._plan = make_plan(outputs[: self._count], updates, names, order)
        return self._plan

    def source(self) -> str:
        """The Python source that runs the graph: one torch call a line."""
        return self.plan.source

    def run(self, feeds: Feeds) -> list[Tensor]:
        """The values of the outputs.

        Raises MissingInput for a leaf without a feed, ShapeError for a wrong shape, KindError for a
        wrong element kind, each naming the leaf, before anything runs; EngineError for what fails
        inside an op, naming the op.
        """
        plan = self.plan
        tensors = ready(plan.leaves, feeds)
        if tensors is None:
            values = match(plan.leaves, feeds)
            tensors = as_tensors(plan.leaves, values)
            refuse_copies(self._targets, plan.leaves, values, tensors)
        others = beside(plan.leaves, plan.lacks, feeds) if plan.asks else NOTHING
        key = _key(tensors, others)
        step = self._steps.get(key)
        if step is None and self._first_time(key):
            step = self._bind(tensors, others, keep=False)
        return self.call(step or self.step_for(tensors, others), tensors)

    def _first_time(self, key: object) -> bool:
        """Whether these shapes are new: the next run will tell whether they are worth memory."""
        known = hash(key) in self._met
        self._met.add(hash(key))
        return not known and bool(self.plan.memory.places)

    def step_for(self, tensors: Sequence[Tensor], others: Beside = NOTHING) -> Step:
        """The compiled step for tensors of these shapes, in the order of the plan's leaves.

        `others` is what the feeds of other leaves tell. The step keeps its memory between calls.
        """
        key = _key(tensors, others)
        step, block = self._steps.get(key), self._block.tensor
        if step is None:
            step = self._bind(tensors, others, keep=True)
            if self._block.tensor is not block:
                self._steps.clear()  # they hold the block that was too small
            remember(self._steps, key, step)
        return step

    def _bind(self, tensors: Sequence[Tensor], others: Beside, keep: bool) -> Step:
        plan = self.plan
        place = placement(plan.leaves, tensors, others.dtype)
        shapes = [t.shape for t in tensors]
        sizes = bind_sizes([*zip(plan.leaves, shapes, strict=True), *others.shapes], plan.sizes)
        plan.owed.check(sizes)
        named = (sizes[size.name] for size in plan.sizes)
        with torch.inference_mode():
            try:
                memory = (
                    plan.memory.kept(sizes, place.dtype, place.device, self._block)
                    if keep
                    else plan.memory.fresh()
                )
                return plan.bind(*named, place.dtype, place.device, memory)
            except FAILURES as error:
                raise self._located(error) from error

    def call(self, step: Step, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Run a compiled step, one at a time: they share memory."""
        with self._alone, torch.inference_mode():
            try:
                return step(*tensors)
            except FAILURES as error:
                raise self._located(error) from error

    def _located(self, error: Exception) -> EngineError:
        """What torch said, with the node whose line failed."""
        line = _line_in(error.__traceback__, self.plan.filename)
        node = None if line is None else self.plan.node_at(line)
        node = None if node is None else self._stands_for.get(node, node)
        if node is None:
            return error if isinstance(error, EngineError) else EngineError(str(error))
        return error.placed(node) if isinstance(error, EngineError) else failed(node, error)


def _key(tensors: Sequence[Tensor], others: Beside) -> object:
    return (others, *[(t.shape, t.dtype, t.device) for t in tensors])


KEPT = 16  # a binding holds whatever depends on sizes alone, a mask [T, T] for instance


def remember(steps: dict[object, Step], key: object, step: Step) -> Step:
    """Keep a binding for the next call with these shapes, and forget the oldest beyond KEPT."""
    if len(steps) >= KEPT:
        del steps[next(iter(steps))]
    steps[key] = step
    return step


def _line_in(traceback: TracebackType | None, filename: str) -> int | None:
    """The line of the generated source where an error passed through."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == filename:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
