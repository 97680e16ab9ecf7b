"""The command line: quick help, options handed on, nothing imported that is not needed."""

import argparse
import subprocess
import sys
import types

import pytest

from magics.cli import main


def test_help_names_the_commands_and_imports_no_torch() -> None:
    code = """
import sys
from magics.cli import main
try:
    main(["--help"])
finally:
    print(sorted({"torch", "engine", "dsl", "IPython", "prompt_toolkit"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"run", "show", "check", "fmt", "demo"} <= set(done.stdout.split())
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_runs_as_the_command_does() -> None:
    command = [sys.executable, "-m", "magics.cli", "demo", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: chalkgrad demo")
    assert {"--text", "--out", "--quick"} <= set(done.stdout.replace("[", " ").split())


def test_demo_gets_its_options_and_gives_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[argparse.Namespace] = []

    def run(options: argparse.Namespace) -> int:
        seen.append(options)
        return 3

    fake = types.ModuleType("magics.demo")
    fake.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "magics.demo", fake)
    monkeypatch.setattr("magics.demo", fake, raising=False)
    assert main(["demo", "--text", "a.txt", "--quick"]) == 3
    assert (seen[0].text, seen[0].out, seen[0].quick) == ("a.txt", "build", True)


@pytest.mark.parametrize("arguments", [["dream"], ["demo", "--fast"], ["run"], ["check"]])
def test_what_is_not_understood_ends_with_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: chalkgrad" in capsys.readouterr().err
