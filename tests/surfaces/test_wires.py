"""What the surfaces would send for events that were kept: the same bytes that they do send, and Ollama's lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import ollama
import pytest
from tests.surfaces.scripts import SCRIPTS, TOLD

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.gateway.clients import IN_PROCESS_URL
from agentbench.protocol import CreateResponse, Event, EventBuilder, draft
from agentbench.protocol.content import LogProb
from agentbench.protocol.items import FunctionCallOutput
from agentbench.protocol.recording import event_object
from agentbench.protocol.request import StreamOptions
from agentbench.surfaces.wires import WIRES, sent, sent_raw, typed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench import Workbench
    from agentbench.surfaces.wires import Sent

ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "responses": ("/responses", {"input": "Hi"}),
    "chat": ("/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
    "anthropic": ("/messages", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 99}),
}


def served(bench: Workbench, wire: str, name: str) -> str:
    """Return what the gateway itself streams for a script."""
    path, body = ASKED[wire]
    with httpx2.Client(transport=bench.transport(), base_url=f"{IN_PROCESS_URL}/") as http:
        asked = {**body, "model": f"scripted/{name}", "stream": True}
        if wire == "chat":
            asked["stream_options"] = {"include_usage": True}
        return http.post(path.lstrip("/"), json=asked).text


def kept(bench: Workbench, name: str) -> tuple[Event, ...]:
    """Return the events of an answer of a script."""
    return tuple(bench.stream("Hi", model=f"scripted/{name}"))


def without_ids(text: str) -> str:
    """Return a stream with its ids and times named by the order in which they come, so that two can be compared."""
    import re

    names: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"<{len(names)}>")

    text = re.sub(r"\b(resp|msg|fc|rs|call|req)_[0-9a-f]{32}|chatcmpl-[0-9a-f]{32}", name, text)
    text = re.sub(r'"(created|created_at|completed_at)":\d+', r'"\1":0', text)
    return re.sub(r'"(truncation|max_output_tokens)":("\w+"|\w+)', r'"\1":0', text)  # which the ways in set by default


def joined(frames: Iterable[Sent]) -> str:
    """Return the frames as one text."""
    return "".join(frame.text for frame in frames)


@pytest.mark.parametrize("name", sorted(TOLD))
@pytest.mark.parametrize("wire", ASKED)
def test_the_surfaces_own_bytes(bench: Workbench, wire: str, name: str) -> None:
    """Of each script's events a wire makes what the surface sends, but for ids and times."""
    assert without_ids(joined(sent(kept(bench, name), wire))) == without_ids(served(bench, wire, name))


@pytest.mark.parametrize("wire", WIRES)
def test_each_frame_has_its_event(bench: Workbench, wire: str) -> None:
    """Frames come in the order of the events that caused them; what ends the stream belongs to the last."""
    events = kept(bench, "everything")
    indexes = [frame.index for frame in sent(events, wire)]
    assert indexes == sorted(indexes)
    assert indexes[-1] == len(events) - 1
    if wire == "responses":
        assert indexes == [*range(len(events)), len(events) - 1]


def test_usage_only_where_it_is_asked_for(bench: Workbench) -> None:
    """Chat chunks tell the usage if the request asks for it, or if no request is known."""
    events = kept(bench, "text")
    asked = CreateResponse(stream_options=StreamOptions(include_usage=True))
    told = ['"usage"' in joined(sent(events, "chat", request=each)) for each in (None, CreateResponse(), asked)]
    assert told == [True, False, True]


def test_tools_that_ran_here() -> None:
    """A call whose result is in the stream ran here: it is left out, unless receipts are asked for."""
    builder = EventBuilder(draft(CreateResponse(), model="m"))
    events = builder.start() + builder.call(0, name="look", call_id="call_1") + builder.end_item()
    events += builder.call_done(0) + builder.item(FunctionCallOutput(id="fco_1", call_id="call_1", output="5"))
    events += builder.text("Five.")
    builder.stop()
    events += builder.finish()
    assert "look" not in joined(sent(events, "responses"))
    assert "look" in joined(sent(events, "responses", receipts=True))
    numbers = [msgspec.json.decode(frame.text.partition("data: ")[2]) for frame in sent(events, "responses")[:-1]]
    assert [event["sequence_number"] for event in numbers] == list(range(len(numbers)))


def test_an_unknown_wire() -> None:
    """The wires that there are are named."""
    with pytest.raises(UnknownName, match="responses, chat, anthropic, ollama"):
        sent((), "telegraph")


# -- Ollama ---------------------------------------------------------------------------------------------------------


