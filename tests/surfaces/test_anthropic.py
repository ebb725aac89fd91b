"""The anthropic SDK, in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from pydantic import BaseModel
from tests.runner.fakes import HANG, FakeProvider
from tests.surfaces.scripts import TOLD, call

from agentbench import Workbench
from agentbench.auth.principal import Principal
from agentbench.errors import InvalidRequest, MissingExtra
from agentbench.gateway.clients import IN_PROCESS_URL
from agentbench.gateway.transports import InProcessTransport
from agentbench.protocol.content import InputImage
from agentbench.protocol.items import Message, Reasoning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import anthropic

    from agentbench.protocol import EventBuilder

    Put = Callable[[FakeProvider], FakeProvider]

HI: Any = [{"role": "user", "content": "Hi"}]
WEATHER: Any = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
PNG = "iVBORw0KGgo="


class City(BaseModel):
    """What the script `json` tells."""

    name: str
    people: int


@pytest.fixture
def client(bench: Workbench) -> Iterator[anthropic.Anthropic]:
    """Give the SDK's client, which objects to anything that its types don't know."""
    with bench.anthropic() as client:
        client._strict_response_validation = True
        yield client


def create(client: anthropic.Anthropic, name: str = "text", **fields: Any) -> Any:
    """Ask a script for a message."""
    return client.messages.create(**{"model": f"scripted/{name}", "max_tokens": 99, "messages": HI} | fields)


def test_create(client: anthropic.Anthropic) -> None:
    """A message with its text, its end and its usage."""
    message = create(client)
    assert (message.content[0].text, message.stop_reason) == (TOLD["text"].text, "end_turn")
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (8, 3)
    assert message._request_id == message.id.replace("msg_", "req_")


def test_an_agent(client: anthropic.Anthropic, upstream: Put) -> None:
    """An agent's id is a model's name; its instructions come first."""
    provider = upstream(FakeProvider())
    message = create(client, model="bot", system="In verse.", extra_body={"temperature": 0.5})
    (request,) = provider.requests
    assert message.model == "bot"
    assert (request.model, request.instructions, request.temperature) == ("text", "Be kind.\n\nIn verse.", 0.5)
    assert request.max_output_tokens == 99


def test_nothing_is_stored(client: anthropic.Anthropic, bench: Workbench) -> None:
    """A message is in the ledger only."""
    message = create(client)
    with pytest.raises(InvalidRequest, match="no stored response"):
        bench.ask("Hi", previous=message.id.replace("msg_", "resp_"))


def test_a_stream(client: anthropic.Anthropic) -> None:
    """Its deltas make the text; its last event but one has the usage."""
    events = list(create(client, stream=True))
    texts = [event.delta.text for event in events if event.type == "content_block_delta"]
    assert "".join(texts) == TOLD["text"].text
    assert (events[-2].usage.input_tokens, events[-2].usage.output_tokens) == (8, 7)


@pytest.mark.parametrize("name", ["text", "reasoning", "everything", "text-then-refusal", "cut", "parallel-calls"])
def test_the_stream_helper(client: anthropic.Anthropic, name: str) -> None:
    """It puts together the same message as one that isn't streamed, but for the ids."""
    whole = create(client, name)
    with client.messages.stream(model=f"scripted/{name}", max_tokens=99, messages=HI) as stream:
        streamed = stream.get_final_message()
    ids: Any = {"id": True, "content": {"__all__": {"id", "parsed_output"}}}
    assert streamed.model_dump(exclude=ids) == whole.model_dump(exclude=ids)


def test_the_first_event_is_early(client: anthropic.Anthropic, upstream: Put) -> None:
    """It is here while the upstream still works; closing the stream closes the upstream."""
    provider = upstream(FakeProvider("one ", HANG))
    with create(client, stream=True) as stream:
        kinds = [next(stream).type for _ in range(3)]
        assert kinds == ["message_start", "content_block_start", "content_block_delta"]
        assert (provider.opened, provider.closed) == (1, 0)
    assert provider.closed == 1


@pytest.mark.anyio
async def test_the_async_client(bench: Workbench, upstream: Put) -> None:
    """The same from a running event loop; giving up closes the upstream."""
    provider = upstream(FakeProvider("one ", HANG))
    async with bench.async_anthropic() as client:
        async with await client.messages.create(model="bot", max_tokens=9, messages=HI, stream=True) as stream:
            kinds = [(await anext(stream)).type for _ in range(2)]
            assert (kinds, provider.closed) == (["message_start", "content_block_start"], 0)
        assert provider.closed == 1
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.messages.create(model="bot", max_tokens=9, messages=HI), 0.2)
    assert (provider.opened, provider.closed) == (2, 2)


