"""Drive a real JupyterLab in Chromium: open a notebook, run and interrupt cells, see what a person sees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import JSHandle, Page, Request, ViewportSize

    from browser.server import Server

VIEW: ViewportSize = {"width": 1280, "height": 900}
TALLEST = 16_000
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

OPEN = """async path => {
    const app = window.jupyterapp;
    const panel = await app.commands.execute('docmanager:open', {path, factory: 'Notebook'});
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    app.shell.collapseLeft();
    panel.unfinished = 0;
    return panel;
}"""
OPEN_WITHOUT_KERNEL = """async path => {
    const app = window.jupyterapp;
    const panel = await app.commands.execute('docmanager:open', {path, factory: 'Notebook'});
    await panel.context.ready;
    app.shell.collapseLeft();
    panel.unfinished = 0;
    return panel;
}"""
RUN = """(panel, [command, cell]) => {
    panel.content.activeCellIndex = cell;
    panel.unfinished += 1;
    window.jupyterapp.commands.execute(command).finally(() => { panel.unfinished -= 1; });
}"""
IS_IDLE = "panel => panel.unfinished === 0 && panel.sessionContext.session.kernel.status === 'idle'"
HAS_STARTED = "panel => panel.unfinished === 0 || panel.sessionContext.session.kernel.status === 'busy'"
INTERRUPT = "panel => panel.sessionContext.session.kernel.interrupt()"
OUTPUTS = "(panel, cell) => panel.content.model.cells.get(cell).toJSON().outputs"
TEXT = """(panel, cell) => {
    const outputs = panel.content.widgets[cell].node.querySelectorAll('.jp-OutputArea-output');
    return Array.from(outputs, output => output.innerText.trim()).join('\\n');
}"""
SHOWS = f"([panel, cell, text]) => ({TEXT})(panel, cell).includes(text)"
SAVE = "() => window.jupyterapp.commands.execute('docmanager:save')"
CLOSE = "async panel => { await panel.sessionContext.shutdown(); panel.dispose(); }"
SHUT_DOWN = "panel => panel.sessionContext.shutdown()"
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
OVERFLOW = """panel => {
    const box = panel.node.querySelector('.jp-WindowedPanel-outer');
    return box.scrollHeight - box.clientHeight;
}"""
# Rendering goes on after the kernel is idle: wait until the page has been still for a moment.
SETTLE = """panel => new Promise(resolve => {
    let timer;
    const observer = new MutationObserver(wait);
    function wait() { clearTimeout(timer); timer = setTimeout(done, 250); }
    function done() { observer.disconnect(); clearTimeout(limit); resolve(); }
    const limit = setTimeout(done, 10000);
    observer.observe(panel.node, {subtree: true, childList: true, attributes: true, characterData: true});
    wait();
})"""


LOOKS: tuple[tuple[Literal["Light", "Dark"], int | None], ...] = (
    ("Light", None),
    ("Dark", None),
    ("Dark", 320),
    ("Light", 320),
)
"""The themes and widths in pixels (None: all there is) in which a view is looked at, one after the other."""

READERS: tuple[Literal["fresh", "none"], ...] = ("fresh", "none")
"""The kernels that a notebook is reopened with: a new one, then none."""


class Lab:
    """JupyterLab in one page; `blocked` holds the requests to other hosts, none of which got out."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.blocked: set[str] = set()
        self._server = server
        self._notebooks: list[Notebook] = []
        self._count = 0
        page.on("request", self._on_request)
        self._load()

    def open(self, cells: Sequence[str]) -> Notebook:
        """Open a new notebook with these code cells, in a folder and on a kernel of its own."""
        return self._open(new_notebook(cells=[new_code_cell(each) for each in cells]))

    def open_copy(self, file: Path) -> Notebook:
        """Open a copy of a notebook file, in the same way."""
        return self._open(nbformat.read(file, as_version=4))

    def _open(self, content: nbformat.NotebookNode) -> Notebook:
        self._count += 1
        path = f"notebook-{self._count}/notebook.ipynb"
        file = self._server.root / path
        file.parent.mkdir()
        content.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}  # else Lab would ask for one
        nbformat.write(content, file)
        notebook = Notebook(self.page, file, path)
        self._notebooks.append(notebook)
        notebook.wait_idle()
        return notebook

    def reload(self) -> None:
        """Load the page again, as a person does; notebooks that were open have to be reopened."""
        self._load()

    def use_theme(self, theme: Literal["Light", "Dark"]) -> None:
        """Change JupyterLab's theme."""
        self.page.evaluate(THEME, f"JupyterLab {theme}")

    def close_notebooks(self) -> None:
        """Close the open notebooks unsaved, end their kernels, and forget what was blocked."""
        while self._notebooks:
            self._notebooks.pop().close()
        self.blocked.clear()

    def _load(self) -> None:
        self.page.goto(f"{self._server.url}/lab?reset&token={self._server.token}")
        self.page.wait_for_function("() => window.jupyterapp")
        self.page.evaluate("() => window.jupyterapp.restored")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self._server.url, "data:", "blob:")):
            self.blocked.add(request.url)


