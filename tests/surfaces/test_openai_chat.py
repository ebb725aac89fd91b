"""The openai SDK's chat completions, in this process."""

from __future__ import annotations

import asyncio
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

HI: list[Any] = [{"role": "user", "content": "Hi"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


class City(BaseModel):
    """What the script `json` tells."""

    name: str
    people: int


def test_create(client: openai.OpenAI) -> None:
    """A completion with its text, its end and its usage."""
    completion = client.chat.completions.create(model="scripted/text", messages=HI)
    (choice,) = completion.choices
    assert (choice.message.content, choice.finish_reason) == (TOLD["text"].text, "stop")
    assert completion.id.startswith("chatcmpl-")
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (11, 7)
    assert completion.usage.prompt_tokens_details is not None
    assert completion.usage.prompt_tokens_details.cached_tokens == 3


@pytest.mark.parametrize(
    ("name", "reason"), [("text", "stop"), ("call", "tool_calls"), ("cut", "length"), ("filtered", "content_filter")]
)
def test_finish_reasons(client: openai.OpenAI, name: str, reason: str) -> None:
    """Why it ended, whole and streamed."""
    model = f"scripted/{name}"
    whole = client.chat.completions.create(model=model, messages=HI)
    *_, last = client.chat.completions.create(model=model, messages=HI, stream=True)
    assert [each.choices[0].finish_reason for each in (whole, last)] == [reason, reason]


def test_an_agent(client: openai.OpenAI, upstream: Put) -> None:
    """An agent's id is a model's name; its instructions come first."""
    provider = upstream(FakeProvider())
    messages: list[Any] = [{"role": "system", "content": "In verse."}, *HI]
    completion = client.chat.completions.create(model="bot", messages=messages, temperature=0.5)
    (request,) = provider.requests
    assert completion.model == "bot"
    assert (request.model, request.instructions, request.temperature) == ("text", "Be kind.", 0.5)
    assert [item.text for item in request.input] == ["In verse.", "Hi"]


def test_a_stream(client: openai.OpenAI) -> None:
    """Its chunks make the text; without being asked it tells no usage."""
    chunks = list(client.chat.completions.create(model="scripted/text", messages=HI, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TOLD["text"].text
    assert [chunk.usage for chunk in chunks] == [None] * len(chunks)


def test_a_stream_with_usage(client: openai.OpenAI) -> None:
    """The last chunk has it, and no choices."""
    *_, last = client.chat.completions.create(
        model="scripted/text", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == 18


def test_the_first_chunk_is_early(client: openai.OpenAI, upstream: Put) -> None:
    """It is here while the upstream still works; closing the stream closes the upstream."""
    provider = upstream(FakeProvider("one ", HANG))
    with client.chat.completions.create(model="scripted/text", messages=HI, stream=True) as stream:
        texts = [next(stream).choices[0].delta.content for _ in range(2)]
        assert (texts, provider.opened, provider.closed) == (["", "one "], 1, 0)
    assert provider.closed == 1


@pytest.mark.anyio
async def test_the_first_async_chunk_is_early(bench: Workbench, upstream: Put) -> None:
    """The same from a running event loop."""
    provider = upstream(FakeProvider("one ", HANG))
    async with bench.async_openai() as client:
        async with await client.chat.completions.create(model="bot", messages=HI, stream=True) as stream:
            texts = [(await anext(stream)).choices[0].delta.content for _ in range(2)]
            assert (texts, provider.opened, provider.closed) == (["", "one "], 1, 0)
        assert provider.closed == 1


@pytest.mark.anyio
async def test_a_cancelled_completion(bench: Workbench, upstream: Put) -> None:
    """An asynchronous caller that gives up closes the upstream, also of an answer that isn't streamed."""
    provider = upstream(FakeProvider("one ", HANG))
    async with bench.async_openai() as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.chat.completions.create(model="bot", messages=HI), 0.2)
    assert (provider.opened, provider.closed) == (1, 1)


def test_the_stream_helper(client: openai.OpenAI) -> None:
    """It puts the whole completion together."""
    with client.chat.completions.stream(model="scripted/text-and-calls", messages=HI, tools=[WEATHER]) as stream:
        kinds = {event.type for event in stream}
        completion = stream.get_final_completion()
    (choice,) = completion.choices
    assert choice.message.content == "Let me look."
    calls = choice.message.tool_calls or []
    assert [call.function.name for call in calls] == ["weather", "now"]
    assert {"content.delta", "content.done", "tool_calls.function.arguments.done"} <= kinds


def test_parse(client: openai.OpenAI, upstream: Put) -> None:
    """A pydantic model asks for JSON of its shape, and reads it."""
    completion = client.chat.completions.parse(model="scripted/json", messages=HI, response_format=City)
    assert completion.choices[0].message.parsed == City(name="Seoul", people=9)
    provider = upstream(FakeProvider('{"name": "Busan", "people": 3}'))
    client.chat.completions.parse(model="scripted/json", messages=HI, response_format=City)
    form: Any = provider.requests[0].text.format
    assert (form.name, form.strict, form.schema["required"]) == ("City", True, ["name", "people"])


def test_a_tool_round_trip(client: openai.OpenAI) -> None:
    """The model calls, is told what that gave, and answers."""
    model = "scripted/round-trip"
    first = client.chat.completions.create(model=model, messages=HI, tools=[WEATHER]).choices[0].message
    (call,) = first.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Seoul"}')
    told: Any = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    messages: list[Any] = [*HI, first.model_dump(exclude_none=True), told]
    second = client.chat.completions.create(model=model, messages=messages, tools=[WEATHER])
    assert second.choices[0].message.content == "It rains in Seoul."
