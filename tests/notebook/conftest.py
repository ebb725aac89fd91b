"""An IPython shell of its own for each test, with the magics and the scripted models."""

from __future__ import annotations

import atexit
import gc
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from tests.notebook.scripts import CONFIG
from traitlets.config import Config

import agentbench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.core.interactiveshell import ExecutionResult


class Shell:
    """Runs cells as a person does, and keeps what they print."""

    def __init__(self, ip: InteractiveShell) -> None:
        self.ip = ip
        self.printed = ""

    def run(self, cell: str) -> Any:
        """Run a cell that must not fail; return its value."""
        result = self._run(cell)
        result.raise_error()
        return result.result

    def fail(self, cell: str) -> Exception:
        """Run a cell that must fail; return its error."""
        error = self._run(cell).error_in_exec
        assert isinstance(error, Exception), f"{cell} did not fail"
        return error

    def _run(self, cell: str) -> ExecutionResult:
        with redirect_stdout(StringIO()) as output, redirect_stderr(output):
            result = self.ip.run_cell(cell, store_history=True)
        self.printed = output.getvalue()
        return result


@pytest.fixture
def plain_shell() -> Iterator[Shell]:
    """Give a shell with nothing loaded."""
    InteractiveShell.clear_instance()
    ip = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    yield Shell(ip)
    agentbench.unload_ipython_extension(ip)
    atexit.unregister(ip.atexit_operations)
    gc.freeze()  # it collects garbage three times, which takes a second where many tests ran before
    ip.atexit_operations()
    gc.unfreeze()
    InteractiveShell.clear_instance()


@pytest.fixture
def shell(plain_shell: Shell) -> Iterator[Shell]:
    """Give a shell with the magics loaded and the scripted models in use."""
    plain_shell.run("%load_ext agentbench")
    with agentbench.Workbench(CONFIG) as bench:
        agentbench.set_workbench(bench)
        yield plain_shell
