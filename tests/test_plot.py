"""Pictures of the calculus lab: laws over all kinds, then what stands in each."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver
from PIL import Image

import dsl
from magics.errors import GraphError
from magics.plot import curves, field, landscape, plane, race, surface
from magics.plot.directions import direction, filter_axes, norms
from magics.plot.film import Film
from magics.plot.ground import ground
from magics.plot.landscape import surroundings
from magics.plot.page import quietly
from magics.progress import counted
from tests.shells import Shell, opened

ROSENBROCK = "f(x, y) = (1 - x)^2 + 100 (y - x^2)^2"
RANGES = ((-2.0, 2.0), (-1.0, 3.0))
HOSTILE = (
    "$x_{1}^2$",
    "</script><img src=x onerror=alert(1)>",
    "_hidden",
    "\x1b[31m🙂\u202e",
    "a" * 900,
)


@dataclass(frozen=True)
class Found:
    """What a minimiser gives of its way."""

    path: Any
    values: Any
    slopes: Any


def walked(*points: tuple[float, float]) -> Found:
    """A way through some points of Rosenbrock's valley."""
    path, p = np.array(points), plane(ROSENBROCK)
    return Found(path, p.at(*path.T), np.hypot(*p.slope(*path.T)))


RESULTS = {
    "straight": walked((-1.2, 1), (-1, 1), (0.5, 0.2), (1, 1)),
    "$x_1$": walked((-1.2, 1), (0, 0), (0.9, 0.8)),
    "_far": walked((-1.2, 1), (-1e9, 5)),
}
MODEL = dsl.compile(
    "input X : [n, 2], y : [n]\nparam W : [2, 5] ~ normal(0, 1)\nparam b : [5] = 0.5\n"
    "param v : [5] ~ normal(0, 1)\nloss = mean((tanh(X W + b) v - y)^2)",
)
FEEDS = {
    MODEL.inputs["X"]: torch.linspace(-1, 1, 12).reshape(6, 2),
    MODEL.inputs["y"]: torch.linspace(0, 1, 6),
}
WEIGHTS = MODEL.init(3)


def around(**options: Any) -> Figure:
    return landscape(MODEL.nodes["loss"], MODEL.params, WEIGHTS, FEEDS, points=7, **options)


KINDS: dict[str, Callable[..., Any]] = {
    "field": lambda **o: field(ROSENBROCK, *RANGES, minimum=(1, 1), **o),
    "race": lambda **o: race(RESULTS, ROSENBROCK, **o),
    "surface": lambda **o: surface(ROSENBROCK, *RANGES, path=RESULTS["straight"], **o),
    "landscape": lambda **o: around(path=[WEIGHTS, WEIGHTS], **o),
    "landscape in 3-D": lambda **o: around(solid=True, **o),
    "curves": lambda **o: curves({"a": [3.0, 2.0, 1.0], "b": [4.0, float("nan"), 0.5]}, **o),
}
SOLID = ("surface", "landscape in 3-D")


def own_axes(kind: str) -> Axes:
    return Figure().add_subplot(projection="3d" if kind in SOLID else None)


def words(figure: Any) -> list[str]:
    """All that is written in a picture, and whether it is read as mathematics."""
    with quietly():
        FigureCanvasAgg(figure).draw()
    found = [
        each for each in figure.findobj(lambda x: hasattr(x, "get_parse_math")) if each.get_text()
    ]
    return [each.get_text() for each in found if not each.get_parse_math()]


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_shows_itself_once_and_as_a_sentence(kind: str) -> None:
    shown: Any = KINDS[kind]()
    bundle = shown._repr_mimebundle_()
    assert isinstance(shown, Figure)
    assert bundle.keys() == {"text/plain", "text/html"}
    assert bundle["text/plain"] == repr(shown)
    assert re.match(r"[a-z ]+", repr(shown))
    assert bundle["text/html"].count("<img ") == 1
    assert f'alt="{shown!r}"' in bundle["text/html"]
    assert len(bundle["text/html"]) < 400_000


@pytest.mark.parametrize("kind", KINDS)
def test_axes_of_your_own_are_drawn_on_and_their_figure_comes_back(kind: str) -> None:
    ax = own_axes(kind)
    assert KINDS[kind](ax=ax) is ax.figure
    assert ax.has_data()
    assert ax.figure.axes[0] is ax


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_matplotlib_is_changed(kind: str) -> None:
    before = dict(mpl.rcParams)
    KINDS[kind]()._repr_mimebundle_()
    assert dict(mpl.rcParams) == before


