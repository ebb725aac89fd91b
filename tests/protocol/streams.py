"""Streams that several tests of the protocol look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from tests.grammar import check_grammar

from agentbench.protocol import CreateResponse, Event, EventBuilder, Usage, draft
from agentbench.protocol import events as ev
from agentbench.protocol.content import InputText, LogProb, TopLogProb, UrlCitation
from agentbench.protocol.items import Compaction, FunctionCallOutput
from agentbench.protocol.request import AllowedTools, FunctionTool, FunctionToolChoice, ReasoningConfig, TextConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CITATION", "LOGPROB", "REQUEST", "every_kind", "finished", "full_stream", "kinds", "only"]

E = TypeVar("E")

LOGPROB = LogProb(
    token="Seoul", logprob=-0.25, bytes=(83,), top_logprobs=(TopLogProb(token="Busan", logprob=-2.5, bytes=(66,)),)
)
CITATION = UrlCitation(url="https://example.org/seoul", title="Seoul", start_index=0, end_index=5)
REQUEST = CreateResponse(
    model="big",
    instructions="Be brief.",
    previous_response_id="resp_0",
    tools=(FunctionTool(name="weather", parameters={"type": "object"}), FunctionTool(name="time")),
    tool_choice=AllowedTools(tools=(FunctionToolChoice(name="weather"),), mode="required"),
    parallel_tool_calls=False,
    max_tool_calls=3,
    text=TextConfig(verbosity="low"),
    temperature=0.0,
    top_p=0.5,
    presence_penalty=0.25,
    frequency_penalty=-0.25,
    max_output_tokens=512,
    top_logprobs=1,
    reasoning=ReasoningConfig(effort="low", summary="auto"),
    truncation="auto",
    store=False,
    background=True,
    service_tier="flex",
    metadata={"course": "4"},
    safety_identifier="someone",
    prompt_cache_key="shelf",
)


def kinds(events: Iterable[Event]) -> list[str]:
    """Return the names of the events' classes."""
    return [type(event).__name__ for event in events]


def only(events: Iterable[Event], kind: type[E]) -> list[E]:
    """Return the events of one class."""
    return [event for event in events if isinstance(event, kind)]


def finished(builder: EventBuilder, events: list[Event]) -> list[Event]:
    """Stop and finish the builder; return the whole stream, its grammar checked."""
    builder.stop()
    events = events + builder.finish()
    check_grammar(events)
    return events


def full_stream() -> list[Event]:
    """Return a completed stream with every kind of item, part and delta."""
    builder = EventBuilder(draft(REQUEST, model="big"))
    events = builder.start()
    events += builder.reasoning("Which ") + builder.reasoning("city?")
    events += builder.reasoning_summary("Asked ") + builder.reasoning_summary("for a city.")
    events += builder.reasoning_summary("Found it.", new_part=True) + builder.reasoning_sealed("c2VhbGVk")
    events += builder.text("Seo", logprobs=(LOGPROB,)) + builder.text("ul")
    events += builder.annotation(CITATION) + builder.refusal("More ") + builder.refusal("I won't say.")
    events += builder.call(0, name="weather", call_id="call_a", arguments='{"city":')
    events += builder.call(1, name="time") + builder.call(0, arguments='"Seoul"}')
    events += builder.item(FunctionCallOutput(id="fco_1", call_id="call_a", output=(InputText(text="Rain"),)))
    events += builder.item(Compaction(id="cmp_1", encrypted_content="c2VhbGVk"))
    builder.usage(Usage.of(12, 34, cached=5, reasoning=6))
    return finished(builder, events)


def every_kind() -> list[Event]:
    """Return events of all 24 kinds: three streams, and one event that no stream of the builder's has."""
    queued = msgspec.structs.replace(draft(REQUEST, model="big"), status="queued")
    events: list[Event] = [ev.ResponseQueued(sequence_number=1, response=queued), *full_stream()]
    cut, failed = (EventBuilder(draft(REQUEST, model="big")) for _ in range(2))
    events += cut.start() + cut.call(0, name="weather", arguments='{"ci')
    cut.cut("max_output_tokens")
    events += cut.finish()
    events += failed.start() + failed.text("Seo")
    failed.fail("The upstream broke off.")
    return events + failed.finish()
