"""`%graph train`: gradient steps on all parameters below a loss, from where they are now."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

from IPython.core.magic_arguments import argument, magic_arguments

from dsl.training import ProgramTrainer
from engine import Node
from engine.show import short_number
from magics.batches import Batch, batches
from magics.errors import GraphError, from_language
from magics.progress import progress
from magics.supply import needed
from magics.training import Key, Practice, Rewind, Trained, Training
from magics.verbs.desk import Desk
from magics.watched import Watched

MOST_TRAINED = 12  # trainings whose losses are kept


@magic_arguments("graph train")
@argument("loss", metavar="LOSS", help="the number to make small")
@argument("--data", metavar="NAME", help="batches, a name of Python; the inputs' values by default")
@argument("--steps", type=int, default=100, metavar="N", help="how many steps; 100 by default")
@argument("--lr", type=float, default=3e-4, metavar="X", help="learning rate; 3e-4 by default")
@argument("--with", dest="optimizer", default="adamw", metavar="NAME", help="adamw by default")
def train(
    desk: Desk,
    loss: str,
    data: str | None = None,
    steps: int = 100,
    lr: float = 3e-4,
    optimizer: str = "adamw",
) -> Training:
    """Train the parameters below a loss: `%graph train loss --data batches --steps 500`.

    Batches are {input: tensor}, a list of them, a generator function or a function of the step.
    Training again goes on; Interrupt ends it after a whole step, and nothing is lost.
    """
    if steps < 1:
        raise GraphError(f"cannot make {steps} steps", help="`--steps 100`")
    node, source = desk.number(loss), batches(desk.names, data)
    first = _first(data, source)
    trainer = _trainer(desk, node, loss, first, optimizer, lr)
    training = Training(loss, trainer, steps, trainer.step)
    watched = Watched(desk.session, trainer, first)
    rewind, shown = Rewind(trainer), progress(desk.shell, steps)
    try:
        watched.look()
        for record in trainer.fit(rewind.recorded(chain([first], source)), steps):
            training.add(record)
            if not math.isfinite(record.loss):
                raise _diverged(desk, loss, training, rewind)
            watched.look()
            shown.show(record, training)
    except BaseException as error:
        how = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        training.ending = training.ending or f"{how} after step {trainer.step}"
        shown.end(training)
        raise
    finally:
        _keep(desk, trainer, (node, optimizer, lr))
        _remember(desk, training, f"{optimizer} lr={short_number(lr)}")
    training.ending = "" if training.steps == steps else f"`{data}` is used up"
    shown.end()
    return training


def _first(data: str | None, source: Iterator[Batch]) -> Batch:
    for batch in source:
        return batch
    raise GraphError(f"`{data}` is used up", help="define it anew, or use a generator function")


def _trainer(
    desk: Desk, node: Node, loss: str, batch: Batch, optimizer: str, lr: float
) -> ProgramTrainer:
    """The trainer that was used last if it can go on, else a new one from the present values."""
    session, program = desk.session, desk.session.program
    params = needed(program.params, [node])
    if not params:
        raise GraphError(f"`{loss}` depends on no parameter", help="`param w : [n]` declares one")
    names = {**desk.names, **{str(name): value for name, value in batch.items()}}
    feeds = session.supply.feeds(program, [node], names)
    values = {path: feeds[leaf] for path, leaf in params.items()}
    key = node, optimizer, lr
    before = session.practice
    if before and before.key == key and before.left_off_at(values):
        return before.trainer
    try:
        return program.trainer(loss, optimizer, lr, values, only=params)
    except LookupError as error:
        raise GraphError(str(error.args[0])) from None


def _keep(desk: Desk, trainer: ProgramTrainer, key: Key) -> None:
    """Make what was learned the values of the session."""
    values = {path: tensor.clone() for path, tensor in trainer.state.items()}
    desk.session.supply.learned(desk.session.program, values)
    desk.session.practice = Practice(key, trainer, values)


def _remember(desk: Desk, training: Training, how: str) -> None:
    """Keep the losses, after those of the training that it goes on with."""
    trained, goes_on = desk.session.trained, bool(training.start)
    before = trained.pop().losses if goes_on and trained else ()
    new = tuple(point for point in training.losses if math.isfinite(point[1]))
    trained.append(Trained(training.loss, how, (*before, *new)))
    del trained[:-MOST_TRAINED]


def _diverged(desk: Desk, loss: str, training: Training, rewind: Rewind) -> GraphError:
    """The step undone, and where the first NaN of it stands."""
    trainer = training.trainer
    step, last = training.losses[-1]
    rewind.back()
    training.ending = f"`{loss}` became {last} at step {step}; the state is the one before"
    found = desk.session.program.first_nan(loss, rewind.last, trainer.state)
    way = "a smaller learning rate, `--lr`, or a loss that has no pole there"
    where = f"\n{from_language(found)}" if found else ""
    return GraphError(f"{training.ending}{where}", help=way)
