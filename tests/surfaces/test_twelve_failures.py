"""The twelve failures that users of gateways for Responses report most; each is named by its test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.runner.fakes import FakeProvider
from tests.surfaces.scripts import TOLD

from agentbench.errors import UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2
    import openai

    Put = Callable[[FakeProvider], FakeProvider]

NAMES = sorted(TOLD)
TERMINAL = {"response.completed", "response.failed", "response.incomplete"}
INTS = ("input_tokens", "output_tokens", "total_tokens")


def frames(http: httpx2.Client, name: str = "text", **fields: Any) -> list[tuple[str, Any]]:
    """Return the `event` line and the data of each frame; the end is checked."""
    body = {"model": f"scripted/{name}", "input": "Hi", "stream": True, **fields}
    *found, last = http.post("responses", json=body).text.removesuffix("\n\n").split("\n\n")
    assert last == "data: [DONE]"
    pairs = [each.split("\n") for each in found]
    return [(event.removeprefix("event: "), msgspec.json.decode(data.removeprefix("data: "))) for event, data in pairs]


def create(http: httpx2.Client, **fields: Any) -> Any:
    """Return a response as it was answered."""
    answer = http.post("responses", json={"model": "bot", "input": "Hi", **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("name", NAMES)
def test_1_no_sequence_number_or_event_line(http: httpx2.Client, name: str) -> None:
    """Numbers go up by one from 0, and the event line is the type."""
    found = frames(http, name)
    assert [data["sequence_number"] for _, data in found] == list(range(len(found)))
    assert [event for event, _ in found] == [data["type"] for _, data in found]


@pytest.mark.parametrize("name", NAMES)
def test_2_indexes_absent_or_colliding(http: httpx2.Client, name: str) -> None:
    """An item's index is its place in the output; a part's is its place in the item."""
    found = [data for _, data in frames(http, name)]
    output = found[-1]["response"]["output"]
    added = [data for data in found if data["type"] == "response.output_item.added"]
    assert [(data["output_index"], data["item"]["id"]) for data in added] == [
        (place, item["id"]) for place, item in enumerate(output)
    ]
    for data in found:
        if "item_id" in data:
            assert output[data["output_index"]]["id"] == data["item_id"]
        if "content_index" in data:
            assert data["content_index"] < len(output[data["output_index"]]["content"])


@pytest.mark.parametrize("name", NAMES)
def test_3_ids_that_change(http: httpx2.Client, name: str) -> None:
    """The last response holds the very items that were streamed, under one response id."""
    found = [data for _, data in frames(http, name)]
    done = [data["item"] for data in found if data["type"] == "response.output_item.done"]
    assert found[-1]["response"]["output"] == done
    assert len({data["response"]["id"] for data in found if "response" in data}) == 1


@pytest.mark.parametrize(
    "provider",
    [
        FakeProvider("one ", UpstreamUnavailable("Gone.")),
        FakeProvider("one ", KeyError("a bug")),
        FakeProvider("one ", lambda builder: builder.call(1, arguments="{")),
        FakeProvider(lambda builder: builder.cut("max_output_tokens")),
    ],
    ids=["dropped", "bug", "nameless call", "cut"],
)
def test_4_no_terminal_event(http: httpx2.Client, upstream: Put, provider: FakeProvider) -> None:
    """Whatever happens upstream, exactly one terminal event comes, and it is the last."""
    upstream(provider)
    events = [event for event, _ in frames(http)]
    assert [event for event in events if event in TERMINAL] == events[-1:]


def test_5_errors_swallowed_midway(http: httpx2.Client) -> None:
    """`error`, then `response.failed`, with the same words and a code that is text."""
    error, failed = [data for _, data in frames(http, "failed")][-2:]
    assert (error["type"], failed["type"]) == ("error", "response.failed")
    assert error["error"]["message"] == failed["response"]["error"]["message"] == "The model caught fire."
    assert error["error"]["code"] == failed["response"]["error"]["code"] == "upstream_error"


def test_6_previous_response_id_ignored_or_racy(client: openai.OpenAI, upstream: Put) -> None:
    """A response can be followed as soon as its last event is there; input, list or text, and output come before."""
    provider = upstream(FakeProvider("yes"))
    previous, said = None, []
    for number in range(20):
        items: Any = [{"role": "user", "content": f"q{number}"}] if number % 2 else f"q{number}"
        stream = client.responses.create(model="bot", input=items, previous_response_id=previous, stream=True)
        last: Any = next(event for event in stream if event.type == "response.completed")
        previous = last.response.id
        said += [f"q{number}", "yes"]
    assert [item.text for item in provider.requests[-1].input] == said[:-1]


def test_7_reasoning_lost_or_refused(http: httpx2.Client, upstream: Put) -> None:
    """Reasoning always has a summary, goes in as it came out, and reaches the provider in its place."""
    first = create(http, model="scripted/reasoning", store=False)
    assert [item["type"] for item in first["output"]] == ["reasoning", "message"]
    assert first["output"][0]["summary"] == []
    provider = upstream(FakeProvider())
    create(http, input=[{"role": "user", "content": "Hi"}, *first["output"], {"role": "user", "content": "And?"}])
    kinds = [item.__struct_config__.tag for item in provider.requests[-1].input]
    assert kinds == ["message", "reasoning", "message", "message"]


def test_8_reasoning_events_of_another_name(http: httpx2.Client, upstream: Put) -> None:
    """Raw reasoning has the spec's names; summaries the names that all share."""
    upstream(FakeProvider(lambda builder: builder.reasoning("a"), lambda builder: builder.reasoning_summary("b")))
    events = [event for event, _ in frames(http)]
    assert {event for event in events if "reasoning" in event} == {
        "response.reasoning.delta",
        "response.reasoning.done",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
    }


