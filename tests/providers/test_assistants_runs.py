"""Runs of upstream assistants: rounds of tools, stops, limits, and what goes wrong while they are looked at."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import Any

import httpx2
import pytest
from tests.providers.asking import HI, WEATHER, heard
from tests.providers.assistants_asking import AZURE, ask, calls, every_way, provider, result, says, text
from tests.providers.assistants_upstream import KEY, FakeUpstream, Round
from tests.providers.replay import told

from agentbench.errors import UnknownName, UpstreamRefused, UpstreamRejected, UpstreamTimeout
from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.protocol.items import user_message
from agentbench.providers.assistants import Assistants
from agentbench.providers.base import play
from agentbench.providers.http import Http

pytestmark = pytest.mark.anyio


# -- tools ------------------------------------------------------------------------------------------------------------


@every_way
async def test_rounds_of_tools(way: dict[str, Any]) -> None:
    """Calls are answered in the same run, round after round, and its tokens are told once, at the end."""
    upstream = FakeUpstream(
        Round(parts=(text("Wait."),), calls=calls("c1").calls), calls("c2"), says("Sunny."), polls=1
    )
    assistants, endpoint = provider(upstream), upstream.endpoint(**way)
    first = await ask(assistants, endpoint, tools=(WEATHER,))
    second = await ask(assistants, endpoint, HI, *first.output, result("c1"), tools=(WEATHER,))
    so_far = (HI, *first.output, result("c1"), *second.output, result("c2", "rain"))
    third = await ask(assistants, endpoint, *so_far, tools=(WEATHER,))
    assert [told(each).text for each in (first, second, third)] == ["Wait.", "", "Sunny."]
    assert [told(each).usage for each in (first, second, third)] == [(0, 0, 0, 0), (0, 0, 0, 0), (12, 5, 0, 0)]
    outputs = [body["tool_outputs"] for body in upstream.bodies("/submit_tool_outputs")]
    assert outputs == [[{"tool_call_id": "c1", "output": "sun"}], [{"tool_call_id": "c2", "output": "rain"}]]
    assert upstream.bodies("/runs")[0]["tools"][0]["function"]["name"] == "get_weather"


async def test_rounds_in_another_process() -> None:
    """Who takes over a run that waits doesn't tell again what it has said."""
    upstream = FakeUpstream(Round(parts=(text("Wait."),), calls=calls("c1").calls), says("Sunny."))
    endpoint = upstream.endpoint(**AZURE)
    first = await ask(provider(upstream), endpoint)
    second = await ask(provider(upstream), endpoint, HI, *first.output, result("c1"))
    assert second.output_text == "Sunny."


async def test_outputs_that_never_come() -> None:
    """A run that waits in vain is cancelled before the next message, and its tokens are counted with the next."""
    upstream = FakeUpstream(calls("c1"), says("Fine."))
    assistants, endpoint = provider(upstream), upstream.endpoint()
    first = await ask(assistants, endpoint)
    second = await ask(assistants, endpoint, HI, *first.output, user_message("Never mind."))
    assert (told(second).usage, len(upstream.threads)) == ((19, 6, 0, 0), 1)


async def test_expired_while_waiting() -> None:
    """Outputs for a run that has expired meanwhile go into a new thread as words."""
    upstream = FakeUpstream(calls("c1"), says("Sunny."))
    assistants, endpoint = provider(upstream), upstream.endpoint()
    first = await ask(assistants, endpoint)
    upstream.runs["run_1"] |= {"status": "expired", "required_action": None}
    second = await ask(assistants, endpoint, HI, *first.output, result("c1"))
    said = [each["content"] for each in upstream.bodies("/threads")[1]["messages"]]
    assert (second.output_text, said[-1]) == ("Sunny.", "[Result of c1: sun]")


@every_way
async def test_wish_that_is_no_call(way: dict[str, Any]) -> None:
    """A run that waits for what can't be given here fails, and is cancelled."""
    asks = {"required_action": {"type": "submit_tool_approval"}}
    upstream = FakeUpstream(Round(status="requires_action", more=asks))
    response = await ask(provider(upstream), upstream.endpoint(**way))
    assert (response.error and response.error.code, upstream.runs["run_1"]["status"]) == (
        "unsupported_action",
        "cancelled",
    )


# -- trouble ----------------------------------------------------------------------------------------------------------


def limited() -> httpx2.Response:
    """Return a refusal that passes."""
    return httpx2.Response(429, headers={"retry-after": "0.02"}, json={"error": {"message": "Slow down."}})


