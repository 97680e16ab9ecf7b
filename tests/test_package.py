"""The wheel: exactly the three packages with their data, and it works away from the source tree."""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("engine", "dsl", "magics")
LAB = "share/jupyter/labextensions/chalkgrad"  # where JupyterLab and Notebook look
NOT_SOURCE = (".*", "build", "dist", "*.egg-info", "__pycache__")


def why_not_here() -> str | None:
    """What is missing to build a wheel without the network, if anything."""
    if importlib.util.find_spec("pip") is None:
        return "pip is not installed"
    if importlib.util.find_spec("setuptools") is None:
        return "setuptools is not installed"
    version = importlib.metadata.version("setuptools")
    return f"setuptools {version} is older than 77" if int(version.split(".")[0]) < 77 else None


pytestmark = pytest.mark.skipif(why_not_here() is not None, reason=f"no wheel: {why_not_here()}")


def run(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What the command prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pip(*arguments: str | Path) -> str:
    offline = ("--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")
    return run(sys.executable, "-m", "pip", *arguments, *offline)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of the tree: setuptools leaves `build`, and packs what it finds there."""
    tree, out = tmp_path_factory.mktemp("source") / "tree", tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    pip("wheel", "--no-build-isolation", "--wheel-dir", out, tree)
    (path,) = out.iterdir()
    return path


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the wheel's packages and nothing else."""
    target = tmp_path_factory.mktemp("installed")
    pip("install", "--target", target, wheel)
    return target


def elsewhere(installed: Path, cwd: Path, *command: str | Path) -> str:
    """What the command prints, run far from the source tree with the installed packages first."""
    return run(*command, cwd=cwd, env={**os.environ, "PYTHONPATH": str(installed)})


def sources() -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    } - {path.relative_to(ROOT).as_posix() for path in (ROOT / "magics/labextensions").rglob("*")}


def test_the_wheel_holds_exactly_the_files_of_the_three_packages(contents: set[str]) -> None:
    inside = {name for name in contents if ".dist-info/" not in name and ".data/" not in name}
    assert inside == sources()


def test_the_wheel_lays_the_colours_of_cells_where_jupyterlab_looks(contents: set[str]) -> None:
    laid = {name.partition(".data/data/")[2] for name in contents if ".data/" in name}
    assert laid == {
        f"{LAB}/{name}" for name in ("package.json", "install.json", "static/remoteEntry.js")
    }


def test_an_installed_extension_of_jupyterlab_says_which_file_to_load(installed: Path) -> None:
    package = json.loads((installed / LAB / "package.json").read_text(encoding="utf-8"))
    assert (installed / LAB / package["jupyterlab"]["_build"]["load"]).is_file()
    assert (
        package["version"]
        == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    )


def test_a_wheel_that_is_installed_tells_pygments_of_the_language(
    installed: Path, tmp_path: Path
) -> None:
    code = "from pygments.lexers import get_lexer_by_name as get; print(get('graph').name)"
    assert elsewhere(installed, tmp_path, sys.executable, "-c", code) == "chalkgrad\n"


@pytest.mark.parametrize(
    "data", ["dsl/grammar.lark", "dsl/grammar.json", "dsl/prelude/transformer.graph"]
)
def test_the_wheel_holds_the_grammar_and_the_prelude(contents: set[str], data: str) -> None:
    assert data in contents


def test_the_wheel_declares_the_command_and_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (info,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        entry = archive.read(f"{info}/entry_points.txt").decode()
        assert "chalkgrad = magics.cli:main" in entry
        assert "the chalkgrad authors" in archive.read(f"{info}/licenses/LICENSE").decode()


@pytest.mark.parametrize("package", PACKAGES)
def test_an_installed_package_imports_from_anywhere(
    package: str, installed: Path, tmp_path: Path
) -> None:
    code = f"import {package}; print({package}.__file__)"
    assert elsewhere(installed, tmp_path, sys.executable, "-c", code).startswith(str(installed))


def test_the_installed_demo_learns_and_writes_on(installed: Path, tmp_path: Path) -> None:
    told = elsewhere(installed, tmp_path, sys.executable, "-m", "magics.cli", "demo", "--quick")
    assert "repeat layers:" in told
    assert "gradient right at" in told
    assert "a bigram model   2." in told
    assert re.search(r"text of T tokens ~ T\^\d", told)
    left = {path.name for path in (tmp_path / "build").iterdir()}
    assert left == {"block.svg", "loss.png", "weights.safetensors"}
