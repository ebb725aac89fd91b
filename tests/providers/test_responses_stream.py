"""What the events of a Responses upstream mean, one oddity at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.grammar import check_grammar
from tests.providers.replay import frames, replay, told

from agentbench.protocol import CreateResponse, Event, EventBuilder, Response, collect, draft
from agentbench.protocol import events as ev
from agentbench.protocol.content import LogProb, OutputText, UrlCitation
from agentbench.protocol.items import Message, Reasoning
from agentbench.providers.responses_stream import ResponsesDecoder

if TYPE_CHECKING:
    from collections.abc import Mapping

END: dict[str, object] = {"type": "completed", "response": {"status": "completed"}}
SEOUL = '{"city":"Seoul"}'


def stream(*events: Mapping[str, object]) -> list[Event]:
    """Return our events for an upstream's, whose types are given without `response.`."""
    whole = [{**event, "type": f"response.{event['type']}"} for event in events]
    made = replay("openai_responses", [frames(*whole)])
    check_grammar(made)
    return made


def answer(*events: Mapping[str, object]) -> Response:
    """Return the response that an upstream's events make."""
    return collect(stream(*events))


def added(kind: str, **item: object) -> dict[str, object]:
    """Return the event that an item begins."""
    return {"type": "output_item.added", "item": {"type": kind} | item}


def done(kind: str, **item: object) -> dict[str, object]:
    """Return the event that an item is whole."""
    return {"type": "output_item.done", "item": {"type": kind} | item}


def text(delta: str, **more: object) -> dict[str, object]:
    """Return the event of more text."""
    return {"type": "output_text.delta", "delta": delta} | more


def arguments(delta: str, **more: object) -> dict[str, object]:
    """Return the event of more arguments."""
    return {"type": "function_call_arguments.delta", "delta": delta} | more


def parts(*texts: str) -> list[dict[str, str]]:
    """Return parts of text."""
    return [{"type": "output_text", "text": each} for each in texts]


def summary(delta: str, index: int) -> dict[str, object]:
    """Return the event of more of a summary."""
    return {"type": "reasoning_summary_text.delta", "delta": delta, "summary_index": index}


def only_part(response: Response) -> OutputText:
    """Return the one part of the one message."""
    (message,) = response.output
    assert isinstance(message, Message)
    (only,) = message.content
    assert isinstance(only, OutputText)
    return only


# -- messages ---------------------------------------------------------------------------------------------------------


def test_deltas_without_items() -> None:
    """Deltas will do: a server may announce nothing."""
    assert told(answer(text("a"), text("b"), END))[:2] == ("completed", "ab")


def test_delta_and_whole() -> None:
    """A whole message that already came in deltas is not said twice."""
    assert answer(added("message"), text("ab"), done("message", content=parts("ab")), END).output_text == "ab"


def test_two_messages() -> None:
    """Each message is judged by itself: the first came in deltas, the second whole."""
    events = [added("message"), text("a"), done("message", content=parts("a")), done("message", content=parts("b"))]
    assert [item.text for item in answer(*events, END).output if isinstance(item, Message)] == ["a", "b"]


def test_done_late() -> None:
    """Reasoning that is done only after its message began neither comes again nor splits the message."""
    thought = {"type": "reasoning_text.delta", "delta": "Hm."}
    late = done("reasoning", content=[{"type": "reasoning_text", "text": "Hm."}])
    response = answer(added("reasoning"), thought, added("message"), text("a"), late, text("b"), END)
    assert [type(item) for item in response.output] == [Reasoning, Message]
    assert told(response)[1:3] == ("ab", "Hm.")


def test_unknown_items_and_events() -> None:
    """Items and events of other kinds are passed over, whatever their fields hold."""
    foreign = {"type": "mcp_call_arguments.delta", "delta": {"any": 1}, "item": {"type": "mcp_call", "arguments": [3]}}
    response = answer(text("a"), foreign, added("mcp_call", content=3), done("mcp_call", name=[1]), text("b"), END)
    assert told(response)[:2] == ("completed", "ab")


def test_logprobs_and_annotations() -> None:
    """Log probabilities come with deltas, citations in events of their own; other annotations are passed over."""
    raw = {"type": "url_citation", "url": "https://example.org", "title": "T", "start_index": 0, "end_index": 2}
    note = {"type": "output_text.annotation.added", "annotation": raw}
    file = {"type": "output_text.annotation.added", "annotation": {"type": "file_citation", "file_id": "f"}}
    logprob = {"token": "Hi", "logprob": -0.5, "bytes": None, "top_logprobs": []}
    part = only_part(answer(text("Hi", logprobs=[logprob]), note, file, END))
    assert part.logprobs == (LogProb(token="Hi", logprob=-0.5),)
    assert part.annotations == (UrlCitation(url="https://example.org", title="T", start_index=0, end_index=2),)


