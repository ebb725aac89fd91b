from __future__ import annotations

import time

import msgspec
from tests.protocol.streams import REQUEST, full_stream

from agentbench.protocol import CreateResponse, Response, Usage, collect, draft
from agentbench.protocol.items import Message
from agentbench.protocol.request import TextConfig


def test_a_draft_echoes_the_request() -> None:
    """The settings that request and response share are echoed, also those that are 0 or false."""
    response = draft(REQUEST, model="big-2026", response_id="resp_1")
    shared = set(Response.__struct_fields__) & set(CreateResponse.__struct_fields__) - {"model"}
    echoed = {name: getattr(response, name) for name in shared}
    assert echoed == {name: getattr(REQUEST, name) for name in shared}
    assert (response.id, response.model) == ("resp_1", "big-2026")


def test_no_default_is_echoed() -> None:
    """The request of the test above sets everything that a response repeats, so that nothing passes by chance."""
    response, plain = (msgspec.structs.asdict(draft(each, model="m")) for each in (REQUEST, CreateResponse()))
    same = {name for name, value in response.items() if plain[name] == value}
    own = {"object", "completed_at", "incomplete_details", "model", "output", "error", "usage"}
    assert same - {"created_at"} == own


def test_the_defaults_of_a_draft() -> None:
    """What the request leaves open is filled in as the spec says."""
    response = draft(CreateResponse(), model="m")
    assert (response.temperature, response.top_p, response.top_logprobs) == (1.0, 1.0, 0)
    assert (response.presence_penalty, response.frequency_penalty) == (0.0, 0.0)
    assert (response.tool_choice, response.parallel_tool_calls, response.text) == ("auto", True, TextConfig())
    assert (response.truncation, response.store, response.background) == ("disabled", True, False)
    assert (response.service_tier, response.metadata) == ("default", {})


def test_a_draft_is_new() -> None:
    """A draft has an id of its own, was created now, and is in progress with nothing in it."""
    before = int(time.time())
    first, second = (draft(CreateResponse(), model="m") for _ in range(2))
    assert first.id.startswith("resp_")
    assert first.id != second.id
    assert before <= first.created_at <= int(time.time())
    assert (first.status, first.output, first.usage, first.error) == ("in_progress", (), None, None)


def test_the_automatic_service_tier() -> None:
    """The tier "auto" is a wish; the tier that was used is the default one."""
    assert draft(CreateResponse(service_tier="auto"), model="m").service_tier == "default"


def test_usage() -> None:
    """A usage is added up by parts; cached and reasoning tokens are within, not on top."""
    usage = Usage.of(10, 5, cached=4, cache_write=2, reasoning=3) + Usage.of(1, 1)
    assert usage == Usage.of(11, 6, cached=4, cache_write=2, reasoning=3)
    assert usage.total_tokens == 17


def test_totals_of_the_upstream() -> None:
    """One that isn't the sum of its parts stays what it is, alone and in a sum."""
    usage = Usage.of(10, 5, total=20)
    assert (usage.total_tokens, (usage + Usage.of(1, 1)).total_tokens) == (20, 22)


def test_what_came_out() -> None:
    """The text and the calls of a response are those of its items, in order."""
    response = collect(full_stream())
    assert response.output_text == "Seoul"
    assert response.reasoning_text == "Which city?"
    assert [call.name for call in response.function_calls] == ["weather", "time"]
    assert [item.refusal for item in response.output if isinstance(item, Message)] == ["More I won't say."]


def test_json() -> None:
    """A response comes out of JSON as it went in."""
    response = collect(full_stream())
    assert msgspec.json.decode(msgspec.json.encode(response), type=Response) == response
