"""Attention of the prelude: against torch, and what masks and positions promise."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import dsl
from dsl.lowering.modules import exported, tree_of
from tests.peers import F64, Peer, assert_agrees, spread

B, T, D = 2, 5, 8

HEADER = """
dim d = 8
input X : [B, T, d]
input Q : [B, T, m]
input K : [B, S, m]
input V : [B, S, d]
input is_token : bool[B, T]
y = {formula}
"""
IS_TOKEN = torch.tensor([[True, True, True, False, False], [True, True, True, True, True]])
LATER = torch.ones(T, T, dtype=torch.bool).triu(1)


def fed(**more: Tensor) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    shapes = {"X": (B, T, D), "Q": (B, T, 3), "K": (B, 4, 3), "V": (B, 4, D)}
    drawn = {
        name: torch.randn(shape, dtype=F64, generator=generator) for name, shape in shapes.items()
    }
    return drawn | {"is_token": IS_TOKEN} | more


def network(formula: str) -> dsl.Program:
    return dsl.compile(HEADER.format(formula=formula))


def one_head(w: dict[str, Tensor]) -> Tensor:
    q, k, v = (w["X"] @ w[f"attention.W_{name}"] for name in "qkv")
    return F.scaled_dot_product_attention(q, k, v, is_causal=True) @ w["attention.W_o"]


def many_heads(mask: Tensor | None, is_padded: bool = False) -> Peer:
    """Torch's own heads, which take weights transposed, and a mask of what to leave out."""

    def peer(w: dict[str, Tensor]) -> Tensor:
        x = w["X"].transpose(0, 1)
        into = torch.cat([w[f"multi_head.W_{name}"].mT for name in "qkv"])
        y, _ = F.multi_head_attention_forward(
            *(x, x, x, D, 4, into, None, None, None, False, 0.0, w["multi_head.W_o"].mT, None),
            key_padding_mask=~IS_TOKEN if is_padded else None,
            attn_mask=mask,
            need_weights=False,
        )
        return y.transpose(0, 1)

    return peer