def test_annotations_of_a_whole_message() -> None:
    """A whole message brings its citations along."""
    raw = {"type": "url_citation", "url": "https://example.org", "title": "T", "start_index": 0, "end_index": 2}
    content = [{"type": "output_text", "text": "Hi", "annotations": [raw, {"type": "file_path"}]}]
    assert [each.url for each in only_part(answer(done("message", content=content), END)).annotations] == [
        "https://example.org"
    ]


def test_refusal() -> None:
    """A refusal comes in deltas or whole."""
    deltas = answer({"type": "refusal.delta", "delta": "No."}, END)
    whole = answer(done("message", content=[{"type": "refusal", "refusal": "No."}]), END)
    assert (told(deltas).refusal, told(whole).refusal) == ("No.", "No.")


# -- reasoning --------------------------------------------------------------------------------------------------------


def test_sealed_reasoning() -> None:
    """A sealed copy stays on its item, under the id that its provider gave."""
    begun = added("reasoning", id="rs_7", encrypted_content="half")
    (item,) = answer(begun, done("reasoning", id="rs_7", summary=[], encrypted_content="sealed"), END).output
    assert isinstance(item, Reasoning)
    assert (item.id, item.encrypted_content, item.summary) == ("rs_7", "sealed", ())


@pytest.mark.parametrize("name", ["reasoning.delta", "reasoning_text.delta"])
def test_raw_reasoning(name: str) -> None:
    """Raw reasoning has two names."""
    assert told(answer({"type": name, "delta": "Hm."}, END)).thought == "Hm."


def test_summaries() -> None:
    """Each summary index is a part; those of the next reasoning item begin anew."""
    first = [added("reasoning"), summary("a", 0), summary("b", 0), summary("c", 1), done("reasoning")]
    second = [added("reasoning"), summary("d", 1), done("reasoning")]
    items = [item for item in answer(*first, *second, END).output if isinstance(item, Reasoning)]
    assert [[getattr(part, "text", "") for part in item.summary] for item in items] == [["ab", "c"], ["d"]]


# -- calls ------------------------------------------------------------------------------------------------------------


def calls(*events: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """Return the id, name and arguments of the calls that an upstream's events make."""
    response = answer(*events, END)
    assert response.status == "completed"
    return [(call.call_id, call.name, call.arguments) for call in response.function_calls]


def test_call_in_deltas() -> None:
    """Deltas, the end of the arguments and the whole item tell the same arguments once."""
    call = {"id": "fc_1", "call_id": "a", "name": "look"}
    made = calls(
        added("function_call", **call, arguments=""),
        arguments(SEOUL[:5], item_id="fc_1"),
        arguments(SEOUL[5:], item_id="fc_1"),
        {"type": "function_call_arguments.done", "item_id": "fc_1", "arguments": SEOUL},
        done("function_call", **call, arguments=SEOUL),
    )
    assert made == [("a", "look", SEOUL)]


def test_arguments_only_at_their_end() -> None:
    """Arguments may come without deltas, as text or as an object."""
    call = {"id": "fc_1", "call_id": "a", "name": "look"}
    ended = {"type": "function_call_arguments.done", "item_id": "fc_1"}
    as_text = calls(added("function_call", **call), ended | {"arguments": SEOUL})
    as_object = calls(added("function_call", **call), ended | {"arguments": {"city": "Seoul"}})
    assert (as_text, as_object) == ([("a", "look", SEOUL)], [("a", "look", SEOUL)])


def test_arguments_end_after_the_item() -> None:
    """News of a call that is done already is passed over."""
    call = {"id": "fc_1", "call_id": "a", "name": "look", "arguments": SEOUL}
    late = {"type": "function_call_arguments.done", "item_id": "fc_1", "arguments": SEOUL}
    assert calls(done("function_call", **call), late, arguments("{}", item_id="fc_1")) == [("a", "look", SEOUL)]


def test_calls_side_by_side() -> None:
    """Two calls may grow at once, told apart by their items' ids."""
    made = calls(
        added("function_call", id="fc_1", call_id="a", name="look"),
        added("function_call", id="fc_2", call_id="b", name="time"),
        arguments("{}", item_id="fc_2"),
        arguments(SEOUL, item_id="fc_1"),
    )
    assert made == [("a", "look", SEOUL), ("b", "time", "{}")]


def test_calls_by_index() -> None:
    """Without ids, the place in the output tells calls apart."""
    made = calls(
        added("function_call", call_id="a", name="look") | {"output_index": 0},
        added("function_call", call_id="b", name="time") | {"output_index": 1},
        arguments("{}", output_index=1),
        arguments(SEOUL, output_index=0),
    )
    assert made == [("a", "look", SEOUL), ("b", "time", "{}")]


def test_one_index() -> None:
    """Where all calls have one index and no ids, what comes belongs to the latest."""
    made = calls(
        added("function_call", call_id="a", name="look") | {"output_index": 0},
        arguments(SEOUL, output_index=0),
        added("function_call", call_id="b", name="time") | {"output_index": 0},
        arguments("{}", output_index=0),
    )
    assert made == [("a", "look", SEOUL), ("b", "time", "{}")]


def test_name_at_the_end() -> None:
    """A call whose name comes with the whole item is announced then."""
    made = calls(
        added("function_call", id="fc_1"),
        arguments(SEOUL, item_id="fc_1"),
        done("function_call", id="fc_1", call_id="a", name="look", arguments=SEOUL),
    )
    assert made == [("a", "look", SEOUL)]


# -- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "status", "why"),
    [
        ({"type": "completed"}, "completed", None),
        ({"type": "completed", "response": {"status": "in_progress"}}, "completed", None),
        ({"type": "incomplete", "response": {}}, "incomplete", "max_output_tokens"),
        (
            {"type": "incomplete", "response": {"incomplete_details": {"reason": "content_filter"}}},
            "incomplete",
            "content_filter",
        ),
        ({"type": "completed", "response": {"status": "incomplete"}}, "incomplete", "max_output_tokens"),
        ({"type": "failed"}, "failed", "The upstream broke off: no reason given"),
        ({"type": "failed", "response": {"error": {"message": "Boom"}}}, "failed", "The upstream broke off: Boom"),
    ],
)
def test_end(end: dict[str, object], status: str, why: str | None) -> None:
    """The last event's name or the response's status says how it ends; the graver one counts."""
    response = told(answer(text("a"), end))
    assert (response.status, response.text, response.why) == (status, "a", why)


