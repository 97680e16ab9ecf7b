"""Rails and pictures: rails lead where they seem to, boxes say what is so, names do no harm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from engine import Node, gradients, ops, var
from engine.graph import toposort
from engine.origins import origin
from engine.show import Legend, dot, formula, latex, rails, view
from engine.show.lines import written
from engine.show.rails import _draw, _with_leaves
from engine.show.text import TEXT
from tests.test_show import EXPRESSIONS, A, B, attention


def test_rails_show_what_flows_where() -> None:
    out, names = attention()
    assert rails([out], Legend({**names, out: "out"})).splitlines() == [
        "●      Q       input                              [T, d]",
        "│ ●    K       input                              [T, d]",
        "│ │ ●  mask    input                              [T, T]",
        "●─┴─╯  scores  softmax(Q @ K^T / sqrt(d) + mask)  [T, T]",
        "│ ●    V       input                              [T, d]",
        "●─╯    out     scores @ V                         [T, d]",
    ]


def test_rails_tell_values_and_slopes_and_say_what_was_not_computed() -> None:
    loss = ops.sum(A * B)
    table = rails([loss], Legend({loss: "loss"}, roles={B: "param"}), {A: "0 … 1"}, {loss: "1"})
    assert table.splitlines()[1:] == [
        "│ ●  B     param       [3, 3]  —      —",
        "●─╯  loss  sum(A * B)  scalar  —      1",
    ]


def test_values_of_the_same_name_are_told_apart_by_their_functions() -> None:
    x = var("x", [])
    first, second = ops.exp(x), ops.exp(ops.exp(x))
    legend = Legend({first: "y", second: "y"}, {first: ("f",), second: ("f_2",)})
    assert rails([second], legend).splitlines() == [
        "●  x      input     scalar",
        "●  f.y    exp(x)    scalar",
        "●  f_2.y  exp(f.y)  scalar",
    ]


def follow(drawn: list[str]) -> list[set[int]]:
    """What a reader sees: for each line, the lines whose rails end in its dot."""
    owner: dict[int, int] = {}
    seen: list[set[int]] = []
    for number, text in enumerate(drawn):
        cells, links = text[::2], text[1::2]
        dot_at = cells.index("●")
        left = dot_at - len(re.search(r"─*$", links[:dot_at]).group())  # type: ignore[union-attr]
        right = dot_at + len(re.match(r"─*", links[dot_at:]).group())  # type: ignore[union-attr]
        joined = {c for c in range(left, right + 1) if cells[c] in "╰┴╯├┼┤"}
        seen.append({owner[c] for c in joined | ({dot_at} & owner.keys())})
        for c in [c for c in owner if cells[c : c + 1] not in ("│", "├", "┼", "┤")]:
            del owner[c]
        owner[dot_at] = number
        below = drawn[number + 1][::2] if number + 1 < len(drawn) else ""
        if below[dot_at : dot_at + 1] in ("", " ", "─"):
            del owner[dot_at]
    return seen


@given(EXPRESSIONS)
def test_rails_lead_to_exactly_the_lines_that_are_read(node: Node) -> None:
    names = {x: f"v{i}" for i, x in enumerate(toposort([node])) if x.inputs}
    lines = _with_leaves(written([node], names, TEXT), [node], names, {})
    places = {line.node: i for i, line in enumerate(lines)}
    expected = [{places[x] for x in line.reads} for line in lines]
    assert follow(list(_draw(lines))) == expected


NESTED = """\
subgraph cluster_0 { id=f0 label="block"
subgraph cluster_1 { id=f1 label="attention"
"""


def test_functions_are_nested_clusters_and_close_below_a_depth() -> None:
    x = var("x", ["n"])
    inner, outer = ops.exp(x), ops.sin(ops.exp(x))
    legend = Legend({}, {inner: ("block", "attention"), outer: ("block",)})
    opened = dot([outer], legend)
    assert re.sub(r"^  .*\n", "", opened, flags=re.MULTILINE).startswith(
        f"digraph {{\n{NESTED}}}\n}}\n"
    )
    closed = view([outer], legend, depth=1)
    assert [(box.kind, box.name, box.path) for box in closed.boxes] == [
        ("input", "x", ()),
        ("function", "attention", ("block",)),
        ("output", "", ("block",)),
    ]
    assert [box.name for box in view([outer], legend, depth=0).boxes] == ["x", "block"]


def test_more_than_200_boxes_close_their_functions() -> None:
    x, paths = var("x", ["n"]), {}
    for layer in range(12):
        for _ in range(30):
            x = ops.sin(x)
            paths[x] = ("h", str(layer))
    shown = view([x], Legend({}, paths))
    assert [box.name for box in shown.boxes] == ["x", *map(str, range(12))]
    assert len(view([x]).boxes) == 200
    assert view([x]).boxes[0].text == "162 values"


def test_a_picture_shows_shapes_on_arrows_and_names_in_boxes() -> None:
    out, names = attention()
    shown = view([out], Legend(names, roles={var("V", ["T", "d"]): "param"}))
    boxes = {box.key: box for box in shown.boxes}
    told = [(boxes[a.tail].name, boxes[a.head].name, a.shape) for a in shown.arrows]
    assert ("scores", "", "[T, T]") in told
    assert {(box.kind, box.name, box.text) for box in shown.boxes} >= {
        ("input", "Q", "[T, d]"),
        ("param", "V", "[T, d]"),
        ("value", "", "Q @ K^T"),
        ("value", "", "· / sqrt(d)"),
        ("value", "scores", "softmax"),
        ("output", "", "scores @ V"),
    }


def test_every_derivative_is_linked_to_the_value_it_belongs_to() -> None:
    out, names = attention()
    loss = ops.mean(out**2)
    (g,) = gradients(loss, [var("Q", ["T", "d"])])
    shown = view([loss], Legend({**names, g: "∂loss/∂Q"}), backward=[g])
    derived = {box.key for box in shown.boxes if box.kind == "backward"}
    linked = {arrow.head for arrow in shown.arrows if arrow.kind == "belongs"}
    assert derived == linked
    assert origin(g) is not None
    assert any(box.name == "∂loss/∂Q" for box in shown.boxes)


HOSTILE = [
    "</script>",
    '"]; x -> y [label="',
    "<b>&amp;",
    "\\N\\l\\",
    "a\x1b[31m\n\u202eb",
    "]}>",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_come_out_harmless(name: str) -> None:
    x = var(name, ["n"])
    y = ops.exp(x)
    legend = Legend({y: name}, {y: (name, name)}, {x: name})
    for text in (formula(y), rails([y], legend), dot([y], legend), latex(y)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<script" not in dot([y], legend)
    assert "&amp;amp;" in dot([y], legend) or "&amp;" not in name
    assert len(dot([y], legend).splitlines()) == len(
        dot([y], Legend({y: "y"}, {y: ("a", "b")})).splitlines()
    )
    assert not set(latex(y)) & set('<>"&%$#')
    assert set(re.findall(r"\\\w+", latex(y))) <= {r"\square", r"\mathrm"}


def test_a_name_as_long_as_a_book_is_cut() -> None:
    x = var("x" * 10**6, ["n"])
    assert all(
        len(f) < 5000 for f in (formula(ops.exp(x)), rails([x]), dot([x]), latex(ops.exp(x)))
    )


def chain(passes: int, odd: bool = False) -> tuple[Node, Legend]:
    """y = sin(w y) + y again and again; if `odd`, the last pass adds 1."""
    y, paths = var("x", ["n"]), dict[Node, tuple[str, ...]]()
    for i in range(passes):
        w = var(f"w{i}", [])
        inner = ops.sin(w * y)
        last = inner + y + 1 if odd and i == passes - 1 else inner + y
        paths |= {w: (f"h.{i}",), w * y: (f"h.{i}", "f"), inner: (f"h.{i}", "f")}
        paths |= {inner + y: (f"h.{i}",), last: (f"h.{i}",)}
        y = last
    return y, Legend({}, paths)


def test_the_passes_of_a_repeat_are_drawn_once_and_an_arrow_leads_to_the_next() -> None:
    shown = view([chain(5)[0]], chain(5)[1])
    assert {box.path for box in shown.boxes} == {(), ("h × 5",), ("h × 5", "f")}
    assert len(shown.boxes) == len(view([chain(1)[0]], chain(1)[1]).boxes) == 5
    again = [arrow for arrow in shown.arrows if arrow.kind == "again"]
    (made,) = {arrow.tail for arrow in again}
    assert len(again) == 1
    assert next(box for box in shown.boxes if box.key == made).kind == "output"
    assert len(next(box for box in shown.boxes if box.key == made).nodes) == 5
    closed = view([chain(5)[0]], chain(5)[1], depth=0)
    assert {(box.name, box.text) for box in closed.boxes} == {("x", "[n]"), ("h × 5", "4 values")}


def test_a_pass_of_another_structure_is_drawn_by_itself() -> None:
    y, legend = chain(5, odd=True)
    assert {box.path[:1] for box in view([y], legend).boxes} == {(), ("h × 4",), ("h.4",)}
    two, legend = chain(2, odd=True)
    assert {box.path[:1] for box in view([two], legend).boxes} == {(), ("h.0",), ("h.1",)}


def test_a_pass_that_is_made_otherwise_has_a_cluster_of_its_own() -> None:
    output, legend = chain(4, odd=True)
    shown = view([output], legend)
    assert {path[0] for box in shown.boxes if (path := box.path)} == {"h × 3", "h.3"}
    assert 'label="h × 3"' in dot([output], legend)


def test_derivatives_of_a_repeat_are_drawn_once_and_an_arrow_leads_to_the_pass_before() -> None:
    output, legend = chain(4)
    leaves = [var(f"w{i}", []) for i in range(4)]
    found = gradients(ops.sum(output), leaves)
    shown = view([output], legend, backward=found)
    assert {box.path[:1] for box in shown.boxes} == {(), ("h × 4",)}
    longer, known = chain(9)
    more = gradients(ops.sum(longer), [var(f"w{i}", []) for i in range(9)])
    assert len(view([longer], known, backward=more).boxes) == len(shown.boxes)
    box = {each.key: each for each in shown.boxes}
    back = [arrow for arrow in shown.arrows if arrow.kind == "back"]
    assert back
    assert all(box[arrow.tail].kind == box[arrow.head].kind == "backward" for arrow in back)
    assert all(arrow.kind != "back" for arrow in view([output], backward=found).arrows)


def test_a_closed_function_ends_in_a_value_and_not_in_a_derivative_of_it() -> None:
    output, legend = chain(2)
    loss = ops.sum(output)
    (g,) = gradients(loss, [var("w0", [])])
    shown = view([loss], legend, backward=[g], depth=0)
    closed = next(box for box in shown.boxes if box.name == "h × 2")
    assert closed.nodes[-1] is output
    assert g in closed.nodes


def test_a_large_graph_is_opened_as_far_as_25_boxes_allow() -> None:
    x, paths = var("x", ["n"]), dict[Node, tuple[str, ...]]()
    for i in range(240):
        x = ops.sin(x)
        paths[x] = ("h", f"g{i // 12}", f"f{i}")
    assert len(view([x], Legend({}, paths)).boxes) == 21
    assert len(view([x], Legend({}, paths), depth=3).boxes) == 200
