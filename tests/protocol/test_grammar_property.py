"""Whatever the builder was told, its stream breaks no rule; and what was done to a stream afterwards is found."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.protocol.streams import full_stream

from agentbench.protocol import CreateResponse, EventBuilder, Usage, draft
from agentbench.protocol.content import UrlCitation
from agentbench.protocol.grammar import check
from agentbench.protocol.items import Compaction, FunctionCallOutput
from agentbench.protocol.recording import event_object

News = tuple[str, dict[str, Any]]
Events = list[dict[str, Any]]

TEXT = st.text(max_size=4)
WORD = st.text(min_size=1, max_size=4)
KEY = st.integers(0, 3)
COUNT = st.integers(0, 10**6)
CITATION = st.builds(UrlCitation, url=TEXT, title=TEXT, start_index=COUNT, end_index=COUNT)
FRESH_ID = st.uuids().map(str)
OUTPUT = st.builds(FunctionCallOutput, id=FRESH_ID, call_id=WORD, output=TEXT)
SEALED = st.builds(Compaction, id=FRESH_ID, encrypted_content=TEXT)


def news(method: str, /, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[News]:
    """Return a strategy for calls of one of the builder's methods."""
    return st.tuples(st.just(method), st.fixed_dictionaries(arguments))


CONTENT = st.one_of(
    news("text", delta=TEXT),
    news("refusal", delta=TEXT),
    news("annotation", annotation=CITATION),
    news("reasoning", delta=TEXT),
    news("reasoning_begins", item_id=WORD | st.none()),
    news("reasoning_summary", delta=TEXT, new_part=st.booleans()),
    news("reasoning_sealed", encrypted_content=TEXT),
    news("call", key=KEY, name=st.sampled_from(["f", "g"]), call_id=st.none(), arguments=TEXT),
    news("call_done", key=KEY),
    news("end_item"),
    news("item", item=OUTPUT | SEALED),
)
ENDING = st.sampled_from([("stop", ()), ("cut", ("max_output_tokens",)), ("cut", ("cancelled",)), ("fail", ("Oh.",))])
FULL: Events = [event_object(event) for event in full_stream()]
PLACES = st.integers(0, len(FULL) - 1)


def played(script: list[News], ending: tuple[str, tuple[str, ...]]) -> Events:
    """Return the stream of a builder to which all the news was told, as JSON objects."""
    builder = EventBuilder(draft(CreateResponse(), model="small"))
    events = builder.start()
    for name, arguments in script:
        events += getattr(builder, name)(**arguments) or []
    builder.usage(Usage.of(9, 5, cached=2, reasoning=1))
    getattr(builder, ending[0])(*ending[1])
    return [msgspec.json.decode(msgspec.json.encode(event)) for event in events + builder.finish()]


@settings(max_examples=200, deadline=None)
@given(st.lists(CONTENT, max_size=40), ENDING)
def test_what_the_builder_makes(script: list[News], ending: tuple[str, tuple[str, ...]]) -> None:
    """No news, and no ending, makes the builder break a rule."""
    assert check(played(script, ending)) == ()


def numbered(events: Events) -> Events:
    """Return the events with sequence numbers that have no gap."""
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


@given(PLACES)
def test_a_dropped_event(place: int) -> None:
    """A missing event is found, also if the rest is numbered as if it had never been."""
    rest = FULL[:place] + FULL[place + 1 :]
    assert check(rest)
    assert check(numbered(rest)) or FULL[place]["type"] == "response.queued"  # which may be left out


@given(PLACES)
def test_an_event_that_comes_twice(place: int) -> None:
    """It is found at the second one, or where the words no longer add up."""
    found = check(numbered([*FULL[: place + 1], *FULL[place:]]))
    assert found
    assert all(violation.index is None or violation.index > place for violation in found)


@given(PLACES, PLACES)
def test_two_events_that_change_places(one: int, other: int) -> None:
    """Their numbers tell; and what comes before the first of them is not blamed."""
    assume(one != other)
    first, second = sorted((one, other))
    events = list(FULL)
    events[first], events[second] = events[second], events[first]
    found = check(events)
    assert {"sequence-numbers"} <= {violation.rule for violation in found}
    assert min(violation.index for violation in found if violation.index is not None) == first


# What may be anything, as nothing else in the stream says it again.
_FREE = {"sequence_number", "logprobs"}


@given(PLACES, st.data())
def test_an_altered_event(place: int, data: st.DataObject) -> None:
    """Another value in any key of any event is found."""
    key = data.draw(st.sampled_from(sorted(FULL[place].keys() - _FREE)))
    value = data.draw(st.none() | st.integers(10, 99) | st.just("altered") | st.just({"id": "altered"}))
    assume(FULL[place][key] != value)
    if key == "annotation" and value is None:
        return  # the schema allows it, and the part then tells
    events = [*FULL[:place], {**FULL[place], key: value}, *FULL[place + 1 :]]
    assert check(events), (FULL[place]["type"], key, value)