def test_incomplete_items() -> None:
    """An item that was cut short stays incomplete, whether a message or a call."""
    end: dict[str, object] = {"type": "incomplete", "response": {}}
    message = answer(text("a"), done("message", content=parts("a"), status="incomplete"), end)
    call = answer(done("function_call", name="look", arguments='{"ci', status="incomplete"), end)
    assert [getattr(item, "status", "") for item in (*message.output, *call.output)] == ["incomplete", "incomplete"]


def test_no_end() -> None:
    """A stream without a last event was dropped, even if it says that it is done."""
    made = replay(
        "openai_responses", [frames({"type": "response.output_text.delta", "delta": "a"}, end=b"data: [DONE]\n\n")]
    )
    response = collect(made)
    assert response.error is not None
    assert (response.error.code, response.output_text) == ("upstream_dropped", "a")


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "error", "code": "x", "message": "Boom"},
        {"type": "error", "error": {"message": "Boom"}},
        {"error": {"message": "Boom"}},
        {"error": "Boom"},
    ],
)
def test_error_frame(frame: dict[str, object]) -> None:
    """An error frame, flat, nested or as chat servers write it, becomes an error event and the end."""
    said = {"type": "response.output_text.delta", "delta": "a"}
    made = replay("openai_responses", [frames(said, frame, said)])
    check_grammar(made)
    assert isinstance(made[-2], ev.ErrorEvent)
    assert (made[-2].error.message, collect(made).output_text) == ("The upstream broke off: Boom", "a")


@pytest.mark.parametrize(
    "piece",
    [
        b"{oops}",
        b'{"type": "response.output_item.done", "item": {"type": "message", "content": "x"}}',
        b'{"type": "response.completed", "response": {"output": [{"type": "message", "content": [null]}]}}',
        b'{"type": "response.completed", "response": [1]}',
        b'{"type": "response.output_text.delta", "delta": "\xff"}',
    ],
)
def test_broken_piece(piece: bytes) -> None:
    """A piece that isn't JSON, or isn't what its type says, ends the response."""
    made = replay("openai_responses", [b"data: " + piece + b"\n\n"])
    check_grammar(made)
    error = collect(made).error
    assert (error and error.code) == "upstream_garbled"


def test_usage() -> None:
    """Usage comes with the end; what it leaves out is 0, and none at all is unknown."""
    usage = {"input_tokens": 9, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 3}}
    counted = answer({"type": "completed", "response": {"usage": usage, "status": "completed"}})
    assert (told(counted).usage, answer(END).usage) == ((9, 4, 3, 0), None)


def test_later_call_of_one_response() -> None:
    """An upstream that sends only the end is understood also where the response has items from an earlier call."""
    builder = EventBuilder(draft(CreateResponse(), model="small"))
    events = builder.start() + builder.text("first") + builder.close_items()
    end = {"output": [{"type": "message", "content": parts("second")}]}
    events += ResponsesDecoder(builder).feed(frames({"type": "response.completed", "response": end}))
    events += builder.finish()
    check_grammar(events)
    assert collect(events).output_text == "firstsecond"
