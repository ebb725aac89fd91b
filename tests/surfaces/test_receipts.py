"""Answers of agents whose tools ran here: clients see them as if there had been no tools, unless they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.grammar import check_grammar
from tests.surfaces.scripts import BUSAN, SCRIPTS, SEOUL, TOLD, Told, call
from tests.surfaces.test_contract import assembled, frames, of_message, of_response

from agentbench import Workbench
from agentbench.protocol import Event
from agentbench.surfaces.receipts import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2
    import openai

OWN = ("look", '{"where":"here"}')
LOOK = call("look", where="here")
MIXED = [{"reasoning": "Hm. "}, call("weather", city="Seoul"), LOOK, call("weather", city="Busan")]
TURNS: dict[str, list[list[dict[str, Any]]]] = {
    **{name: [[LOOK, LOOK], script] for name, script in SCRIPTS.items()},
    "twice": [[{"text": "One. "}, LOOK], [{"reasoning": "Hm. "}, LOOK], [{"text": "Two."}]],
    "mixed": [MIXED],
}
SEEN = TOLD | {
    "twice": Told(text="One. Two.", reasoning="Hm. "),
    "mixed": Told(reasoning="Hm. ", calls=(SEOUL, BUSAN), finish="tool_calls"),
}
NAMES = sorted(TURNS)
WHOLE = [name for name in NAMES if SEEN[name].error is None]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Give a workbench with an agent for every script, each of which first uses a tool of its own."""
    agents = [{"id": name, "endpoint": "scripted", "model": name, "tools": ["look"]} for name in TURNS]
    models = {name: {"turns": turns} for name, turns in TURNS.items()}
    config = {"endpoints": {"scripted": {"models": models}}, "agents": agents}

    def look(where: str) -> str:
        """Look somewhere."""
        return f"Nothing {where}."

    with Workbench(config, home=tmp_path_factory.mktemp("home")) as bench:
        bench.add_tool(look)
        yield bench


def respond(http: httpx2.Client, name: str, *, include: bool = False, **fields: Any) -> httpx2.Response:
    """Ask through Open Responses."""
    headers = {HEADER: "include"} if include else {}
    return http.post("responses", json={"model": name, "input": "Hi", **fields}, headers=headers)


def complete(http: httpx2.Client, name: str, **fields: Any) -> httpx2.Response:
    """Ask through Chat Completions."""
    body = {"model": name, "messages": [{"role": "user", "content": "Hi"}], **fields}
    return http.post("chat/completions", json=body)


def events_of(response: httpx2.Response) -> list[Event]:
    """Return a stream's events, their grammar checked."""
    events = msgspec.convert(frames(response), list[Event])
    check_grammar(events)
    return events


# -- left out -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_responses(http: httpx2.Client, name: str) -> None:
    """A whole response tells what is for the client only."""
    response = respond(http, name).json()
    assert of_response(response) == SEEN[name]
    assert OWN[0] not in [item.get("name") for item in response["output"]]
    assert "function_call_output" not in [item["type"] for item in response["output"]]


@pytest.mark.parametrize("name", NAMES)
def test_responses_streamed(http: httpx2.Client, name: str) -> None:
    """The stream is gapless and whole without them, and ends in the same response."""
    response = respond(http, name, stream=True)
    events = events_of(response)
    last = frames(response)[-1]
    assert of_response(last["response"]) == SEEN[name]
    assert last["type"] == f"response.{SEEN[name].status}"
    assert '"look"' not in response.text
    assert len(events) == last["sequence_number"] + 1


@pytest.mark.parametrize("name", NAMES)
def test_chat(http: httpx2.Client, name: str) -> None:
    """A whole completion tells what is for the client only; its finish reason too."""
    response, told = complete(http, name), SEEN[name]
    if told.error is not None:
        assert response.json()["error"]["message"] == told.error
        return
    (choice,) = response.json()["choices"]
    assert of_message(choice["message"], choice["finish_reason"], response.json()["usage"]) == told


@pytest.mark.parametrize("name", WHOLE)
def test_chat_streamed(http: httpx2.Client, name: str) -> None:
    """The chunks put together tell the same; the client's calls are counted from 0."""
    response = complete(http, name, stream=True, stream_options={"include_usage": True})
    assert assembled(frames(response)) == SEEN[name]
    assert '"look"' not in response.text


# -- the openai SDK -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WHOLE)
def test_the_sdks_stream_helper(client: openai.OpenAI, name: str) -> None:
    """It puts the stream together by its indexes, and finds every item where it should be."""
    client._strict_response_validation = not SEEN[name].reasoning  # which Open Responses calls by another name
    with client.responses.stream(model=name, input="Hi") as stream:
        events = list(stream)
        last = events[-1]
    assert last.type == f"response.{SEEN[name].status}"
    assert last.response.output_text == SEEN[name].text


def test_the_sdks_chat_stream_helper(client: openai.OpenAI) -> None:
    """It finds the client's calls, and only those."""
    with client.chat.completions.stream(model="mixed", messages=[{"role": "user", "content": "Hi"}]) as stream:
        message = stream.get_final_completion().choices[0].message
    assert [(each.function.name, each.function.arguments) for each in message.tool_calls or ()] == [SEOUL, BUSAN]


def test_a_mixed_turn_goes_on(client: openai.OpenAI) -> None:
    """The client answers the calls that it saw; what ran here is remembered."""
    first = client.responses.create(model="mixed", input="Hi")
    calls = [item for item in first.output if item.type == "function_call"]
    results = [{"type": "function_call_output", "call_id": each.call_id, "output": "Rain."} for each in calls]
    again = client.responses.create(model="mixed", input=results, previous_response_id=first.id)  # type: ignore[arg-type] - plain JSON
    assert again.status == "completed"


# -- asked for ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["include", " Include "])
def test_receipts(http: httpx2.Client, value: str) -> None:
    """A client that asks by the header sees every call and result."""
    response = http.post("responses", json={"model": "text", "input": "Hi"}, headers={HEADER: value}).json()
    kinds = [item["type"] for item in response["output"]]
    assert kinds == ["function_call", "function_call", "function_call_output", "function_call_output", "message"]
    assert [item["output"] for item in response["output"][2:4]] == ["Nothing here."] * 2


@pytest.mark.parametrize("value", ["", "no", "exclude"])
def test_other_wishes(http: httpx2.Client, value: str) -> None:
    """Any other value is no wish."""
    response = http.post("responses", json={"model": "text", "input": "Hi"}, headers={HEADER: value}).json()
    assert [item["type"] for item in response["output"]] == ["message"]


@pytest.mark.parametrize("name", NAMES)
def test_receipts_streamed(http: httpx2.Client, name: str) -> None:
    """The same in a stream, by the same grammar."""
    events = events_of(respond(http, name, include=True, stream=True))
    output = events[-1].response.output  # type: ignore[union-attr] - the grammar has been checked
    assert any(getattr(item, "name", "") == "look" for item in output)
    assert any(getattr(item, "output", "") == "Nothing here." for item in output)
