"""The Program: what scripts and notebooks do with a compiled text."""

from pathlib import Path

import pytest
import torch

import dsl
from dsl.lowering import modules
from engine import Evaluator, GradientError, MissingInput, ShapeError, gradients
from engine.errors import EngineError, KindError
from engine.learn import Trainer

F64 = torch.float64
TEXT = """
dim d = 3
input x : [n, d]
input y : [n]
param w : [d] ~ normal(0, 0.5)
param b : [] = 0
predicted = x w + b
loss = mean((predicted - y)^2)
residual(a, b) = a - b
‖w‖²
"""


def data() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    x = torch.randn(20, 3)
    return {"x": x, "y": x @ torch.tensor([1.0, -2.0, 0.5]) + 0.25}


def test_names_lead_to_nodes() -> None:
    p = dsl.compile(TEXT)
    assert list(p.nodes) == ["predicted", "loss"]
    assert list(p.inputs) == ["x", "y"]
    assert list(p.params) == ["w", "b"]
    assert list(p.functions) == ["residual"]
    assert p.functions["residual"].signature == "residual(a, b)"
    assert p.sizes == {"d": 3, "n": None}
    assert [shown.span.text for shown in p.shown] == ["‖w‖²"]
    assert p.origins[p.nodes["loss"]].label == "cell:8:8"
    assert repr(p) == "Program('cell': predicted, loss)"


def test_the_nodes_of_a_program_are_the_nodes_of_the_engine() -> None:
    p = dsl.compile(TEXT)
    state, feeds = p.init(), data()
    leaves = list(p.params.values())
    outputs = [p.nodes["loss"], *gradients(p.nodes["loss"], leaves)]
    run = Evaluator(outputs).run(
        {**{p.inputs[k]: v for k, v in feeds.items()}, **{p.params[k]: v for k, v in state.items()}}
    )
    torch.testing.assert_close(run[0], p.run("loss", feeds, state))
    assert [tuple(g.shape) for g in run[1:]] == [(3,), ()]


def test_run_gives_a_tensor_or_a_tuple() -> None:
    p = dsl.compile(TEXT)
    state = p.init()
    loss, predicted = p.run(["loss", "predicted"], data(), params=state)
    assert torch.equal(loss, p.run("loss", data(), state))
    assert predicted.shape == (20,)
    assert torch.equal(p.run("w", {}, state), state["w"])


def test_run_names_what_is_missing_and_what_it_does_not_know() -> None:
    p = dsl.compile(TEXT)
    with pytest.raises(MissingInput, match="`y`"):
        p.run("loss", {"x": data()["x"]}, p.init())
    with pytest.raises(LookupError, match="no `los`; did you mean `loss`"):
        p.run("los", data(), p.init())


def test_shapes_that_disagree_speak_the_names_of_the_text() -> None:
    p = dsl.compile(TEXT)
    with pytest.raises(ShapeError, match="n = 20 from `x`"):
        p.run("loss", {**data(), "y": torch.zeros(4)}, p.init())


def test_first_values_are_the_same_for_the_same_seed_and_independent_of_each_other() -> None:
    first, again, other = (dsl.compile(TEXT).init(seed) for seed in (0, 0, 1))
    assert torch.equal(first["w"], again["w"])
    assert not torch.equal(first["w"], other["w"])
    more = dsl.compile("param v : [3] ~ normal(0, 0.5)" + TEXT).init(0)
    assert torch.equal(more["w"], first["w"])
    assert not torch.equal(more["v"], first["w"])


def test_first_values_are_the_same_numbers_in_either_precision() -> None:
    p = dsl.compile(TEXT)
    assert torch.equal(p.init(dtype=F64)["w"].float(), p.init()["w"])
    assert p.init(dtype=F64)["w"].dtype == F64


def test_two_draws_of_one_parameter_differ() -> None:
    p = dsl.compile("param W : [1000] ~ normal(0, 1) - normal(0, 1)")
    assert abs(p.init()["W"].std() - 2**0.5) < 0.1


def test_sizes_without_a_value_are_given_with_the_seed() -> None:
    p = dsl.compile("dim d\nparam W : [d, 2d] ~ he\nparam c : [d] = 1/4\nparam z : [d]")
    state = p.init(sizes={"d": 50})
    assert {path: tuple(value.shape) for path, value in state.items()} == {
        "W": (50, 100),
        "c": (50,),
        "z": (50,),
    }
    assert torch.equal(state["c"], torch.full((50,), 0.25))
    assert torch.equal(state["z"], torch.zeros(50))
    assert abs(state["W"].std() - 0.2) < 0.01
    with pytest.raises(ShapeError, match="the size `d` of the parameter `W` has no value"):
        p.init()


