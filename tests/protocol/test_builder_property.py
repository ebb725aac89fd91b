"""Whatever news comes, in whatever order: the stream obeys the grammar, and JSON keeps it."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.grammar import check_grammar
from tests.protocol.streams import only

from agentbench.protocol import CreateResponse, Event, EventBuilder, Usage, draft
from agentbench.protocol import events as ev
from agentbench.protocol.content import LogProb, UrlCitation
from agentbench.protocol.items import Compaction, FunctionCallOutput

News = tuple[str, dict[str, Any]]

TEXT = st.text(max_size=4)
COUNT = st.integers(0, 2**53)
KEY = st.integers(0, 3)
ID = st.sampled_from(["", "a", "b"])
LOGPROB = st.builds(LogProb, token=TEXT, logprob=st.floats(-50, 0), bytes=st.just((1,)))
CITATION = st.builds(UrlCitation, url=TEXT, title=TEXT, start_index=COUNT, end_index=COUNT)
USAGE = st.builds(Usage.of, COUNT, COUNT, cached=COUNT, cache_write=COUNT, reasoning=COUNT)
FRESH_ID = st.uuids().map(str)
WHOLE = st.builds(FunctionCallOutput, id=FRESH_ID, call_id=ID, output=TEXT) | st.builds(
    Compaction, id=FRESH_ID, encrypted_content=TEXT
)


def news(method: str, /, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[News]:
    """Return a strategy for calls of one of the builder's methods."""
    return st.tuples(st.just(method), st.fixed_dictionaries(arguments))


CALL = news("call", key=KEY, name=st.sampled_from(["f", "g", "h", ""]), call_id=ID | st.none(), arguments=TEXT)
CONTENT = st.one_of(
    news("text", delta=TEXT, logprobs=st.just(()) | st.tuples(LOGPROB)),
    news("refusal", delta=TEXT),
    news("annotation", annotation=CITATION),
    news("reasoning", delta=TEXT),
    news("reasoning_begins", item_id=ID | st.none()),
    news("reasoning_summary", delta=TEXT, new_part=st.booleans()),
    news("reasoning_sealed", encrypted_content=TEXT),
    *[CALL] * 4,  # calls have the most to go wrong
    news("call_done", key=KEY),
    news("end_item"),
    news("item", item=WHOLE),
    news("usage", usage=USAGE),
)
ENDING = st.one_of(news("stop"), news("next_call"), news("cut", reason=TEXT), news("fail", message=TEXT, code=TEXT))
# Left alone, hypothesis makes lists of about six.
SCRIPT = st.one_of(
    st.lists(CONTENT, max_size=15),
    st.lists(CONTENT, min_size=15, max_size=60),
    st.lists(CONTENT | ENDING, min_size=5, max_size=60),
)


def played(script: list[News], *, stops: bool) -> tuple[EventBuilder, list[Event]]:
    """Return the builder to which all the news was told, finished, and its stream."""
    builder = EventBuilder(draft(CreateResponse(), model="small"))
    events = builder.start()
    for name, arguments in script:
        events += getattr(builder, name)(**arguments) or []
    if stops:
        builder.stop()
    return builder, events + builder.finish()


@settings(max_examples=200, deadline=None)
@given(SCRIPT, st.booleans())
def test_any_news(script: list[News], stops: bool) -> None:  # noqa: FBT001 - hypothesis hands it over
    """The stream obeys the grammar, loses no text, and comes out of JSON as it went in."""
    builder, events = played(script, stops=stops)
    check_grammar(events)
    told = "".join(arguments["delta"] for name, arguments in script if name == "text")
    assert builder.response.output_text == told
    assert "".join(event.delta for event in only(events, ev.TextDelta)) == told
    decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
    assert [decoder.decode(msgspec.json.encode(event)) for event in events] == events