class Notebook:
    """An open notebook; cells are counted from 0, time-outs are in seconds."""

    def __init__(self, page: Page, file: Path, path: str) -> None:
        self.page = page
        self.file = file
        self._path = path
        self._panel: JSHandle = page.evaluate_handle(OPEN, path)

    def run_all(self, timeout: float = 60) -> None:
        """Run every cell and wait until the last is done."""
        self._panel.evaluate(RUN, ["notebook:run-all-cells", 0])
        self.wait_idle(timeout)

    def run(self, cell: int, timeout: float = 60) -> None:
        """Run one cell and wait until it is done."""
        self.start(cell)
        self.wait_idle(timeout)

    def start(self, cell: int) -> None:
        """Run one cell; return as soon as the kernel has it."""
        self._panel.evaluate(RUN, ["notebook:run-cell", cell])
        self.page.wait_for_function(HAS_STARTED, arg=self._panel)

    def wait_idle(self, timeout: float = 60) -> None:
        """Wait until nothing runs and the page has come to rest."""
        self.page.wait_for_function(IS_IDLE, arg=self._panel, timeout=timeout * 1000)
        self._panel.evaluate(SETTLE)

    def wait_text(self, cell: int, text: str, timeout: float = 60) -> None:
        """Wait until the cell's output shows the text."""
        self.page.wait_for_function(SHOWS, arg=[self._panel, cell, text], timeout=timeout * 1000)

    def interrupt(self) -> None:
        """Do what the stop button does."""
        self._panel.evaluate(INTERRUPT)

    def outputs(self, cell: int) -> list[dict[str, Any]]:
        """Return the cell's outputs in nbformat's shape, as they would be saved now."""
        outputs: list[dict[str, Any]] = self._panel.evaluate(OUTPUTS, cell)
        return outputs

    def text(self, cell: int) -> str:
        """Return the text that a person sees below the cell."""
        text: str = self._panel.evaluate(TEXT, cell)
        return text

    def save(self) -> nbformat.NotebookNode:
        """Save, and return what is in the file."""
        self.page.evaluate(SAVE)
        saved: nbformat.NotebookNode = nbformat.read(self.file, as_version=4)
        return saved

    def reopen(self, lab: Lab, kernel: Literal["live", "fresh", "none"]) -> None:
        """Save, load the page again and open the notebook: with its kernel, a new one, or as a mere reader has it."""
        self.save()
        if kernel != "live":
            self._panel.evaluate(SHUT_DOWN)
        if kernel == "none":
            self._forget_kernel()
        lab.reload()
        self._panel = self.page.evaluate_handle(OPEN_WITHOUT_KERNEL if kernel == "none" else OPEN, self._path)
        if kernel == "none":
            self.page.select_option(".jp-Dialog select", label="No Kernel")
            self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self._panel.evaluate(SETTLE)

    def _forget_kernel(self) -> None:
        """Name a kernel in the file that no machine has: JupyterLab then asks which to use."""
        content = nbformat.read(self.file, as_version=4)
        content.metadata = {"kernelspec": {"name": "none", "display_name": "none", "language": "none"}}
        nbformat.write(content, self.file)

    def screenshot(self, path: Path) -> None:
        """Write a PNG of the whole notebook, however long; in CI only where TEST_PICTURES asks for it."""
        if "CI" in os.environ and "TEST_PICTURES" not in os.environ:
            return
        height = min(VIEW["height"] + self._panel.evaluate(OVERFLOW), TALLEST)
        self.page.set_viewport_size({"width": VIEW["width"], "height": height})
        self._panel.evaluate(SETTLE)
        self.page.screenshot(path=path)
        self.page.set_viewport_size(VIEW)

    def close(self) -> None:
        """Close it unsaved and end its kernel."""
        self._panel.evaluate(CLOSE)
