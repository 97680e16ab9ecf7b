"""Values recorded while a training goes on: bounded copies, by name and step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from dsl.training import ProgramTrainer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from magics.session import Session

MOST_ELEMENTS = 100_000  # of one recorded value
MOST_STEPS = 200  # recorded of one name


class Watched:
    """Records what a session watches, computed on one batch at the steps that are asked for."""

    def __init__(self, session: Session, trainer: ProgramTrainer, batch: Mapping[Any, Any]) -> None:
        self._session, self._trainer, self._batch = session, trainer, batch
        if not trainer.step:
            session.watched.clear()  # a training from the start counts its steps anew

    def look(self) -> None:
        """Record what is due at the present step."""
        step, session = self._trainer.step, self._session
        for name, every in session.watching.items():
            if step % every == 0:
                value = self._trainer.evaluate(session.node(name), self._batch)
                record = session.watched.setdefault(name, {})
                record[step] = part(value).clone()
                if len(record) > MOST_STEPS:  # every second one, so that first and last stay
                    session.watched[name] = dict([*list(record.items())[::2], (step, record[step])])


def part(value: Tensor) -> Tensor:
    """The whole value, or of a large one the first along its first axes that are few enough."""
    while value.numel() > MOST_ELEMENTS and value.ndim > 2:
        value = value[0]
    if value.numel() <= MOST_ELEMENTS:
        return value
    rows = max(1, MOST_ELEMENTS // max(1, value[0].numel() if value.ndim > 1 else 1))
    return (
        value[:rows].reshape(-1)[:MOST_ELEMENTS]
        if value.ndim == 1
        else value[:rows, :MOST_ELEMENTS]
    )
