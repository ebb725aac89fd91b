"""What a text cites is known once it is whole: annotations before its end, in the stream's grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.protocol.streams import CITATION, finished, kinds, only

from agentbench.protocol import events as ev
from agentbench.protocol.content import OutputText, UrlCitation
from agentbench.protocol.items import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.protocol import EventBuilder

LONDON = UrlCitation(url="https://example.org/london", title="London", start_index=0, end_index=6)


def cite(text: str) -> Iterator[UrlCitation]:
    """Cite London wherever a text begins with it."""
    if text.startswith("London"):
        yield LONDON


@pytest.fixture
def citing(builder: EventBuilder) -> EventBuilder:
    """Give a builder whose texts cite."""
    builder.cite = cite
    return builder


def test_before_the_texts_end(citing: EventBuilder) -> None:
    """The citation is added when the text is whole, and its part has it."""
    events = finished(citing, citing.start() + citing.text("Lon") + citing.text("don."))
    assert kinds(events[-6:]) == [
        "TextDelta",
        "AnnotationAdded",
        "TextDone",
        "ContentPartDone",
        "ItemDone",
        "ResponseCompleted",
    ]
    message = citing.response.output[0]
    assert isinstance(message, Message)
    assert message.content == (OutputText(text="London.", annotations=(LONDON,)),)


def test_after_the_upstreams_own(citing: EventBuilder) -> None:
    """Citations that came with the answer stay, and come first."""
    events = finished(citing, citing.start() + citing.text("London") + citing.annotation(CITATION))
    added = [(each.annotation_index, each.annotation) for each in only(events, ev.AnnotationAdded)]
    assert added == [(0, CITATION), (1, LONDON)]


def test_each_text_for_itself(citing: EventBuilder) -> None:
    """Every message is asked about, refusals and reasoning aren't."""
    events = citing.start() + citing.text("London") + citing.reasoning("London") + citing.text("London")
    events = finished(citing, events + citing.refusal("London"))
    assert [each.output_index for each in only(events, ev.AnnotationAdded)] == [0, 2]


def test_a_text_that_breaks_off(citing: EventBuilder) -> None:
    """It cites what it says so far."""
    events = citing.start() + citing.text("London i")
    citing.cut("interrupted")
    events += citing.finish()
    assert len(only(events, ev.AnnotationAdded)) == 1
