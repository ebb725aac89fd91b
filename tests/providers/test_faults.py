"""An upstream that breaks off anywhere, sends garbage, refuses, or never ends: each call ends once, and well-formed.

`python -m tests.chaos faults` tries the same on a whole workbench, at every byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest
from tests.chaos.garbage import GARBAGE, WELL
from tests.chaos.upstream import Upstream, serving
from tests.chaos.wires import WIRES, arrived, events, text_of, whole
from tests.grammar import check_grammar

from agentbench.errors import UpstreamError, UpstreamRateLimited
from agentbench.protocol import CreateResponse, Event, EventBuilder, collect, draft
from agentbench.protocol.items import user_message
from agentbench.providers import http_answer
from agentbench.providers.anthropic import Anthropic
from agentbench.providers.base import play
from agentbench.providers.bedrock import Bedrock
from agentbench.providers.google import Google
from agentbench.providers.ollama import Ollama
from agentbench.providers.openai_chat import OpenAIChat
from agentbench.providers.openai_responses import OpenAIResponses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agentbench.config import Endpoint
    from agentbench.protocol import Response
    from agentbench.providers.base import Provider
    from agentbench.providers.http import Http

pytestmark = pytest.mark.anyio

PROVIDERS: dict[str, Callable[[Http], Provider]] = {
    "anthropic": Anthropic,
    "bedrock": Bedrock,
    "chat": OpenAIChat,
    "google": Google,
    "ollama": Ollama,
    "responses": OpenAIResponses,
}
STEP = 97
"""Bytes from one place to break off to the next: prime, so that the places lie anywhere in a piece."""
on_each_wire = pytest.mark.parametrize("wire", WIRES)


class Asker(NamedTuple):
    """What asks the chaos upstream."""

    url: str
    upstream: Upstream
    http: Http
    endpoint: Endpoint

    async def ask(self, wire: str, fault: str, run: str = "r") -> Response:
        """Return the response of one call, whose events have passed the grammar."""
        endpoint = msgspec.structs.replace(self.endpoint, base_url=f"{self.url}/{wire}", region="here")
        request = CreateResponse(model=f"{fault}~{run}", input=(user_message("Hi"),))
        builder = EventBuilder(draft(request, model="small"))
        came: list[Event] = builder.start()
        async for batch in play(PROVIDERS[wire](self.http), request, endpoint, builder):
            came += batch
        came += builder.finish()
        check_grammar(came)
        return collect(came)


@pytest.fixture
async def asker(http: Http, endpoint: Endpoint) -> AsyncIterator[Asker]:
    """Return who asks, and an upstream that misbehaves as the model's name says."""
    upstream = Upstream()
    async with serving(upstream) as url:
        yield Asker(url, upstream, http, endpoint)


@on_each_wire
@pytest.mark.parametrize("fault", ["reset", "fin"])
async def test_broken_off(asker: Asker, wire: str, fault: str) -> None:
    """Wherever an answer breaks off, what had come is there, and nothing is asked twice."""
    expected, told = {}, {}
    for offset in range(1, len(whole(WIRES[wire])), STEP):
        expected[offset] = text_of(WIRES[wire], arrived(WIRES[wire], offset))
        try:
            response = await asker.ask(wire, f"{fault}~{offset}", run=f"r{offset}")
            told[offset] = response.output_text
        except UpstreamError:
            told[offset] = ""
    assert expected == told
    assert set(asker.upstream.counts.values()) == {1}


@on_each_wire
async def test_garbage(asker: Asker, wire: str) -> None:
    """Whatever comes in place of an answer, the call ends in one of our errors or in a whole stream."""
    for name in GARBAGE:
        try:
            response = await asker.ask(wire, f"says~{name}")
        except UpstreamError:
            assert name not in WELL
        else:
            assert name not in WELL or response.output_text == text_of(WIRES[wire])
            assert response.error is None or response.error.code != "server_error"


