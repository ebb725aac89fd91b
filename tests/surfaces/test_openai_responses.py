"""The openai SDK's responses and models, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel
from tests.runner.fakes import HANG, FakeProvider
from tests.surfaces.scripts import TOLD

if TYPE_CHECKING:
    from collections.abc import Callable

    import openai

    from agentbench import Workbench

    Put = Callable[[FakeProvider], FakeProvider]

WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


class City(BaseModel):
    """What the script `json` tells."""

    name: str
    people: int


def test_models(client: openai.OpenAI) -> None:
    """Agents first, then the models of each endpoint."""
    names = [model.id for model in client.models.list()]
    assert names[:2] == ["bot", "local/smollm2-135m-instruct"]
    assert "scripted/round-trip" in names


@pytest.mark.parametrize("name", [name for name in sorted(TOLD) if TOLD[name].error is None])
def test_create(client: openai.OpenAI, name: str) -> None:
    """Every kind of answer is a response to the SDK too."""
    response = client.responses.create(model=f"scripted/{name}", input="Hi")
    assert (response.status, response.output_text) == (TOLD[name].status, TOLD[name].text)


def test_a_failed_response(client: openai.OpenAI) -> None:
    """It is a response like others, once the SDK puts up with codes that OpenAI doesn't have."""
    client._strict_response_validation = False
    response = client.responses.create(model="scripted/failed", input="Hi")
    assert response.error is not None
    assert (response.status, response.error.code, response.output_text) == ("failed", "upstream_error", "Well, I ")


def test_usage(client: openai.OpenAI) -> None:
    """The tokens, with what the details say."""
    usage = client.responses.create(model="scripted/text", input="Hi").usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (11, 7, 18)
    assert (usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens) == (3, 2)


@pytest.mark.parametrize("name", sorted(set(TOLD) - {"reasoning", "everything", "failed", "failed-at-once"}))
def test_a_stream(client: openai.OpenAI, name: str) -> None:
    """Every event is one that the SDK knows; numbers have no gaps."""
    events = list(client.responses.create(model=f"scripted/{name}", input="Hi", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == f"response.{TOLD[name].status}"


def test_a_stream_with_reasoning(client: openai.OpenAI) -> None:
    """The spec's reasoning events, which OpenAI calls otherwise, trouble no client."""
    client._strict_response_validation = False
    events = list(client.responses.create(model="scripted/reasoning", input="Hi", stream=True))
    assert "response.reasoning.delta" in {event.type for event in events}
    assert events[-1].response.output_text == "It is 42."


def test_the_stream_helper(client: openai.OpenAI) -> None:
    """It puts the whole response together."""
    with client.responses.stream(model="scripted/text-and-calls", input="Hi") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        response = stream.get_final_response()
    assert text == response.output_text == "Let me look."
    assert [item.type for item in response.output] == ["message", "function_call", "function_call"]


def test_the_first_event_is_early(client: openai.OpenAI, upstream: Put) -> None:
    """It is here while the upstream still works; closing the stream closes the upstream."""
    provider = upstream(FakeProvider("one ", HANG))
    with client.responses.create(model="bot", input="Hi", stream=True) as stream:
        kinds = [next(stream).type for _ in range(5)]
        assert (kinds[-1], provider.opened, provider.closed) == ("response.output_text.delta", 1, 0)
    assert provider.closed == 1


@pytest.mark.anyio
async def test_async(bench: Workbench) -> None:
    """The same from a running event loop: whole, streamed, and with the helper."""
    async with bench.async_openai() as client:
        whole = await client.responses.create(model="scripted/text", input="Hi")
        stream = await client.responses.create(model="scripted/text", input="Hi", stream=True)
        texts = [event.delta async for event in stream if event.type == "response.output_text.delta"]
        async with client.responses.stream(model="scripted/text", input="Hi") as helper:
            final = await helper.get_final_response()
    assert whole.output_text == "".join(texts) == final.output_text == TOLD["text"].text


def test_parse(client: openai.OpenAI, upstream: Put) -> None:
    """A pydantic model asks for JSON of its shape, and reads it."""
    response = client.responses.parse(model="scripted/json", input="Hi", text_format=City)
    assert response.output_parsed == City(name="Seoul", people=9)
    provider = upstream(FakeProvider('{"name": "Busan", "people": 3}'))
    client.responses.parse(model="scripted/json", input="Hi", text_format=City)
    form: Any = provider.requests[0].text.format
    assert (form.name, form.strict, form.schema["required"]) == ("City", True, ["name", "people"])


def test_previous_response_id(client: openai.OpenAI, upstream: Put) -> None:
    """What was said is said again, without the caller repeating it; it can be used as soon as the answer is there."""
    provider = upstream(FakeProvider())
    previous = None
    for number in range(1, 4):
        response = client.responses.create(model="bot", input=f"q{number}", previous_response_id=previous)
        assert response.previous_response_id == previous
        previous = response.id
    said = [item.text for item in provider.requests[-1].input]
    assert said == ["q1", "one two three", "q2", "one two three", "q3"]


def test_a_tool_round_trip(client: openai.OpenAI) -> None:
    """The output alone is sent; the call is found in the response before."""
    model = "scripted/round-trip"
    first = client.responses.create(model=model, input="Hi", tools=[WEATHER])
    (call,) = first.output
    assert call.type == "function_call"
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    second = client.responses.create(model=model, input=[output], previous_response_id=first.id, tools=[WEATHER])
    assert second.output_text == "It rains in Seoul."


def test_a_tool_round_trip_by_replay(client: openai.OpenAI) -> None:
    """The caller may repeat all of it instead, as it came."""
    model = "scripted/round-trip"
    first = client.responses.create(model=model, input="Hi", tools=[WEATHER], store=False)
    (call,) = first.output
    assert call.type == "function_call"
    items: list[Any] = [{"role": "user", "content": "Hi"}, call.model_dump()]
    items.append({"type": "function_call_output", "call_id": call.call_id, "output": "rain"})
    second = client.responses.create(model=model, input=items, tools=[WEATHER], store=False)
    assert second.output_text == "It rains in Seoul."


def test_reasoning_by_replay(client: openai.OpenAI) -> None:
    """Reasoning is taken back as it was given."""
    first = client.responses.create(model="scripted/reasoning", input="Hi", store=False)
    items: list[Any] = [{"role": "user", "content": "Hi"}, *(item.model_dump() for item in first.output)]
    assert [item["type"] for item in items[1:]] == ["reasoning", "message"]
    second = client.responses.create(model="scripted/text", input=items)
    assert second.status == "completed"
