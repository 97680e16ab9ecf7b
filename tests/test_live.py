"""The live picture in a browser: hovering, keyboard, depths, steps; still without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import dsl
from magics.display import Picture, draw
from magics.legend import legend
from magics.live import LARGEST
from magics.values import computed
from tests.chromium import browser, keep

LINE = """input X : [n, d], y : [n]
param w : [d] = 0.5
r = X w - y
dead = relu(-1 - r^2)
loss = mean(r^2) + sum(dead)
slip = log(r - 10)
total = loss + sum(slip)
"""
BLOCK = """from transformer import block
dim d = 8
input X : [B, T, d]
repeat 3:
    X = block(X)
Y = X + 1
"""


LABELS = "boxes => boxes.map(box => box.getAttribute('aria-label'))"

INSIDE = """() => {
    const at = document.querySelector("g.node:has([stroke-width='3'])").getBoundingClientRect();
    const stage = document.querySelector(".cg svg").parentElement.getBoundingClientRect();
    return stage.top <= at.top && at.bottom <= stage.bottom;
}"""


def line(start: int | None = None, end: str = "loss") -> Picture:
    """The picture of a line that was computed."""
    program = dsl.compile(LINE)
    feeds = {"X": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "y": torch.tensor([1.0, 2.0])}
    node = program.nodes[end]
    found = computed([node], program.feeds(feeds, program.init(sizes={"d": 2})), node)
    return draw([node], legend(program), computed=found, start=start)


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with browser() as opened:
        context = opened.new_context(viewport={"width": 900, "height": 900}, offline=True)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        yield page


def put(page: Any, *pictures: Picture, style: str = "") -> None:
    page.mouse.move(899, 899)  # away from what it would hover over
    page.set_content(f"<body style='{style}'>{''.join(each.html for each in pictures)}</body>")


def box(page: Any, name: str) -> Any:
    return page.locator(f"g.node[aria-label^='{name},']")


def panel(page: Any) -> str:
    return page.locator("[aria-live]").inner_text()


def test_hovering_tells_formula_shape_value_gradient_and_line(page: Any) -> None:
    put(page, line())
    box(page, "r").hover()
    told = panel(page)
    assert "r  [n]" in told
    assert "= X @ w - y" in told
    assert re.search(r"value 0.5 … 1.5 .*\|∂\|=1.581", told)
    assert "cell, line 3: r = X w - y" in told
    keep(page, "live-hover")
    page.mouse.move(850, 880)
    assert "Hover" in panel(page)


def test_what_was_not_computed_is_a_dash(page: Any) -> None:
    program = dsl.compile(LINE)
    put(page, draw([program.nodes["loss"]], legend(program)))
    box(page, "r").hover()
    assert "value —" in panel(page)
    assert "|∂| —" in panel(page)


def test_the_keyboard_goes_along_the_arrows(page: Any) -> None:
    put(page, line())
    page.locator("g.node[tabindex='0']").focus()
    assert panel(page).startswith("X")
    page.keyboard.press("ArrowDown")
    assert "X @ w" in panel(page)
    page.keyboard.press("ArrowDown")
    assert panel(page).startswith("r")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    assert panel(page).startswith("y")


def test_the_slider_steps_through_evaluation_and_back(page: Any) -> None:
    put(page, line(start=1))

    def lit() -> int:
        return page.locator("g.node[opacity='1']").count()

    assert lit() == 1
    many = page.locator("g.node").count()
    page.get_by_label("one step on").click()
    assert lit() == 2
    slider = page.get_by_label("step of the evaluation")
    slider.fill(str(many))
    assert lit() == many
    assert page.locator("[stroke='#e0566b']").count() == 0
    page.get_by_label("one step on").click()
    assert panel(page).startswith("loss")
    assert "∂ loss" in page.locator(".cg").inner_text()
    slider.fill(slider.get_attribute("max"))
    assert page.locator("[stroke='#e0566b']").count() >= many - 1
    keep(page, "live-steps")


def test_the_slider_brings_what_it_is_at_into_sight(page: Any) -> None:
    put(page, draw(dsl.load("gpt2")))
    slider = page.get_by_label("step of the evaluation")
    for step in (slider.get_attribute("max"), "1"):
        slider.fill(step)
        assert page.evaluate(INSIDE)


def test_functions_open_and_close_without_a_kernel(page: Any) -> None:
    put(page, draw(dsl.compile(BLOCK), depth=1), style="background:#111;color:#ddd")
    closed = page.locator("g.node").count()
    box(page, "attention").click()
    opened = page.locator("g.node").count()
    assert opened > closed
    keep(page, "live-dark")
    page.locator("g.cluster", has_text="attention").locator("text").first.click()
    assert page.locator("g.node").count() == closed
    page.get_by_label("less detail").click()
    assert box(page, "block × 3").count() == 1
    assert page.get_by_label("less detail").is_disabled()


def test_a_function_opened_by_the_keyboard_hands_the_focus_to_what_is_in_it(page: Any) -> None:
    put(page, draw(dsl.compile(BLOCK), depth=1))
    box(page, "attention").focus()
    page.keyboard.press("Enter")
    assert panel(page).startswith("Q")


def test_keys_that_the_picture_uses_do_not_reach_the_notebook(page: Any) -> None:
    put(page, line())
    page.evaluate("() => { heard = []; document.onkeydown = ({ key }) => { heard.push(key); }; }")
    box(page, "r").focus()
    for key in ("ArrowUp", "Enter", "Shift+Enter", "b"):
        page.keyboard.press(key)
    page.get_by_label("step of the evaluation").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Control+s")
    assert page.evaluate("heard") == ["Shift", "Enter", "b", "Control", "s"]


def test_what_a_box_reads_and_what_reads_it_stand_out(page: Any) -> None:
    put(page, line())
    box(page, "r").hover()
    thick = page.locator("g.node:has([stroke-width='2'])")
    names = [each.split(",")[0] for each in thick.evaluate_all(LABELS)]
    assert names == ["X @ w", "y", "r^2"]


def test_the_first_nan_and_zero_gradients_are_marked_in_words(page: Any) -> None:
    put(page, line(end="total"))
    assert "first NaN" in box(page, "slip").text_content()
    assert "∂ = 0" in page.locator("g.node", has_text="-1 - ·").text_content()
    assert page.locator("g.node", has_text="first NaN").count() == 1


def test_two_pictures_of_a_page_do_not_answer_for_each_other(page: Any) -> None:
    put(page, line(), line(end="total"))
    assert page.locator(".cg[data-on] svg").count() == 2
    box(page, "r").first.hover()
    assert page.locator("[aria-live]").nth(1).inner_text().startswith("Hover")


def test_without_scripts_the_picture_stands_still(page: Any) -> None:
    still = re.sub(r"<script.*?</script>", "", line().html, flags=re.DOTALL)
    page.set_content(still)
    assert page.evaluate("document.querySelector('img').naturalWidth") > 50
    assert page.locator("img").get_attribute("alt").startswith("●")


@pytest.mark.parametrize("name", ["</script><b>", "<img src=x onerror=alert(1)>", "😀", "a" * 500])
def test_hostile_names_are_text(page: Any, name: str) -> None:
    from engine import ops, var
    from engine.show import Legend

    y = ops.exp(var(name, ["n"]))
    put(page, draw(y, Legend({y: name}, {y: (name,)}, notes={y: name})))
    assert page.locator(".cg svg b, .cg img[onerror]").count() == 0
    page.locator("g.node").last.hover()
    assert name[:30] in panel(page)


def test_what_is_too_large_loses_far_depths_first_and_stays_still_at_last() -> None:
    from magics import live

    picture = draw(dsl.load("gpt2", layers=2), depth=1)
    whole = picture.html
    assert len(whole.encode()) < LARGEST

    def smaller(page: str) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(live, "LARGEST", len(page.encode()) - 1)
            return live.html(picture.svg or "", picture.text, picture.payload)

    pages = [whole]
    while pages[-1]:
        pages.append(smaller(pages[-1]))
    *lived, still, _ = pages
    assert [page.count('"svg"') for page in lived] == [3, 2, 1, 0]
    assert all("data-on" in page for page in lived)
    assert still.startswith("<img")


def test_the_script_is_small() -> None:
    from magics.live import _script

    assert len(_script().encode()) < 8000
    assert "</" not in _script()