def test_sizes_may_be_given_when_compiling() -> None:
    p = dsl.compile("dim d = 4, h = 4d\nparam W : [d, h]", sizes={"d": 5})
    assert p.init()["W"].shape == (5, 20)
    with pytest.raises(LookupError, match="no size and no const called `e`"):
        dsl.compile("dim d = 4", sizes={"e": 5})


@pytest.mark.parametrize(
    "fill, shape, wanted",
    [
        ("= 2", "[2]", [2.0, 2.0]),
        ("= arange(3)", "[3]", [0.0, 1.0, 2.0]),
        ("= eye(2)", "[2, 2]", [[1.0, 0.0], [0.0, 1.0]]),
        ("= [1, 2]", "[2, 2]", [[1.0, 2.0], [1.0, 2.0]]),
        ("~ 0 * normal", "[2]", [0.0, 0.0]),
    ],
)
def test_a_parameter_may_begin_with_any_numbers(
    fill: str, shape: str, wanted: list[object]
) -> None:
    if "normal" in fill:
        fill = "~ 0 * normal(0, 1)"
    assert dsl.compile(f"param W : {shape} {fill}").init()["W"].tolist() == wanted


def test_a_parameter_cannot_begin_with_what_is_fed() -> None:
    with pytest.raises(dsl.DslError, match="`x` is known only when it is fed"):
        dsl.compile("input x : [3]\nparam W : [3] = 2 x")


@pytest.mark.parametrize("size", [-1, 2.5, "3", True, None])
def test_a_size_is_a_whole_number(size: object) -> None:
    if size is not None:
        with pytest.raises(KindError, match="`d` is a whole number from 0 on"):
            dsl.compile("dim d", sizes={"d": size})  # pyright: ignore[reportArgumentType]
        with pytest.raises(KindError, match="`d` is a whole number from 0 on"):
            dsl.load("transformer", d=size)
    with pytest.raises(KindError, match="`d` is a whole number from 0 on"):
        dsl.compile("dim d\nparam w : [d]").init(sizes={"d": size})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("text", [None, b"y = 1", 3])
def test_a_program_is_a_text(text: object) -> None:
    with pytest.raises(TypeError, match="a program is a text"):
        dsl.compile(text)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ["../etc/passwd", "/etc/passwd", "", "a..b", "transformer.graph"])
def test_modules_have_names_not_paths(name: str) -> None:
    with pytest.raises(LookupError, match="there is no module"):
        dsl.load(name)


def test_a_path_is_no_module_even_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modules, "FOLDERS", [])
    (tmp_path / "inside").mkdir()
    (tmp_path / "x.graph").write_text("y = 1")
    dsl.register(tmp_path / "inside")
    for name in (str(tmp_path / "x"), "../x"):
        with pytest.raises(LookupError, match="there is no module"):
            dsl.load(name)


def test_values_are_given_by_name() -> None:
    with pytest.raises(KindError, match="values are given as"):
        dsl.compile(TEXT).run("loss", [1, 2])  # pyright: ignore[reportArgumentType]


def test_gradients_by_name() -> None:
    p = dsl.compile(TEXT)
    assert {name: g.describe() for name, g in p.grad("loss").items()} == {"w": "[d]", "b": "[]"}
    assert list(p.grad("loss", wrt=["x"])) == ["x"]
    assert list(p.grad("loss", wrt="predicted")) == ["predicted"]
    no_params = dsl.compile("input x : [n]\ninput i : int[n]\nloss = sum(x^2)")
    assert list(no_params.grad()) == ["x"]
    with pytest.raises(GradientError, match=r"`predicted` is \[n\]"):
        p.grad("predicted")
    with pytest.raises(GradientError, match=r"`predicted` is \[n\]"):
        p.trainer("predicted")


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
def test_a_trainer_learns_the_plane(optimizer: str) -> None:
    p = dsl.compile(TEXT)
    trainer = p.trainer("loss", optimizer, lr=0.1 if optimizer == "sgd" else 0.05)
    assert isinstance(trainer, Trainer)
    losses = [record.loss for record in trainer.fit([data()] * 300)]
    assert losses[-1] < 1e-3 < losses[0]


def test_an_optimiser_may_be_written_in_the_cell() -> None:
    text = TEXT + "signed(θ, g, u, lr, β=0.9) =\n    v = β u + g\n    θ - lr sign(v), v\n"
    p = dsl.compile(text)
    start = p.init()
    trainer = p.trainer("loss", "signed", lr=0.125, params=start, β=0.5)
    for _ in trainer.fit([data()]):
        pass
    assert torch.equal((trainer.state["w"] - start["w"]).abs(), torch.full((3,), 0.125))
    g = p.grad("loss")["w"]
    (wanted,) = Evaluator([g]).run(p.feeds(data(), start))
    torch.testing.assert_close(trainer.slots["u(w)"], wanted)


