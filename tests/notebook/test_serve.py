"""`%agent serve`: the same agents over HTTP, until the kernel ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

import agentbench
from agentbench.errors import InvalidRequest
from agentbench.gateway.serve import bind

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell

API = "/api/agents/v1"


def served(shell: Shell) -> str:
    """Serve on a free port; return the address."""
    table: Any = shell.run("%agent serve --port 0")
    return str(table.rows[0][1]).removesuffix(API)


def test_serving(shell: Shell) -> None:
    """It tells the address, which answers, and how to get a key, which it doesn't show: cells are stored."""
    table = shell.run("%agent serve --port 0")
    api, description, key = (row[1] for row in table.rows)
    assert api.startswith("http://127.0.0.1:")
    assert description == api.replace(API, "/docs")
    assert key == "agentbench keys create --user kernel@localhost --name NAME (in a terminal)"
    assert httpx2.get(f"{api}/models").status_code == 401


def test_serving_again(shell: Shell) -> None:
    """A second call tells the same address; another port needs a stop first."""
    first = served(shell)
    assert shell.run("%agent serve").rows[0][1] == first + API
    error = shell.fail("%agent serve --port 0")
    assert isinstance(error, InvalidRequest)
    assert str(error) == f"This workbench is served already, at {first}. Stop that first."


def test_stopping(shell: Shell) -> None:
    """It says what it stopped; there is nothing to stop twice."""
    url = served(shell)
    assert shell.run("%agent serve --stop").rows == [[url, "stopped"]]
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)
    assert str(shell.fail("%agent serve --stop")) == "Nothing is served here. To start: %agent serve"


def test_awaited(shell: Shell) -> None:
    """Where a cell awaits its commands, stopping doesn't hold up the event loop."""
    url = served(shell)
    shell.run("stopped = await get_ipython().run_line_magic('_agent', 'serve --stop')")
    assert shell.ip.user_ns["stopped"].rows == [[url, "stopped"]]


def test_a_port_that_is_taken(shell: Shell) -> None:
    """It is told in one sentence."""
    with bind("127.0.0.1", 0) as taken:
        error = shell.fail(f"%agent serve --port {taken.getsockname()[1]}")
    assert str(error).endswith("Address already in use. Choose another one: --port.")


@pytest.mark.parametrize("end", ["%unload_ext agentbench", "agentbench.set_workbench(agentbench.Workbench())"])
def test_ending(shell: Shell, end: str) -> None:
    """It stops with the extension, and when the magics take another workbench."""
    url = served(shell)
    shell.ip.user_ns["agentbench"] = agentbench
    shell.run(end)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)