FAULTS: dict[str, Any] = {
    "429": limited,
    "503": lambda: httpx2.Response(503),
    "truncated": lambda: httpx2.Response(200, content=b'{"id": "run_', headers={"content-type": "application/json"}),
    "dropped": lambda: httpx2.ReadError("gone"),
    "odd": lambda: httpx2.Response(200, json=[]),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_faults_of_a_look(fault: str) -> None:
    """What may pass while a run is looked at is waited out."""
    upstream = FakeUpstream(says("Hello."), polls=1)
    upstream.faults["/runs/run_1"] = [FAULTS[fault](), FAULTS[fault]()]
    upstream.faults["/messages"] = [FAULTS[fault](), FAULTS[fault]()]
    assert (await ask(provider(upstream), upstream.endpoint(**AZURE))).output_text == "Hello."


async def test_refused_look() -> None:
    """A refusal while a run is looked at ends it, and the run is cancelled."""
    upstream = FakeUpstream(Round(status="endless"))
    upstream.faults["/runs/run_1"] = [httpx2.Response(401)]
    response = await ask(provider(upstream), upstream.endpoint(**AZURE))
    assert (response.error and response.error.code, upstream.runs["run_1"]["status"]) == (
        UpstreamRefused.code,
        "cancelled",
    )


@every_way
async def test_run_that_never_ends(way: dict[str, Any]) -> None:
    """A run is cancelled at its limit, and what it took is told."""
    upstream = FakeUpstream(Round(status="endless"))
    start = time.monotonic()
    response = await ask(provider(upstream), upstream.endpoint(time_limit=0.3, poll_interval=0.1, **way))
    assert 0.3 <= time.monotonic() - start < 0.6
    assert upstream.runs["run_1"]["status"] == "cancelled"
    assert (response.error and response.error.code, told(response).usage) == ("upstream_timeout", (7, 1, 0, 0))
    assert told(response).why == (
        f"{'azureAssistants' if way else 'assistants'} didn't end the run within 0.3 s, so it was cancelled."
        " Ask for less, or raise timeoutMs."
    )


async def test_limit_over_all_rounds() -> None:
    """The limit counts from the run's begin, tools included."""
    upstream = FakeUpstream(calls("c1"), Round(status="endless"))
    now = [0.0]
    assistants = Assistants(Http(transport=httpx2.MockTransport(upstream.serve)), clock=lambda: now[0])
    endpoint = upstream.endpoint(time_limit=60.0)
    first = await ask(assistants, endpoint)
    now[0] = 61.0
    with pytest.raises(UpstreamTimeout, match="raise timeoutMs"):
        await ask(assistants, endpoint, HI, *first.output, result("c1"))
    assert upstream.runs["run_1"]["status"] == "cancelled"


@every_way
async def test_stop(way: dict[str, Any]) -> None:
    """Who leaves cancels the run upstream, and still learns what it took."""
    upstream = FakeUpstream(Round(status="endless"))
    request = CreateResponse(model="asst_1", input=(HI,))
    builder = EventBuilder(draft(request, model="asst_1"))
    async with aclosing(play(provider(upstream), request, upstream.endpoint(**way), builder)) as batches:
        await anext(batches)
        await anext(batches)  # the seal
    assert upstream.runs["run_1"]["status"] == "cancelled"
    assert (builder.call_usage and builder.call_usage.input_tokens) == 7


async def test_lost_creation() -> None:
    """A run whose creation went unanswered is found in its thread, and cancelled."""
    upstream = FakeUpstream(Round(status="endless"), streams=False)
    endpoint = upstream.endpoint()
    assistants = provider(upstream)

    async def lose(request: httpx2.Request) -> httpx2.Response:
        answer = await upstream.serve(request)
        if request.url.path.endswith("/runs") and request.method == "POST":
            raise httpx2.ReadError("gone")
        return answer

    assistants = Assistants(Http(transport=httpx2.MockTransport(lose)))
    with pytest.raises(Exception, match="dropped the connection"):
        await ask(assistants, endpoint)
    assert upstream.runs["run_1"]["status"] == "cancelled"


@pytest.mark.parametrize("cut", [0, 20])
async def test_stream_lost_at_once(cut: int) -> None:
    """A run that was told of in no byte is found in its thread, and isn't the run before it."""
    upstream = FakeUpstream(says("Hello."), says("Fine."))
    assistants, endpoint = provider(upstream), upstream.endpoint()
    first = await ask(assistants, endpoint)
    upstream.cut = cut
    second = await ask(assistants, endpoint, HI, *first.output, user_message("How are you?"))
    assert (second.output_text, len(upstream.runs)) == ("Fine.", 2)


async def test_rejected_run() -> None:
    """What an upstream says against a run is told, without the key."""
    upstream = FakeUpstream()
    said = {"error": {"message": f"max_completion_tokens is below 256 for {KEY}."}}
    upstream.faults["/runs"] = [httpx2.Response(400, json=said)]
    with pytest.raises(UpstreamRejected, match="is below 256") as caught:
        await ask(provider(upstream), upstream.endpoint(), max_output_tokens=9)
    assert KEY not in caught.value.message


async def test_quoted_ids() -> None:
    """Ids can't lead to other addresses."""
    upstream = FakeUpstream()
    request = CreateResponse(model="../files?x", input=(HI,))
    with pytest.raises(UnknownName):
        await heard(provider(upstream), upstream.endpoint(), request)