def turned(x: Tensor, base: float = 10_000) -> Tensor:
    """Pairs of numbers as complex ones, each multiplied with e^(i t θ)."""
    length, m = x.shape[-2:]
    θ = base ** (-torch.arange(0, m, 2, dtype=F64) / m)
    angles = torch.arange(length, dtype=F64)[:, None] * θ
    pairs = torch.view_as_complex(x.unflatten(-1, (m // 2, 2)).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


def grouped(name: str, heads: int, groups: int, is_turned: bool) -> Peer:
    """Each of the groups has one key and value for all of its heads."""
    turn = turned if is_turned else torch.clone

    def peer(w: dict[str, Tensor]) -> Tensor:
        q, k, v = (
            (w["X"] @ w[f"{name}.W_{each}"]).unflatten(-1, (n, D // heads)).transpose(1, 2)
            for each, n in {"q": heads, "k": groups, "v": groups}.items()
        )
        k, v = (each.repeat_interleave(heads // groups, dim=1) for each in (turn(k), v))
        y = F.scaled_dot_product_attention(turn(q), k, v, is_causal=True)
        return y.transpose(1, 2).flatten(-2) @ w[f"{name}.W_o"]

    return peer


ATTENTION: dict[str, Peer] = {
    "weigh(Q, K, V)": lambda w: F.scaled_dot_product_attention(w["Q"], w["K"], w["V"]),
    "weigh(X, X, X, causal(T))": lambda w: F.scaled_dot_product_attention(
        w["X"], w["X"], w["X"], is_causal=True
    ),
    "attention(X)": one_head,
    "multi_head(X, 4)": many_heads(LATER),
    "multi_head(X, 4, mask=0)": many_heads(None),
    "multi_head(X, 4, padding(is_token))": many_heads(None, is_padded=True),
    "multi_head(X, 4, causal(T) + padding(is_token))": many_heads(LATER, is_padded=True),
    "multi_head(X, 2, turn=rotary)": grouped("multi_head", 2, 2, is_turned=True),
    "grouped_query(X, 4, 2)": grouped("grouped_query", 4, 2, is_turned=False),
    "grouped_query(X, 4, 2, turn=rotary)": grouped("grouped_query", 4, 2, is_turned=True),
    "rotary(X)": lambda w: turned(w["X"]),
    "rotary(X, base=100)": lambda w: turned(w["X"], 100),
    "rotary(heads(X, 4))": lambda w: turned(w["X"].unflatten(-1, (4, 2)).permute(2, 0, 1, 3)),
    "joined(heads(X, 4))": lambda w: 1 * w["X"],
    "identity(X)": lambda w: 1 * w["X"],
    "X + sinusoidal(T, d)": lambda w: w["X"] + waves_of_the_paper(T, D),
}


def waves_of_the_paper(length: int, m: int) -> Tensor:
    """PE(t, 2i) = sin(t / 10000^(2i/m)),  PE(t, 2i+1) = cos(t / 10000^(2i/m))."""
    rows = [
        [(math.cos if i % 2 else math.sin)(t / 10_000 ** ((i - i % 2) / m)) for i in range(m)]
        for t in range(length)
    ]
    return torch.tensor(rows, dtype=F64)


@pytest.mark.parametrize("formula", ATTENTION)
def test_attention_has_the_values_and_gradients_of_torch(formula: str) -> None:
    program = network(formula)
    names = [name for name in fed() if name in formula]
    assert_agrees(program, "y", {name: fed()[name] for name in names}, ATTENTION[formula])


def test_everything_about_attention_is_held_against_torch() -> None:
    through = {"waves"}  # both kinds of positions are made of it
    for name in set(exported(tree_of("attention"))) - through:
        assert any(f"{name}(" in formula or f"={name})" in formula for formula in ATTENTION), name


CAUSAL = [
    "attention(X)",
    "multi_head(X, 4)",
    "multi_head(X, 4, turn=rotary)",
    "grouped_query(X, 4, 2, turn=rotary)",
    "multi_head(X, 2, causal(T) + padding(is_token))",
]


@pytest.mark.parametrize("changed", range(1, T))
@pytest.mark.parametrize("formula", CAUSAL)
def test_a_later_position_never_changes_an_earlier_one(formula: str, changed: int) -> None:
    program = network(formula)
    params, before = spread(program.init()), fed(is_token=torch.ones(B, T, dtype=torch.bool))
    after = {**before, "X": before["X"].clone()}
    after["X"][:, changed] += 1
    one, other = (program.run("y", each, params) for each in (before, after))
    assert torch.equal(one[:, :changed], other[:, :changed])
    assert not torch.equal(one[:, changed:], other[:, changed:])


@pytest.mark.parametrize("layer", ["attention(X, {})", "multi_head(X, 4, {})"])
def test_padding_is_as_if_it_were_not_there(layer: str) -> None:
    program = network(layer.format("padding(is_token)"))
    params = spread(program.init())
    y = program.run("y", fed(), params)
    other = fed()["X"].clone()
    other[0, 3:] = 7
    assert torch.equal(y[0, :3], program.run("y", fed(X=other), params)[0, :3])
    assert torch.equal(y[1], program.run("y", fed(X=other), params)[1])
    short = {"X": fed()["X"][:1, :3], "is_token": torch.ones(1, 3, dtype=torch.bool)}
    torch.testing.assert_close(y[:1, :3], program.run("y", short, params), rtol=0, atol=1e-12)


def test_without_a_mask_every_position_sees_all() -> None:
    program = network("multi_head(X, 2, mask=0)")
    params, changed = spread(program.init()), fed()["X"].clone()
    changed[:, -1] += 1
    before, after = (program.run("y", fed(X=x), params) for x in (fed()["X"], changed))
    assert (before != after).any(dim=-1).all()


def test_a_rotation_leaves_lengths_and_tells_distances_only() -> None:
    """⟨R q at t + s, R k at t⟩ is the same for every t."""
    program = network("rotary(X)")
    same = torch.randn(1, 1, D, dtype=F64).expand(1, 9, D)
    q, k = program.run("y", {"X": same}), program.run("y", {"X": same.flip(-1).contiguous()})
    torch.testing.assert_close(q.norm(dim=-1), same.norm(dim=-1), rtol=0, atol=1e-12)
    matches = (q @ k.mT)[0]
    for s in range(9):
        along = matches.diagonal(-s)
        torch.testing.assert_close(along, along[:1].expand(9 - s), rtol=0, atol=1e-12)
    assert len({round(float(matches[s, 0]), 6) for s in range(9)}) == 9


def test_one_head_is_attention_and_a_group_for_each_head_is_multi_head() -> None:
    program = network("attention(X)")
    params = spread(program.init())

    def of(formula: str, name: str) -> Tensor:
        renamed = {path.replace("attention", name): value for path, value in params.items()}
        return network(formula).run("y", fed(), renamed)

    one = of("attention(X)", "attention")
    torch.testing.assert_close(of("multi_head(X, 1)", "multi_head"), one)
    torch.testing.assert_close(of("grouped_query(X, 1, 1)", "grouped_query"), one)
    many = of("multi_head(X, 4)", "multi_head")
    torch.testing.assert_close(of("grouped_query(X, 4, 4)", "grouped_query"), many)
    assert (one - many).abs().max() > 0.01


@pytest.mark.parametrize(
    "formula, message",
    {
        "multi_head(X, 3)": "`m` comes out as d/3 = 8/3",
        "grouped_query(X, 4, 3)": "the size `H/G` is not a whole number: 3 does not divide 4",
        "multi_head(X, 8, turn=rotary)": "the size `m/2` is not a whole number",
    }.items(),
)
def test_widths_that_heads_do_not_divide_are_refused(formula: str, message: str) -> None:
    with pytest.raises(dsl.DslError, match=message):
        network(formula)


@pytest.mark.parametrize("layer", ["attention(X)", "multi_head(X, 4)", "grouped_query(X, 4, 2)"])
def test_first_values_of_attention(layer: str) -> None:
    program = dsl.compile(f"dim d = 120\ninput X : [B, T, d]\ny = {layer}")
    drawn = program.init(dtype=F64)
    assert len(drawn) == 4
    for path, value in drawn.items():
        assert abs(value.std() / 0.02 - 1) < 0.03, path


def test_heads_may_have_names_for_numbers() -> None:
    program = dsl.compile(
        "dim d, H, G\ninput X : [B, T, d]\ny = grouped_query(X, H, G, turn=rotary)"
    )
    assert program.nodes["y"].describe() == "[B, T, d]"
    assert program.params["grouped_query.W_k"].describe() == "[d, G*d/H]"