def test_pyplot_is_not_imported_nor_anything_before_it_is_drawn() -> None:
    code = (
        "import sys\nfrom magics.verbs import find\nfind('plot')\n"
        "assert 'matplotlib' not in sys.modules and 'scipy' not in sys.modules\n"
        "from magics.plot import field, race, curves, surface\n"
        f"field({ROSENBROCK!r})._repr_mimebundle_()\nsurface({ROSENBROCK!r})\n"
        "curves([1.0, 2.0])._repr_mimebundle_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_plain_text_and_bounded(name: str) -> None:
    p = plane(ROSENBROCK)
    evil = type(p)(name, (name, name), p.node, p.leaves, p.feeds)
    two = dict.fromkeys((name, f"{name} "), RESULTS["straight"])
    pictures: tuple[Any, ...] = (
        field(evil),
        race(two, evil),
        surface(evil),
        around(title=name),
        curves(dict.fromkeys(two, (2.0, 1.0)), label=name),
    )
    for shown in pictures:
        bundle = shown._repr_mimebundle_()
        assert "<img src=x" not in bundle["text/html"]
        assert "</script>" not in bundle["text/html"]
        assert "\x1b" not in bundle["text/plain"]
        assert len(repr(shown)) <= 600
        plain = [text for text in words(shown) if name[:5].strip("\x1b") in text]
        assert plain
        assert all(len(text) < 120 for text in plain)


def arrows_of(figure: Figure) -> Any:
    return next(x for x in figure.axes[0].collections if isinstance(x, Quiver))


def contour_lines(ax: Axes) -> Any:
    return next(x for x in ax.collections if isinstance(x, QuadContourSet) and not x.filled)


def test_arrows_are_the_negative_gradient_of_one_length_and_their_colour_is_its_norm() -> None:
    for uphill in (False, True):
        figure = field(ROSENBROCK, *RANGES, arrows=6, uphill=uphill)
        arrows = arrows_of(figure)
        x, y = arrows.XY.T
        g = np.stack([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])
        length = np.hypot(*g)
        sign = 1 if uphill else -1
        np.testing.assert_allclose(np.stack([arrows.U, arrows.V]), sign * g / length, atol=1e-12)
        np.testing.assert_allclose(arrows.get_array(), length)
        assert len(x) == 36


@pytest.mark.parametrize(
    "text",
    [
        ROSENBROCK,
        "f(x) = (1 - x[0])^2 + 100 (x[1] - x[0]^2)^2",
        "f(x : [n]) = (1 - x[0])^2 + 100 (sum(x) - x[0] - x[0]^2)^2",
    ],
)
def test_heights_are_the_function_and_slopes_its_gradient(text: str) -> None:
    p = plane(text)
    over = ground(p, *RANGES, n=9)
    x, y = over.across, over.up
    np.testing.assert_allclose(over.heights, (1 - x) ** 2 + 100 * (y - x**2) ** 2, rtol=1e-12)
    across, up = p.slope(x, y)
    np.testing.assert_allclose(across, -2 * (1 - x) - 400 * x * (y - x**2), rtol=1e-10)
    np.testing.assert_allclose(up, 200 * (y - x**2), rtol=1e-10)


def test_a_grid_is_one_run_only_where_that_gives_the_same() -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 5.0])
    assert plane("f(x, y) = x + sum(y)").at(x, y).tolist() == [1, 3, 8]
    assert plane("f(x, y) = y - mean(x) ").at(x, y).tolist() == [-1, -1, 2]
    assert plane("f(x, y) = 7").at(x, y).tolist() == [7, 7, 7]


def test_levels_go_by_ratios_where_a_function_falls_far() -> None:
    steep = ground(plane(ROSENBROCK), *RANGES)
    ratios = np.diff(np.log(steep.levels[1:] - steep.low))
    np.testing.assert_allclose(ratios, ratios[0])
    even = ground(plane("f(x, y) = x + y"), *RANGES)
    np.testing.assert_allclose(np.diff(even.levels), np.diff(even.levels)[0])
    drawn = contour_lines(field(ROSENBROCK, *RANGES).axes[0])
    np.testing.assert_allclose(drawn.levels, steep.levels[1:-1])


