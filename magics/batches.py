"""Where the batches of a training come from: a name of Python, or the inputs' own values."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from itertools import count, cycle, repeat
from typing import Any

from magics.errors import GraphError
from magics.supply import Namespace, is_plain

Batch = Mapping[str, Any]
KINDS = "{input: tensor}, a list of them, a generator function, or a function of the step"


def batches(names: Namespace, data: str | None) -> Iterator[Batch]:
    """The batches that a name of Python stands for; without a name the inputs' own values.

    One mapping and lists begin again when they are used up, a generator ends.
    Raises GraphError for a name that has no batches.
    """
    if data is None:
        return repeat({name: value for name, value in names.items() if is_plain(value)})
    if data not in names:
        raise GraphError(f"`{data}` has no value in Python", help=f"it is {KINDS}")
    value = names[data]
    if isinstance(value, Mapping):
        return repeat(value)
    if inspect.isgeneratorfunction(value):
        return _checked(data, value())
    if callable(value):
        return _checked(data, (value(step) for step in count(1)))
    if isinstance(value, list | tuple) and value:
        return _checked(data, cycle(value))
    if isinstance(value, Iterable) and not is_plain(value) and not isinstance(value, str | list):
        return _checked(data, iter(value))
    kind = "an empty list" if value == [] else type(value).__name__
    raise GraphError(f"`{data}` is no batches but {kind}", help=f"it is {KINDS}")


def _checked(data: str, found: Iterable[Any]) -> Iterator[Batch]:
    for batch in found:
        if not isinstance(batch, Mapping):
            kind = type(batch).__name__
            told = f"a batch of `{data}` is no mapping but {kind}"
            raise GraphError(told, help="it is {input: tensor}")
        yield batch
