"""`%graph watch`: values recorded while training, and two steps beside each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from magics.watched import MOST_ELEMENTS, MOST_STEPS, part
from tests.shells import LINE, Shell, fails, opened


@pytest.fixture
def shell() -> Iterator[Shell]:
    with opened() as made:
        X = torch.randn(20, 2)
        made.user_ns.update(X=X, y=X @ torch.tensor([1.0, -2.0]))
        made.cell(LINE)
        yield made


def session(shell: Shell) -> object:
    return shell.magics_manager.registry["GraphMagics"].session


def test_a_watched_value_is_recorded_at_every_kth_step_as_it_is_then(shell: Shell) -> None:
    assert "from the next training on" in repr(shell.cell("%graph watch w r --every 5"))
    shell.cell("%graph train loss --steps 12 --lr 0.1")
    record = session(shell).watched["w"]  # type: ignore[attr-defined]
    assert list(record) == [0, 5, 10]
    assert record[0].tolist() == [0.5, 0.5]
    shell.cell("%graph train loss --steps 3 --lr 0.1")  # it goes on
    assert list(record) == [0, 5, 10, 15]
    assert torch.equal(record[15], torch.as_tensor(shell.cell("%graph run w")))
    assert "recorded at 0, 5, 10, 15" in repr(shell.cell("%graph watch"))


def test_two_steps_stand_beside_each_other_with_the_change(shell: Shell) -> None:
    shell.cell("%graph watch w --every 10")
    shell.cell("%graph train loss --steps 20 --lr 0.1")
    shown = shell.cell("%graph watch w --at 0 20")
    assert [word in repr(shown) for word in ("step 0", "step 20", "change")] == [True] * 3
    assert shown._repr_mimebundle_()["text/html"].startswith("<img ")


def test_a_training_from_the_start_forgets_the_one_before(shell: Shell) -> None:
    shell.cell("%graph watch w --every 2")
    shell.cell("%graph train loss --steps 8 --lr 0.1")
    shell.cell("%graph train loss --steps 2 --lr 0.2")
    assert list(session(shell).watched["w"]) == [0, 2]  # type: ignore[attr-defined]


def test_off_forgets(shell: Shell) -> None:
    shell.cell("%graph watch w r")
    assert "r  " not in repr(shell.cell("%graph watch r --off"))
    assert "nothing is watched" in repr(shell.cell("%graph watch --off"))


@pytest.mark.parametrize(
    "line, told",
    [
        ("nothing", "`nothing` is no value of this graph"),
        ("w --every 0", "cannot look every 0 steps"),
        ("--at 0 1", "`--at` shows one value"),
        ("w --at 0 7", "`w` was not recorded at step 7"),
        ("r --at 0 1", "watch it, then train"),
    ],
)
def test_what_cannot_be_shown_is_said(shell: Shell, line: str, told: str) -> None:
    shell.cell("%graph watch w --every 5")
    shell.cell("%graph train loss --steps 5")
    assert told in fails(shell, f"%graph watch {line}")


def test_what_is_kept_is_bounded(shell: Shell) -> None:
    for shape in [(10,), (1_000_000,), (2, 3, 1000, 1000), (1, 1_000_000), (1_000_000, 1)]:
        assert 0 < part(torch.zeros(shape)).numel() <= MOST_ELEMENTS
    shell.cell("%graph watch loss --every 1")
    shell.cell("%graph train loss --steps 500")
    record = session(shell).watched["loss"]  # type: ignore[attr-defined]
    assert len(record) <= MOST_STEPS
    assert 0 in record
    assert 500 in record
    assert "change" in repr(shell.cell("%graph watch loss --at 0 500"))