@on_each_wire
@pytest.mark.parametrize("fault", ["endless_line~", "bomb~gzip"])
async def test_line_without_end(asker: Asker, wire: str, fault: str) -> None:
    """A line that never ends, packed or not, fails the answer while it still fits into the memory."""
    response = await asker.ask(wire, fault)
    assert response.error is not None
    assert response.error.code == "upstream_garbled"


async def test_answer_without_end(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that never ends fails at a limit, and keeps its text."""
    monkeypatch.setattr(http_answer, "_MOST", 2**20)
    response = await asker.ask("chat", "endless_answer~")
    assert response.error is not None
    assert "came to no end" in response.error.message
    assert len(response.output_text) > 0


async def test_event_of_many_lines(asker: Asker) -> None:
    """An event of endlessly many lines is as long as one endless line."""
    response = await asker.ask("chat", "endless_event~")
    assert response.error is not None
    assert "an event of more than 32 MiB" in response.error.message


@pytest.mark.parametrize("fault", ["head", "header", "informing", "extension", "trailers"])
async def test_http_without_end(asker: Asker, fault: str) -> None:
    """What surrounds an answer may not be endless either."""
    try:
        response = await asker.ask("chat", f"endless_{fault}~")
    except UpstreamError:
        return
    assert response.status == ("completed" if fault == "trailers" else "failed")


@on_each_wire
async def test_after_the_end(asker: Asker, wire: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upstream that has said all and stays is not waited for."""
    monkeypatch.setattr("agentbench.providers.base._FAREWELL", 0.05)
    response = await asker.ask(wire, "goes_on~")
    assert (response.status, response.output_text) == ("completed", text_of(WIRES[wire]))


async def test_second_answer(asker: Asker) -> None:
    """An answer that nobody asked for is nobody's: not this call's, and not the next one's."""
    said = [(await asker.ask("chat", "smuggled~", run=f"r{number}")).output_text for number in range(3)]
    assert said == [text_of(WIRES["chat"])] * 3


@pytest.mark.parametrize("fault", ["then_closes", "then_resets", "stale", "stale_fin"])
async def test_kept_connection_closed(asker: Asker, fault: str) -> None:
    """A kept connection that turns out to be closed is replaced by a new one, however many are closed."""
    await asker.ask("chat", "good~")
    said = [(await asker.ask("chat", f"{fault}~", run=f"r{number}")).output_text for number in range(4)]
    assert said == [text_of(WIRES["chat"])] * 4


async def test_begun_on_kept_connection(asker: Asker) -> None:
    """Once a byte of the answer has come, the request isn't sent again, on a kept connection too."""
    await asker.ask("chat", "stale_begun~", run="first")
    with pytest.raises(UpstreamError, match="dropped the connection"):
        await asker.ask("chat", "stale_begun~", run="second")
    assert asker.upstream.counts == {"first": 1, "second": 1}


async def test_storm(asker: Asker, waits: list[float]) -> None:
    """A refusal is tried again twice; one that passes is never seen; who is to wait for long doesn't."""
    assert (await asker.ask("chat", "storm~429.zero.2", run="passes")).output_text
    for wait in ("none", "past", "negative", "nan", "infinite", "overflow", "words", "huge", "far"):
        with pytest.raises(UpstreamRateLimited):
            await asker.ask("chat", f"storm~429.{wait}.99", run=wait)
    counts = asker.upstream.counts
    assert {counts.pop("huge"), counts.pop("far")} == {1}
    assert set(counts.values()) == {3}
    assert max(waits) < 2


async def test_broken_after_the_end(asker: Asker) -> None:
    """A cut last event that is there but for its blank line counts, also where the connection was reset."""
    wire = WIRES["chat"]
    offset = len(whole(wire)) - len(b"\n\n\r\n0\r\n\r\n")
    assert arrived(wire, offset) == sum(map(len, events(wire))) - 2
    response = await asker.ask("chat", f"reset~{offset}")
    assert response.status == "completed"