def test_a_tool_round_trip(client: anthropic.Anthropic) -> None:
    """The model calls, is told what that gave, and answers."""
    first = create(client, "round-trip", tools=[WEATHER])
    (asked,) = first.content
    assert (first.stop_reason, asked.name, asked.input) == ("tool_use", "weather", {"city": "Seoul"})
    result = {"type": "tool_result", "tool_use_id": asked.id, "content": "rain"}
    messages = [*HI, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = create(client, "round-trip", tools=[WEATHER], messages=messages)
    assert (second.content[0].text, second.stop_reason) == ("It rains in Seoul.", "end_turn")


def test_an_image(client: anthropic.Anthropic, upstream: Put) -> None:
    """It reaches the model."""
    provider = upstream(FakeProvider())
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    create(client, messages=[{"role": "user", "content": content}])
    (item,) = provider.requests[0].input
    assert isinstance(item, Message)
    assert item.content[0] == InputImage(image_url=f"data:image/png;base64,{PNG}")


def test_thinking(client: anthropic.Anthropic, upstream: Put) -> None:
    """What the model thought goes back sealed as it came, under the provider's own id."""

    def think(builder: EventBuilder) -> list[Any]:
        events = builder.reasoning_begins("rs_9") + builder.reasoning_summary("Hm.")
        return events + builder.reasoning_sealed("SEAL")

    provider = upstream(FakeProvider(think, "Well."))
    first = create(client, thinking={"type": "enabled", "budget_tokens": 2048}, max_tokens=4000)
    assert [block.type for block in first.content] == ["thinking", "text"]
    create(client, messages=[*HI, {"role": "assistant", "content": first.content}, *HI])
    thought = provider.requests[1].input[1]
    assert isinstance(thought, Reasoning)
    assert (thought.id, thought.text, thought.encrypted_content) == ("rs_9", "Hm.", "SEAL")


def test_parse(client: anthropic.Anthropic, upstream: Put) -> None:
    """A pydantic model asks for JSON of its shape, and reads it."""
    message = client.messages.parse(model="scripted/json", max_tokens=99, messages=HI, output_format=City)
    assert message.parsed_output == City(name="Seoul", people=9)
    provider = upstream(FakeProvider('{"name": "Busan", "people": 3}'))
    client.messages.parse(model="scripted/json", max_tokens=99, messages=HI, output_format=City)
    form: Any = provider.requests[0].text.format
    assert form.schema["required"] == ["name", "people"]


def test_count_tokens(client: anthropic.Anthropic, bench: Workbench) -> None:
    """It is an estimate, an agent's instructions among it; the ledger doesn't count it."""
    before = len(bench.usage())
    bare = client.messages.count_tokens(model="scripted/text", messages=HI)
    agent = client.messages.count_tokens(model="bot", messages=HI, tools=[WEATHER])
    assert (bare.input_tokens, len(bench.usage())) == (1, before)
    assert agent.input_tokens > 40


def test_models(client: anthropic.Anthropic) -> None:
    """All pages together are what the other surfaces list."""
    page = client.models.list(limit=5)
    names = [model.id for model in page]
    assert (len(page.data), page.has_more, page.first_id, page.last_id) == (5, True, names[0], names[4])
    assert {"bot", "scripted/text"} < set(names)
    assert len(names) == len(set(names)) > 15


def test_a_page_before(client: anthropic.Anthropic) -> None:
    """Pages go backwards too."""
    names = [model.id for model in client.models.list()]
    page = client.models.list(limit=2, before_id=names[3])
    assert ([model.id for model in page.data], page.has_more) == (names[1:3], True)
    assert client.models.list(limit=9, before_id=names[3]).data[0].id == names[0]


def test_models_for_others(http: httpx2.Client) -> None:
    """Whoever doesn't say which version of Anthropic's API it speaks gets OpenAI's form."""
    assert http.get("models").json()["object"] == "list"
    assert "has_more" in http.get("models", headers={"anthropic-version": "2023-06-01"}).json()


def test_models_of_a_key(bench: Workbench) -> None:
    """A caller sees the agents that it may use, and no other can be asked or counted for."""
    caller = Principal(user="u1", agents=("bot",), remote=True)
    transport = InProcessTransport(bench._loop, lambda: bench.app, caller)
    headers = {"anthropic-version": "2023-06-01"}
    with httpx2.Client(transport=transport, base_url=f"{IN_PROCESS_URL}/", headers=headers) as http:
        assert [model["id"] for model in http.get("models").json()["data"]] == ["bot"]
        body = {"model": "scripted/text", "max_tokens": 9, "messages": HI}
        statuses = [http.post(path, json=body).status_code for path in ("messages", "messages/count_tokens")]
    assert statuses == [404, 404]


def test_tools_that_ran_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The client sees the answer as if there had been no tools, whole and streamed."""
    turns = [[{"text": "One. "}, call("look", where="here")], [{"text": "Two."}, call("weather", city="Seoul")]]
    agent = {"id": "bot", "endpoint": "scripted", "model": "m", "tools": ["look"]}
    config = {"endpoints": {"scripted": {"models": {"m": {"turns": turns}}}}, "agents": [agent]}

    def look(where: str) -> str:
        """Look somewhere."""
        return f"Nothing {where}."

    with Workbench(config, home=tmp_path_factory.mktemp("home")) as bench, bench.anthropic() as client:
        bench.add_tool(look)
        whole = create(client, model="bot")
        with client.messages.stream(model="bot", max_tokens=99, messages=HI) as stream:
            streamed: Any = stream.get_final_message()
    for message in (whole, streamed):
        assert [getattr(block, "text", None) or block.name for block in message.content] == ["One. ", "Two.", "weather"]
        assert message.stop_reason == "tool_use"


def test_without_the_sdk(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setattr("agentbench.gateway.clients.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"agentbench\[anthropic\]"):
        bench.anthropic()


@pytest.mark.local_model
def test_the_local_model(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A real model answers, whole and streamed, with its usage."""
    fields: Any = {"model": "local", "max_tokens": 8, "messages": HI, "extra_body": {"temperature": 0}}
    with Workbench(home=tmp_path_factory.mktemp("local")) as bench, bench.anthropic() as client:
        whole = client.messages.create(**fields)
        with client.messages.stream(**fields) as stream:
            text = "".join(stream.text_stream)
            streamed = stream.get_final_message()
    assert [(each.stop_reason, each.usage.output_tokens) for each in (whole, streamed)] == [("max_tokens", 8)] * 2
    assert text
    assert text == streamed.content[0].text == whole.content[0].text
