from __future__ import annotations

import pytest
from tests.protocol.streams import full_stream

from agentbench.errors import UpstreamUnavailable
from agentbench.protocol import CreateResponse, Event, EventBuilder, collect, draft


@pytest.mark.parametrize("ending", ["stop", "cut", "fail"])
def test_every_ending(ending: str, builder: EventBuilder) -> None:
    """Collecting a stream gives the response that it ended in, whatever the ending."""
    events = builder.start() + builder.text("Once upon")
    getattr(builder, ending)(*["max_output_tokens"] * (ending != "stop"))
    assert collect(events + builder.finish()) == builder.response


def test_the_whole_output() -> None:
    """The response holds all that the stream told."""
    response = collect(full_stream())
    assert (response.output_text, len(response.output), len(response.function_calls)) == ("Seoul", 6, 2)


def test_the_rest_is_not_read() -> None:
    """What comes after the terminal event is left alone."""
    events = iter([*full_stream(), *EventBuilder(draft(CreateResponse(), model="m")).start()])
    collect(events)
    assert len(list(events)) == 2


@pytest.mark.parametrize("events", [[], full_stream()[:-1]])
def test_a_broken_stream(events: list[Event]) -> None:
    """A stream without its terminal event has no response."""
    with pytest.raises(UpstreamUnavailable, match="broke off"):
        collect(events)
