"""`%agent probe`: a table in a terminal, the inspector in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from tests.providers.speaker import serving
from tests.surfaces.served import served

import agentbench
from agentbench.errors import InvalidRequest, UnknownName, UpstreamRefused
from agentbench.notebook.widgets.inspector import Inspector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from tests.notebook.conftest import Shell

KEY = "k3y-of-the-probed-0123456789"
BROKEN = b'event: response.created\ndata: {"type": "response.created", "sequence_number": 7}\n\n'


@pytest.fixture
def here(shell: Shell) -> Iterator[str]:
    """Serve the shell's own workbench on a socket."""
    with served(agentbench.get_workbench().app) as address:
        yield f"http://{address}"


@pytest.fixture
def there() -> Iterator[str]:
    """Serve a stream that is wrong, to who has the key."""

    async def answer(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Response(status_code=401)
        asked = (await request.json())["input"]
        return Response(BROKEN if asked == "Why not?" else b"data: [DONE]\n\n", media_type="text/event-stream")

    with serving(Starlette(routes=[Route("/v1/responses", answer, methods=["POST"])])) as address:
        yield f"{address}/v1"


def test_a_good_server(shell: Shell, here: str) -> None:
    """The table of violations is empty, and a line says how much came."""
    table = shell.run(f"%agent probe {here} --model scripted/hello")
    assert (table.columns, table.rows) == (["rule", "event", "message"], [])
    assert table.note.startswith("10 events, 0.")
    assert table.note.endswith(" s, no violation.")


def test_chat(shell: Shell, here: str) -> None:
    """The protocol can be chosen, and options stand before or after the address."""
    assert "chunks" in shell.run(f"%agent probe --protocol chat {here} -m scripted/hello").note


def test_a_bad_server(shell: Shell, there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each violation is a row; the rest of the line is the prompt, and the key is in a variable."""
    monkeypatch.setenv("THEIR_KEY", KEY)
    table = shell.run(f"%agent probe {there} --model m --key THEIR_KEY --protocol responses Why not?")
    assert ["sequence-numbers", "0", "sequence_number: expected 0, got 7."] in table.rows
    assert "1 event, " in table.note
    assert KEY not in repr(table)


def test_in_a_notebook(shell: Shell, here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is a kernel, the recording opens in the inspector."""
    shell.ip.kernel = object()
    shell.run(f"inspector = %agent probe {here} --model scripted/hello")
    inspector: Any = shell.ip.user_ns["inspector"]
    del shell.ip.kernel
    assert isinstance(inspector, Inspector)
    assert inspector.recording.source == here
    inspector.close()


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("", InvalidRequest, "%agent probe BASE_URL"),
        ("localhost", InvalidRequest, "Give the server's address"),
        ("http://127.0.0.1:9 --modle m", InvalidRequest, "Did you mean --model"),
        ("http://127.0.0.1:9 --protocol soap", UnknownName, "responses, chat"),
        (f"http://127.0.0.1:9 --key {KEY}", InvalidRequest, "environment variable"),
    ],
)
def test_what_cannot_be_asked(shell: Shell, line: str, kind: type[Exception], said: str) -> None:
    """A wrong line is told what is wrong, without what may be a key."""
    error = shell.fail(f"%agent probe {line}")
    assert isinstance(error, kind)
    assert said in str(error)
    assert KEY not in str(error)


def test_a_refused_key(shell: Shell, there: str) -> None:
    """A server's refusal is an error in one line."""
    assert isinstance(shell.fail(f"%agent probe {there} -m m"), UpstreamRefused)