def test_where_there_is_no_number_is_left_out_and_said() -> None:
    shown = field("f(x, y) = log(x) + y^2", (-1, 1), (-1, 1), arrows=8)
    assert "50% of it is left out, where it is no number" in repr(shown)
    arrows = arrows_of(shown)
    assert (arrows.Umask == (arrows.XY[:, 0] < 0)).all()
    with pytest.raises(GraphError, match="no finite number anywhere over x = -2:-1"):
        field("f(x, y) = log(x)", (-2, -1), (0, 1))


def test_a_constant_is_drawn_and_said() -> None:
    for draw in (field, surface):
        shown: Any = draw("f(x, y) = 3")
        assert "it is 3 everywhere" in repr(shown)
        assert shown._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize(
    "text, told",
    [
        ("f(x, y, z) = x", "`f(x, y, z)` is of 3 values"),
        ("f() = 3", "`f()` is of 0 values"),
        ("f(x, y) = [x, y]", "and `f` is [2]"),
        ("y = 2", "there is no function to draw"),
    ],
)
def test_what_is_not_of_two_numbers_is_told(text: str, told: str) -> None:
    with pytest.raises(GraphError) as caught:
        field(text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "pair", [(1, 1), (2, 1), (0, float("inf")), (float("nan"), 1), (-1e308, 1e308)]
)
def test_a_range_that_is_none_is_told(pair: tuple[float, float]) -> None:
    for draw in (field, surface):
        with pytest.raises(GraphError, match="is no range"):
            draw(ROSENBROCK, x=pair)


def test_paths_pass_through_their_points_and_curves_are_f_above_its_least() -> None:
    shown = race(RESULTS, ROSENBROCK, minimum=(1, 1))
    assert isinstance(shown, Figure)
    track, curve = shown.axes
    for line, found in zip(track.lines, RESULTS.values(), strict=False):
        np.testing.assert_array_equal(line.get_xydata(), found.path)
    for line, found in zip(curve.lines, RESULTS.values(), strict=False):
        above = np.where(found.values > 0, found.values, np.nan)
        np.testing.assert_allclose(np.asarray(line.get_ydata()), above)
    assert track.get_xlim()[0] > -10  # the one that ran away does not make the others small
    slopes: Any = race(RESULTS, ROSENBROCK, by="slope")
    np.testing.assert_allclose(slopes.axes[1].lines[1].get_ydata(), RESULTS["$x_1$"].slopes)


def test_of_more_than_two_numbers_only_the_curves_are_drawn() -> None:
    found = Found(np.zeros((4, 5)), np.array([4.0, 2.0, 1.0, 0.5]), np.ones(4))
    shown = race({"a": found})
    assert isinstance(shown, Figure)
    assert len(shown.axes) == 1
    assert len(shown.axes[0].lines) == 1


def opened_gif(path: Any) -> Any:
    return Image.open(path)


def test_a_film_is_a_gif_and_a_player_that_needs_no_other_address(tmp_path: Path) -> None:
    film = race(RESULTS, ROSENBROCK, animate=True)
    assert isinstance(film, Film)
    with opened_gif(film.save(tmp_path / "race.gif")) as gif:
        assert gif.format == "GIF"
        assert gif.n_frames == len(film) == 4
    page = Path(film.save(tmp_path / "race.html")).read_text()
    assert page.count("data:image/png;base64") == 4
    assert not re.search(r'(src|href)="?(https?:)?//', page)
    assert "fa-" not in page
    frames = film.pictures()
    line: Any = film.figure.axes[0].lines[0]
    assert not (frames[0] == frames[-1]).all()
    assert line.get_xydata().tolist() == RESULTS["straight"].path.tolist()
    with pytest.raises(ValueError, match=r"ends in \.gif or \.html"):
        film.save(tmp_path / "race.png")


def test_a_film_of_many_steps_is_bounded() -> None:
    far = walked(*[(-1.2 + i / 5000, 1.0) for i in range(10_000)])
    film = race({"slow": far}, animate=True)
    assert isinstance(film, Film)
    assert len(film) <= 36


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "html"])
def test_a_picture_is_saved_as_its_ending_says(tmp_path: Path, ending: str) -> None:
    drawn: Any = curves([2.0, 1.0])
    file = drawn.save(tmp_path / f"a.{ending}")
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!doctype html>"}
    assert Path(file).read_bytes().startswith(start[ending])


