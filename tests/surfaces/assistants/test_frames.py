"""Streams of a run: each event a frame, an end, and what goes wrong after the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest
from tests.surfaces.assistants.recorder import RUN, Recorder, recording

from agentbench.errors import UpstreamTimeout
from agentbench.protocol.assistants.events import AssistantEvent, MessageDelta
from agentbench.storage.database import Database
from agentbench.surfaces.assistants.stream import event_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = pytest.mark.anyio
CREATED = AssistantEvent(name="thread.run.created", data=RUN)
DELTA = AssistantEvent(name="thread.message.delta", data=MessageDelta(id="msg_1", delta={"content": []}))
DONE = ("done", "[DONE]")


async def frames(tmp_path: Path, *told: Any) -> list[tuple[str, str]]:
    """Return name and data of each frame of a run that tells this."""
    recorder = Recorder()
    recorder.told = list(told)
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    async with recording(recorder, database) as http:
        answer = await http.post("threads/runs", json={"assistant_id": "asst_1", "stream": True})
    database.close()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert recorder.closed
    texts = answer.text.removesuffix("\n\n").split("\n\n")
    pairs = [text.removeprefix("event: ").split("\ndata: ") for text in texts]
    return [(name, data) for name, data in pairs]


async def test_events(tmp_path: Path) -> None:
    """Name and object of each, then the end."""
    assert await frames(tmp_path, [CREATED, DELTA], [DELTA]) == [
        ("thread.run.created", msgspec.json.encode(RUN).decode()),
        ("thread.message.delta", '{"id":"msg_1","object":"thread.message.delta","delta":{"content":[]}}'),
        ("thread.message.delta", '{"id":"msg_1","object":"thread.message.delta","delta":{"content":[]}}'),
        DONE,
    ]


async def test_an_error(tmp_path: Path) -> None:
    """After the first event it is an event too."""
    _, (name, data), end = await frames(tmp_path, [CREATED], UpstreamTimeout("The model was silent."))
    assert (name, end) == ("error", DONE)
    assert msgspec.json.decode(data) == {
        "code": "upstream_timeout",
        "message": "The model was silent.",
        "param": None,
        "type": "upstream_timeout",
    }


async def test_what_nobody_foresaw(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the client learns only its kind."""
    _, (name, data), end = await frames(tmp_path, [CREATED], ValueError("a secret"))
    assert (name, end, "ValueError" in data, "a secret" in data) == ("error", DONE, True, False)
    assert "a secret" in caplog.text


async def test_a_client_that_goes_away() -> None:
    """Nobody reads the events on."""
    ended = anyio.Event()

    async def batches() -> AsyncGenerator[list[AssistantEvent]]:
        try:
            yield [CREATED]
            await anyio.sleep_forever()
        finally:
            ended.set()

    first = anyio.Event()

    async def receive() -> dict[str, Any]:
        await first.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message.get("body"):
            first.set()

    with anyio.fail_after(5):
        await event_stream(batches())({"type": "http"}, receive, send)
    assert ended.is_set()
