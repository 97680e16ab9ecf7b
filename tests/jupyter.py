"""A Jupyter server of one's own on the loopback, and its pages in Chromium, for the tests."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
READY = "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
PATIENCE = 40_000  # milliseconds
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@dataclass(frozen=True)
class Server:
    """A running server; its notebooks lie in `folder`."""

    app: str
    url: str
    token: str
    folder: Path
    environment: Mapping[str, str]

    def trust(self, name: str) -> None:
        """Sign the notebook, as its owner may."""
        path = str(self.folder / name)
        command = [sys.executable, "-m", "nbformat.sign", path]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)

    def write(self, name: str, *cells: str, kernel: str = "python3") -> None:
        """A notebook of code cells."""
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel}
        notebook.cells = [nbformat.v4.new_code_cell(text) for text in cells]
        nbformat.write(notebook, self.folder / name)

    def read(self, name: str) -> Any:
        """The notebook as it is saved."""
        return nbformat.read(self.folder / name, as_version=4)  # type: ignore[no-untyped-call]

    def open(self, browser: Any, name: str, kernel: bool = True) -> Notebook:
        """The notebook in a page that reaches nothing but this server."""
        context = browser.new_context(viewport={"width": 1200, "height": 1000})
        context.route("**/*", lambda route: _only(route, self.url))
        if not kernel:
            context.route("**/api/sessions*", lambda route: route.abort())
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        alone = f"lab/workspaces/{Path(name).stem}/tree"
        path = alone if self.app == "lab" else "notebooks"
        page.goto(f"{self.url}/{path}/{name}?token={self.token}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        notebook = Notebook(page)
        if kernel:
            notebook.wait()
        return notebook


@dataclass(frozen=True)
class Notebook:
    """A notebook as a person sees it."""

    page: Any

    def command(self, name: str, **arguments: Any) -> None:
        """What a menu entry does."""
        script = "([name, given]) => { window.jupyterapp.commands.execute(name, given) }"
        self.page.evaluate(script, [name, arguments])

    def wait(self) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_function(READY)

    def run_all(self, wait: int | None = None) -> None:
        """Run all cells; wait until so many have run, by default all."""
        self.command("notebook:run-all-cells")
        count = self.page.locator(".jp-CodeCell").count() if wait is None else wait
        self.page.wait_for_function(
            "n => [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')]"
            ".filter(each => /\\d/.test(each.textContent)).length >= n",
            arg=count,
        )

    def output(self, cell: int) -> Any:
        """The output area of a cell."""
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-Cell-outputWrapper")

    def run(self, cell: int) -> None:
        """Run a cell by the keyboard."""
        self.page.locator(".jp-CodeCell").nth(cell).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")

    def save(self) -> None:
        """Save, and wait for it."""
        with self.page.expect_response(
            lambda r: r.request.method == "PUT" and "/api/contents/" in r.url
        ):
            self.command("docmanager:save")

    def close(self) -> None:
        """Leave the page."""
        self.page.context.close()


@contextmanager
def server(folder: Path, app: str) -> Generator[Server]:
    """JupyterLab (`lab`) or Notebook 7 (`notebook`) with folders of its own, ended at the end."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    pytest.importorskip("notebook", reason="Notebook is not installed")
    work, own = folder / "work", folder / "own"
    work.mkdir(parents=True)
    _settings(own / "settings")
    port, token = _free_port(), secrets.token_hex(16)
    command = [sys.executable, "-m", {"lab": "jupyterlab", "notebook": "notebook"}[app]]
    command += ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={work}"]
    command += ["--expose-app-in-browser", "--ServerApp.disable_check_xsrf=True"]
    url = f"http://127.0.0.1:{port}"
    with (own / "log").open("w") as log:
        running = subprocess.Popen(
            command, env=_environment(own), cwd=work, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait(url, token, running, own / "log")
            yield Server(app, url, token, work, _environment(own))
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(timeout=30)


def _environment(own: Path) -> dict[str, str]:
    places = {
        "HOME": own,
        "IPYTHONDIR": own / "ipython",
        "JUPYTER_CONFIG_DIR": own / "config",
        "JUPYTER_DATA_DIR": own / "data",
        "JUPYTER_RUNTIME_DIR": own / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": own / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": own / "workspaces",
        "PYTHONPATH": ROOT,
    }
    inherited = {name: x for name, x in os.environ.items() if not name.startswith("JUPYTER")}
    return {**inherited, **{name: str(path) for name, path in places.items()}}


def _settings(folder: Path) -> None:
    for name, values in SETTINGS.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait(url: str, token: str, running: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until:
        if running.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/api/status?token={token}", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


def _only(route: Any, url: str) -> None:
    """Let a request pass to the server, and to nothing else."""
    own = url.removeprefix("http")
    if route.request.url.startswith((url, f"ws{own}", "data:", "blob:")):
        route.continue_()
    else:
        route.abort()