def test_the_number_of_the_step_reaches_the_optimiser() -> None:
    p = dsl.compile("param w : [] = 0\nloss = w\nslow(θ, g, lr, t) = θ - lr / t * g")
    trainer = p.trainer("loss", "slow", lr=1.0)
    for _ in trainer.fit([{}] * 3):
        pass
    torch.testing.assert_close(trainer.state["w"], torch.tensor(-(1 + 1 / 2 + 1 / 3)))


@pytest.mark.parametrize(
    "head, why",
    [
        ("bad(θ) = θ", "its first parameters are the learned value and its gradient"),
        ("bad(θ, g, u, lr) = θ - lr g", "it returns [3], not the new value and the states `u`"),
        ("bad(θ, g, lr) = θ, g", "it returns a list of 2, not the new value alone"),
        ("bad(θ, g, lr, u) = θ, u", "its states come right after the gradient"),
        ("bad(θ, g, lr) = θ - g @ ones([4])", "cannot multiply [3] by [4]"),
    ],
)
def test_what_is_no_optimiser_is_told_at_its_own_place(head: str, why: str) -> None:
    p = dsl.compile(f"param w : [3] = 1\nloss = ‖w‖²\n{head}")
    with pytest.raises(dsl.DslError) as caught:
        p.trainer("loss", "bad", lr=0.1)
    assert why in caught.value.message
    assert caught.value.span.line == 3


def test_settings_reach_the_optimiser_and_unknown_ones_are_told() -> None:
    p = dsl.compile("param w : [] = 1\nloss = w\nscaled(θ, g, k, lr) = θ - lr k g")
    trainer = p.trainer("loss", "scaled", lr=0.25, k=2)
    for _ in trainer.fit([{}]):
        pass
    assert trainer.state["w"] == 0.5
    with pytest.raises(dsl.DslError, match="it has no parameter `momentun`"):
        p.trainer("loss", "momentum", momentun=0.5)


def test_an_optimiser_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(LookupError, match="no function `adamm`; did you mean `adam"):
        dsl.compile(TEXT).trainer("loss", "adamm")


COUNTER = """
dim V = 5
input tokens : int[B, T]
param U : [V, V] = 0
logits = one_hot(tokens + 1, V) + one_hot(tokens, V) U
"""


def test_generation_follows_the_logits() -> None:
    p = dsl.compile(COUNTER)
    assert p.generate([0], 4).tolist() == [0, 1, 2, 3, 4]
    assert p.generate(torch.tensor([[0, 1], [2, 0]]), 2).tolist() == [[0, 1, 2, 3], [2, 0, 1, 2]]
    with pytest.raises(EngineError, match="no cache"):
        p.generate([0], 1, cache=True)


def test_only_the_last_context_tokens_are_fed() -> None:
    text = COUNTER + "param P : [context, V] = 0"
    text = "dim context = 2\n" + text.replace("logits", "x") + "\nlogits = x + P[:T]"
    p = dsl.compile(text)
    assert p.generate([0, 1], 2).tolist() == [0, 1, 2, 3]
    with pytest.raises(EngineError):  # more tokens than positions
        p.run("logits", {"tokens": torch.zeros(1, 3, dtype=torch.long)}, p.init())


def test_a_registered_folder_can_be_imported_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modules, "FOLDERS", [])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tricks.graph").write_text(
        "dim k = 2\ninput z : [q]\nscale = 10 k\nf(x) = scale x + g(x)\ng(x) = x\n"
    )
    (tmp_path / "ring.graph").write_text("from ring import f\nf(x) = x\n")
    dsl.register(tmp_path)
    p = dsl.compile("from mine.tricks import f\ninput x : []\ny = f(x)")
    assert p.run("y", {"x": 2.0}) == 42
    assert list(p.inputs) == ["x"]
    assert dsl.load("mine.tricks").run("scale") == 20
    with pytest.raises(dsl.DslError, match="modules import each other: ring → ring"):
        dsl.compile("import ring")
    with pytest.raises(LookupError, match="no module `transfromer`; did you mean `transformer`"):
        dsl.load("transfromer")
    with pytest.raises(LookupError, match="`transformer` has no size and no const called `D`"):
        dsl.load("transformer", D=3)


def test_a_list_is_its_stack_or_its_parts() -> None:
    p = dsl.compile("input x : [n]\nr = [x, 2 x]\nq = [x, 1]\n")
    assert {name: node.describe() for name, node in p.nodes.items()} == {
        "r": "[2, n]",
        "q.0": "[n]",
        "q.1": "int[]",
    }


def test_a_thousand_lines_compile_fast_enough_to_edit() -> None:
    """Work grows with the lines, not with their square: nodes are visited once each."""
    lines = [f"y{i + 1} = relu(y{i} W + {i}) / √d - layernorm(y{i})" for i in range(1000)]
    p = dsl.compile("\n".join(["dim d", "input y0 : [B, d]", "param W : [d, d]", *lines]))
    assert len(p.nodes) == 1000