def test_directions_have_the_norms_of_the_filters_and_leave_biases_alone() -> None:
    axes = filter_axes(MODEL.nodes["loss"], MODEL.params)
    assert axes == {"W": -1, "v": None}
    weights = {path: WEIGHTS[path].double() for path in axes}
    one, again, other = (direction(weights, axes, seed) for seed in (1, 1, 2))
    for path in axes:
        torch.testing.assert_close(norms(one[path], axes[path]), norms(weights[path], axes[path]))
        torch.testing.assert_close(one[path], again[path])
        assert not torch.allclose(one[path], other[path])
    assert norms(weights["W"], -1).shape == (1, 5)


def test_filters_are_rows_where_the_weight_stands_on_the_left() -> None:
    program = dsl.compile(
        "input x : [3], t : int[]\nparam W : [4, 3] = 1\nparam E : [9, 4] = 1\n"
        "param V : [2, 4] = 1\n"
        "loss = sum(E[t]^T (W x)) + sum((W x) V^T)"
    )
    axes = filter_axes(program.nodes["loss"], program.params)
    assert axes == {"W": -2, "E": -2, "V": -2}


def test_a_landscape_is_the_loss_at_the_moved_weights() -> None:
    found = surroundings(MODEL.nodes["loss"], MODEL.params, WEIGHTS, FEEDS, seed=5)
    first, second = found.directions
    for a, b in ((0.0, 0.0), (0.3, -0.7)):
        moved = {k: v.double() for k, v in WEIGHTS.items()}
        moved |= {k: moved[k] + a * first[k] + b * second[k] for k in first}
        x, y = (value.double() for value in FEEDS.values())
        loss = ((torch.tanh(x @ moved["W"] + moved["b"]) @ moved["v"] - y) ** 2).mean()
        np.testing.assert_allclose(found.plane.at(a, b), loss.item(), rtol=1e-10)
    along = {k: WEIGHTS[k].double() + 0.5 * first[k] - 0.25 * second[k] for k in first}
    np.testing.assert_allclose(found.nearest([along]), [[0.5, -0.25]], atol=1e-7)


def test_a_landscape_is_told_of_point_by_point_and_needs_weights() -> None:
    told: list[tuple[int, int]] = []
    around(told=lambda done, of: told.append((done, of)))
    assert told[48] == (49, 49)
    flat = dsl.compile("param b : [2] = 1\nloss = sum(b^2)")
    with pytest.raises(GraphError, match="no weight to vary"):
        landscape(flat.nodes["loss"], flat.params, flat.init())


def test_curves_are_the_losses_and_their_running_means() -> None:
    losses = np.geomspace(100, 0.1, 300)
    shown = curves({"a": losses, "b": [(7, 2.0), (8, 1.0)]}, smooth=0.5)
    ax = shown.axes[0]
    raw, mean = ax.lines[0], ax.lines[1]
    np.testing.assert_allclose(np.asarray(raw.get_ydata()), losses)
    assert np.asarray(mean.get_ydata())[1] == pytest.approx((0.25 * 100 + 0.5 * losses[1]) / 0.75)
    assert ax.get_yscale() == "log"
    assert curves([2.0, 1.0]).axes[0].get_yscale() == "linear"
    records = list(MODEL.trainer("loss", "sgd", 0.1).fit([FEEDS] * 5))
    one = curves(records).axes[0].lines[0]
    assert np.asarray(one.get_ydata()).tolist() == [record.loss for record in records]
    assert np.asarray(one.get_xdata()).tolist() == [1, 2, 3, 4, 5]
    for wrong in ([], [float("nan")]):
        with pytest.raises(GraphError, match="no losses to draw"):
            curves(wrong)


def test_long_work_tells_how_far_it_is_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = list[str]()
    monkeypatch.setattr("IPython.display.display", lambda x, **_: shown.append(repr(x)) or Handle())
    times = iter([0.0, 0.5, *(1.5 + i for i in range(9))])
    notebook: Any = type("Notebook", (), {"kernel": True})()
    with counted(notebook, "landscape", lambda: next(times)) as told:
        told(1, 9)
        assert shown == []
        told(2, 9)
    assert shown == ["landscape: 2 of 9"]


class Handle:
    """An output that is on the page."""

    def update(self, what: Any) -> None:
        """Show this instead."""


