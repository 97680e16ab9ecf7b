"""The demo from program text to generated text; pictures and weights go to a folder."""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path
from time import perf_counter

import dsl
from engine import check_gradients
from engine.learn import Trainer, save, stream
from magics.demo.corpus import Corpus, bigram_loss, documentation, read, windows
from magics.demo.report import exponent, plot_losses
from magics.demo.setting import QUICK, Setting
from magics.demo.training import History, train
from magics.display import draw
from magics.legend import legend

BLOCK = """from transformer import block
dim d = {d}
input X : [B, T, d]
Y = block(X)
"""


def run(args: argparse.Namespace) -> int:
    """The whole demo; returns the exit status. An interrupted training is told to its end."""
    try:
        corpus = Corpus.of(read(Path(args.text)) if args.text else documentation())
        out = Path(args.out)
        out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"chalkgrad demo: {error}\n")
        return 1
    setting = QUICK if args.quick else Setting()
    program = model(corpus, setting, setting.context)
    _title("The program")
    _say(program.tree.span.source.text)
    _show_block(setting, out)
    _check(program, corpus, setting)
    trainer = _learn(program, corpus, setting, out)
    _write_on(program, trainer, corpus, setting)
    _time_tokens(corpus, setting)
    return 0


def model(corpus: Corpus, setting: Setting, context: int) -> dsl.Program:
    """The prelude's decoder at the sizes of the setting."""
    return dsl.load(
        "transformer",
        V=len(corpus.characters),
        d=setting.d,
        context=context,
        layers=setting.layers,
    )


def _title(text: str) -> None:
    sys.stdout.write(f"\n{text}\n{'─' * len(text)}\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stdout.write(text.rstrip() + "\n")
    sys.stdout.flush()


def _show_block(setting: Setting, out: Path) -> None:
    block = dsl.compile(BLOCK.format(d=setting.d), name="block")
    picture = draw(block.nodes["Y"], legend(block))
    _title("One block, a line for each node")
    _say(picture.text)
    try:
        _say(f"\nThe picture: {picture.save(out / 'block.svg')}")
    except RuntimeError as error:
        _say(f"\nNo picture: {error}")


def _check(program: dsl.Program, corpus: Corpus, setting: Setting) -> None:
    """The gradient of the loss on a small batch, rule by rule against central differences."""
    _title("The gradient check, in double precision")
    feeds = windows(corpus.train, length=8, count=2, seed=2)
    params = program.params
    start = perf_counter()
    report = check_gradients(
        program.nodes["loss"], list(params.values()), {**feeds, **program.init(seed=0)}
    )
    _say(f"{report}\n{perf_counter() - start:.1f} s")


def _learn(program: dsl.Program, corpus: Corpus, setting: Setting, out: Path) -> Trainer:
    """Train, save the curve and the weights, and set the result beside the bigram model."""
    trainer = program.trainer("loss", optimizer="adamw", lr=setting.rate, seed=0)
    count = sum(tensor.numel() for tensor in trainer.state.values())
    _title("Learning")
    _say(
        f"{len(corpus.train) + len(corpus.held_out):,} characters, "
        f"{len(corpus.characters)} different; "
        f"{count:,} parameters in {len(trainer.state)} tensors"
    )
    history = train(program, trainer, corpus, setting)
    if history.ending:
        _say(history.ending)
    bigram = bigram_loss(corpus)
    plot_losses(history.train, history.held_out, bigram, out / "loss.png")
    save(out / "weights.safetensors", trainer.state, {"characters": corpus.characters})
    _compare(history, bigram)
    _say(f"The curve: {out / 'loss.png'}   the weights: {out / 'weights.safetensors'}")
    return trainer


def _compare(history: History, bigram: float) -> None:
    loss = history.held_out[-1][1]
    verdict = "lower, as it must be" if loss < bigram else "NOT lower: it has not learned enough"
    _say(f"held-out loss    {loss:.3f} nats per character ({verdict})")
    _say(f"a bigram model   {bigram:.3f} on the same split")


def _write_on(program: dsl.Program, trainer: Trainer, corpus: Corpus, setting: Setting) -> None:
    prompt = "The "
    _title(f"{setting.tokens} characters, written on from {prompt!r}")
    following = stream(
        program.nodes["logits"],
        program.inputs["tokens"],
        {program.params[path]: value for path, value in trainer.state.items()},
        corpus.encode(prompt) or [0],
        temperature=0.7,
        context=setting.context,
    )
    sys.stdout.write(prompt)
    for token, _ in islice(following, setting.tokens):
        sys.stdout.write(corpus.decode([int(token)]))
        sys.stdout.flush()
    sys.stdout.write("\n")


def _time_tokens(corpus: Corpus, setting: Setting) -> None:
    """The time of one more token by the length of what stands before it, without a cache."""
    _title("The time of a token as the context grows")
    program = model(corpus, setting, max(setting.lengths) + 4)
    feeds = {program.params[path]: value for path, value in program.init(seed=0).items()}
    points = []
    for length in setting.lengths:
        prompt = [0] * length
        following = stream(program.nodes["logits"], program.inputs["tokens"], feeds, prompt)
        times = sorted(seconds for _, seconds in islice(following, 4))
        points.append((length, times[1]))
        _say(f"{length:6d} tokens before it   {1e3 * times[1]:8.2f} ms")
    p = exponent(points)
    _say(f"time of a token ~ T^{p:.2f}, so that of a text of T tokens ~ T^{p + 1:.2f}:")
    _say("each token runs the whole model anew, and attention compares all pairs of tokens,")
    _say("T² a token and T³ in all once T is well beyond the width of the model.")
