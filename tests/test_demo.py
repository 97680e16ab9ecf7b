"""The demo: its text, its windows, the model to beat, what it says of a file that is none."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from magics.cli import main
from magics.demo.corpus import Corpus, batches, bigram_loss, windows
from magics.demo.setting import Setting

TEXT = "ab" * 2000


def test_a_text_is_split_without_overlap_and_comes_back() -> None:
    corpus = Corpus.of(TEXT)
    whole = [*corpus.train.tolist(), *corpus.held_out.tolist()]
    assert corpus.decode(whole) == TEXT
    assert len(corpus.held_out) == 400
    assert corpus.encode("ba?") == [1, 0]


def test_targets_are_the_tokens_one_place_on() -> None:
    ids = torch.arange(100)
    feeds = windows(ids, length=7, count=2000, seed=3)
    assert feeds["tokens"].shape == (2000, 7)
    assert torch.equal(feeds["targets"], feeds["tokens"] + 1)
    assert feeds["tokens"].min() == 0
    assert feeds["targets"].max() == 99


def test_batches_are_the_same_for_the_same_seed_and_differ_from_step_to_step() -> None:
    first, again = batches(torch.arange(500), 5, 4), batches(torch.arange(500), 5, 4)
    one, other = next(first)["tokens"], next(again)["tokens"]
    assert torch.equal(one, other)
    assert not torch.equal(one, next(first)["tokens"])


def test_the_bigram_model_knows_a_text_of_pairs_and_guesses_among_equals() -> None:
    assert bigram_loss(Corpus.of(TEXT)) < 1e-3
    generator = torch.Generator().manual_seed(0)
    noise = "".join("abcd"[i] for i in torch.randint(4, (40_000,), generator=generator).tolist())
    assert bigram_loss(Corpus.of(noise)) == pytest.approx(math.log(4), abs=0.01)


def test_the_rate_warms_up_and_falls() -> None:
    rates = [Setting(steps=1000).rate(step) for step in (1, 100, 500, 1000)]
    assert rates[0] < rates[1] > rates[2] > rates[3] > 0


@pytest.mark.parametrize(
    "content, words",
    [
        (b"short", "at least 2000"),
        (b"\xff\xfe" * 2000, "not a text in UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_text_that_cannot_be_learned_is_refused_in_words(
    content: bytes | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "text"
    if content is not None:
        path.write_bytes(content)
    assert main(["demo", "--text", str(path), "--out", str(tmp_path / "out")]) == 1
    assert words in capsys.readouterr().err
