"""Events as the openai SDK's own types, equal to what the SDK reads from the wire."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest
from openai._models import construct_type
from openai.types.responses import ResponseStreamEvent

from agentbench.gateway.openai_events import openai_event
from agentbench.protocol import CreateResponse, Event, EventBuilder, draft
from agentbench.protocol import events as ev
from agentbench.protocol.content import LogProb, UrlCitation
from agentbench.protocol.response import Usage
from agentbench.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def builder() -> EventBuilder:
    """Return a builder of a response that is not there yet."""
    return EventBuilder(draft(CreateResponse(model="m"), model="m"))


def everything() -> Iterator[Event]:
    """Yield events of every kind."""
    made = builder()
    made.response = msgspec.structs.replace(made.response, status="queued")
    yield from made.start()
    yield from made.reasoning("Let me see.")
    yield from made.reasoning_summary("I see.", new_part=True)
    yield from made.text("Hello.")
    yield from made.text("Hi.", logprobs=(LogProb(token="Hi.", logprob=-0.5, bytes=(72,), top_logprobs=()),))
    yield from made.annotation(UrlCitation(url="https://a.example", title="A", start_index=0, end_index=5))
    yield from made.refusal("No.")
    yield from made.call("a", name="look", arguments='{"at":')
    yield from made.call("a", arguments='"it"}')
    made.usage(Usage.of(3, 4))
    made.stop()
    yield from made.finish()
    for end in (lambda one: one.cut("max_output_tokens"), lambda one: one.fail("It broke.", code="broken")):
        yield from ended(end)


def ended(end: Callable[[EventBuilder], None]) -> list[Event]:
    """Return how a response ends."""
    made = builder()
    made.start()
    end(made)
    return made.finish()


EVENTS = list(everything())


def from_the_wire(event: Event) -> Any:
    """Return what the SDK makes of an event in OpenAI's words."""
    raw = msgspec.json.decode(msgspec.json.encode(event))
    if raw["type"] == "error":
        raw = {**raw.pop("error"), **raw, "type": "error"}
    raw["type"] = raw["type"].replace("response.reasoning.", "response.reasoning_text.")
    return construct_type(type_=ResponseStreamEvent, value=raw)


def test_all_kinds() -> None:
    """The events below are of every kind that there is."""
    assert {type(event) for event in EVENTS} == set(get_args(Event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{event.sequence_number} {type(event).__name__}")
def test_equal(event: Event) -> None:
    """Each event is what the SDK reads from the wire, in every way that a program could tell."""
    expected, actual = from_the_wire(event), openai_event(event)
    assert (type(expected), expected) == (type(actual), actual)
    assert expected.model_dump() == actual.model_dump()
    assert expected.model_dump_json(exclude_unset=True) == actual.model_dump_json(exclude_unset=True)
    assert (repr(expected), expected.model_fields_set) == (repr(actual), actual.model_fields_set)
    assert expected == copy.deepcopy(actual) == copy.copy(actual) == pickle.loads(pickle.dumps(actual))  # noqa: S301 - our own


def test_nothing_is_shared() -> None:
    """Two events of a kind have nothing in common that could be changed."""
    delta = next(event for event in EVENTS if isinstance(event, ev.TextDelta))
    first, second = openai_event(delta), openai_event(delta)
    first.delta, first.logprobs = "changed", [1]  # type: ignore[union-attr, assignment, list-item] - any event's
    assert (second.delta, second.logprobs) == (delta.delta, [])  # type: ignore[union-attr] - any event's


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """Return a workbench whose model says one thing."""
    script = {"scripted": {"models": {"actor": [{"text": "Hello there."}]}}}
    with Workbench({"endpoints": script}, home=tmp_path) as bench:
        yield bench


def test_stream(bench: Workbench) -> None:
    """A stream's events come as the SDK's, to its end."""
    stream = bench.stream("Hi", model="scripted/actor")
    assert [event.type for event in stream.openai_events()][-1] == "response.completed"
    assert stream.response.status == "completed"


@pytest.mark.anyio
async def test_asynchronous_stream(bench: Workbench) -> None:
    """So they do in a running event loop."""
    events = [event async for event in bench.stream("Hi", model="scripted/actor").openai_events()]
    texts = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(texts) == "Hello there."