@pytest.mark.parametrize("name", [name for name in NAMES if TOLD[name].calls])
def test_9_arguments_doubled_merged_or_empty(http: httpx2.Client, name: str) -> None:
    """A call begins with no arguments; its deltas put together are its arguments; one without any has `{}`."""
    found = [data for _, data in frames(http, name)]
    calls = [item for item in found[-1]["response"]["output"] if item["type"] == "function_call"]
    added = [data["item"] for data in found if data["type"] == "response.output_item.added"]
    assert {item["arguments"] for item in added if item["type"] == "function_call"} == {""}
    for call in calls:
        deltas = [data["delta"] for data in found if data.get("item_id") == call["id"] and "delta" in data]
        assert "".join(deltas) == call["arguments"]
    assert tuple((call["name"], call["arguments"]) for call in calls) == TOLD[name].calls
    assert len({call["call_id"] for call in calls}) == len(calls)


@pytest.mark.parametrize("name", NAMES)
def test_10_required_fields_missing_or_null(http: httpx2.Client, name: str) -> None:
    """Every snapshot has all keys, and those that may not be null are not."""
    nullable = {"completed_at", "incomplete_details", "previous_response_id", "instructions", "error", "reasoning"}
    nullable |= {"usage", "max_output_tokens", "max_tool_calls", "safety_identifier", "prompt_cache_key"}
    snapshots = [data["response"] for _, data in frames(http, name) if "response" in data]
    whole = create(http, model=f"scripted/{name}")
    for each in (*snapshots, whole):
        assert set(each) == set(whole)
        assert len(each) >= 31
        assert {key for key, value in each.items() if value is None} <= nullable


@pytest.mark.parametrize("path", ["responses", "chat/completions"])
def test_11_usage_missing_or_none(http: httpx2.Client, path: str) -> None:
    """All of it are numbers, also those of the details."""
    body = {"model": "scripted/text", "input": "Hi", "messages": [{"role": "user", "content": "Hi"}]}
    usage = http.post(path, json=body).json()["usage"]
    details = [value for key, value in usage.items() if key.endswith("_details")]
    numbers = [value for each in (usage, *details) for value in each.values() if not isinstance(value, dict)]
    assert len(details) == 2
    assert len(numbers) == 6
    assert all(isinstance(value, int) for value in numbers)


def test_12_easy_or_replayed_input_refused(http: httpx2.Client) -> None:
    """No type, null ids, items as they came out: all is read; what isn't gets one short message."""
    first = create(http, model="scripted/text-and-calls", store=False)
    outputs = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "ok"}
        for item in first["output"]
        if item["type"] == "function_call"
    ]
    bare = [{key: value for key, value in item.items() if key not in ("id", "status")} for item in first["output"]]
    nulls = [{**item, "id": None, "status": None} for item in first["output"]]
    for replayed in (first["output"], bare, nulls):
        create(http, input=[{"role": "user", "content": "Hi"}, *replayed, *outputs])
    answer = http.post("responses", json={"model": "bot", "input": [{"type": "tool_search_call", "id": "x"}]})
    assert answer.json()["error"]["message"] == "input[0]: unknown item type 'tool_search_call'."
