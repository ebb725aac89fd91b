"""The real SDKs in front, every provider against a server of its protocol behind: each surface streams the scenes."""

from __future__ import annotations

from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.providers.speaker import serving

from agentbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator

    import anthropic
    import openai

NAMES = ("anthropic", "azure_openai", "bedrock", "google", "ollama", "openai_chat", "openai_responses")
CITY: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
RESULTS = ("sun", "rain")
TOLD = "Seoul: sun, Jeju: rain"
HELLO: Any = {"role": "user", "content": "Hi"}

every_speaker = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Give a workbench with an endpoint for each speaker, of its name."""
    endpoints = {}
    with ExitStack() as stack:
        for name in NAMES:
            speaker = import_module(f"tests.providers.speak_{name}").Speaker()
            endpoint = speaker.endpoint(stack.enter_context(serving(speaker.app)))
            endpoints[name] = msgspec.structs.replace(endpoint, name=name)
        bench = stack.enter_context(Workbench({}, home=tmp_path_factory.mktemp("home")))
        bench._use(msgspec.structs.replace(bench.catalog, endpoints=endpoints))
        yield bench


@pytest.fixture
def client(bench: Workbench) -> Iterator[openai.OpenAI]:
    """Give the openai SDK's client, which objects to anything that its types don't know."""
    with bench.openai() as client:
        client._strict_response_validation = True
        yield client


@pytest.fixture
def claude(bench: Workbench) -> Iterator[anthropic.Anthropic]:
    """Give the anthropic SDK's client, as strict."""
    pytest.importorskip("anthropic")
    with bench.anthropic() as client:
        client._strict_response_validation = True
        yield client


def response(client: openai.OpenAI, model: str, asked: Any = "Hi", **more: Any) -> Any:
    """Return the response that a stream ends with."""
    with client.responses.stream(model=model, input=asked, **more) as stream:
        return stream.until_done().get_final_response()


def completion(client: openai.OpenAI, model: str, *messages: Any, **more: Any) -> Any:
    """Return the message that a chat's stream makes."""
    with client.chat.completions.stream(model=model, messages=messages or [HELLO], **more) as stream:
        return stream.until_done().get_final_completion().choices[0].message


def message(client: anthropic.Anthropic, model: str, *messages: Any, **more: Any) -> Any:
    """Return the message that a stream of Anthropic's ends with."""
    with client.messages.stream(model=model, messages=messages or [HELLO], max_tokens=2000, **more) as stream:
        return stream.get_final_message()


def of_type(parts: Any, kind: str) -> list[Any]:
    """Return the items or blocks of a type; others may hold what a provider wants to see again."""
    return [part for part in parts if part.type == kind]


@every_speaker
def test_text(client: openai.OpenAI, claude: anthropic.Anthropic, name: str) -> None:
    """Text and its tokens come through every surface."""
    made, said = response(client, f"{name}/text"), message(claude, f"{name}/text")
    assert (made.output_text, made.usage.input_tokens, made.usage.output_tokens) == ("Hello from here.", 12, 5)
    assert completion(client, f"{name}/text").content == "Hello from here."
    assert (said.content[0].text, said.usage.input_tokens, said.usage.output_tokens) == ("Hello from here.", 12, 5)


@every_speaker
def test_reasoning_in_responses(client: openai.OpenAI, name: str) -> None:
    """Reasoning comes as an item, and goes back as it came."""
    client._strict_response_validation = False  # Open Responses has its own name for the deltas of raw reasoning
    given: Any = {"reasoning": {"effort": "low", "summary": "auto"}}
    first = response(client, f"{name}/thinks", **given)
    kept = response(client, f"{name}/thinks", "Sure?", previous_response_id=first.id, **given)
    items = [item.to_dict() for item in first.output]
    brought = response(client, f"{name}/thinks", [HELLO, *items, HELLO], **given)
    assert [answer.output_text for answer in (first, kept, brought)] == ["42."] * 3
    assert {answer.output[0].type for answer in (first, kept, brought)} == {"reasoning"}


@every_speaker
def test_reasoning_in_chat(client: openai.OpenAI, name: str) -> None:
    """Reasoning comes beside the text, and the talk goes on without it."""
    first = completion(client, f"{name}/thinks", reasoning_effort="low")
    history = [HELLO, {"role": "assistant", "content": first.content}, HELLO]
    again = completion(client, f"{name}/thinks", *history, reasoning_effort="low")
    assert [(each.content, each.reasoning_content) for each in (first, again)] == [("42.", "Let me see.")] * 2


@every_speaker
def test_reasoning_in_messages(claude: anthropic.Anthropic, name: str) -> None:
    """Reasoning comes as a block, and goes back as it came."""
    given: Any = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    first = message(claude, f"{name}/thinks", **given)
    blocks = [block.to_dict() for block in first.content]
    again = message(claude, f"{name}/thinks", HELLO, {"role": "assistant", "content": blocks}, HELLO, **given)
    for said in (first, again):
        thought, text = (of_type(said.content, each)[0] for each in ("thinking", "text"))
        assert (thought.thinking, text.text) == ("Let me see.", "42.")


@every_speaker
def test_calls_in_responses(client: openai.OpenAI, name: str) -> None:
    """The client's tools are called side by side, and their results find the calls."""
    tools: Any = [{"type": "function", "name": "get_weather", "parameters": CITY, "strict": False}]
    first = response(client, f"{name}/calls", tools=tools)
    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": told}
        for call, told in zip(of_type(first.output, "function_call"), RESULTS, strict=True)
    ]
    kept = response(client, f"{name}/calls", results, tools=tools, previous_response_id=first.id)
    assert kept.output_text == TOLD


@every_speaker
def test_calls_in_chat(client: openai.OpenAI, name: str) -> None:
    """The same in a chat."""
    tools: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]
    calls = completion(client, f"{name}/calls", tools=tools).tool_calls
    asked = [
        {"id": call.id, "type": "function", "function": {"name": "get_weather", "arguments": call.function.arguments}}
        for call in calls
    ]
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": told} for call, told in zip(calls, RESULTS, strict=True)
    ]
    history = [HELLO, {"role": "assistant", "tool_calls": asked}, *results]
    assert completion(client, f"{name}/calls", *history, tools=tools).content == TOLD


@every_speaker
def test_calls_in_messages(claude: anthropic.Anthropic, name: str) -> None:
    """The same in Anthropic's messages."""
    tools: Any = [{"name": "get_weather", "input_schema": CITY}]
    first = message(claude, f"{name}/calls", tools=tools).content
    calls = of_type(first, "tool_use")
    assert [call.input for call in calls] == [{"city": "Seoul"}, {"city": "Jeju"}]
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": told}
        for call, told in zip(calls, RESULTS, strict=True)
    ]
    blocks = [block.to_dict() for block in first]
    history = [HELLO, {"role": "assistant", "content": blocks}, {"role": "user", "content": results}]
    assert message(claude, f"{name}/calls", *history, tools=tools).content[0].text == TOLD