def lines(events: Iterable[Event], **options: Any) -> list[dict[str, Any]]:
    """Return the lines of Ollama's stream."""
    text = joined(sent(tuple(events), "ollama", **options))
    assert text.endswith("\n")
    return [msgspec.json.decode(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", sorted(name for name, told in TOLD.items() if told.error is None))
def test_what_ollamas_client_reads(bench: Workbench, name: str) -> None:
    """The types of the `ollama` package read each line, and together they tell the whole answer."""
    read = [ollama.ChatResponse.model_validate(line) for line in lines(kept(bench, name))]
    *pieces, last = read
    told = TOLD[name]
    assert "".join(each.message.content or "" for each in pieces) == told.text + told.refusal
    assert "".join(each.message.thinking or "" for each in pieces) == told.reasoning
    calls = [call.function for each in pieces for call in each.message.tool_calls or ()]
    assert [call.name for call in calls] == [call for call, _ in told.calls]
    assert [each.done for each in read] == [False] * len(pieces) + [True]
    assert last.done_reason == ("length" if told.finish == "length" else "stop")
    if told.tokens:
        assert (last.prompt_eval_count, last.eval_count) == told.tokens[:2]


def test_arguments_are_objects(bench: Workbench) -> None:
    """A call's arguments are an object; a text that is none becomes the value of the only key."""
    [piece, _] = lines(kept(bench, "call"))
    [call] = piece["message"]["tool_calls"]
    assert call["function"] == {"index": 0, "name": "weather", "arguments": {"city": "서울"}}
    [piece, _] = lines(kept(bench, "call-with-broken-arguments"))
    assert piece["message"]["tool_calls"][0]["function"]["arguments"] == {"arguments": '{"zone": '}


def test_durations(bench: Workbench) -> None:
    """Times become nanoseconds: to the first piece, from there to the end, and all of it."""
    events = kept(bench, "text")
    first = next(place for place, event in enumerate(events) if "Delta" in type(event).__name__)
    times = [0.5 if place <= first else 2.0 for place in range(len(events))]
    piece, *_, last = lines(events, times=times)
    assert (last["total_duration"], last["prompt_eval_duration"], last["eval_duration"]) == (
        2 * 10**9,
        5 * 10**8,
        15 * 10**8,
    )
    assert piece["created_at"].endswith(".500000Z")


def test_an_error(bench: Workbench) -> None:
    """What goes wrong midway is a line of its own, and the last."""
    assert lines(kept(bench, "failed"))[-1] == {"error": "The model caught fire."}


def test_log_probabilities() -> None:
    """They stand beside the piece that they belong to, and Ollama's client reads them."""
    builder = EventBuilder(draft(CreateResponse(), model="m"))
    events = builder.start() + builder.text("Hi", logprobs=(LogProb(token="Hi", logprob=-0.5),))
    builder.stop()
    piece = ollama.ChatResponse.model_validate(lines(events + builder.finish())[0])
    assert piece.logprobs is not None
    assert (piece.logprobs[0].token, piece.logprobs[0].logprob) == ("Hi", -0.5)


# -- events of other servers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_raw_events_become_ours(bench: Workbench, name: str) -> None:
    """Events that went through JSON are the same again, on any wire."""
    events = kept(bench, name)
    raw = [event_object(event) for event in events]
    assert typed(raw) == events
    assert sent_raw(raw, "anthropic") == sent(events, "anthropic")


def test_what_other_servers_do(bench: Workbench) -> None:
    """Nulls for what is absent, OpenAI's names and missing numbers are mended; extensions' events are passed over."""
    events = kept(bench, "reasoning")
    raw: list[Any] = [event_object(event) for event in events]
    for event in raw:
        event["type"] = event["type"].replace("response.reasoning.", "response.reasoning_text.")
        event.pop("sequence_number")
        if "part" in event:
            event["part"]["annotations"] = None
    assert typed(raw) == events
    frames = sent_raw([raw[0], {"type": "acme:progress"}, *raw[1:]], "responses")
    assert [frame.index for frame in frames[:3]] == [0, 2, 3]


def test_a_server_without_indexes(bench: Workbench) -> None:
    """Where events have ids alone, and the first response little more, the same frames come out."""
    events = kept(bench, "parallel-calls")
    raw: list[Any] = [event_object(event) for event in events]
    for event in raw:
        for key in ("output_index", "content_index", "sequence_number"):
            event.pop(key, None)
    raw[0]["response"] = {"id": raw[0]["response"]["id"], "status": "in_progress"}
    assert sent_raw(raw, "chat") == sent(events, "chat")


def test_a_flat_error() -> None:
    """OpenAI's error event has its words at the top."""
    flat = {"type": "error", "code": None, "message": "Oh.", "param": None, "sequence_number": 3}
    [event] = typed([flat])
    assert event_object(event)["error"]["message"] == "Oh."


@pytest.mark.parametrize(
    "bad", [5, {}, {"type": []}, {"type": "response.audio.delta"}, {"type": "error", "error": "x"}]
)
def test_what_cannot_be_sent(bench: Workbench, bad: Any) -> None:
    """An event that is none of ours is refused, with its index."""
    raw = [event_object(event) for event in kept(bench, "text")]
    with pytest.raises(InvalidRequest, match="Event 2 can't be sent on another wire"):
        typed([*raw[:2], bad, *raw[2:]])


@pytest.mark.parametrize("changes", [{"delta": "\ud800"}, {"type": "\ud800"}, {"output_index": 10**5000}])
def test_values_that_cannot_be_written(bench: Workbench, changes: dict[str, Any]) -> None:
    """Half a character and a number that is too large are refused, with the event."""
    raw = [event_object(event) for event in kept(bench, "text")]
    place = next(index for index, event in enumerate(raw) if "delta" in event)
    raw[place] |= changes
    with pytest.raises(InvalidRequest, match=f"Event {place} "):
        sent_raw(raw, "responses")


@pytest.mark.parametrize("wire", WIRES)
def test_a_broken_order(bench: Workbench, wire: str) -> None:
    """Arguments of a call that never began, and a stream without a response, are refused where they can't be sent."""
    events = [event for event in kept(bench, "call") if type(event).__name__ != "ItemAdded"]
    if wire in ("chat", "anthropic"):
        with pytest.raises(InvalidRequest, match="was not added before"):
            sent(events, wire)
    with pytest.raises(InvalidRequest, match="no response"):
        sent(events[2:-1], wire)