@pytest.fixture
def shell() -> Any:
    with opened() as made:
        made.cell(f"%%graph\n{ROSENBROCK}\nq(x : [n]) = x^T A x  where A : [n, n]")
        yield made


def test_the_verb_draws_functions_and_values(shell: Shell, tmp_path: Path) -> None:
    shown = shell.cell("%graph plot field f --x -2:2 --y -1:3 --minimum 1,1")
    assert repr(shown).startswith("gradient field of f over x from -2 to 2, y from -1 to 3")
    shell.user_ns["A"] = np.array([[2.0, 0.0], [0.0, 1.0]])
    shown = shell.cell("%graph plot surface q --x -1:1 --y -1:1")
    assert repr(shown) == "surface of q over x[0] from -1 to 1, x[1] from -1 to 1, from 0 up to 3"
    shell.cell("%%graph\nparam w : [2] = 5\nl = sum((w - 4)^2)")
    assert "w[0] from -5 to 15" in repr(shell.cell("%graph plot field l"))
    file = shell.cell(f"%graph plot field f --to {tmp_path}/f.svg")
    assert Path(file).read_text().startswith("<?xml")
    with pytest.raises(GraphError, match=r"cannot write f\.xyz: it ends in"):
        shell.cell("%graph plot field f --to f.xyz")


def test_the_verb_races_minimisers(shell: Shell, tmp_path: Path) -> None:
    shown = shell.cell('%graph plot race f --from "-1.2, 1" --method newton,bfgs')
    track = shown.axes[0]
    np.testing.assert_allclose(track.lines[0].get_xydata()[-1], [1, 1], atol=1e-4)
    np.testing.assert_allclose(track.lines[1].get_xydata()[0], [-1.2, 1])
    film = shell.cell('%graph plot race f --from "-1.2, 1" --method newton,bfgs --animate')
    assert isinstance(film, Film)
    line = f'%graph plot race f --from "-1.2,1" --method newton --to {tmp_path}/race.gif'
    with opened_gif(shell.cell(line)) as gif:
        assert gif.n_frames > 5
    path = shell.cell("%graph plot surface f --x -2:2 --y -1:3 --from '-1.2,1'").axes[0].lines[0]
    assert len(path.get_xydata()) > 10


def test_the_verb_draws_a_race_that_was_run(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.cell('race = %graph minimise f --from "-1.2, 1" --method gd,newton --lr 0.001 --steps 30')
    shell.user_ns["one"] = shell.user_ns["race"]["newton"]
    monkeypatch.setattr("magics.verbs.minimise.minimise", None)
    shown = repr(shell.cell("%graph plot race f --of race --minimum 1,1"))
    assert shown.startswith("race of 2 minimisers")
    assert "after 30 steps, newton" in shown
    assert "newton 3.74e-21 after 21 steps" in shown
    assert repr(shell.cell("%graph plot race f --of one")).startswith("race of 1 minimiser")
    for nothing in ("nope", "f", "__name__"):
        with pytest.raises(GraphError, match=f"`{nothing}` is no result of a minimiser"):
            shell.cell(f"%graph plot race f --of {nothing}")


def test_the_verb_draws_trainings_and_where_they_came_to(shell: Shell) -> None:
    with pytest.raises(GraphError, match="nothing was trained yet"):
        shell.cell("%graph plot curves")
    shell.cell("%%graph\ninput X : [n, d], y : [n]\nparam w : [d] = 0.5\nl = mean((X w - y)^2)")
    shell.user_ns.update(X=torch.randn(20, 3), y=torch.randn(20))
    shell.cell("%graph watch w --every 3")
    for line in ("--steps 9 --lr 0.1", "--steps 9 --lr 0.1", "--steps 5 --with sgd --lr 0.1"):
        shell.cell(f"%graph train l {line}")
    shown = shell.cell("%graph plot curves")
    assert re.findall(r"(\S+ lr=0\.1) .*? in (\d+) steps", repr(shown)) == [
        ("adamw lr=0.1", "18"),
        ("sgd lr=0.1", "5"),
    ]
    shown = shell.cell("%graph plot landscape l --seed 3")
    assert repr(shown).startswith("landscape of l around its weights")
    assert len(shown.axes[0].lines) == 2  # where they are, and the way that was watched
    assert shell.cell("%graph plot landscape l --3d").axes[0].name == "3d"
    with pytest.raises(GraphError, match="`X` was not trained"):
        shell.cell("%graph plot curves X")
