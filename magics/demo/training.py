"""The demo's training: a bar, the held-out loss now and then, an end by steps, time or Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dsl import Program
from engine.learn import Record, Trainer
from magics.demo.corpus import Corpus, batches, windows
from magics.demo.report import Point
from magics.demo.setting import Setting
from magics.progress import Bar

HELD_OUT_WINDOWS = 128


@dataclass
class History:
    """The losses by step, of each training batch and of the held-out text."""

    train: list[Point] = field(default_factory=list[Point])
    held_out: list[Point] = field(default_factory=list[Point])
    ending: str = ""


def train(program: Program, trainer: Trainer, corpus: Corpus, setting: Setting) -> History:
    """Train, and return what was seen; Ctrl-C ends it with the state of the last whole step."""
    history = History()
    judge = windows(corpus.held_out, setting.context, HELD_OUT_WINDOWS, seed=1)
    try:
        for record in _with_bar(trainer, corpus, setting, history):
            history.train.append((record.step, record.loss))
            if record.step % setting.check_every == 0:
                held_out = trainer.evaluate(program.nodes["loss"], judge).item()
                history.held_out.append((record.step, held_out))
            if record.elapsed > setting.seconds:
                history.ending = f"ended after {setting.seconds:.0f} s at step {record.step}"
                break
    except KeyboardInterrupt:
        history.ending = f"interrupted after step {trainer.step}"
    if not history.held_out or history.held_out[-1][0] != trainer.step:
        held_out = trainer.evaluate(program.nodes["loss"], judge).item()
        history.held_out.append((trainer.step, held_out))
    return history


def _with_bar(
    trainer: Trainer, corpus: Corpus, setting: Setting, history: History
) -> Iterator[Record]:
    """The records of the training, shown in a bar with speed and time to go."""
    stream = batches(corpus.train, setting.context, setting.batch)
    bar = Bar(setting.steps)
    try:
        for record in trainer.fit(stream, steps=setting.steps):
            yield record
            held_out = history.held_out[-1:]
            bar.show(record, note=f"held out {held_out[0][1]:.3f}" if held_out else "")
    finally:
        bar.end()
